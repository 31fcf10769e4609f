"""Following what Stripe reports: whatever comes, how often, in which order."""

from __future__ import annotations

import datetime as dt
from itertools import permutations
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from subscriptions import answers, gateway, inbox, push, reconcile, tasks
from subscriptions.models import Invoice, StripeEvent
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.backups import restored_afterwards
from tests.stripe.control import TOO_OFTEN, call, control, listed, order

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def sent(**fields: Any) -> Invoice:
    """Make an invoice and carry it to Stripe."""
    invoice = make.invoice(make.organisation(), state="approved", **fields)
    push.push(invoice.pk, at=NOW)
    invoice.refresh_from_db()
    return invoice


def sent_but_not_written_down(*, knows_id: bool = True, **fields: Any) -> tuple[Invoice, str]:
    """Make an invoice that is at Stripe, while here it is only approved; return Stripe's id too."""
    invoice = make.invoice(make.organisation(), state="approved", **fields)
    with restored_afterwards():
        push.push(invoice.pk, at=NOW)
        stripe_id = Invoice.objects.get(pk=invoice.pk).stripe_id
    if knows_id:
        Invoice.objects.filter(pk=invoice.pk).update(stripe_id=stripe_id)
    return invoice, stripe_id


def events_of(sandbox: Sandbox, *kinds: str) -> list[gateway.Event]:
    """Return what Stripe would report, the oldest first."""
    return [
        answers.event(event)
        for event in reversed(listed(sandbox, "events"))
        if not kinds or event["type"] in kinds
    ]


def receive_and_handle(event: gateway.Event) -> str:
    inbox.receive(event, at=NOW)
    return inbox.handle(StripeEvent.objects.get(event_id=event.id).pk, at=NOW)


def standing(invoice: Invoice) -> tuple[Any, ...]:
    invoice.refresh_from_db()
    return (invoice.state, invoice.paid_on, invoice.debit_failed_on, invoice.number)


def paid_on(stripe_id: str) -> dt.date:
    paid_at = gateway.read(stripe_id).paid_at
    assert paid_at
    return timezone.localdate(paid_at)


def test_an_event_is_stored_once_and_queued_once(sandbox: Sandbox) -> None:
    sent()
    [event] = events_of(sandbox, "invoice.finalized")

    assert inbox.receive(event, at=NOW)
    assert not inbox.receive(event, at=NOW)

    assert StripeEvent.objects.count() == 1
    assert OrmQ.objects.count() == 1


def test_of_an_event_only_what_fetches_its_object_is_kept(sandbox: Sandbox) -> None:
    sent()
    [event] = events_of(sandbox, "invoice.finalized")
    inbox.receive(event, at=NOW)

    stored = StripeEvent.objects.values().get()
    assert "invoices@org1.example" not in str(stored)
    assert stored["object_id"] == listed(sandbox)[0]["id"]


def test_a_payment_settles_the_invoice(sandbox: Sandbox) -> None:
    invoice = sent()
    control(sandbox, f"pay/{invoice.stripe_id}")

    [event] = events_of(sandbox, "invoice.paid")
    assert receive_and_handle(event) == "handled"

    assert standing(invoice) == ("paid", paid_on(invoice.stripe_id), None, "SANDBOX-0001")


def test_a_failed_debit_leaves_the_invoice_open_and_marked(sandbox: Sandbox) -> None:
    invoice = sent(collection="sepa")
    control(sandbox, f"fail_debit/{invoice.stripe_id}")

    [event] = events_of(sandbox, "invoice.payment_failed")
    receive_and_handle(event)

    assert standing(invoice)[:3] == ("open", None, timezone.localdate(event.created_at))


def test_a_debit_that_bounces_after_payment_opens_the_invoice_again(sandbox: Sandbox) -> None:
    invoice = sent(collection="sepa")
    control(sandbox, f"fail_debit/{invoice.stripe_id}")
    invoice.state, invoice.paid_on = "paid", NOW.date()
    invoice.save(update_fields=["state", "paid_on"])

    [event] = events_of(sandbox, "invoice.payment_failed")
    receive_and_handle(event)

    assert standing(invoice)[:3] == ("open", None, timezone.localdate(event.created_at))


