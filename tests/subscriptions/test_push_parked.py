"""What Stripe refuses or holds otherwise stops a document until a person has looked."""

from __future__ import annotations

import pytest
from django.utils import timezone, translation

from agency.models import Organisation
from subscriptions import customers, gateway, push, tasks
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.factories import approved
from tests.stripe.control import listed

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def test_what_differs_at_stripe_is_parked_before_it_gets_a_number(sandbox: Sandbox) -> None:
    invoice = approved()
    customer_id = customers.know(invoice, NOW)
    push._draft(invoice, customer_id, NOW)
    gateway.add_lines(
        invoice.stripe_id, {"lines": [{"amount": 1, "description": "by hand"}]}, "by hand"
    )

    with translation.override("nl"):
        assert push.push(invoice.pk, at=NOW) == Outcome.PARKED

    invoice.refresh_from_db()
    assert invoice.state == "parked"
    assert "1.210,01" in invoice.parked_because
    assert "1.210,00" in invoice.parked_because
    assert listed(sandbox) == []  # the draft is gone
    assert push.push(invoice.pk, at=NOW) == Outcome.PARKED

    push.unpark(invoice.pk)
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED
    assert listed(sandbox)[0]["number"] == "SANDBOX-0001"


def test_a_refusal_parks_the_invoice_and_names_the_code(sandbox: Sandbox) -> None:
    invoice = approved()
    make.stripe_customer(invoice.organisation, stripe_id="cus_gone")  # type: ignore[arg-type]

    assert push.push(invoice.pk, at=NOW) == Outcome.PARKED

    invoice.refresh_from_db()
    assert "resource_missing" in invoice.parked_because


def test_an_invoice_without_an_address_to_send_it_to_is_parked(sandbox: Sandbox) -> None:
    invoice = approved(buyer_email="")

    assert push.push(invoice.pk, at=NOW) == Outcome.PARKED

    assert listed(sandbox) == []


def test_a_parked_invoice_takes_the_address_that_was_added_since(sandbox: Sandbox) -> None:
    invoice = approved(buyer_email="")
    push.push(invoice.pk, at=NOW)
    Organisation.objects.update(invoice_email="facturen@org1.example")

    push.unpark(invoice.pk)
    tasks.resume_pushing()

    assert [document["customer_email"] for document in listed(sandbox)] == ["facturen@org1.example"]


def test_a_mail_that_stripe_refuses_is_told_of_and_asked_for_again(sandbox: Sandbox) -> None:
    invoice = approved()
    gateway.create_customer({"name": "Someone"}, f"doc-{invoice.pk}-send-g1")  # the key is taken

    assert push.push(invoice.pk, at=NOW) == Outcome.PARKED
    assert list(push.unmailed()) == [invoice]
    assert push.push(invoice.pk, at=NOW) == Outcome.ALREADY
    push.unpark(invoice.pk)
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED

    events = [event["type"] for event in listed(sandbox, "events")]
    assert events.count("invoice.sent") == 1
    assert not push.unmailed().exists()


def test_an_invoice_of_nothing_is_parked(sandbox: Sandbox) -> None:
    invoice = approved(lines=[{"net_cents": 0, "vat_cents": 0}])

    assert push.push(invoice.pk, at=NOW) == Outcome.PARKED

    assert listed(sandbox) == []


def test_what_was_taken_back_meanwhile_is_not_parked() -> None:
    invoice = approved()
    push.take_back([invoice.pk])

    push._park(invoice, "refused")

    invoice.refresh_from_db()
    assert (invoice.state, invoice.parked_because) == ("draft", "")
