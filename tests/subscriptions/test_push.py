"""Carrying documents to Stripe, over HTTP against the sandbox."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from agency.month import Month
from subscriptions import customers, gateway, push, tasks
from subscriptions.models import Invoice, StepKind, StepState, StripeCustomer, StripeStep
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.factories import approved
from tests.stripe.control import TOO_OFTEN, listed, order

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def test_an_approved_invoice_is_sent_with_our_amounts_to_the_cent(sandbox: Sandbox) -> None:
    invoice = approved(
        po_number="PO-7",
        lines=[
            {"net_cents": 96750, "vat_cents": 20318, "unit_cents": 96750},
            {
                "kind": "travel",
                "description": "Travel",
                "quantity_hundredths": 350,
                "unit_cents": 12975,
                "net_cents": 45413,
                "vat_cents": 9537,
            },
        ],
    )

    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED

    invoice.refresh_from_db()
    [there] = listed(sandbox)
    assert (there["subtotal"], there["total"]) == (142163, 172018)
    assert [line["description"] for line in there["lines"]["data"]] == [
        "Subscription",
        "Travel (3.5 × € 129.75)",
    ]
    assert there["custom_fields"] == [{"name": "Purchase order", "value": "PO-7"}]
    assert (there["status"], there["collection_method"]) == ("open", "send_invoice")
    assert invoice.state == "open"
    assert (invoice.number, invoice.stripe_id) == ("SANDBOX-0001", there["id"])
    assert invoice.hosted_url == there["hosted_invoice_url"]
    assert invoice.due_on is not None
    assert invoice.invoice_on is not None
    assert invoice.due_on - invoice.invoice_on == dt.timedelta(days=30)


def test_pushing_again_changes_nothing(sandbox: Sandbox) -> None:
    invoice = approved()
    push.push(invoice.pk, at=NOW)
    before = listed(sandbox, "events")

    assert push.push(invoice.pk, at=NOW) == Outcome.ALREADY

    assert listed(sandbox, "events") == before


def test_a_draft_is_not_pushed(sandbox: Sandbox) -> None:
    invoice = make.invoice(make.organisation())

    with pytest.raises(push.NotApprovedError):
        push.push(invoice.pk, at=NOW)

    assert listed(sandbox) == []


def test_the_customer_is_made_once_per_organisation(sandbox: Sandbox) -> None:
    organisation = make.organisation()
    for run in ("2026-01", "2026-02"):
        push.push(make.invoice(organisation, run, state="approved").pk, at=NOW)

    assert len(listed(sandbox, "customers")) == 1
    assert len(listed(sandbox)) == 2


def test_a_changed_address_and_vat_id_reach_stripe_before_the_invoice(sandbox: Sandbox) -> None:
    organisation = make.organisation()
    first: Any = {"buyer_vat_id": "NL001234567B01"}
    push.push(make.invoice(organisation, "2026-01", state="approved", **first).pk, at=NOW)
    changed: Any = {
        "buyer_street": "Nieuwstraat 2",
        "buyer_vat_id": "DE123456789",
        "buyer_email": "",  # a debit needs none
        "collection": "sepa",
    }

    invoice = make.invoice(organisation, "2026-02", state="approved", **changed)
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED

    latest, earlier = listed(sandbox)
    assert latest["customer_address"]["line1"] == "Nieuwstraat 2"
    assert latest["customer_tax_ids"] == [{"type": "eu_vat", "value": "DE123456789"}]
    assert latest["customer_email"] is None
    assert earlier["customer_tax_ids"] == [{"type": "eu_vat", "value": "NL001234567B01"}]
    assert len(listed(sandbox, "customers")) == 1


def test_a_one_off_buyer_has_a_customer_of_its_own(sandbox: Sandbox) -> None:
    invoice = make.invoice(None, state="approved")

    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED

    assert [customer["name"] for customer in listed(sandbox, "customers")] == ["Bakker Advies"]
    assert not StripeCustomer.objects.exists()


def test_a_debit_is_left_to_stripe_and_not_mailed(sandbox: Sandbox) -> None:
    invoice = approved(collection="sepa")

    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED

    [there] = listed(sandbox)
    assert (there["collection_method"], there["auto_advance"]) == ("charge_automatically", True)
    assert there["payment_settings"]["payment_method_types"] == ["sepa_debit"]
    assert "invoice.sent" not in {event["type"] for event in listed(sandbox, "events")}
    invoice.refresh_from_db()
    assert invoice.due_on is not None


def test_more_than_a_debit_may_carry_is_sent_as_an_invoice(sandbox: Sandbox) -> None:
    line = {"net_cents": 10_000_00, "vat_cents": 2_100_00}
    invoice = approved(collection="sepa", lines=[line])

    push.push(invoice.pk, at=NOW)

    assert listed(sandbox)[0]["collection_method"] == "send_invoice"


def test_the_reason_for_no_vat_is_printed(sandbox: Sandbox) -> None:
    line = {"vat_category": "AE", "vat_rate_basis_points": 0, "vat_cents": 0}
    invoice = approved(lines=[line], buyer_vat_id="BE0123456749")

    push.push(invoice.pk, at=NOW)

    [there] = listed(sandbox)
    assert there["footer"] == "VAT reverse charged to the customer."
    assert there["total_taxes"][0]["taxability_reason"] == "reverse_charge"
    assert there["total"] == there["subtotal"] == 100000


def test_stripe_receives_no_more_than_it_needs(sandbox: Sandbox) -> None:
    invoice = approved(buyer_kvk_number="87654321", buyer_vat_id="NL001234567B01", po_number="PO-1")
    push.push(invoice.pk, at=NOW)
    line = invoice.lines.get()

    sent: set[str] = set()
    for body in StripeStep.objects.values_list("body", flat=True):
        sent |= set(leaves(body))

    assert "ORG1 B.V." in sent
    organisation = invoice.organisation
    assert organisation is not None
    assert sent - {
        # the buyer
        "ORG1 B.V.", "Dorpsstraat 1", "3511 AA", "Utrecht", "NL", "invoices@org1.example",
        "NL001234567B01", "eu_vat", "en",
        # the line and its amounts
        "Subscription", "100000", "21000", "21", "VAT", "vat", "standard_rated", "False",
        # the terms
        "eur", "exclude", "send_invoice", "30", "Purchase order", "PO-1",
        # the run, and random ids
        "2026-03", str(organisation.pk), str(invoice.pk), str(line.pk),
        StripeCustomer.objects.get().stripe_id,
    } == set()  # fmt: skip


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [str(value)]


CALLS = [
    "POST /v1/customers",
    "POST /v1/invoices",
    "POST /v1/invoices/{invoice}/add_lines",
    "POST /v1/invoices/{invoice}/finalize",
    "POST /v1/invoices/{invoice}/send",
]


@pytest.mark.parametrize("fault", ["500_before", "500_after", "drop_response"])
@pytest.mark.parametrize("operation", CALLS)
def test_an_uncertain_answer_neither_loses_nor_doubles_an_invoice(
    sandbox: Sandbox, operation: str, fault: str
) -> None:
    invoice = approved()
    order(sandbox, operation, fault)

    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED

    [there] = listed(sandbox)
    assert (there["status"], there["total"]) == ("open", 121000)
    assert len(there["lines"]["data"]) == 1
    assert len(listed(sandbox, "customers")) == 1
    sent = [event for event in listed(sandbox, "events") if event["type"] == "invoice.sent"]
    assert len(sent) == 1


def test_a_busy_stripe_is_left_alone_and_asked_again_later(sandbox: Sandbox) -> None:
    invoice = approved()
    order(sandbox, "POST /v1/invoices", "429", times=TOO_OFTEN)

    assert push.push(invoice.pk, at=NOW) == Outcome.WAITING
    assert listed(sandbox) == []
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED

    assert len(listed(sandbox)) == 1


def test_a_stripe_that_is_not_there_leaves_it_to_do(sandbox: Sandbox, settings: Any) -> None:
    invoice = approved()
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    assert push.push(invoice.pk, at=NOW) == Outcome.WAITING

    step = StripeStep.objects.get()
    assert (step.kind, step.state) == ("customer", "todo")
    settings.STRIPE_API_BASE = sandbox.base_url
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED


def test_a_stripe_that_does_not_answer_is_waited_out(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the connection and says nothing; what it did meanwhile is not done again."""
    invoice = approved()
    order(sandbox, "POST /v1/customers", "slow", seconds=2, times=TOO_OFTEN)
    with monkeypatch.context() as patch:
        patch.setattr(gateway, "TIMEOUT_SECONDS", (5, 0.1))
        gateway._client_for.cache_clear()
        assert push.push(invoice.pk, at=NOW) == Outcome.WAITING
    gateway._client_for.cache_clear()

    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED

    assert len(listed(sandbox, "customers")) == 1


