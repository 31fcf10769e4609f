"""Compare our documents with Stripe's, both ways.

What a handler of the push or of the inbox can set right, it does, as if the event had come now.
The rest becomes a `StripeDifference`: a person looks, and does the one thing that it suggests. It
goes away with the comparison that does not find it any more. One that stays, because it was dealt
with in the books, is cleared, and waits again with the comparison that finds other facts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from agency.month import day_of, midnight
from subscriptions import gateway, inbox, push, reversals, series
from subscriptions.models import (
    ClearedBecause,
    DifferenceKind,
    Invoice,
    InvoiceKind,
    InvoiceState,
    StripeCustomer,
    StripeDifference,
    StripeEvent,
)
from subscriptions.push import Outcome

EVENTS_ARE_KEPT = dt.timedelta(days=30)
LOOKS_BACK = dt.timedelta(days=40)
# Until then an event, a document or a draft may just be on its way.
ON_ITS_WAY = dt.timedelta(minutes=10)
DRAFT_IS_LEFT = dt.timedelta(days=1)
LOOKED_AT_EACH_TIME = (
    DifferenceKind.CUSTOMER_DOUBLED,
    DifferenceKind.DISPUTED,
    DifferenceKind.CLOCK,
)
CLEARED_IS_WATCHED_FOR = dt.timedelta(days=365)
CLOCKS_MAY_DIFFER = dt.timedelta(minutes=1)
BEGINNING = dt.datetime(2011, 1, 1, tzinfo=dt.UTC)  # there was no Stripe before

Theirs = gateway.Document | gateway.CreditNote

SUGGESTIONS = {
    DifferenceKind.MADE_BY_HAND: _("Enter it in the books by hand, or credit it at Stripe."),
    DifferenceKind.UNKNOWN_HERE: _(
        "Void it at Stripe if its client is billed again here; else enter it in the books by hand."
    ),
    DifferenceKind.NOT_APPROVED: _("Approve and push it here: it is then taken over."),
    DifferenceKind.MISSING_THERE: _("Check that the key is of the account that issued it."),
    DifferenceKind.DOUBLED: _("Void it at Stripe: another one stands for our document."),
    DifferenceKind.AMOUNT: _("Credit it at Stripe and bill it anew here."),
    DifferenceKind.NUMBER: _("Ask Stripe: a number never changes."),
    DifferenceKind.STATE: _("Look at it at Stripe, and undo there what was done by hand."),
    DifferenceKind.DRAFT_LEFT: _("Delete the draft at Stripe."),
    DifferenceKind.GAP: _("Look in Stripe's log who took the number, and note it for the auditor."),
    DifferenceKind.CUSTOMER_DOUBLED: _("Delete this customer at Stripe if it has no invoices."),
    DifferenceKind.DISPUTED: _("Answer the dispute at Stripe, and ask the client how to pay."),
    DifferenceKind.REFUNDED: _(
        "Credit the invoice at Stripe, with a credit note that names this refund."
    ),
    DifferenceKind.CLOCK: _("Set this machine's clock: from five minutes on webhooks are refused."),
}


@dataclass(frozen=True)
class Repair:
    what: str  # event, document, credit_note, push or customer
    object_id: str


@dataclass(frozen=True)
class Found:
    kind: DifferenceKind
    object_id: str
    about_on: dt.date
    invoice: Invoice | None = None
    facts: str = ""


@dataclass
class Comparison:
    """What a run of the comparison did; ``compared`` counts objects of either side once.

    ``failed`` counts events and documents that went wrong for reasons that nobody foresaw.
    """

    compared: int = 0
    failed: int = 0
    repaired: list[Repair] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)


def waiting() -> QuerySet[StripeDifference]:
    """Return what a person has to look at, the oldest first."""
    left = StripeDifference.objects.filter(cleared_because="")
    return left.select_related("invoice").order_by("found_on", "object_id")


@transaction.atomic
def clear(
    differences: QuerySet[StripeDifference], because: ClearedBecause | None, *, on: dt.date
) -> list[StripeDifference]:
    """Note how a person dealt with differences, or that they wait again (None); return these.

    A clock that is wrong is set, and never cleared.
    """
    reason = because or ""
    others = differences.exclude(cleared_because=reason).exclude(kind=DifferenceKind.CLOCK)
    changed = list(others.select_for_update(of=("self",)).order_by("pk"))
    StripeDifference.objects.filter(pk__in=[one.pk for one in changed]).update(
        cleared_because=reason, cleared_on=on if because else None
    )
    return changed


def suggestion(difference: StripeDifference) -> str:
    """Say the one thing to do about a difference."""
    return str(SUGGESTIONS[DifferenceKind(difference.kind)])


def reconcile(*, at: dt.datetime, since: dt.date | None = None) -> Comparison:
    """Compare everything created since a day, and everything that is still open; repair; note.

    Raises gateway.GatewayError while Stripe cannot be read: what was repaired until then stays.
    """
    start = midnight(since) if since else _far_enough_back(at)
    done = Comparison()
    _compare_clocks(done, at)
    _adopt(done, start, at)
    _resume(done, at)
    _hear_missed_events(done, start, at)
    _compare_customers(done)
    _compare_documents(done, InvoiceKind.INVOICE, gateway.documents_since(start), start, at)
    _compare_documents(done, InvoiceKind.CREDIT, gateway.credit_notes_since(start), start, at)
    done.found += [Found(DifferenceKind.DISPUTED, *one) for one in reversals.disputed(at)]
    done.found += [Found(DifferenceKind.REFUNDED, *one) for one in reversals.refunded(start)]
    _note(done.found, start, at)
    return done


def _far_enough_back(at: dt.datetime) -> dt.datetime:
    """Return a moment before all that still waits for a person, or it would never be struck.

    And before what was cleared, for a year: its facts may change.
    """
    is_watched = Q(cleared_on=None) | Q(about_on__gt=day_of(at - CLEARED_IS_WATCHED_FOR))
    waits = StripeDifference.objects.filter(is_watched).exclude(kind__in=LOOKED_AT_EACH_TIME)
    oldest = waits.order_by("about_on").values_list("about_on", flat=True).first()
    return min(at - LOOKS_BACK, midnight(oldest)) if oldest else at - LOOKS_BACK


def _compare_clocks(done: Comparison, at: dt.datetime) -> None:
    """Tell of a clock on its way to where Stripe's webhooks would be taken for old ones."""
    if abs(gateway.clock_is_ahead_by()) > CLOCKS_MAY_DIFFER:
        done.found.append(Found(DifferenceKind.CLOCK, "-", day_of(at)))


