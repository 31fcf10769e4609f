"""Carrying documents to Stripe, over HTTP against the sandbox."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import stripe
from django.core.management import call_command
from django.utils import timezone, translation

from agency.models import Organisation
from agency.month import Month
from subscriptions import customers, gateway, inbox, push, steps, tasks
from subscriptions.models import Invoice, StepKind, StepState, StripeCustomer, StripeStep
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.backups import restored_afterwards
from tests.stripe.control import TOO_OFTEN, call, control, listed, order

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def approved(code: str = "ORG1", **fields: Any) -> Invoice:
    organisation = make.organisation(code)
    return make.invoice(organisation, state="approved", **fields)


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


# One document of a client at a time


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


# What a restored backup has forgotten


def test_what_a_restored_backup_has_forgotten_is_found_and_not_made_again(
    sandbox: Sandbox,
) -> None:
    invoice = approved()
    with restored_afterwards():
        push.push(invoice.pk, at=NOW)
    before = listed(sandbox, "events")
    control(sandbox, "clock", {"advance_seconds": 30 * 3600})

    assert push.push(invoice.pk, at=NOW + dt.timedelta(hours=30)) == Outcome.PUSHED

    invoice.refresh_from_db()
    assert (invoice.state, invoice.number) == ("open", "SANDBOX-0001")
    assert listed(sandbox, "events") == before  # not even a second mail
    assert StripeCustomer.objects.count() == 1


def test_a_run_made_again_on_an_older_backup_bills_nobody_twice(sandbox: Sandbox) -> None:
    """The backup is older than the run: its documents are new ones to us."""
    organisation = make.organisation()
    with restored_afterwards():
        push.push(make.invoice(organisation, state="approved").pk, at=NOW)

    again = make.invoice(organisation, state="approved")

    assert push.push(again.pk, at=NOW) == Outcome.PARKED
    again.refresh_from_db()
    assert "SANDBOX-0001" in again.parked_because
    assert len(listed(sandbox)) == 1


def test_an_address_that_changed_meanwhile_hides_no_forgotten_invoice(sandbox: Sandbox) -> None:
    """The backup knows no customer of the client; the next run takes the one at Stripe over."""
    organisation = make.organisation()
    with restored_afterwards():
        push.push(make.invoice(organisation, state="approved").pk, at=NOW)
    changed: dict[str, Any] = {"state": "approved", "buyer_email": "new@org1.example"}

    again = make.invoice(organisation, **changed)
    assert push.push(again.pk, at=NOW) == Outcome.PARKED

    StripeCustomer.objects.all().delete()
    next_run = make.invoice(organisation, "2026-04", **changed)
    assert push.push(next_run.pk, at=NOW) == Outcome.PUSHED
    [customer] = listed(sandbox, "customers")
    assert customer["email"] == "new@org1.example"
    sent_to = [there["customer_email"] for there in listed(sandbox)]
    assert sent_to == ["new@org1.example", "invoices@org1.example"]


def test_a_one_off_buyer_is_not_billed_twice_by_a_run_made_again(sandbox: Sandbox) -> None:
    """Its customer at Stripe stands for one document: the one made anew is another customer."""
    with restored_afterwards():
        push.push(make.invoice(None, state="approved").pk, at=NOW)

    again = make.invoice(None, state="approved")

    assert push.push(again.pk, at=NOW) == Outcome.PARKED
    again.refresh_from_db()
    assert "SANDBOX-0001" in again.parked_because
    assert len(listed(sandbox)) == 1


def test_a_one_off_buyer_may_buy_twice(sandbox: Sandbox) -> None:
    invoices = [make.invoice(None, state="approved") for _number in range(2)]

    assert {push.push(invoice.pk, at=NOW) for invoice in invoices} == {Outcome.PUSHED}


def test_a_draft_finalized_by_hand_is_taken_over(sandbox: Sandbox) -> None:
    invoice = approved()
    order(sandbox, "POST /v1/invoices/{invoice}/finalize", "429", times=TOO_OFTEN)
    push.push(invoice.pk, at=NOW)
    invoice.refresh_from_db()
    call(sandbox, "POST", f"/v1/invoices/{invoice.stripe_id}/finalize")

    assert push.push(invoice.pk, at=NOW + dt.timedelta(hours=21)) == Outcome.PUSHED

    invoice.refresh_from_db()
    assert (invoice.state, invoice.number) == ("open", "SANDBOX-0001")
    assert "invoice.sent" in {event["type"] for event in listed(sandbox, "events")}


def mails(sandbox: Sandbox) -> int:
    return [event["type"] for event in listed(sandbox, "events")].count("invoice.sent")


@pytest.mark.parametrize("is_heard_of", [True, False])
def test_what_was_finalized_and_sent_by_hand_is_not_sent_again(
    sandbox: Sandbox, *, is_heard_of: bool
) -> None:
    invoice = approved()
    order(sandbox, "POST /v1/invoices/{invoice}/finalize", "429", times=TOO_OFTEN)
    push.push(invoice.pk, at=NOW)
    invoice.refresh_from_db()
    for deed in ("finalize", "send"):
        call(sandbox, "POST", f"/v1/invoices/{invoice.stripe_id}/{deed}")
    if is_heard_of:
        inbox.follow(gateway.read(invoice.stripe_id), at=NOW)

    assert push.push(invoice.pk, at=NOW + dt.timedelta(hours=1)) == Outcome.PUSHED

    assert mails(sandbox) == 1


def test_a_clock_that_is_ahead_sends_nothing_twice(sandbox: Sandbox) -> None:
    invoice = approved()
    order(sandbox, "POST /v1/invoices/{invoice}/send", "500_after")

    push.push(invoice.pk, at=timezone.now() + dt.timedelta(minutes=30))

    assert mails(sandbox) == 1


def test_a_backup_from_before_the_mail_sends_nothing_twice(sandbox: Sandbox) -> None:
    """Stripe has forgotten the key of the mail that the backup has forgotten."""
    invoice = approved()
    order(sandbox, "POST /v1/invoices/{invoice}/send", "429", times=TOO_OFTEN)
    push.push(invoice.pk, at=NOW)
    StripeStep.objects.filter(kind="send").update(state="todo", attempted_at=None)
    with restored_afterwards():
        push.push(invoice.pk, at=NOW)
    control(sandbox, "clock", {"advance_seconds": 30 * 3600})

    assert push.push(invoice.pk, at=NOW + dt.timedelta(hours=30)) == Outcome.PUSHED

    assert mails(sandbox) == 1


def test_a_backup_from_before_the_lines_adds_them_once(sandbox: Sandbox) -> None:
    invoice = approved()
    push._draft(invoice, customers.know(invoice, NOW), NOW)
    with restored_afterwards():
        push.push(invoice.pk, at=NOW)
    control(sandbox, "clock", {"advance_seconds": 30 * 3600})

    assert push.push(invoice.pk, at=NOW + dt.timedelta(hours=30)) == Outcome.PUSHED

    assert len(listed(sandbox)) == 1
    assert mails(sandbox) == 1


# Calling a run off


def test_what_was_not_begun_is_taken_back(sandbox: Sandbox) -> None:
    begun, untouched = approved("ORG1"), approved("ORG2")
    done = approved("ORG3")
    push.push(done.pk, at=NOW)
    order(sandbox, "POST /v1/invoices", "429", times=TOO_OFTEN)
    push.push(begun.pk, at=NOW)

    assert push.progress(Month.parse("2026-03")) == push.Progress(
        to_push=1, waiting=1, parked=0, pushed=1
    )
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


def test_two_documents_of_a_client_do_not_make_its_customer_at_the_same_time(
    sandbox: Sandbox,
) -> None:
    organisation = make.organisation()
    first = make.invoice(organisation, "2026-01", state="approved")
    second = make.invoice(organisation, "2026-02", state="approved")
    make.stripe_step(first, "customer", state="attempting", attempted_at=NOW)

    assert push.push(second.pk, at=NOW) == Outcome.WAITING

    assert listed(sandbox, "customers") == []


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


def test_push_invoices_tells_what_it_did(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    for code in ("ORG1", "ORG2"):
        approved(code)
    make.invoice(make.organisation("ORG3"))  # not approved

    call_command("push_invoices", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "pushed": 2, "already": 0, "waiting": 0, "parked": [],
    }  # fmt: skip

    call_command("push_invoices", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "pushed": 0, "already": 2, "waiting": 0, "parked": [],
    }  # fmt: skip


def test_push_invoices_ends_with_bad_news_when_one_is_parked_or_waits(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    order(sandbox, "POST /v1/invoices", "429", times=TOO_OFTEN)
    waits = approved("ORG1")
    parked = approved("ORG2")
    make.stripe_customer(parked.organisation, stripe_id="cus_gone")  # type: ignore[arg-type]

    with pytest.raises(SystemExit) as ended:
        call_command("push_invoices", "--json")

    assert ended.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["pushed"], told["waiting"]) == (0, 1)
    assert [(entry["invoice"], entry["organisation"]) for entry in told["parked"]] == [
        (str(parked.pk), "ORG2")
    ]
    assert push.push(waits.pk, at=NOW) == Outcome.PUSHED


@pytest.mark.logs_errors
def test_push_invoices_goes_on_after_what_nobody_foresaw(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Here: Stripe gives out a number that is taken."""
    make.invoice(make.organisation("ORG0"), state="open", number="SANDBOX-0001", stripe_id="in_0")
    both = [approved("ORG1"), approved("ORG2")]

    with pytest.raises(SystemExit) as ended:
        call_command("push_invoices", "--json")

    assert ended.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["pushed"], told["waiting"]) == (1, 1)
    [failed] = [one for one in both if Invoice.objects.get(pk=one.pk).state == "approved"]
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    named = (record.getMessage(), vars(record)["invoice_id"], vars(record)["error"])
    assert (named, record.exc_info) == (("push failed", str(failed.pk), "IntegrityError"), None)