@pytest.mark.parametrize(
    ("how", "end"),
    [("pay", "paid"), ("void", "void"), ("mark_uncollectible", "uncollectible")],
)
def test_a_reading_that_another_event_overtook_is_not_followed(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, how: str, end: str
) -> None:
    """One worker read that the debit bounced; before it writes so, another one settles it."""
    invoice = sent(collection="sepa")
    control(sandbox, f"fail_debit/{invoice.stripe_id}")
    [bounced] = events_of(sandbox, "invoice.payment_failed")
    read = gateway.read

    def read_and_be_overtaken(stripe_id: str) -> gateway.Document:
        document = read(stripe_id)
        monkeypatch.undo()
        settle(sandbox, how, stripe_id)
        newest = events_of(sandbox)[-1]
        assert receive_and_handle(newest) == "handled"
        return document

    monkeypatch.setattr(gateway, "read", read_and_be_overtaken)
    assert receive_and_handle(bounced) == "waiting"
    assert standing(invoice)[0] == end

    assert inbox.handle(StripeEvent.objects.get(event_id=bounced.id).pk, at=NOW) == "handled"
    assert standing(invoice)[0] == end


def settle(sandbox: Sandbox, how: str, stripe_id: str) -> None:
    if how == "pay":
        control(sandbox, f"pay/{stripe_id}")
    else:
        assert call(sandbox, "POST", f"/v1/invoices/{stripe_id}/{how}").status_code == 200


def test_every_order_of_events_ends_the_same(sandbox: Sandbox) -> None:
    """Failed, then paid: whichever is heard first, and however often."""
    invoice, stripe_id = sent_but_not_written_down(collection="sepa")
    control(sandbox, f"fail_debit/{stripe_id}")
    control(sandbox, f"pay/{stripe_id}")
    kinds = ("invoice.finalized", "invoice.payment_failed", "invoice.paid")
    events = events_of(sandbox, *kinds)

    ends = set()
    for ordered in permutations([*events, events[1]]):
        with restored_afterwards():
            for event in ordered:
                receive_and_handle(event)
            ends.add(standing(invoice))

    assert ends == {("paid", paid_on(stripe_id), None, "SANDBOX-0001")}


def test_an_event_that_overtakes_our_own_commit_finalizes_for_us(sandbox: Sandbox) -> None:
    invoice, _stripe_id = sent_but_not_written_down()

    [event] = events_of(sandbox, "invoice.finalized")
    receive_and_handle(event)

    invoice.refresh_from_db()
    assert (invoice.state, invoice.number) == ("open", "SANDBOX-0001")
    assert invoice.hosted_url
    assert push.push(invoice.pk, at=NOW) == "pushed"
    assert len(events_of(sandbox, "invoice.sent")) == 1


def test_an_event_before_we_know_stripes_id_waits_and_is_swept(sandbox: Sandbox) -> None:
    invoice, stripe_id = sent_but_not_written_down(knows_id=False)
    [event] = events_of(sandbox, "invoice.finalized")
    assert receive_and_handle(event) == "waiting"

    Invoice.objects.filter(pk=invoice.pk).update(stripe_id=stripe_id)
    StripeEvent.objects.update(received_at=NOW - dt.timedelta(minutes=5))
    tasks.sweep_events()

    assert StripeEvent.objects.get().state == "handled"
    assert standing(invoice)[0] == "open"


def test_an_event_about_a_document_that_is_not_known_yet_is_tried_again(sandbox: Sandbox) -> None:
    with restored_afterwards():
        invoice = sent()
    [event] = events_of(sandbox, "invoice.finalized")
    assert receive_and_handle(event) == "waiting"

    again: dict[str, Any] = {"pk": invoice.pk, "stripe_id": event.object_id}
    known = make.invoice(make.organisation(), state="approved", **again)
    StripeEvent.objects.update(received_at=NOW - dt.timedelta(minutes=5))
    tasks.sweep_events()

    assert standing(known)[0] == "open"


