"""The tabs above the list of invoices: each state, with how many documents and how much."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count, Q, Sum
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency.today import today
from subscriptions.models import BlockedReason, Invoice, InvoiceKind, InvoiceState

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_ADDED_UP = 1000
OVER = ("", InvoiceState.PAID)  # the groups that only grow
# What the filters ask for: the same rows, by an index.
BLOCKED = {
    reason: Q(state=InvoiceState.BLOCKED, blocked_reason=reason) for reason in BlockedReason.values
}
KINDS = {"invoice": Q(credit_of=None), "credit": Q(credit_of__gt=UUID(int=0))}
A_YEAR = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Group:
    """A tab above the list: its filter, how many documents in words, and what they come to.

    Nobody adds up what is many: ``total_cents`` is None then.
    """

    label: Any
    query: str
    count: str
    total_cents: int | None
    is_current: bool


GROUPS: tuple[tuple[Any, str, str], ...] = (
    (_("All"), "", ""),
    (_("Draft"), "draft", ""),
    (_("Blocked"), "blocked", ""),
    (_("Approved"), "approved", ""),
    (_("Parked"), "parked", ""),
    (_("Open"), "open", ""),
    (_("Overdue"), "open", "yes"),
    (_("Paid"), "paid", ""),
)


def overdue(on: dt.date) -> Q:
    return Q(state=InvoiceState.OPEN, kind=InvoiceKind.INVOICE, due_on__lt=on)


def hopeless(on: dt.date) -> Q:
    """What is unpaid for a year, when its VAT can be claimed back, or given up at Stripe only."""
    is_old = Q(state=InvoiceState.OPEN, due_on__lte=on - A_YEAR)
    given_up = is_old | Q(state=InvoiceState.UNCOLLECTIBLE)
    return given_up & Q(kind=InvoiceKind.INVOICE, write_off__written_off_on=None)


def groups(request: HttpRequest) -> list[Group]:
    """Count the documents of each state, and the overdue ones among the open, in two statements.

    Of what waits for somebody all is counted and added up; of what is over, which is nearly all
    of them, no more than `MOST_ADDED_UP` of each state.
    """
    sums = _waiting(today())
    paid, over = _over()
    waiting = [each for (_state, late), each in sums.items() if not late]
    every = _Sum(
        over.count + sum(each.count for each in waiting),
        over.cents + sum(each.cents for each in waiting),
    )
    sums |= {(InvoiceState.PAID, ""): paid.capped(), ("", ""): every.capped()}
    late = request.GET.get("overdue", "")
    of_late = InvoiceState.OPEN if late == "yes" else ""  # which are open, also if nobody says so
    chosen = (request.GET.get("state__exact", of_late), late)
    return [
        Group(
            label=label,
            query=_query(state, late),
            count=_said(sums[state, late]),
            total_cents=None if sums[state, late].is_capped else sums[state, late].cents,
            is_current=chosen == (state, late),
        )
        for label, state, late in GROUPS
    ]


@dataclass(frozen=True, slots=True)
class _Sum:
    count: int
    cents: int
    is_capped: bool = False

    def capped(self) -> _Sum:
        return replace(self, is_capped=self.count > MOST_ADDED_UP)


def _waiting(on: dt.date) -> dict[tuple[str, str], _Sum]:
    waiting = [(state, late) for _label, state, late in GROUPS if state not in OVER]
    rows = Invoice.objects.filter(state__in={state for state, _late in waiting})
    found = rows.aggregate(
        **{
            f"{what}_{i}": figure(column, filter=overdue(on) if late else Q(state=state))
            for i, (state, late) in enumerate(waiting)
            for what, figure, column in (("n", Count, "total_cents"), ("cents", Sum, "total_cents"))
        }
    )
    return {
        group: _Sum(found[f"n_{i}"], found[f"cents_{i}"] or 0) for i, group in enumerate(waiting)
    }


def _over() -> tuple[_Sum, _Sum]:
    """Give the sums of what is paid, and of all that is over; "paid" is the first of their words.

    By the index of states, which ends after as many as are added up.
    """
    over = Invoice.objects.filter(state__gte=InvoiceState.PAID).exclude(state=InvoiceState.PARKED)
    first = over.order_by("state").values("state", "total_cents")[: MOST_ADDED_UP + 1]
    paid = Q(state=InvoiceState.PAID)
    found = first.aggregate(
        n=Count("state"),
        cents=Sum("total_cents"),
        paid_n=Count("state", filter=paid),
        paid_cents=Sum("total_cents", filter=paid),
    )
    return _Sum(found["paid_n"], found["paid_cents"] or 0), _Sum(found["n"], found["cents"] or 0)


def _said(found: _Sum) -> str:
    number = number_format(min(found.count, MOST_ADDED_UP), force_grouping=True)
    exact = number_format(found.count, force_grouping=True)
    return gettext("more than %(n)s") % {"n": number} if found.is_capped else exact


def _query(state: str, late: str) -> str:
    parts = [f"state__exact={state}"] if state else []
    parts += [f"overdue={late}"] if late else []
    return "?" + "&".join(parts)