def _adopt(done: Comparison, start: dt.datetime, at: dt.datetime) -> None:
    """Have the push take over what a restored backup has forgotten that it pushed."""
    unbegun = Invoice.objects.filter(
        state=InvoiceState.APPROVED, kind=InvoiceKind.INVOICE, steps__isnull=True
    )
    if not unbegun.exists():
        return
    there = [
        number
        for item in gateway.documents_since(start)
        if item.status != "void" and (number := inbox.key_in(item.document))
    ]
    for invoice_id in list(unbegun.filter(pk__in=there).values_list("pk", flat=True)):
        _push(done, invoice_id, at)


def _hear_missed_events(done: Comparison, start: dt.datetime, at: dt.datetime) -> None:
    """Take in what no webhook brought, and try again what could not be handled yet."""
    missed = [
        event
        for event in gateway.events_since(max(start, at - EVENTS_ARE_KEPT), *inbox.KINDS_OF_EVENTS)
        if event.created_at <= at - ON_ITS_WAY
    ]
    for missing in reversed(missed):
        inbox.receive(missing, at=at)
    unhandled = StripeEvent.objects.filter(state__in=inbox.UNHANDLED)
    for event in list(unhandled.order_by("created_at")):
        before = _standing(event.object_id)
        done.failed += not inbox.survive(event.pk, at=at)
        if _standing(event.object_id) != before:
            done.repaired.append(Repair("event", event.event_id))


