"""One document of a client at a time goes to Stripe."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import stripe
from django.utils import timezone

from subscriptions import push, steps
from subscriptions.models import Invoice, StripeStep
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.stripe.control import TOO_OFTEN, listed, order

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def test_a_document_waits_for_its_turn_and_is_resumed(sandbox: Sandbox) -> None:
    """Another address on each: at the same time, one would be finalized for the other's."""
    organisation = make.organisation()
    first = make.invoice(organisation, "2026-01", state="approved")
    second = make.invoice(organisation, "2026-02", state="approved", buyer_street="Nieuwstraat 2")
    order(sandbox, "POST /v1/invoices/{invoice}/finalize", "429", times=TOO_OFTEN)

    assert push.push(first.pk, at=NOW) == Outcome.WAITING
    assert push.push(second.pk, at=NOW) == Outcome.WAITING
    assert list(push.begun()) == [first, second]
    assert push.push(first.pk, at=NOW) == Outcome.PUSHED
    assert push.push(second.pk, at=NOW) == Outcome.PUSHED

    streets = [document["customer_address"]["line1"] for document in listed(sandbox)]
    assert streets == ["Nieuwstraat 2", "Dorpsstraat 1"]


def test_the_turn_of_a_parked_document_is_the_next_ones(sandbox: Sandbox) -> None:
    organisation = make.organisation()
    first = make.invoice(organisation, "2026-01", state="approved")
    second = make.invoice(organisation, "2026-02", state="approved")
    order(sandbox, "POST /v1/invoices/{invoice}/finalize", "429", times=TOO_OFTEN)
    push.push(first.pk, at=NOW)
    push._park(first, "looked at")

    assert push.push(second.pk, at=NOW) == Outcome.PUSHED
    push.unpark(first.pk)
    assert push.push(first.pk, at=NOW) == Outcome.PUSHED


def test_a_document_that_is_tried_again_takes_the_turn_from_nobody(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the customer would be its own when the other one is finalized."""
    organisation = make.organisation()
    first = make.invoice(organisation, "2026-01", state="approved")
    second = make.invoice(organisation, "2026-02", state="approved", buyer_street="Nieuwstraat 2")
    order(sandbox, "POST /v1/invoices/{invoice}/finalize", "429", times=TOO_OFTEN)
    push.push(first.pk, at=NOW)
    push._park(first, "looked at")
    finalize, outcomes = push._finalize, []

    def meanwhile(invoice: Invoice, at: dt.datetime) -> None:
        if invoice.pk == second.pk:
            push.unpark(first.pk)
            outcomes.append(push.push(first.pk, at=at))
        finalize(invoice, at)

    monkeypatch.setattr(push, "_finalize", meanwhile)
    outcomes.append(push.push(second.pk, at=NOW + dt.timedelta(minutes=1)))
    outcomes.append(push.push(first.pk, at=NOW + dt.timedelta(minutes=2)))

    assert outcomes == ["waiting", "pushed", "pushed"]
    streets = {one["metadata"]["run"]: one["customer_address"]["line1"] for one in listed(sandbox)}
    assert streets == {"2026-01": "Dorpsstraat 1", "2026-02": "Nieuwstraat 2"}


def test_a_customer_that_is_asked_for_anew_keeps_the_turn(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another document comes between the call that made nothing and the one with another key."""
    organisation = make.organisation()
    first = make.invoice(organisation, "2026-01", state="approved")
    second = make.invoice(organisation, "2026-02", state="approved", buyer_street="Nieuwstraat 2")
    order(sandbox, "POST /v1/customers", "500_before")
    claim, outcomes = steps._claim, []

    def meanwhile(step: StripeStep, at: dt.datetime) -> bool:
        if step.generation > 1:
            outcomes.append(push.push(second.pk, at=at))
        return claim(step, at)

    monkeypatch.setattr(steps, "_claim", meanwhile)
    outcomes.append(push.push(first.pk, at=NOW))

    assert outcomes == ["waiting", "pushed"]


def test_two_pushes_of_a_changed_vat_id_both_go_on(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both see the old one at Stripe; one of them finds that the other has deleted it."""
    organisation = make.organisation()
    first: Any = {"buyer_vat_id": "NL001234567B01"}
    push.push(make.invoice(organisation, "2026-01", state="approved", **first).pk, at=NOW)
    changed: Any = {"buyer_vat_id": "DE123456789"}
    invoice = make.invoice(organisation, "2026-02", state="approved", **changed)
    request, outcomes = stripe.RequestsClient.request, []

    def overtake(client: Any, method: str, url: str, *given: Any) -> Any:
        answer = request(client, method, url, *given)
        if method == "get" and "/tax_ids" in url:
            monkeypatch.setattr(stripe.RequestsClient, "request", request)
            outcomes.append(push.push(invoice.pk, at=NOW))
        return answer

    monkeypatch.setattr(stripe.RequestsClient, "request", overtake)
    outcomes.append(push.push(invoice.pk, at=NOW))

    assert outcomes == ["pushed", "pushed"]
    assert listed(sandbox)[0]["customer_tax_ids"] == [{"type": "eu_vat", "value": "DE123456789"}]


def test_two_documents_of_a_client_do_not_make_its_customer_at_the_same_time(
    sandbox: Sandbox,
) -> None:
    organisation = make.organisation()
    first = make.invoice(organisation, "2026-01", state="approved")
    second = make.invoice(organisation, "2026-02", state="approved")
    make.stripe_step(first, "customer", state="attempting", attempted_at=NOW)

    assert push.push(second.pk, at=NOW) == Outcome.WAITING

    assert listed(sandbox, "customers") == []
