"""Carry an approved document to Stripe: once, whatever dies when, and however often repeated.

customer, draft, all lines in one call, full read-back, finalize, send. `subscriptions.steps` sees
to it that each call is made once; nothing is finalized before what Stripe holds equals ours.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, prefetch_related_objects
from django.utils.translation import gettext as _

from agency import notices
from agency.models import Organisation
from agency.month import Month, day_of
from subscriptions import advancing, bodies, credit_notes, customers, forgotten, gateway, read_back
from subscriptions.models import (
    Invoice,
    InvoiceKind,
    InvoiceState,
    StepKind,
    StepState,
    StripeStep,
)
from subscriptions.once_final import ONCE_FINAL, carry_on
from subscriptions.parked import is_held_back
from subscriptions.steps import (
    NOT_MADE,
    UNFINISHED,
    Deed,
    DisagreementError,
    WaitingError,
    answered_lately,
    carry_out,
    end,
    end_all,
    step_for,
    the_only,
)

logger = logging.getLogger(__name__)


class Outcome(StrEnum):
    PUSHED = "pushed"
    ALREADY = "already"
    WAITING = "waiting"
    PARKED = "parked"
    TAKEN_BACK = "taken_back"
    FAILED = "failed"


class NotApprovedError(Exception):
    """Only an approved invoice goes to Stripe."""


class UnforeseenError(Exception):
    """So many documents could not be pushed, for reasons nobody foresaw; the log names them."""


def candidates() -> QuerySet[Invoice]:
    """Return what has to go to Stripe, or is on its way there, in a steady order.

    Credits come last: what they credit has to be there. Within a month chance orders them: by name,
    clients could tell from their numbers whether anybody between them was billed.
    """
    unfinished = Q(
        state__in=InvoiceState.payable, steps__kind__in=ONCE_FINAL, steps__state__in=UNFINISHED
    )
    return (
        Invoice.objects.filter(Q(state=InvoiceState.APPROVED) | unfinished)
        .order_by("-kind", "run_month", "id")
        .distinct()
    )


def begun() -> QuerySet[Invoice]:
    """Return the candidates that a push has begun with."""
    return candidates().filter(steps__isnull=False)


def take_back(invoice_ids: Collection[UUID]) -> list[Invoice]:
    """Make drafts of approved documents again, where no push has begun with them; return these.

    This is how a run is called off: what is under way goes on, for Stripe may have it already.
    """
    with transaction.atomic():
        approved = Invoice.objects.select_for_update().filter(
            pk__in=invoice_ids, state=InvoiceState.APPROVED
        )
        taken = [invoice for invoice in approved.order_by("pk") if not invoice.steps.exists()]
        Invoice.objects.filter(pk__in=[invoice.pk for invoice in taken]).update(
            state=InvoiceState.DRAFT, approved_by=None, seconded_by=None
        )
        return taken


def progress(run_month: Any) -> tuple[QuerySet[Invoice], QuerySet[Invoice]]:
    """Return the documents of a run that Stripe has, and those that a push has begun with.

    The run is a month, or a query for one.
    """
    of_run = Invoice.objects.filter(run_month=run_month)
    steps_of_it = StripeStep.objects.filter(invoice=OuterRef("pk"))
    waiting = of_run.filter(Exists(steps_of_it), state=InvoiceState.APPROVED)
    return of_run.filter(state__in=InvoiceState.released), waiting


def push(invoice_id: UUID, *, at: dt.datetime) -> Outcome:
    """Carry a document as far as it goes now; safe to repeat, safe to kill.

    A refusal or a disagreement parks it, with the reason, until a person has looked. Raises
    NotApprovedError, and gateway.MisconfiguredError when the settings do not fit Stripe.
    """
    rows = Invoice.objects.select_related("organisation__parked", "payer__parked")
    invoice = rows.get(pk=invoice_id)
    if invoice.state == InvoiceState.PARKED:
        return Outcome.PARKED
    if invoice.state != InvoiceState.APPROVED:
        if invoice.state not in InvoiceState.released:
            raise NotApprovedError(invoice.state)
        unfinished = invoice.steps.filter(kind__in=ONCE_FINAL, state__in=UNFINISHED)
        if invoice.state not in InvoiceState.payable or not unfinished.exists():
            return Outcome.ALREADY
    try:
        _wait_for_its_client(invoice, at)
        _refuse_the_other_mode(invoice)
        if invoice.kind == InvoiceKind.CREDIT:
            credit_notes.deliver(invoice, at)
        elif invoice.state == InvoiceState.APPROVED:
            _deliver(invoice, at)
        carry_on(invoice, at)
    except (WaitingError, gateway.BusyError, gateway.UnknownOutcomeError):
        return Outcome.WAITING
    except DisagreementError as disagreement:
        _park(invoice, str(disagreement))
        return Outcome.PARKED
    except gateway.RefusedError as refusal:  # of reading
        _park(invoice, _("Stripe refused it: %(code)s.") % {"code": refusal.code})
        return Outcome.PARKED
    return Outcome.PUSHED


def _wait_for_its_client(invoice: Invoice, at: dt.datetime) -> None:
    """Raise WaitingError where client or payer are parked; what a push has begun with goes on."""
    if is_held_back(invoice, Month.containing(at)) and not invoice.steps.exists():
        raise WaitingError


def _refuse_the_other_mode(invoice: Invoice) -> None:
    """Raise DisagreementError where something kept of Stripe was made with the other mode's key."""
    modes = set(invoice.steps.values_list("livemode", flat=True)) | {invoice.livemode}
    if invoice.credit_of:
        modes.add(invoice.credit_of.livemode)
    if not modes <= {None, gateway.is_live()}:
        raise DisagreementError(_("Stripe has it in its other mode, of tests or of real money."))


