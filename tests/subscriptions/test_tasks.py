"""Work of the queue that goes on where an earlier attempt had to stop."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from django.utils.translation import override
from django_q.models import OrmQ

from agency.logs import LineFormatter
from subscriptions import answers, gateway, inbox, push, tasks
from subscriptions.models import Invoice, StripeEvent
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.stripe.control import TOO_OFTEN, listed, order

pytestmark = pytest.mark.django_db


def test_a_document_is_pushed_by_its_id(sandbox: Sandbox) -> None:
    invoice = make.invoice(make.organisation(), state="approved")

    tasks.push_invoice(str(invoice.pk))
    tasks.push_invoice(str(invoice.pk))

    assert [document["status"] for document in listed(sandbox)] == ["open"]


def test_what_had_to_wait_is_resumed_and_what_was_not_begun_is_left(sandbox: Sandbox) -> None:
    begun = make.invoice(make.organisation("ORG1"), state="approved")
    untouched = make.invoice(make.organisation("ORG2"), state="approved")
    order(sandbox, "POST /v1/invoices", "429", times=TOO_OFTEN)
    tasks.push_invoice(str(begun.pk))

    tasks.resume_pushing()

    assert Invoice.objects.get(pk=begun.pk).state == "open"
    assert Invoice.objects.get(pk=untouched.pk).state == "approved"


def test_what_is_open_but_was_not_mailed_is_resumed(sandbox: Sandbox) -> None:
    invoice = make.invoice(make.organisation(), state="approved")
    order(sandbox, "POST /v1/invoices/{invoice}/send", "429", times=TOO_OFTEN)
    tasks.push_invoice(str(invoice.pk))
    assert Invoice.objects.get().state == "open"
    assert "invoice.sent" not in {event["type"] for event in listed(sandbox, "events")}

    tasks.resume_pushing()

    assert "invoice.sent" in {event["type"] for event in listed(sandbox, "events")}


@pytest.mark.logs_errors
def test_one_document_that_fails_does_not_hold_up_the_others_and_fails_the_task(
    sandbox: Sandbox,
) -> None:
    order(sandbox, "POST /v1/invoices", "429", times=2 * TOO_OFTEN)
    for code in ("ORG1", "ORG2"):
        tasks.push_invoice(str(make.invoice(make.organisation(code), state="approved").pk))
    make.invoice(make.organisation("ORG0"), state="open", number="SANDBOX-0001", stripe_id="in_0")

    with pytest.raises(push.UnforeseenError, match=r"^1$"):
        tasks.resume_pushing()

    assert Invoice.objects.filter(state="open").count() == 2


def test_one_event_that_cannot_be_read_does_not_hold_up_the_others(
    sandbox: Sandbox, settings: Any
) -> None:
    now = timezone.now()
    invoice = make.invoice(make.organisation(), state="approved")
    push.push(invoice.pk, at=now)
    for event in listed(sandbox, "events"):
        inbox.receive(answers.event(event), at=now - dt.timedelta(minutes=5))
    order(sandbox, "GET /v1/invoices/{invoice}", "429", times=TOO_OFTEN)

    tasks.sweep_events()
    assert StripeEvent.objects.filter(state="received").count() == 1
    tasks.sweep_events()

    assert not StripeEvent.objects.filter(state="received").exists()


def test_an_event_that_the_queue_has_just_taken_is_not_swept(sandbox: Sandbox) -> None:
    make.stripe_event(received_at=timezone.now())

    tasks.sweep_events()

    assert StripeEvent.objects.get().state == "received"


def test_the_queue_holds_nothing_of_what_came(sandbox: Sandbox) -> None:
    invoice = make.invoice(make.organisation(), state="approved")
    push.push(invoice.pk, at=timezone.now())
    for event in listed(sandbox, "events"):
        inbox.receive(answers.event(event), at=timezone.now())

    assert [queued.task["args"] for queued in OrmQ.objects.all()] == [()]
    tasks.handle_events()
    assert not StripeEvent.objects.filter(state="received").exists()


def test_a_task_goes_on_after_an_event_that_cannot_be_read(sandbox: Sandbox) -> None:
    for number in range(3):
        make.stripe_event(f"evt_{number}", object_id=f"in_{number}")
    order(sandbox, "GET /v1/invoices/{invoice}", "429", times=TOO_OFTEN)

    tasks.handle_events()

    states = list(StripeEvent.objects.values_list("state", flat=True))
    assert sorted(states) == ["ignored", "ignored", "received"]


@pytest.fixture
def unreadable(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[StripeEvent]:
    """Make three events of a while ago, of which the second one's object cannot be understood."""
    long_ago = timezone.now() - dt.timedelta(minutes=5)
    events = [
        make.stripe_event(f"evt_{number}", object_id=f"in_{number}", received_at=long_ago)
        for number in range(3)
    ]
    read = gateway.read

    def fail_once(object_id: str) -> gateway.Document:
        if object_id == "in_1":
            raise KeyError("Name of a client")
        return read(object_id)

    monkeypatch.setattr(gateway, "read", fail_once)
    return events


@pytest.mark.logs_errors
@pytest.mark.parametrize("task", [tasks.handle_events, tasks.sweep_events, tasks.reconcile_stripe])
def test_one_event_that_fails_unforeseen_does_not_stop_the_others(
    unreadable: list[StripeEvent], task: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(inbox.UnforeseenError, match=r"^1$"):
        task()

    for event in unreadable:
        event.refresh_from_db()
    assert [event.state for event in unreadable] == ["waiting", "received", "waiting"]
    assert unreadable[1] in inbox.unhandled(before=timezone.now())
    (failure,) = [record for record in caplog.records if record.levelname == "ERROR"]
    written = LineFormatter().format(failure)
    assert (str(unreadable[1].pk) in written, "KeyError" in written) == (True, True)
    assert "Name of a client" not in caplog.text + written


@pytest.mark.logs_errors
@pytest.mark.usefixtures("unreadable")
def test_a_comparison_by_hand_tells_of_events_that_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with override("en"), pytest.raises(SystemExit, match="1"):
        call_command("reconcile_stripe")
    assert "Messages of Stripe that could not be handled: 1." in capsys.readouterr().err
