"""Whoever comes to a document at the same moment waits for it, in one order, and goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from subscriptions import answers, credit_notes, customers, inbox, push
from subscriptions.models import StripeEvent
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.at_once import MOST_SECONDS, at_once, hold_until_waited_for
from tests.stripe.control import listed
from tests.subscriptions.test_credit_notes import credit_of, sent

pytestmark = pytest.mark.django_db(transaction=True)


class Meeting:
    """Stops a push in the middle of a transaction until another process has come as far."""

    def __init__(self, patch: pytest.MonkeyPatch, place: Any, name: str) -> None:
        self.there, self.over = threading.Event(), threading.Event()
        pass_on = getattr(place, name)

        def stop(*given: Any) -> Any:
            self.there.set()
            hold_until_waited_for(self.over)
            return pass_on(*given)

        patch.setattr(place, name, stop)

    def of(self, push_it: Callable[[], Any], other: Callable[[], Any]) -> list[Any]:
        """Do the other while the push stands still; give what each returned or raised."""

        def come() -> Any:
            try:
                assert self.there.wait(MOST_SECONDS)
                return other()
            finally:
                self.over.set()

        return at_once(push_it, come)


def hear(sandbox: Sandbox, kind: str) -> str:
    [event] = [event for event in listed(sandbox, "events") if event["type"] == kind]
    inbox.receive(answers.event(event), at=timezone.now())
    return inbox.handle(StripeEvent.objects.get().pk, at=timezone.now())


def test_a_webhook_that_overtakes_the_end_of_a_push_waits_for_it(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = make.invoice(make.organisation(), state="approved")
    meeting = Meeting(monkeypatch, push, "record_finalized")

    outcomes = meeting.of(
        lambda: push.push(invoice.pk, at=timezone.now()),
        lambda: hear(sandbox, "invoice.finalized"),
    )

    assert outcomes == ["pushed", "handled"]


def test_a_webhook_that_overtakes_the_end_of_a_credit_waits_for_it(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    credit = credit_of(sent(), (10000, 2100))
    meeting = Meeting(monkeypatch, credit_notes, "record_issued")

    outcomes = meeting.of(
        lambda: push.push(credit.pk, at=timezone.now()),
        lambda: hear(sandbox, "credit_note.created"),
    )

    assert outcomes == ["pushed", "handled"]


def test_a_credit_is_drafted_while_a_document_of_its_client_is_pushed(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its foreign keys hold on to the document and to the client, in either order."""
    invoice = make.invoice(make.organisation(), state="approved")
    meeting = Meeting(monkeypatch, customers, "wait_unless_approved")

    def draft() -> str:
        with transaction.atomic():
            return credit_of(invoice, (10000, 2100)).kind

    outcomes = meeting.of(lambda: push.push(invoice.pk, at=timezone.now()), draft)

    assert outcomes == ["pushed", "credit"]
