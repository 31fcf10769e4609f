"""Payments that did not come through Stripe: noted here, and carried to Stripe by the push.

Stripe then asks for nothing any more. An invoice counts as paid from the day on which the bank
has the money, not from the day on which somebody notes it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from subscriptions import bank, bodies, steps
from subscriptions.models import Invoice, InvoiceKind, InvoiceState, StepKind

if TYPE_CHECKING:
    from django.db.models import QuerySet


class PaymentError(ValidationError):
    """A payment that cannot be noted; its message is the sentence to show."""


def unpaid() -> QuerySet[Invoice]:
    """Give the invoices that ask for money and of which no payment was noted.

    What was given up may be paid all the same.
    """
    return Invoice.objects.filter(
        kind=InvoiceKind.INVOICE, state__in=InvoiceState.payable, received_on=None
    )


def asked() -> dict[str, tuple[UUID, int]]:
    """Give key and cents of each unpaid invoice by its number, less what was credited."""
    rows = with_left(unpaid()).values_list("number", "pk", "left_cents")
    return {number: (key, left) for number, key, left in rows}


def with_left(rows: QuerySet[Invoice]) -> QuerySet[Any]:
    """Have invoices say what they ask for, less what was credited: ``left_cents``."""
    credited = Sum("credits__total_cents", filter=Q(credits__state=InvoiceState.PAID))
    return rows.annotate(left_cents=F("total_cents") + Coalesce(credited, 0))


def left_cents(invoice: Invoice) -> int:
    """Give what an invoice that was not paid asks for, less what was credited."""
    found: int = with_left(Invoice.objects.filter(pk=invoice.pk)).get().left_cents
    return found


def compare(data: bytes, *, own_iban: str) -> Sequence[bank.Match[UUID]]:
    """Read a bank statement and say what each receipt pays; writes nothing.

    Raises PaymentError for a file that is no statement of the agency's account.
    """
    try:
        return bank.match(bank.read(data, own_iban=own_iban), asked())
    except bank.StatementError as error:
        raise PaymentError(str(error)) from error


@transaction.atomic
def note(invoice_id: UUID, *, received_on: dt.date, on: dt.date) -> Invoice:
    """Note that the bank has an invoice's money; the push tells Stripe. Noting it twice is once.

    Raises PaymentError for what asks for nothing, a day before its date, and one to come.
    """
    invoice = steps.lock(invoice_id)
    if invoice.received_on == received_on:
        return invoice
    if invoice.kind != InvoiceKind.INVOICE or invoice.state not in InvoiceState.payable:
        raise PaymentError(_("Only an open invoice can be paid."))
    if invoice.received_on:
        raise PaymentError(_("A payment of this invoice was noted already."))
    if received_on > on or (invoice.invoice_on and received_on < invoice.invoice_on):
        raise PaymentError(_("It was paid between its invoice date and today."))
    invoice.received_on = received_on
    invoice.save(update_fields=["received_on"])
    body: dict[str, Any] = dict(bodies.settlement())
    steps.step_for(invoice, StepKind.SETTLE, body)
    return invoice
