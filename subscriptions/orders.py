"""A client's purchase orders: which one a line takes, and what is left of a budget (design 5.9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import (
    BigIntegerField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from agency.bulk import grouped
from agency.models import Organisation
from agency.month import Month
from agency.templatetags.figures import euro, long_month
from subscriptions.models import BlockedReason, Invoice, InvoiceState, LineKind, PurchaseOrder

# Lines that take the purchase order of the first month of their period; the rest takes the run's.
BY_PERIOD = frozenset({LineKind.FEE, LineKind.SETUP, LineKind.TIER_CHANGE})
# What counts on an order; what is blocked is drafted anew, but for what only waits for a look.
COUNTS = ~Q(state=InvoiceState.VOID) & (
    ~Q(state=InvoiceState.BLOCKED) | Q(blocked_reason=BlockedReason.BOUND)
)


class BudgetRefusedError(ValidationError):
    """A budget that an order cannot have; its message is the sentence to show."""


class OrderRefusedError(ValidationError):
    """An order that a client cannot add; its message is the sentence to show."""


@transaction.atomic
def add(
    organisation: Organisation,
    *,
    number: str,
    from_month: Month,
    until_month: Month | None,
    budget_cents: int | None,
    on: dt.date,
) -> tuple[PurchaseOrder, bool]:
    """Add an order for months to come; the same one again is the one there is, and not new.

    An order without an end ends where the new one begins. Raises OrderRefusedError for a month
    that has begun and for months of another order, and what `refuse_budget` raises.
    """
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    own = PurchaseOrder.objects.filter(organisation=organisation)
    wanted = {"number": number, "from_month": from_month, "until_month": until_month}
    same = own.filter(**wanted, budget_cents=budget_cents).first()
    if same:
        return same, False
    if from_month.first_day <= on:
        raise OrderRefusedError(_("Choose a month that has not begun yet."))
    if budget_cents:
        refuse_budget(organisation, number, budget_cents)
    giving_way = own.filter(until_month=None, from_month__lt=from_month)
    if until_month is not None:
        own = own.filter(from_month__lt=until_month)
    in_the_way = own.filter(Q(until_month=None) | Q(until_month__gt=from_month))
    taken = in_the_way.exclude(pk__in=giving_way.values("pk")).order_by("from_month").first()
    if taken:
        text = _("Order %(number)s holds in these months already, from %(month)s on.")
        month = long_month(taken.from_month)
        raise OrderRefusedError(text, params={"number": taken.number, "month": month})
    giving_way.update(until_month=from_month)
    new = PurchaseOrder.objects.create(
        organisation=organisation, **wanted, budget_cents=budget_cents
    )
    return new, True


def purchase_orders(
    organisations: Sequence[UUID] | QuerySet[Any] | None,
) -> dict[UUID, list[PurchaseOrder]]:
    rows = with_budget_left(PurchaseOrder.objects.order_by("from_month"))
    if organisations is not None:
        rows = rows.filter(organisation__in=organisations)
    return grouped(rows, "organisation_id")


def with_budget_left(rows: QuerySet[PurchaseOrder], counts: Q = COUNTS) -> QuerySet[PurchaseOrder]:
    """Have orders say in ``left_cents`` what is left of a budget; None where they have none.

    ``counts`` says which documents were billed on an order; credits among them give back.
    """
    on_order = Q(payer=OuterRef("organisation"), po_number=OuterRef("number"))
    budget = ExpressionWrapper(OuterRef("budget_cents"), BigIntegerField())
    those = Invoice.objects.alias(budget=budget).filter(counts, on_order, budget__isnull=False)
    net = those.order_by().values("po_number").annotate(sum=Sum("net_cents"))
    return rows.annotate(left_cents=F("budget_cents") - Coalesce(Subquery(net.values("sum")), 0))


def refuse_budget(organisation: Organisation, number: str, budget_cents: int) -> None:
    """Raise BudgetRefusedError for a budget below what was billed on an order already."""
    rows = Invoice.objects.filter(COUNTS, payer=organisation, po_number=number)
    billed: int = rows.aggregate(sum=Coalesce(Sum("net_cents"), 0))["sum"]
    if billed > budget_cents:
        text = _("On this order %(billed)s was billed already.")
        raise BudgetRefusedError(text, params={"billed": euro(billed)})


def is_passed(order: PurchaseOrder | None, net_cents: int) -> bool:
    """Tell whether a document asks for more than is left of an order's budget."""
    left: int | None = getattr(order, "left_cents", None)
    return left is not None and net_cents > max(0, left)


def take_off(order: PurchaseOrder | None, document: Mapping[str, Any] | None) -> None:
    """Take what a document of a run asks for off its order's budget, for the next one of the run.

    Two clients of one payer may share an order.
    """
    left: int | None = getattr(order, "left_cents", None)
    counts = document and document["blocked_reason"] in {"", BlockedReason.BOUND}
    if order and document and counts and left is not None:
        order.left_cents = left - document["net_cents"]  # type: ignore[attr-defined]


def order_number(orders: Iterable[PurchaseOrder], kind: str, from_month: Month, run: Month) -> str:
    """Give the number of the order that a line takes; empty where none is valid."""
    month = from_month if kind in BY_PERIOD else run
    return next((order.number for order in orders if month in order.months), "")