def test_a_stripe_that_never_answers_leaves_the_outcome_open(sandbox: Sandbox) -> None:
    invoice = approved()
    tries = 2 * (1 + gateway.RETRIES_OF_A_FAILURE)
    order(sandbox, "POST /v1/invoices", "drop_response", times=tries)

    assert push.push(invoice.pk, at=NOW) == Outcome.WAITING

    step = StripeStep.objects.get(kind="draft")
    assert (step.state, step.error_code) == ("unknown", "no_answer")
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED
    assert len(listed(sandbox)) == 1


def test_a_busy_stripe_is_asked_again_at_once(sandbox: Sandbox) -> None:
    for operation in CALLS:
        order(sandbox, operation, "429", times=3)

    assert push.push(approved().pk, at=NOW) == Outcome.PUSHED


def test_the_order_of_numbers_tells_nothing_of_who_was_billed() -> None:
    """Two clients of a group could tell whether anybody between their names was."""
    by_name = [approved(f"ORG{number}") for number in range(8)]

    assert list(push.candidates()) == sorted(by_name, key=lambda invoice: invoice.pk)


# Calling a run off


def test_what_was_not_begun_is_taken_back(sandbox: Sandbox) -> None:
    begun, untouched = approved("ORG1"), approved("ORG2")
    done = approved("ORG3")
    push.push(done.pk, at=NOW)
    order(sandbox, "POST /v1/invoices", "429", times=TOO_OFTEN)
    push.push(begun.pk, at=NOW)

    sent, waiting = (rows.count() for rows in push.progress(Month.parse("2026-03")))
    assert (sent, waiting) == (1, 1)
    assert push.take_back([begun.pk, untouched.pk, done.pk]) == [untouched]

    states = [Invoice.objects.get(pk=one.pk).state for one in (begun, untouched, done)]
    assert states == ["approved", "draft", "open"]
    tasks.push_invoice(str(untouched.pk))  # queued before it was taken back
    assert len(listed(sandbox)) == 1


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_key_that_stripe_may_have_forgotten_is_not_repeated(
    sandbox: Sandbox, *, took_effect: bool
) -> None:
    """A process died around the call for a draft; a day later Stripe is looked at first."""
    invoice = approved()
    customer = gateway.create_customer({"name": "ORG1 B.V.", "email": "a@b.nl"}, "a key")
    if took_effect:
        gateway.create_draft(
            {"customer": customer.id, "metadata": {"document": str(invoice.pk)},
             "collection_method": "send_invoice", "days_until_due": 30},
            "a forgotten key",
        )  # fmt: skip
    step = make.stripe_step(
        invoice,
        "draft",
        body={
            "customer": customer.id,
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "metadata": {"document": str(invoice.pk)},
        },
        state="attempting",
        attempted_at=NOW - dt.timedelta(hours=21),
    )

    push._draft(invoice, customer.id, NOW)

    [there] = listed(sandbox)
    assert there["metadata"] == {"document": str(invoice.pk)}
    generations = StripeStep.objects.filter(kind="draft").order_by("generation")
    states = [(step.generation, step.state) for step in generations]
    assert states == ([(1, "done")] if took_effect else [(1, "failed"), (2, "done")])
    invoice.refresh_from_db()
    assert invoice.stripe_id == there["id"]
    assert step.body_hash