@pytest.mark.parametrize(
    ("kind", "object_id"), [("invoice.paid", "in_none"), ("credit_note.created", "cn_none")]
)
def test_what_stays_unknown_is_tried_again_for_days(
    sandbox: Sandbox, kind: str, object_id: str
) -> None:
    event = make.stripe_event(type=kind, object_id=object_id, received_at=NOW)
    days = [dt.timedelta(days=number) for number in (0, 1, 2, 3)]

    states = [inbox.handle(event.pk, at=NOW + later) for later in days]

    assert states == ["waiting", "waiting", "waiting", "ignored"]


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 2), (1, 4), (2, 8), (6, 128), (12, 8192)])
def test_the_sweep_waits_twice_as_long_after_each_attempt(attempts: int, minutes: int) -> None:
    event = make.stripe_event(received_at=NOW, attempts=attempts)
    due = NOW + dt.timedelta(minutes=minutes)

    for late, expected in ((-1, []), (1, [event])):
        now = due + dt.timedelta(seconds=late)
        assert list(inbox.unhandled(before=now - inbox.TASK_IS_ON_ITS_WAY)) == expected


def test_an_invoice_made_by_hand_is_not_for_us(sandbox: Sandbox) -> None:
    customer = gateway.create_customer({"name": "Someone"}, "key 1")
    gateway.create_draft({"customer": customer.id}, "key 2")

    [event] = events_of(sandbox, "invoice.created")

    assert receive_and_handle(event) == "ignored"


def test_what_is_no_invoice_is_not_looked_at(sandbox: Sandbox) -> None:
    sent()

    [event] = events_of(sandbox, "customer.created")

    assert receive_and_handle(event) == "ignored"


def test_a_draft_that_is_gone_is_not_for_us(sandbox: Sandbox) -> None:
    customer = gateway.create_customer({"name": "Someone"}, "key 1")
    draft = gateway.create_draft({"customer": customer.id}, "key 2")
    gateway.delete_draft(draft.id)

    assert {receive_and_handle(event) for event in events_of(sandbox)} == {"ignored"}


def test_what_stands_for_another_document_changes_nothing_here(sandbox: Sandbox) -> None:
    invoice, _stripe_id = sent_but_not_written_down()
    Invoice.objects.filter(pk=invoice.pk).update(stripe_id="in_another")
    [event] = events_of(sandbox, "invoice.finalized")

    assert receive_and_handle(event) == "failed"

    assert StripeEvent.objects.get().error_code == "other_document"
    assert standing(invoice)[0] == "approved"


def test_the_same_total_with_other_vat_is_not_ours(sandbox: Sandbox) -> None:
    """Lines put in, and finalized, by hand while the push had to wait."""
    invoice = make.invoice(make.organisation(), state="approved")
    order(sandbox, "POST /v1/invoices/{invoice}/add_lines", "429", times=TOO_OFTEN)
    push.push(invoice.pk, at=NOW)
    invoice.refresh_from_db()
    by_hand = {"lines[0][amount]": invoice.total_cents, "lines[0][description]": "By hand"}
    call(sandbox, "POST", f"/v1/invoices/{invoice.stripe_id}/add_lines", by_hand)
    call(sandbox, "POST", f"/v1/invoices/{invoice.stripe_id}/finalize")

    [event] = events_of(sandbox, "invoice.finalized")
    assert receive_and_handle(event) == "failed"

    assert standing(invoice)[0] == "approved"
    reconcile.reconcile(at=NOW)
    assert [(one.kind, one.invoice) for one in reconcile.waiting()] == [("amount", invoice)]


def test_a_handled_event_is_not_handled_again(sandbox: Sandbox) -> None:
    invoice = sent()
    control(sandbox, f"pay/{invoice.stripe_id}")
    [event] = events_of(sandbox, "invoice.paid")
    receive_and_handle(event)
    stored = StripeEvent.objects.get()

    assert inbox.handle(stored.pk, at=NOW) == "handled"

    stored.refresh_from_db()
    assert stored.attempts == 1


def test_an_event_stays_while_stripe_cannot_be_read(sandbox: Sandbox, settings: Any) -> None:
    sent()
    [event] = events_of(sandbox, "invoice.finalized")
    inbox.receive(event, at=NOW)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    with pytest.raises(gateway.UnknownOutcomeError):
        inbox.handle(StripeEvent.objects.get().pk, at=NOW)

    assert StripeEvent.objects.get().state == "received"
