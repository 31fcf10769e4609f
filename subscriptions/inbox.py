"""Events from Stripe: stored once by their id, worked off in the queue.

An event only says where to look. The object is fetched as it is now and our document follows it,
forward only, so duplicates and disorder end where the truth is.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django_q.tasks import async_task

from agency import notices
from agency.month import day_of
from subscriptions import corrections, gateway, payments
from subscriptions.credit_notes import record_issued
from subscriptions.models import (
    BilledOccurrence,
    EventState,
    Invoice,
    InvoiceKind,
    InvoiceState,
    OccurrenceState,
    StripeCustomer,
    StripeEvent,
)
from subscriptions.push import record_finalized
from subscriptions.read_back import sums

logger = logging.getLogger(__name__)

UNHANDLED = (EventState.RECEIVED, EventState.WAITING)
# Those that move a document; Stripe lists at most 20 kinds at once, each by its full name.
KINDS_OF_EVENTS = (
    *("invoice.finalized", "invoice.sent", "invoice.paid", "invoice.payment_failed"),
    *("invoice.voided", "invoice.marked_uncollectible", "invoice.overpaid"),
    *("credit_note.created", "credit_note.updated", "credit_note.voided", "customer.deleted"),
)
# By then the sweep takes up an event whose task was lost.
TASK_IS_ON_ITS_WAY = dt.timedelta(minutes=2)
# What is still unknown then is not for us.
UNKNOWN_IS_RETRIED_FOR = dt.timedelta(days=3)
MOST_ATTEMPTS = 13  # of the sweep, which waits twice as long each time: almost six days
# Stripe waits for the webhook. What it does is written out, and is one statement in most cases: the
# ORM would take most of the time. Tells of a new event whether another one waits for a task.
INSERT_OR_IGNORE = (
    "INSERT INTO subscriptions_stripeevent (id, event_id, type, api_version, livemode, object_id,"
    " created_at, received_at, state, attempts, error_code)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'received', 0, '') ON CONFLICT DO NOTHING"
    " RETURNING EXISTS (SELECT 1 FROM subscriptions_stripeevent other"
    " WHERE other.state = 'received' AND other.attempts = 0"
    " AND other.received_at > %s AND other.id <> %s)"
)
SETTLED = {
    "void": InvoiceState.VOID,
    "uncollectible": InvoiceState.UNCOLLECTIBLE,
}
MAY_BOUNCE = (InvoiceState.OPEN, InvoiceState.PAID)


class UnforeseenError(Exception):
    """So many events could not be handled, for reasons nobody foresaw; the log names them."""


class DifferentError(Exception):
    """Stripe finalized something else than our document; nothing follows it."""


def receive(event: gateway.Event, *, at: dt.datetime) -> bool:
    """Store an event and see that it is worked off; a duplicate changes nothing: returns False.

    One task works off all that came meanwhile. The sweep takes up what a task has just missed, and
    what has none, because the process died behind the first statement.
    """
    number = uuid4()
    key = number if connection.features.has_native_uuid_field else number.hex
    created_at, received_at, before = (
        connection.ops.adapt_datetimefield_value(moment)
        for moment in (event.created_at, at, at - TASK_IS_ON_ITS_WAY)
    )
    row = [key, event.id, event.type, event.api_version, event.livemode, event.object_id]
    with connection.cursor() as cursor:
        cursor.execute(INSERT_OR_IGNORE, [*row, created_at, received_at, before, key])
        stored = cursor.fetchall()
    if not stored:
        return False
    [[another_waits]] = stored
    if not another_waits:
        with transaction.atomic():  # outside of one, the queue opens the database anew, twice
            async_task("subscriptions.tasks.handle_events")
    return True


def received() -> QuerySet[StripeEvent]:
    """Return what nobody has tried to handle yet, the oldest first."""
    fresh = StripeEvent.objects.filter(state=EventState.RECEIVED, attempts=0)
    return fresh.order_by("created_at")


def unhandled(*, before: dt.datetime) -> QuerySet[StripeEvent]:
    """Return what was received before a moment and not finished, the oldest first.

    Each attempt doubles how long before.
    """
    is_due = Q()
    for attempts in range(MOST_ATTEMPTS):
        waited = TASK_IS_ON_ITS_WAY * (2**attempts - 1)
        is_due |= Q(attempts=attempts, received_at__lt=before - waited)
    return StripeEvent.objects.filter(is_due, state__in=UNHANDLED).order_by("created_at")


def handle(event_pk: UUID, *, at: dt.datetime) -> EventState:
    """Do what an event asks for; harmless to repeat.

    Raises gateway.GatewayError while Stripe cannot be read: the event then stays as it is.
    """
    event = StripeEvent.objects.get(pk=event_pk)
    if event.state not in UNHANDLED:
        return EventState(event.state)
    StripeEvent.objects.filter(pk=event.pk).update(attempts=F("attempts") + 1)
    try:
        deed = _look(event)
        with transaction.atomic():  # nothing waits for Stripe in here
            return _finish(event, deed(), at)
    except gateway.MissingError:  # deleted, as drafts are, or not to be read yet
        may_come = event.type in KINDS_OF_EVENTS
        return _finish(event, EventState.WAITING if may_come else EventState.IGNORED, at)
    except gateway.RefusedError as error:
        return _finish(event, EventState.FAILED, at, error.code)
    except DifferentError:
        return _finish(event, EventState.FAILED, at, "other_document")


def work_off(event_pks: Iterable[UUID], *, at: dt.datetime) -> int:
    """Handle events, whatever becomes of the others; give how many failed unforeseen.

    Those, and the ones for which Stripe could not be read, are left for the next sweep.
    """
    failed = 0
    for event_pk in event_pks:
        with suppress(gateway.GatewayError):
            failed += not survive(event_pk, at=at)
    return failed


def survive(event_pk: UUID, *, at: dt.datetime) -> bool:
    """Handle an event as `handle` does, and tell whether nothing unforeseen went wrong.

    The log then names the event and the kind of error only: texts quote what they met.
    """
    try:
        state = handle(event_pk, at=at)
    except gateway.GatewayError:
        raise
    except Exception as error:  # noqa: BLE001 - one event must not hold up the others
        named = {"event_id": str(event_pk), "error": type(error).__name__}
        logger.error("event failed", extra=named)  # noqa: TRY400 - without its text
        return False
    logger.info(f"event {state}")  # noqa: G004 - a closed list
    return True


def _look(event: StripeEvent) -> Callable[[], EventState]:
    """Read what an event is about, as it is now; return what is to be done about it."""
    kind, _point, what = event.type.partition(".")
    if kind == "invoice":
        failed_at = event.created_at if what == "payment_failed" else None
        ours = Invoice.objects.filter(stripe_id=event.object_id, state__in=InvoiceState.released)
        was = ours.values_list("state", flat=True).first() or ""
        document = gateway.read(event.object_id)
        return partial(follow, document, at=event.created_at, failed_at=failed_at, was=was)
    if kind == "credit_note":
        return partial(follow_credit_note, gateway.read_credit_note(event.object_id))
    if event.type == "customer.deleted" and customer_is_gone(event.object_id):
        return partial(forget_customer, event.object_id)
    return lambda: EventState.IGNORED


def follow(
    document: gateway.Document,
    *,
    at: dt.datetime,
    failed_at: dt.datetime | None = None,
    was: str = "",
) -> EventState:
    """Bring our document to where Stripe's stands; ``failed_at`` is when a debit of it bounced.

    ``at`` dates a payment of which Stripe does not say when it came. ``was`` is where ours stood
    before Stripe's was read: once another event has moved it, that reading is too old to follow.
    Raises DifferentError.
    """
    with transaction.atomic():
        invoice = _ours(document.document, InvoiceKind.INVOICE)
        if invoice is None:
            return _of_nothing_known(document.document)
        if document.status == "draft":
            return EventState.HANDLED
        if not invoice.stripe_id:
            return EventState.WAITING  # the push has not written down yet what it made
        if was and invoice.state != was:
            return EventState.WAITING
        if document.id != invoice.stripe_id or any(sums(invoice, document)):
            raise DifferentError
        if invoice.state in {InvoiceState.APPROVED, InvoiceState.PARKED}:
            record_finalized(invoice, document)
        _move(invoice, document, at, failed_at)
        return EventState.HANDLED


def follow_credit_note(there: gateway.CreditNote) -> EventState:
    """Bring our credit document to where Stripe's credit note stands; raises DifferentError."""
    with transaction.atomic():
        credit = _ours(there.document, InvoiceKind.CREDIT)
        if credit is None:
            return _of_nothing_known(there.document)
        if there.id != (credit.stripe_id or there.id) or any(sums(credit, there)):
            raise DifferentError
        record_issued(credit, there)
        if there.status == "void" and credit.state == InvoiceState.PAID:
            Invoice.objects.filter(pk=credit.pk).update(state=InvoiceState.VOID)
            _bill_anew(credit)
            if credit.credit_reason and credit.credit_of:
                corrections.settle_revisions(credit.credit_of)
        return EventState.HANDLED