def try_to_push(invoice_id: UUID, *, at: dt.datetime) -> Outcome:
    """Push one document of many: what goes wrong with it stops no other.

    The log then names the document and the kind of error only: texts quote what they met. Raises
    gateway.MisconfiguredError, which goes wrong with all of them.
    """
    try:
        return push(invoice_id, at=at)
    except NotApprovedError:
        return Outcome.TAKEN_BACK
    except gateway.MisconfiguredError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is
        named = {"invoice_id": str(invoice_id), "error": type(error).__name__}
        logger.error("push failed", extra=named)  # noqa: TRY400 - without its text
        return Outcome.FAILED


def unpark(invoice_id: UUID) -> None:
    """Let a parked document be pushed again, once a person has looked at the reason.

    One that had no address to be sent to takes the organisation's of today. One that is open, but
    that Stripe refused to mail, is mailed again.
    """
    with transaction.atomic():
        parked = Invoice.objects.filter(pk=invoice_id, state=InvoiceState.PARKED)
        organisation = Organisation.objects.filter(payable__in=parked).first()
        if organisation and organisation.invoice_email:
            parked.filter(buyer_email="").update(buyer_email=organisation.invoice_email)
        if parked.update(state=InvoiceState.APPROVED, parked_because=""):
            customers.begin_anew(Invoice.objects.get(pk=invoice_id))
        for invoice in unmailed().filter(pk=invoice_id):
            refused = invoice.steps.filter(kind__in=ONCE_FINAL, state=StepState.FAILED)
            refused = refused.exclude(error_code__in=NOT_MADE).order_by("-generation")
            for kind, body in [(step.kind, step.body) for step in refused] or [(StepKind.SEND, {})]:
                step_for(invoice, StepKind(kind), body)
            Invoice.objects.filter(pk=invoice.pk).update(parked_because="")


def unmailed() -> QuerySet[Invoice]:
    """Return what is final at Stripe, and what Stripe refused to mail."""
    return Invoice.objects.filter(state__in=InvoiceState.payable).exclude(parked_because="")


def record_finalized(invoice: Invoice, document: gateway.Document) -> None:
    """Write down number, dates and addresses of a document that Stripe has finalized.

    Moves forward only: where the inbox was faster, nothing is written. Queues the sending.
    """
    finalized_on = document.finalized_at and day_of(document.finalized_at)
    due_on = document.due_at and day_of(document.due_at)
    if finalized_on and not due_on:
        due_on = finalized_on + dt.timedelta(days=invoice.due_days)
    moved = Invoice.objects.filter(
        pk=invoice.pk, state__in=[InvoiceState.APPROVED, InvoiceState.PARKED]
    ).update(
        state=InvoiceState.OPEN,
        stripe_id=document.id,
        livemode=document.livemode,
        number=document.number,
        invoice_on=finalized_on,
        due_on=due_on,
        hosted_url=document.hosted_url,
        pdf_url=document.pdf_url,
        parked_because="",
    )
    end_all(invoice, StepKind.FINALIZE, document.id)
    if moved:
        notices.tell(notices.INVOICE, invoice.payer_id)
    if moved and not bodies.is_debited(invoice):
        step_for(invoice, StepKind.SEND, {})
    invoice.refresh_from_db()


