"""The staff's start page: its three figures; those about hours come from published statements."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from django.db.models import Sum

from agency.money import round_half_away
from agency.month import Month
from agency.templatetags.figures import month_name
from subscriptions.models import Display, InvoiceLine, InvoiceState, LineKind, Statement
from workshops.models import OfferingKind, Session, SessionStatus

MONTHS_OF_FIGURES = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """A month of the chart of recurring revenue, in whole pixels of its 330 by 150 drawing."""

    x: int
    y: int
    height: int
    letter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    recurring_cents: int
    recurring_year_ago_cents: int
    bars: list[Bar]
    used_quarters: int
    allowance_quarters: int
    organisations_with_hours: int
    organisations_without: int
    sessions: int
    sessions_by_kind: str

    @property
    def used_percent(self) -> int:
        if not self.allowance_quarters:
            return 0
        return round_half_away(Fraction(self.used_quarters * 100, self.allowance_quarters))


def figures(on: dt.date) -> Figures:
    """Give recurring revenue as billed, published use of twelve months, and sessions to come."""
    now = Month.containing(on)
    revenue = _recurring(now)
    use = _published_use(now)
    kinds = Counter[str](
        Session.objects.filter(status=SessionStatus.SCHEDULED, starts_at__date__gte=on)
        .order_by()
        .values_list("offering__kind", flat=True)
    )
    return Figures(
        recurring_cents=revenue[-1],
        recurring_year_ago_cents=revenue[0],
        bars=_bars(now, revenue),
        **use,
        sessions=kinds.total(),
        sessions_by_kind=", ".join(
            f"{n} × {OfferingKind(kind).label}" for kind, n in kinds.most_common()
        ),
    )


def _recurring(now: Month) -> list[int]:
    """Give for twelve months up to ``now`` the fees billed for each, evenly over their period."""
    fees = InvoiceLine.objects.filter(
        kind__in=[LineKind.FEE, LineKind.TIER_CHANGE],
        until_month__gt=now - MONTHS_OF_FIGURES + 1,
        from_month__lte=now,
    ).exclude(invoice__state=InvoiceState.VOID)
    sums = [Fraction(0)] * MONTHS_OF_FIGURES
    grouped = fees.order_by().values_list("from_month", "until_month").annotate(Sum("net_cents"))
    for first, until, cents in grouped:
        for back in range(MONTHS_OF_FIGURES):
            if first <= now - back < until:
                sums[-1 - back] += Fraction(cents, until.since(first))
    return [round_half_away(cents) for cents in sums]


def _bars(now: Month, revenue: list[int]) -> list[Bar]:
    most = max(revenue) or 1
    bars = []
    for i, cents in enumerate(revenue):
        height = cents * 120 // most
        letter = month_name(now - MONTHS_OF_FIGURES + 1 + i)[0]
        bars.append(Bar(4 + i * 27, 128 - height, height, letter))
    return bars


def _published_use(now: Month) -> dict[str, int]:
    """Add up the exact statements of a year; allowances count for the part of the year covered."""
    recent = Statement.objects.newest().filter(from_month__gte=now - MONTHS_OF_FIGURES)
    used, allowance = 0, Fraction(0)
    organisations: set[object] = set()
    shown = recent.filter(display=Display.EXACT).values_list(
        "organisation", "used_quarters", "allowance_quarters", "from_month", "until_month"
    )
    for organisation, quarters, yearly, first, until in shown:
        used += quarters or 0
        allowance += Fraction(yearly * until.since(first), 12)
        organisations.add(organisation)
    everybody = recent.values("organisation").distinct().count()
    return {
        "used_quarters": used,
        "allowance_quarters": round_half_away(allowance),
        "organisations_with_hours": len(organisations),
        "organisations_without": everybody - len(organisations),
    }
