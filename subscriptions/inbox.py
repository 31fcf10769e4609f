"""Events from Stripe: stored once by their id, worked off in the queue.

An event only says where to look. The object is fetched as it is now and our document follows it,
forward only, so duplicates and disorder end where the truth is.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django_q.tasks import async_task

from agency.month import AMSTERDAM
from subscriptions import gateway
from subscriptions.models import EventState, Invoice, InvoiceState, StripeEvent
from subscriptions.push import record_finalized

UNHANDLED = (EventState.RECEIVED, EventState.WAITING)
MOST_ATTEMPTS = 50
SETTLED = {
    "void": InvoiceState.VOID,
    "uncollectible": InvoiceState.UNCOLLECTIBLE,
}
# Stripe takes a payment also after giving up on it.
MAY_BE_PAID = (InvoiceState.OPEN, InvoiceState.UNCOLLECTIBLE)


class DifferentError(Exception):
    """Stripe finalized something else than our document; nothing follows it."""


def receive(event: gateway.Event, *, at: dt.datetime) -> bool:
    """Store an event and queue the work on it; a duplicate changes nothing and returns False."""
    try:
        with transaction.atomic():
            stored = StripeEvent.objects.create(
                event_id=event.id,
                type=event.type,
                api_version=event.api_version,
                livemode=event.livemode,
                object_id=event.object_id,
                created_at=event.created_at,
                received_at=at,
            )
            # The queue is in the same database: both are written, or neither.
            async_task("subscriptions.tasks.handle_event", str(stored.pk))
    except IntegrityError:
        return False
    return True


def unhandled(*, before: dt.datetime) -> QuerySet[StripeEvent]:
    """Return what was received before a moment and not finished, the oldest first."""
    return StripeEvent.objects.filter(
        state__in=UNHANDLED, received_at__lt=before, attempts__lt=MOST_ATTEMPTS
    ).order_by("created_at")


def handle(event_pk: UUID, *, at: dt.datetime) -> EventState:
    """Do what an event asks for; harmless to repeat.

    Raises gateway.GatewayError while Stripe cannot be read: the event then stays as it is.
    """
    event = StripeEvent.objects.get(pk=event_pk)
    if event.state not in UNHANDLED:
        return EventState(event.state)
    StripeEvent.objects.filter(pk=event.pk).update(attempts=F("attempts") + 1)
    if not event.type.startswith("invoice."):
        return _finish(event, EventState.IGNORED, at)
    try:
        document = gateway.read(event.object_id)
    except gateway.MissingError:  # a draft that was deleted
        return _finish(event, EventState.IGNORED, at)
    except gateway.RefusedError as error:
        return _finish(event, EventState.FAILED, at, error.code)
    try:
        with transaction.atomic():
            state = _follow(event, document)
            return _finish(event, state, at)
    except DifferentError:
        return _finish(event, EventState.FAILED, at, "other_document")


def _follow(event: StripeEvent, document: gateway.Document) -> EventState:
    invoice = _ours(document)
    if invoice is None:
        return EventState.IGNORED
    if document.status == "draft":
        return EventState.HANDLED
    if not invoice.stripe_id:
        return EventState.WAITING  # the push has not written down yet what it made
    if document.id != invoice.stripe_id or document.total_cents != invoice.total_cents:
        raise DifferentError
    if invoice.state in {InvoiceState.APPROVED, InvoiceState.PARKED}:
        record_finalized(invoice, document)
    _move(invoice, document, event)
    return EventState.HANDLED


def _ours(document: gateway.Document) -> Invoice | None:
    """Return our document, locked; None for what was made by hand or elsewhere."""
    try:
        number = UUID(document.document)
    except ValueError:
        return None
    return Invoice.objects.select_for_update().order_by("pk").filter(pk=number).first()


def _move(invoice: Invoice, document: gateway.Document, event: StripeEvent) -> None:
    """Follow Stripe forward; only a debit that bounced leads from paid back to open."""
    if document.status == "paid" and invoice.state in MAY_BE_PAID:
        invoice.state, invoice.debit_failed_on = InvoiceState.PAID, None
        invoice.paid_on = _local_date(document.paid_at or event.created_at)
    elif document.status in SETTLED and invoice.state in MAY_BE_PAID:
        invoice.state = SETTLED[document.status]
    elif document.status == "open" and event.type == "invoice.payment_failed":
        invoice.state, invoice.paid_on = InvoiceState.OPEN, None
        failed_on = _local_date(event.created_at)
        invoice.debit_failed_on = max(failed_on, invoice.debit_failed_on or failed_on)
    invoice.save(update_fields=["state", "paid_on", "debit_failed_on"])


def _local_date(moment: dt.datetime) -> dt.date:
    return moment.astimezone(AMSTERDAM).date()


def _finish(
    event: StripeEvent, state: EventState, at: dt.datetime, error_code: str = ""
) -> EventState:
    done = None if state == EventState.WAITING else at
    StripeEvent.objects.filter(pk=event.pk, state__in=UNHANDLED).update(
        state=state, handled_at=done, error_code=error_code
    )
    return state
