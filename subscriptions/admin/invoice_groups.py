"""The tabs above the list of invoices: each state, with how many documents and how much."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext_lazy as _

from agency.today import today
from subscriptions.models import Invoice, InvoiceKind, InvoiceState

if TYPE_CHECKING:
    from django.http import HttpRequest

A_YEAR = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Group:
    """A tab above the list: its filter, how many documents and how many cents."""

    label: Any
    query: str
    count: int
    total_cents: int
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
    """Count the documents of each state, and the overdue ones among the open, in one query."""
    on = today()
    sums: dict[str, Any] = Invoice.objects.aggregate(
        **{
            f"count_{i}": Count("pk", filter=_of_group(group, on)) for i, group in enumerate(GROUPS)
        },
        **{
            f"cents_{i}": Sum("total_cents", filter=_of_group(group, on))
            for i, group in enumerate(GROUPS)
        },
    )
    chosen = (request.GET.get("state__exact", ""), request.GET.get("overdue", ""))
    return [
        Group(
            label=label,
            query=_query(state, late),
            count=sums[f"count_{i}"],
            total_cents=sums[f"cents_{i}"] or 0,
            is_current=chosen == (state, late),
        )
        for i, (label, state, late) in enumerate(GROUPS)
    ]


def _of_group(group: tuple[Any, str, str], on: dt.date) -> Q:
    _label, state, late = group
    if late:
        return overdue(on)
    return Q(state=state) if state else Q(pk__isnull=False)


def _query(state: str, late: str) -> str:
    parts = [f"state__exact={state}"] if state else []
    parts += [f"overdue={late}"] if late else []
    return "?" + "&".join(parts)
