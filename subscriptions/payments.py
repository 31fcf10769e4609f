"""Payments that did not come through Stripe: noted here, and carried to Stripe by the push.

What our bank receives for an invoice is kept amount by amount. Stripe knows only all or nothing: it
is told once all that was asked for is there, and then asks for nothing any more. An invoice counts
as paid from the day on which the bank has its money, not from the day on which somebody notes it.
What is too much is the payer's: it is set against its next invoice, or paid back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import (
    Case,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from subscriptions import bank, bodies, steps
from subscriptions.models import (
    Contest,
    Invoice,
    InvoiceKind,
    InvoiceState,
    Receipt,
    ReceiptKind,
    StepKind,
)
from subscriptions.models.invoices import CREDITS_SOMETHING

if TYPE_CHECKING:
    from django.db.models import QuerySet


ALL = Q()


class PaymentError(ValidationError):
    """A payment that cannot be noted; its message is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Overpaid:
    """What our bank received too much for an invoice, and the open one it can be set against."""

    invoice: Invoice
    over_cents: int
    against: Invoice | None


def unpaid() -> QuerySet[Invoice]:
    """Give the invoices that ask for money and of which not all was noted as paid.

    What was given up may be paid all the same.
    """
    return Invoice.objects.filter(
        kind=InvoiceKind.INVOICE, state__in=InvoiceState.payable, received_on=None
    )


def asked() -> dict[str, tuple[UUID, int]]:
    """Give key and cents of each unpaid invoice by its number, the oldest first."""
    rows = with_left(unpaid()).order_by(F("due_on").asc(nulls_last=True), "number")
    return {number: (key, left) for number, key, left in rows.values_list("number", "pk", "left")}


def with_left(rows: QuerySet[Invoice], *, by: dt.date | None = None) -> QuerySet[Any]:
    """Have invoices say what they ask for: ``left``, less credits and what our bank ``received``.

    Of one that was paid through Stripe that is what our bank received beside it, below zero. ``by``
    counts what there was at the end of a day.
    """
    credits_by = Q() if by is None else Q(invoice_on__lte=by)
    received_by = Q() if by is None else Q(received_on__lte=by)
    paid_by = Q() if by is None else Q(paid_on__lte=by)
    by_stripe = Q(paid_by, state=InvoiceState.PAID, received_on=None) | Q(state=InvoiceState.VOID)
    to_pay = F("total_cents") + _credited("pk", credits_by)
    to_our_bank = Case(When(by_stripe, then=Value(0)), default=to_pay)
    rows = rows.annotate(received=_received("pk", received_by))
    return rows.annotate(left=to_our_bank - F("received"))


def left_of_unpaid(invoice: str) -> CombinedExpression:
    """Say the ``left`` of an `unpaid` invoice to which a column of a row leads."""
    return F(f"{invoice}__total_cents") + _credited(invoice) - _received(invoice)


def _credited(invoice: str, by: Q = ALL) -> Coalesce:
    """Add up the credits of the invoice that a column leads to: below zero."""
    given = (InvoiceState.OPEN, InvoiceState.PAID)
    rows = Invoice.objects.filter(by, credit_of=OuterRef(invoice), state__in=given)
    return _sum(rows.filter(kind=InvoiceKind.CREDIT), "credit_of", "total_cents")


def _received(invoice: str, by: Q = ALL) -> Coalesce:
    return _sum(Receipt.objects.filter(by, invoice=OuterRef(invoice)), "invoice", "amount_cents")


def _sum(rows: QuerySet[Any], group: str, column: str) -> Coalesce:
    sums = rows.order_by().values(group).annotate(sum=Sum(column)).values("sum")
    return Coalesce(Subquery(sums, output_field=IntegerField()), Value(0))


def left_cents(invoice: Invoice) -> int:
    """Give what an invoice still asks for; below zero, what our bank received too much."""
    found: int = with_left(Invoice.objects.filter(pk=invoice.pk)).get().left
    return found


def compare(data: bytes, *, own_iban: str) -> Sequence[bank.Match[UUID]]:
    """Read a bank statement and say what each receipt pays; writes nothing.

    Raises PaymentError for a file that is no statement of the agency's account.
    """
    try:
        receipts = bank.read(data, own_iban=own_iban)
    except bank.StatementError as error:
        raise PaymentError(str(error)) from error
    days = {receipt.booked_on for receipt in receipts}
    noted = Receipt.objects.filter(received_on__in=days)
    by_hand = [
        (row.invoice_id, row.received_on, row.amount_cents)
        for row in noted
        if row.mark == _mark_by_hand(row.received_on, row.amount_cents)
    ]
    return bank.match(receipts, asked(), {row.mark for row in noted}, by_hand)


@transaction.atomic
def note(
    invoice_id: UUID,
    *,
    received_on: dt.date,
    on: dt.date,
    amount_cents: int | None = None,
    mark: str = "",
) -> Invoice:
    """Note what the bank received for an invoice: all that is left of it, unless told.

    Once that is all that was asked for, the push tells Stripe. ``mark`` tells one line of the bank
    from another; noting it twice is once. Raises PaymentError for what asks for nothing, a day
    before its date, and one to come.
    """
    invoice = steps.lock(invoice_id)
    if amount_cents is None and invoice.received_on == received_on:
        return invoice
    if amount_cents is None:
        _refuse(invoice)
    elif invoice.kind != InvoiceKind.INVOICE or invoice.state not in InvoiceState.released:
        raise PaymentError(_("Only an invoice that was sent can be paid."))
    if received_on > on or (invoice.invoice_on and received_on < invoice.invoice_on):
        raise PaymentError(_("The day lies between the invoice date and today."))
    cents = left_cents(invoice) if amount_cents is None else amount_cents
    mark = mark or _mark_by_hand(received_on, cents)
    if cents > 0 and not invoice.receipts.filter(mark=mark).exists():
        invoice.receipts.create(received_on=received_on, amount_cents=cents, mark=mark)
    settle(invoice)
    return invoice


