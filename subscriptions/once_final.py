"""The calls that follow on finalizing: given up, paid elsewhere, mailed, gone on with or not.

Each is made where a step of its kind was asked for and is not finished, and is safe to repeat.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db.models import F

from agency.month import midnight
from subscriptions import gateway
from subscriptions.models import Invoice, InvoiceState, StepKind, StepState, StripeStep
from subscriptions.steps import SETTLED, UNFINISHED, Deed, answered_lately, carry_out, end

# In the order in which they are made.
ONCE_FINAL = (StepKind.WRITE_OFF, StepKind.SETTLE, StepKind.SEND, StepKind.ADVANCE)
MAILED_SINCE = dt.timedelta(days=30)  # Stripe keeps events as long


def carry_on(invoice: Invoice, at: dt.datetime) -> None:
    """Make the calls that an invoice asks for; raises what `steps.carry_out` raises."""
    for kind, carry in zip(ONCE_FINAL, (_write_off, _settle, _send, _advance), strict=True):
        step = invoice.steps.filter(kind=kind).order_by("-generation").first()
        if step and step.state in UNFINISHED:
            carry(invoice, step, at)


def _write_off(invoice: Invoice, step: StripeStep, at: dt.datetime) -> None:
    """Tell Stripe that nobody will pay; where somebody just did, the inbox follows that."""

    def call(_body: Mapping[str, Any], key: str) -> gateway.Document:
        return gateway.give_up(invoice.stripe_id, key)

    def look() -> gateway.Document | None:
        document = gateway.read(invoice.stripe_id)
        return None if document.status == "open" else document

    def record(document: gateway.Document) -> None:
        if document.status == "uncollectible":
            still_open = Invoice.objects.filter(pk=invoice.pk, state=InvoiceState.OPEN)
            still_open.update(state=InvoiceState.UNCOLLECTIBLE, parked_because="")

    carry_out(step, Deed(call, look, record, looks_first=True), at)


def _settle(invoice: Invoice, step: StripeStep, at: dt.datetime) -> None:
    """Tell Stripe of what our own bank received; where Stripe just did too, the inbox follows."""

    def look() -> gateway.Document | None:
        document = gateway.read(invoice.stripe_id)
        return document if document.status == "paid" else None

    def record(document: gateway.Document) -> None:
        if document.status == "paid" and document.paid_elsewhere_cents:
            still_open = Invoice.objects.filter(pk=invoice.pk, state__in=InvoiceState.payable)
            still_open.update(state=InvoiceState.PAID, paid_on=F("received_on"), parked_because="")

    settle = partial(gateway.settle, invoice.stripe_id)
    carry_out(step, Deed(settle, look, record, looks_first=True), at)


def _send(invoice: Invoice, step: StripeStep, at: dt.datetime) -> None:
    """Have Stripe mail the invoice; what is settled already needs no mail."""
    if _is_settled(invoice, step):
        return

    def call(_body: Mapping[str, Any], key: str) -> gateway.Document:
        return gateway.send(invoice.stripe_id, key)

    def look() -> gateway.Document | None:
        sent = gateway.events_since(_final_since(invoice, at), "invoice.sent")
        is_sent = any(event.object_id == invoice.stripe_id for event in sent)
        return gateway.read(invoice.stripe_id) if is_sent else None

    # Else a person, or a push that a restored backup has forgotten, may have sent it.
    final_just_now = answered_lately(invoice, StepKind.FINALIZE, at)
    carry_out(step, Deed(call, look, looks_first=not final_just_now), at)


def _advance(invoice: Invoice, step: StripeStep, at: dt.datetime) -> None:
    """Tell Stripe whether to debit and remind by itself; nothing of it concerns what is settled."""
    if _is_settled(invoice, step):
        return

    def look() -> gateway.Document | None:
        document = gateway.read(invoice.stripe_id)
        is_over = document.status != "open"  # paid just now: Stripe goes on with nothing
        return document if is_over or document.goes_on == step.body["auto_advance"] else None

    carry_out(step, Deed(partial(gateway.advance, invoice.stripe_id), look, looks_first=True), at)


def _is_settled(invoice: Invoice, step: StripeStep) -> bool:
    """Read how an invoice stands, which another process may have moved; end what it needs not."""
    invoice.refresh_from_db(fields=["state", "stripe_id", "invoice_on"])
    is_settled = invoice.state != InvoiceState.OPEN
    if is_settled:
        end(step, StepState.FAILED, SETTLED)
    return is_settled


def _final_since(invoice: Invoice, at: dt.datetime) -> dt.datetime:
    """Return a moment before it was finalized, by Stripe's clock: ours may be ahead."""
    return midnight(invoice.invoice_on) if invoice.invoice_on else at - MAILED_SINCE
