"""The staff's start page: its three figures; those about hours come from published statements."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.db.models import BigIntegerField, Case, Count, F, IntegerField, Q, Sum, When
from django.db.models.functions import Cast

from agency.money import round_half_away
from agency.month import Month, midnight
from agency.templatetags.figures import month_name
from subscriptions.models import Display, InvoiceLine, InvoiceState, LineKind, Statement, Tier
from workshops.models import OfferingKind, Session, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

MONTHS_OF_FIGURES = 12
MONTHS_AHEAD = 6
SECONDS_KEPT = 15 * 60
FEES = (LineKind.FEE, LineKind.TIER_CHANGE)
HIGHEST, BASE, STEP = 120, 128, 27  # of a drawing that is 330 wide and 150 high
LOW_HIGHEST, LOW_BASE, WIDE_STEP = 44, 60, 54  # of one of half a year, 82 high


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a column, in whole pixels."""

    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Column:
    """A month of a chart with its one or two figures, the lower one first."""

    x: int
    month: Month
    values: tuple[int, ...]
    blocks: tuple[Block, ...]

    @property
    def letter(self) -> str:
        return month_name(self.month)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    recurring_cents: int
    recurring_year_ago_cents: int
    extended_percent: int
    recurring: list[Column]
    used_quarters: int
    allowance_quarters: int
    organisations_with_hours: int
    organisations_without: int
    sessions: int
    sessions_by_kind: str
    sessions_ahead: list[Column]

    @property
    def used_percent(self) -> int:
        return _percent(self.used_quarters, self.allowance_quarters)

    @property
    def contracted_width(self) -> int:
        """Where all that was contracted lies on the bar, which is as long as the larger of both."""
        return _percent(100, max(100, self.used_percent))

    @property
    def within_width(self) -> int:
        """The part of the bar for use within what was contracted; what is beyond begins there."""
        return min(self.used_percent, self.contracted_width)


def figures(on: dt.date) -> Figures:
    """Give recurring revenue as billed, published use of twelve months, and sessions to come."""
    now = Month.containing(on)
    revenue = _recurring(now)
    planned = Session.objects.filter(status=SessionStatus.SCHEDULED, starts_at__gte=midnight(on))
    ahead = [now + i for i in range(MONTHS_AHEAD)]
    # By comparing, which the database does itself: SQLite asks Python for the month of a moment.
    ends = [
        When(starts_at__lt=midnight((month + 1).first_day), then=month.index) for month in ahead
    ]
    month_of_it = Case(*ends, output_field=IntegerField())
    kinds, by_month = Counter[str](), Counter[int | None]()
    to_come = planned.order_by().values_list("offering__kind", month_of_it).annotate(Count("pk"))
    for kind, index, n in to_come:
        kinds[kind] += n
        by_month[index] += n
    return Figures(
        recurring_cents=sum(revenue[-1]),
        recurring_year_ago_cents=sum(revenue[0]),
        extended_percent=_percent(revenue[-1][0], sum(revenue[-1])),
        recurring=_columns([now - MONTHS_OF_FIGURES + 1 + i for i in range(len(revenue))], revenue),
        **_published_use(now),
        sessions=kinds.total(),
        sessions_by_kind=", ".join(
            f"{n} × {OfferingKind(kind).label}" for kind, n in kinds.most_common()
        ),
        sessions_ahead=_columns(
            ahead, [(by_month[each.index],) for each in ahead], LOW_HIGHEST, LOW_BASE, WIDE_STEP
        ),
    )


def _percent(part: int, whole: int) -> int:
    return round_half_away(Fraction(part * 100, whole)) if whole else 0


def _recurring(now: Month) -> list[tuple[int, int]]:
    """Give what `_billed` finds; it reads all fees of a year, so it is kept for a while.

    An index of fees would spare that, and every drafting run would pay for it.
    """
    key = f"recurring revenue {now}"
    kept: list[tuple[int, int]] | None = cache.get(key)
    if kept is None:
        kept = _billed(now)
        cache.set(key, kept, SECONDS_KEPT)
    return kept


def _billed(now: Month) -> list[tuple[int, int]]:
    """Give for twelve months up to ``now`` the fees billed for each, evenly over their period.

    Those of the extended tier come first. The difference that an upgrade bills counts there, and
    the fee that was billed before it stays with the tier it was billed at.
    """
    fees = InvoiceLine.objects.filter(
        kind__in=FEES, until_month__gt=now - MONTHS_OF_FIGURES + 1, from_month__lte=now
    ).exclude(invoice__state=InvoiceState.VOID)
    sums = {tier: [Fraction(0)] * MONTHS_OF_FIGURES for tier in (True, False)}
    by_period = fees.order_by().values_list("from_month", "until_month", "occurrence__tier", "kind")
    for first, until, tier, kind, cents in by_period.annotate(Sum("net_cents")):
        is_extended = kind == LineKind.TIER_CHANGE or tier == Tier.EXTENDED
        for back in range(MONTHS_OF_FIGURES):
            if first <= now - back < until:
                sums[is_extended][-1 - back] += Fraction(cents, until.since(first))
    pairs = zip(sums[True], sums[False], strict=True)
    return [(round_half_away(extended), round_half_away(basic)) for extended, basic in pairs]


def _columns(
    months: Sequence[Month],
    values: Sequence[tuple[int, ...]],
    highest: int = HIGHEST,
    base: int = BASE,
    step: int = STEP,
) -> list[Column]:
    """Stack the figures of each month, to the scale of the highest month."""
    most = max(map(sum, values)) or 1
    columns = []
    for i, (month, figures_) in enumerate(zip(months, values, strict=True)):
        blocks, top = [], base
        for value in figures_:
            height = max(0, value) * highest // max(most, 1)
            top -= height
            blocks.append(Block(top, height))
        columns.append(Column(4 + i * step, month, figures_, tuple(blocks)))
    return columns


def _published_use(now: Month) -> dict[str, int]:
    """Add up the exact statements of a year; allowances count for the part of the year covered."""
    recent = Statement.objects.newest_since(now - MONTHS_OF_FIGURES)
    exact = Q(display=Display.EXACT)
    length = Cast("until_month", IntegerField()) - Cast("from_month", IntegerField())
    by_client = (
        recent.order_by()
        .values("organisation")
        .annotate(
            used=Sum("used_quarters", default=0),
            allowed=Sum(
                F("allowance_quarters") * length, filter=exact, output_field=BigIntegerField()
            ),
        )
    )
    found = by_client.aggregate(
        everybody=Count("organisation"),
        organisations_with_hours=Count("allowed"),
        used_quarters=Sum("used", default=0),
        months_of_allowance=Sum("allowed", default=0),
    )
    allowance = Fraction(found.pop("months_of_allowance"), 12)
    without = found.pop("everybody") - found["organisations_with_hours"]
    return found | {
        "allowance_quarters": round_half_away(allowance),
        "organisations_without": without,
    }