def _deliver(invoice: Invoice, at: dt.datetime) -> None:
    """Take the document to Stripe and finalize it, unless what is there differs from ours."""
    if invoice.total_cents <= 0:
        raise DisagreementError(_("There is nothing to pay: Stripe cannot send this invoice."))
    if not (invoice.buyer_email or bodies.is_debited(invoice)):
        raise DisagreementError(_("There is no e-mail address to send this invoice to."))
    prefetch_related_objects([invoice], "lines")
    customer_id = customers.know(invoice, at)
    _draft(invoice, customer_id, at)
    try:
        _add_lines(invoice, at)
        document = read_back.compare(invoice, customer_id)
    except gateway.MissingError:
        # Deleted by hand, or by a run that was killed while parking: drafts again next time.
        _start_over(invoice)
        raise WaitingError from None
    except DisagreementError:
        with suppress(gateway.RefusedError):  # no longer a draft: then it stays, and is looked at
            gateway.delete_draft(invoice.stripe_id)
            _start_over(invoice)
        raise
    if document.status == "draft":
        _finalize(invoice, at)
    else:  # by hand, or before the backup that we live on
        with transaction.atomic(durable=True):
            record_finalized(invoice, document)


def _draft(invoice: Invoice, customer_id: str, at: dt.datetime) -> None:
    step = step_for(invoice, StepKind.DRAFT, bodies.draft(invoice, customer_id))

    def look() -> gateway.Document | None:
        there = forgotten.documents_of_buyer(invoice, step.body["customer"])
        forgotten.refuse_forgotten_invoice(invoice, there)
        return the_only(document for document in there if document.document == str(invoice.pk))

    def record(document: gateway.Document) -> None:
        Invoice.objects.filter(pk=invoice.pk).update(
            stripe_id=document.id, livemode=document.livemode
        )
        if document.status != "draft" or document.net_cents:
            # Found, not made: it has its lines. Whether they are ours, the read-back tells.
            found = step_for(invoice, StepKind.ADD_LINES, bodies.lines(invoice))
            end(found, StepState.DONE, answer_id=document.id)

    deed = Deed(gateway.create_draft, look, record, looks_first=True)
    invoice.stripe_id = carry_out(step, deed, at)


def _add_lines(invoice: Invoice, at: dt.datetime) -> None:
    step = step_for(invoice, StepKind.ADD_LINES, bodies.lines(invoice))
    call = partial(gateway.add_lines, invoice.stripe_id)

    def look() -> gateway.Document | None:
        # One call adds all lines or none: whether they are ours, the read-back tells.
        has_lines = bool(gateway.lines_of(invoice.stripe_id))
        return gateway.read(invoice.stripe_id) if has_lines else None

    # Else a backup may have forgotten that it has its lines, and Stripe their key.
    drafted_just_now = answered_lately(invoice, StepKind.DRAFT, at)
    carry_out(step, Deed(call, look, looks_first=not drafted_just_now), at)


def _finalize(invoice: Invoice, at: dt.datetime) -> None:
    body = bodies.finalization(goes_on=advancing.is_debited_at_once(invoice))
    step = step_for(invoice, StepKind.FINALIZE, body)
    call = partial(gateway.finalize, invoice.stripe_id)

    def look() -> gateway.Document | None:
        document = gateway.read(invoice.stripe_id)
        return None if document.status == "draft" else document

    carry_out(step, Deed(call, look, partial(record_finalized, invoice)), at)


def _start_over(invoice: Invoice) -> None:
    """Forget a draft that is gone: the next push makes another, with new keys."""
    with transaction.atomic(durable=True):
        Invoice.objects.filter(pk=invoice.pk, state=InvoiceState.APPROVED).update(
            stripe_id="", livemode=None
        )
        invoice.steps.filter(kind__in=[StepKind.DRAFT, StepKind.ADD_LINES]).update(
            state=StepState.FAILED, error_code="draft_gone"
        )


def _park(invoice: Invoice, reason: str) -> None:
    """Stop a document until a person has looked; what is open at Stripe stays open here.

    What was taken back or settled meanwhile asks for nobody.
    """
    this, because = Invoice.objects.filter(pk=invoice.pk), reason[:300]
    parked = this.filter(state=InvoiceState.APPROVED).update(
        state=InvoiceState.PARKED, parked_because=because
    )
    if not parked:
        this.filter(state__in=InvoiceState.payable).update(parked_because=because)