def test_push_invoices_leaves_what_is_taken_back_meanwhile(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = [approved(f"ORG{number}") for number in range(3)]
    push_one = push.push

    def push_and_take_back(invoice_id: Any, *, at: dt.datetime) -> Outcome:
        outcome = push_one(invoice_id, at=at)
        push.take_back([first.pk])
        return outcome

    monkeypatch.setattr(push, "push", push_and_take_back)
    monkeypatch.setattr(
        push, "candidates", lambda: Invoice.objects.order_by("buyer_name").reverse()
    )
    call_command("push_invoices")

    states = {str(one): Invoice.objects.get(pk=one.pk).state for one in (first, *others)}
    assert [*states.values()] == ["draft", "open", "open"]


def test_push_invoices_names_a_parked_credit_too(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    invoice = make.invoice(make.organisation(), state="open", number="1", stripe_id="in_1")
    credit = make.invoice(
        invoice.organisation, kind="credit", credit_of=invoice, state="parked", parked_because="x"
    )

    with pytest.raises(SystemExit):
        call_command("push_invoices", "--json")

    told = json.loads(capsys.readouterr().out)
    assert [entry["invoice"] for entry in told["parked"]] == [str(credit.pk)]


def test_what_is_paid_before_its_mail_went_out_is_no_bad_news_for_ever(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    invoice = approved()
    order(sandbox, "POST /v1/invoices/{invoice}/send", "429", times=TOO_OFTEN)
    push.push(invoice.pk, at=NOW)
    invoice.refresh_from_db()
    control(sandbox, f"pay/{invoice.stripe_id}")
    assert push.push(invoice.pk, at=NOW) == Outcome.PARKED  # Stripe mails nothing that is paid

    inbox.follow(gateway.read(invoice.stripe_id), at=NOW)

    call_command("push_invoices", "--json")
    assert json.loads(capsys.readouterr().out)["parked"] == []
    invoice.refresh_from_db()
    assert (invoice.state, invoice.parked_because) == ("paid", "")


def test_what_was_taken_back_meanwhile_is_not_parked() -> None:
    invoice = approved()
    push.take_back([invoice.pk])

    push._park(invoice, "refused")

    invoice.refresh_from_db()
    assert (invoice.state, invoice.parked_because) == ("draft", "")


def test_push_invoices_without_a_key_says_so(sandbox: Sandbox, settings: Any) -> None:
    approved()
    settings.STRIPE_API_KEY = ""

    with pytest.raises(Exception, match="no_api_key") as refused:
        call_command("push_invoices")

    assert getattr(refused.value, "returncode", None) == 2
    assert listed(sandbox) == []
