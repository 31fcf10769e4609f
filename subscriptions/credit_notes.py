"""Carry an approved credit document to Stripe, as a credit note on the invoice that it credits.

Stripe has no draft of a credit note: it is issued at once. What Stripe would make of it is
therefore previewed, and held to ours, before it is made.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

from agency.month import day_of
from subscriptions import bodies, gateway, payments, read_back
from subscriptions.forgotten import refuse_forgotten_credit
from subscriptions.models import Invoice, InvoiceState, Receipt, StepKind, StripeStep
from subscriptions.steps import (
    UNFINISHED,
    Deed,
    DisagreementError,
    WaitingError,
    carry_out,
    end_all,
    lock,
    step_for,
    the_only,
    wait_unless_approved,
)


def deliver(credit: Invoice, at: dt.datetime) -> None:
    """Issue the credit note, once; waits while the invoice itself is not at Stripe yet.

    Raises DisagreementError where Stripe would make something else of it.
    """
    credited = credit.credit_of
    if credited is None or credited.state not in InvoiceState.released or not credited.stripe_id:
        raise WaitingError
    step = _step(credit, credited.stripe_id)

    def look() -> gateway.CreditNote | None:
        there = list(gateway.credit_notes_of(credited.stripe_id))
        refuse_forgotten_credit(there)
        return the_only(
            one for one in there if one.document == str(credit.pk) and one.status != "void"
        )

    record = partial(record_issued, credit)
    carry_out(step, Deed(gateway.create_credit_note, look, record, looks_first=True), at)


def _step(credit: Invoice, stripe_id: str) -> StripeStep:
    begun = credit.steps.filter(kind=StepKind.CREDIT_NOTE, state__in=UNFINISHED).first()
    if begun:
        return begun
    try:
        body = bodies.credit_note(credit, gateway.read(stripe_id), gateway.lines_of(stripe_id))
    except KeyError:
        raise DisagreementError(_("A line credits nothing of the invoice at Stripe.")) from None
    read_back.compare_credit(credit, gateway.preview_credit_note(body))
    with transaction.atomic(durable=True):
        wait_unless_approved(credit)
        return step_for(credit, StepKind.CREDIT_NOTE, body)


def record_issued(credit: Invoice, there: gateway.CreditNote) -> None:
    """Write down number and date of a credit note; with its issue it is settled. Forward only."""
    issued_on = day_of(there.created_at)
    Invoice.objects.filter(
        pk=credit.pk, state__in=[InvoiceState.APPROVED, InvoiceState.PARKED]
    ).update(
        state=InvoiceState.PAID,
        stripe_id=there.id,
        livemode=there.livemode,
        number=there.number,
        invoice_on=issued_on,
        paid_on=issued_on,
        pdf_url=there.pdf_url,
        parked_because="",
    )
    end_all(credit, StepKind.CREDIT_NOTE, there.id)
    credit.refresh_from_db()
    if credit.credit_of_id and Receipt.objects.filter(invoice=credit.credit_of_id).exists():
        payments.settle(lock(credit.credit_of_id))