def is_noted(invoice: Invoice, received_on: dt.date, amount_cents: int) -> bool:
    """Tell whether such an amount of such a day was noted by hand; it is noted no second time."""
    return invoice.receipts.filter(mark=_mark_by_hand(received_on, amount_cents)).exists()


def _mark_by_hand(received_on: dt.date, cents: int) -> str:
    return f"{received_on} {cents}"


def _refuse(invoice: Invoice) -> None:
    if invoice.kind != InvoiceKind.INVOICE or invoice.state not in InvoiceState.payable:
        raise PaymentError(_("Only an open invoice can be paid."))
    if invoice.received_on:
        raise PaymentError(_("A payment of this invoice was noted already."))


def settle(invoice: Invoice) -> None:
    """Have Stripe told, by the push, once our bank has all that a locked invoice asks for."""
    is_asked_for = invoice.state in InvoiceState.payable and invoice.received_on is None
    last_on = invoice.receipts.aggregate(last=Max("received_on"))["last"]
    if not is_asked_for or last_on is None or left_cents(invoice) > 0:
        return
    invoice.received_on = last_on
    invoice.save(update_fields=["received_on"])
    body: dict[str, Any] = dict(bodies.settlement())
    # One that was made was of a payment through Stripe, which bounced since.
    steps.step_for(invoice, StepKind.SETTLE, body, again=True)


def too_much() -> QuerySet[Any]:
    """Give the invoices for which our bank received more than they ask for: ``left`` below zero."""
    return with_left(Invoice.objects.filter(pk__in=_received_unevenly())).filter(left__lt=0)


def _received_unevenly() -> QuerySet[Any]:
    """Give those of which our bank received more than an index says that they asked for.

    It knows nearly all, which were paid by bank; of the rest and of what was credited, nothing.
    """
    receipts = Receipt.objects.order_by().values("invoice")
    key = OuterRef("invoice")  # as a range: by a key SQLite goes to the wide rows themselves
    paid_by_bank = Invoice.objects.filter(pk__range=(key, key), received_on__isnull=False)
    known = paid_by_bank.exclude(state=InvoiceState.VOID).order_by().values("total_cents")
    sums = receipts.annotate(received=Sum("amount_cents"))
    more = sums.filter(received__gt=Min(Coalesce(Subquery(known), Value(0)))).values("invoice")
    credits_ = Invoice.objects.filter(CREDITS_SOMETHING).order_by().values("credit_of")
    return more.union(receipts.filter(invoice__in=credits_))


def overpaid() -> Iterator[Overpaid]:
    """Give what our bank received too much, each with what it can be set against."""
    rows = list(too_much().order_by("number"))
    next_of = _next_by_payer({row.payer_id for row in rows if row.payer_id})
    for row in rows:
        yield Overpaid(row, -row.left, next_of.get(row.payer_id))


def _next_by_payer(payers: set[UUID]) -> dict[UUID | None, Invoice]:
    """Give the oldest open invoice of each payer, whose money it is; it contests none of it."""
    theirs = unpaid().filter(payer__in=payers, state=InvoiceState.OPEN)
    contested = Contest.objects.filter(ended_on=None).values("invoice")
    rows = with_left(theirs).filter(left__gt=0, write_off=None).exclude(pk__in=contested)
    newest_first = rows.order_by(F("due_on").desc(nulls_first=True), "-number")
    return {row.payer_id: row for row in newest_first}


@transaction.atomic
def pay_back(invoice_id: UUID, *, on: dt.date) -> int:
    """Note that what was too much for an invoice was transferred back; give how many cents."""
    invoice = steps.lock(invoice_id)
    over = -left_cents(invoice)
    if over <= 0:
        raise PaymentError(_("Nothing was paid too much."))
    _move(invoice, -over, ReceiptKind.PAID_BACK, on)
    return over


@transaction.atomic
def set_off(invoice_id: UUID, against_id: UUID, *, on: dt.date) -> Invoice:
    """Set what was too much for an invoice against another one of its payer, as far as it goes."""
    first, second = (steps.lock(key) for key in sorted((invoice_id, against_id)))
    invoice, against = (first, second) if first.pk == invoice_id else (second, first)
    cents = min(-left_cents(invoice), left_cents(against))
    if cents <= 0:
        raise PaymentError(_("Nothing was paid too much."))
    if invoice.payer_id is None or invoice.payer_id != against.payer_id:
        raise PaymentError(_("It is set against another invoice of the same payer only."))
    _refuse(against)
    _move(invoice, -cents, ReceiptKind.SET_OFF, on)
    _move(against, cents, ReceiptKind.SET_OFF, on)
    settle(against)
    return against


def _move(invoice: Invoice, cents: int, kind: ReceiptKind, on: dt.date) -> None:
    mark = f"{kind} {on} {invoice.receipts.count()}"
    invoice.receipts.create(kind=kind, received_on=on, amount_cents=cents, mark=mark)