def customer_is_gone(stripe_id: str) -> bool:
    try:
        return gateway.read_customer(stripe_id).is_deleted
    except gateway.MissingError:
        return True


def forget_customer(stripe_id: str) -> EventState:
    """Forget a customer that Stripe has no more, so that the next push makes another."""
    forgotten, _ = StripeCustomer.objects.filter(stripe_id=stripe_id).delete()
    return EventState.HANDLED if forgotten else EventState.IGNORED


def _of_nothing_known(document_id: str) -> EventState:
    """What names no document was made by hand; what names one may come to be known."""
    return EventState.WAITING if document_id else EventState.IGNORED


def key_in(document_id: str) -> UUID | None:
    """Return the key of our document that an object of Stripe's names."""
    try:
        return UUID(document_id)
    except ValueError:
        return None


def _ours(document_id: str, kind: InvoiceKind) -> Invoice | None:
    """Return our document, locked; None for what was made by hand or elsewhere."""
    number = key_in(document_id)
    if number is None:
        return None
    ours = Invoice.objects.select_for_update(no_key=True).filter(pk=number, kind=kind)
    return ours.order_by("pk").first()


def _move(
    invoice: Invoice, document: gateway.Document, at: dt.datetime, failed_at: dt.datetime | None
) -> None:
    """Follow Stripe forward; only a debit that bounced leads from paid back to open."""
    if document.status == "paid" and invoice.state in InvoiceState.payable:
        invoice.state, invoice.debit_failed_on = InvoiceState.PAID, None
        if not document.paid_elsewhere_cents:  # what our bank received beside it was too much
            invoice.received_on = None
        invoice.paid_on = invoice.received_on or day_of(document.paid_at or at)
    elif document.status in SETTLED and invoice.state in InvoiceState.payable:
        invoice.state = SETTLED[document.status]
        if invoice.state == InvoiceState.VOID:
            _bill_anew(invoice)
    elif document.status == "open" and failed_at and invoice.state in MAY_BOUNCE:
        invoice.state, invoice.paid_on = InvoiceState.OPEN, None
        failed_on = day_of(failed_at)
        if invoice.debit_failed_on is None or failed_on > invoice.debit_failed_on:
            notices.tell(notices.FAILED_PAYMENT, invoice.payer_id)
        invoice.debit_failed_on = max(failed_on, invoice.debit_failed_on or failed_on)
    if invoice.state != InvoiceState.OPEN:  # the mail that Stripe refused is not missed any more
        invoice.parked_because = ""
    moved = ("state", "paid_on", "received_on", "debit_failed_on", "parked_because")
    invoice.save(update_fields=moved)
    if invoice.state == InvoiceState.OPEN and failed_at and invoice.receipts.exists():
        payments.settle(invoice)  # the bank's money beside it was too much, and is enough now


def _bill_anew(void: Invoice) -> None:
    """Let the next run draft anew what a void document billed or gave back.

    Its credits fall with it: they took nothing off what is billed anew.
    """
    its = Q(lines__invoice=void) | Q(lines__invoice__credit_of=void)
    BilledOccurrence.objects.filter(its).update(state=OccurrenceState.CREDITED)
    void.credits.update(state=InvoiceState.VOID)


def _finish(
    event: StripeEvent, state: EventState, at: dt.datetime, error_code: str = ""
) -> EventState:
    if state == EventState.WAITING and at - event.received_at >= UNKNOWN_IS_RETRIED_FOR:
        state = EventState.IGNORED
    done = None if state == EventState.WAITING else at
    StripeEvent.objects.filter(pk=event.pk, state__in=UNHANDLED).update(
        state=state, handled_at=done, error_code=error_code
    )
    return state