def _standing(stripe_id: str) -> list[tuple[object, ...]]:
    """Return what an event about this object may move."""
    invoices = Invoice.objects.filter(stripe_id=stripe_id)
    customers = StripeCustomer.objects.filter(stripe_id=stripe_id)
    return [
        *invoices.values_list("state", "number", "paid_on", "debit_failed_on"),
        *customers.values_list("pk"),
    ]


def _resume(done: Comparison, at: dt.datetime) -> None:
    """Go on with pushes that died: their drafts would be left behind."""
    stopped = push.begun().exclude(steps__attempted_at__gt=at - ON_ITS_WAY)
    for invoice_id in list(stopped.values_list("pk", flat=True)):
        _push(done, invoice_id, at)


def _push(done: Comparison, invoice_id: UUID, at: dt.datetime) -> None:
    outcome = push.try_to_push(invoice_id, at=at)
    done.failed += outcome == Outcome.FAILED
    if outcome == Outcome.PUSHED:
        done.repaired.append(Repair("push", str(invoice_id)))


def _compare_customers(done: Comparison) -> None:
    there = list(gateway.customers_since(BEGINNING))
    here = dict(StripeCustomer.objects.values_list("stripe_id", "organisation_id"))
    done.compared += len(there) + len(here.keys() - {customer.id for customer in there})
    for stripe_id in here.keys() - {customer.id for customer in there}:
        if inbox.customer_is_gone(stripe_id):
            inbox.forget_customer(stripe_id)
            done.repaired.append(Repair("customer", stripe_id))
    ours = {str(organisation_id): stripe_id for stripe_id, organisation_id in here.items()}
    for customer in there:
        if ours.get(customer.organisation, customer.id) != customer.id:
            done.found.append(Found(DifferenceKind.CUSTOMER_DOUBLED, customer.id, BEGINNING.date()))


def _compare_documents(
    done: Comparison,
    kind: InvoiceKind,
    listed: Iterable[Theirs],
    start: dt.datetime,
    at: dt.datetime,
) -> None:
    there = {item.id: item for item in listed}
    done.found += [Found(DifferenceKind.GAP, *gap) for gap in series.gaps(there.values())]
    ours = _ours(kind, start, there)  # once: a push meanwhile would show on one side only
    for invoice in ours:
        if invoice.stripe_id not in there and (older := _read(invoice)):
            there[older.id] = older
    done.found += _one_sided(ours, there, at)
    done.found += _differing(done, ours, there, at)
    done.compared += len(there)


def _ours(kind: InvoiceKind, start: dt.datetime, there: Mapping[str, Theirs]) -> list[Invoice]:
    """Return our documents of the time, those still open, and those that Stripe shows."""
    is_due = Q(invoice_on__gte=day_of(start)) | Q(state=InvoiceState.OPEN) | Q(stripe_id__in=there)
    return list(
        Invoice.objects.filter(is_due, kind=kind)
        .exclude(Q(stripe_id="") | Q(livemode=not gateway.is_live()))
        .select_related("credit_of")
        .order_by("run_month", "organisation__code", "po_number", "pk")
    )


def _read(invoice: Invoice) -> Theirs | None:
    try:
        if invoice.kind == InvoiceKind.CREDIT:
            return gateway.read_credit_note(invoice.stripe_id)
        return gateway.read(invoice.stripe_id)
    except gateway.MissingError:
        return None


def _one_sided(
    ours: list[Invoice], there: Mapping[str, Theirs], at: dt.datetime
) -> Iterator[Found]:
    """Yield what only one side has, or one side twice."""
    named = [number for item in there.values() if (number := inbox.key_in(item.document))]
    known = Invoice.objects.in_bulk(named)
    for item in there.values():
        number = inbox.key_in(item.document)
        invoice = known.get(number) if number else None
        difference = _what_is(item, invoice, at)
        if difference:
            yield _found(difference, item, invoice)
    for invoice in ours:
        if invoice.stripe_id not in there:
            about_on = invoice.invoice_on or day_of(at)
            facts = _standing_of(invoice)
            yield Found(DifferenceKind.MISSING_THERE, invoice.stripe_id, about_on, invoice, facts)