@pytest.mark.parametrize("has_lines", [True, False])
def test_a_draft_deleted_by_hand_is_drafted_again(sandbox: Sandbox, *, has_lines: bool) -> None:
    invoice = approved()
    push._draft(invoice, customers.know(invoice, NOW), NOW)
    if has_lines:
        push._add_lines(invoice, NOW)
    gateway.delete_draft(invoice.stripe_id)

    assert push.push(invoice.pk, at=NOW) == Outcome.WAITING
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED

    assert len(listed(sandbox)) == 1


def test_the_key_and_the_body_stand_in_the_database_before_the_call(sandbox: Sandbox) -> None:
    invoice = approved()
    order(sandbox, "POST /v1/invoices", "429", times=TOO_OFTEN)
    push.push(invoice.pk, at=NOW)

    step = StripeStep.objects.get(kind=StepKind.DRAFT)
    assert step.idempotency_key == f"doc-{invoice.pk}-draft-g1"
    assert step.state == StepState.UNKNOWN
    assert step.attempted_at == NOW
    push.push(invoice.pk, at=NOW + dt.timedelta(hours=1))

    step.refresh_from_db()
    assert (step.state, step.attempted_at) == (StepState.DONE, NOW)
    created = [e for e in listed(sandbox, "events") if e["type"] == "invoice.created"]
    assert created[0]["request"]["idempotency_key"] == step.idempotency_key