def _found(kind: DifferenceKind, item: Theirs, invoice: Invoice | None) -> Found:
    there = f"{item.status} {item.number} {item.net_cents} {item.vat_cents}"
    facts = f"{there} / {_standing_of(invoice)}" if invoice else there
    return Found(kind, item.id, day_of(item.created_at), invoice, facts)


def _standing_of(invoice: Invoice) -> str:
    return f"{invoice.state} {invoice.number} {invoice.net_cents} {invoice.vat_cents}"


def _what_is(item: Theirs, invoice: Invoice | None, at: dt.datetime) -> DifferenceKind | None:
    """Say what is the matter with an object of Stripe's that none of ours stands for."""
    if item.status == "void" or (invoice and invoice.stripe_id == item.id):
        return None
    if item.status == "draft":
        is_left = item.created_at <= at - DRAFT_IS_LEFT
        return DifferenceKind.DRAFT_LEFT if is_left else None
    if invoice is None:
        by_hand = not item.document
        return DifferenceKind.MADE_BY_HAND if by_hand else DifferenceKind.UNKNOWN_HERE
    if invoice.state in {InvoiceState.DRAFT, InvoiceState.BLOCKED}:
        return DifferenceKind.NOT_APPROVED
    return DifferenceKind.DOUBLED if invoice.stripe_id else None


def _differing(
    done: Comparison, ours: list[Invoice], there: Mapping[str, Theirs], at: dt.datetime
) -> Iterator[Found]:
    """Have ours follow; yield where it still stands otherwise."""
    for invoice in ours:
        item = there.get(invoice.stripe_id)
        if item is None or item.status == "draft":
            continue
        before = (invoice.state, invoice.number)
        try:
            _follow(item, at)
        except inbox.DifferentError:
            yield _found(DifferenceKind.AMOUNT, item, invoice)
            continue
        invoice.refresh_from_db()
        if (invoice.state, invoice.number) != before:
            done.repaired.append(Repair("document", item.id))
        if invoice.state != _state_of(item, invoice):  # moved on both sides, since it was listed?
            item = _read(invoice) or item
        if invoice.number != item.number:
            yield _found(DifferenceKind.NUMBER, item, invoice)
        if invoice.state != _state_of(item, invoice):
            yield _found(DifferenceKind.STATE, item, invoice)


def _follow(item: Theirs, at: dt.datetime) -> None:
    if isinstance(item, gateway.CreditNote):
        inbox.follow_credit_note(item)
    else:
        inbox.follow(item, at=at)


def _state_of(item: Theirs, invoice: Invoice) -> str:
    """Return where our document stands that follows this one.

    Credits settle at once, and fall with what they credit, where Stripe leaves them as they are.
    """
    if invoice.credit_of and invoice.credit_of.state == InvoiceState.VOID:
        return InvoiceState.VOID
    return InvoiceState.PAID if item.status == "issued" else item.status


@transaction.atomic
def _note(found: list[Found], start: dt.datetime, at: dt.datetime) -> None:
    """Write down what was found, and strike what was found earlier and is gone.

    What was cleared is found anew where its facts are others.
    """
    kept = []
    for item in found:
        what = {"kind": item.kind, "object_id": item.object_id}
        cleared = StripeDifference.objects.filter(**what).exclude(cleared_because="")
        cleared.exclude(facts=item.facts).update(
            cleared_because="", cleared_on=None, found_on=day_of(at)
        )
        stands = {"invoice": item.invoice, "about_on": item.about_on, "facts": item.facts}
        row, _created = StripeDifference.objects.update_or_create(
            **what, defaults=stands, create_defaults=stands | {"found_on": day_of(at)}
        )
        kept.append(row.pk)
    looked_at = Q(about_on__gte=day_of(start)) | Q(kind__in=LOOKED_AT_EACH_TIME)
    StripeDifference.objects.filter(looked_at).exclude(pk__in=kept).delete()
