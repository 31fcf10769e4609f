"""Carrying credit documents to Stripe, as credit notes on what they credit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from agency.month import AMSTERDAM
from subscriptions import gateway, inbox, push, reconcile
from subscriptions.models import Invoice, StripeStep
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.backups import restored_afterwards
from tests.stripe.control import TOO_OFTEN, call, control, listed, order

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LATER = NOW + dt.timedelta(hours=12)  # the module may have been imported long before
LINES: list[dict[str, Any]] = [
    {"net_cents": 96750, "vat_cents": 20318, "unit_cents": 96750},
    {"net_cents": 45413, "vat_cents": 9537, "description": "Travel"},
]


def sent(**fields: Any) -> Invoice:
    invoice = make.invoice(make.organisation(), state="approved", lines=LINES, **fields)
    push.push(invoice.pk, at=NOW)
    invoice.refresh_from_db()
    return invoice


def credit_of(invoice: Invoice, *amounts: tuple[int, int]) -> Invoice:
    """Make an approved credit of the first lines: net and VAT in cents of each."""
    lines = [
        {
            "kind": "credit",
            "net_cents": -net,
            "vat_cents": -vat,
            "unit_cents": -net,
            "credit_of": line,
        }
        for line, (net, vat) in zip(invoice.lines.order_by("position"), amounts, strict=False)
    ]
    return make.invoice(
        invoice.organisation, kind="credit", credit_of=invoice, lines=lines, state="approved"
    )


def test_a_credit_lowers_what_is_asked_for_by_our_amounts_to_the_cent(sandbox: Sandbox) -> None:
    invoice = sent()
    credit = credit_of(invoice, (10001, 2100), (45413, 9537))

    assert push.push(credit.pk, at=NOW) == Outcome.PUSHED

    [there] = listed(sandbox, "credit_notes")
    issued_on = dt.datetime.fromtimestamp(there["created"], AMSTERDAM).date()
    assert (there["subtotal"], there["total"]) == (55414, 67051)
    assert [line["taxes"][0]["amount"] for line in there["lines"]["data"]] == [2100, 9537]
    assert there["metadata"] == {"document": str(credit.pk), "run": "2026-03"}
    assert listed(sandbox)[0]["amount_remaining"] == invoice.total_cents - 67051
    credit.refresh_from_db()
    assert (credit.state, credit.number) == ("paid", "SANDBOX-0001-CN-01")
    assert (credit.stripe_id, credit.invoice_on) == (there["id"], issued_on)
    assert push.push(credit.pk, at=NOW) == Outcome.ALREADY


def test_an_open_invoice_that_is_credited_in_full_is_settled(sandbox: Sandbox) -> None:
    invoice = sent()
    credit = credit_of(invoice, (96750, 20318), (45413, 9537))
    push.push(credit.pk, at=NOW)

    reconcile.reconcile(at=LATER)

    assert Invoice.objects.get(pk=invoice.pk).state == "paid"
    assert not reconcile.waiting()


def test_what_was_paid_goes_back_by_the_way_it_came(sandbox: Sandbox) -> None:
    here, elsewhere = sent(), make.invoice(make.organisation("ORG2"), state="approved", lines=LINES)
    push.push(elsewhere.pk, at=NOW)
    elsewhere.refresh_from_db()
    control(sandbox, f"pay/{here.stripe_id}")
    by_transfer = {"paid_out_of_band": "true"}
    call(sandbox, "POST", f"/v1/invoices/{elsewhere.stripe_id}/pay", by_transfer)

    for invoice in (here, elsewhere):
        assert push.push(credit_of(invoice, (10000, 2100)).pk, at=NOW) == Outcome.PUSHED

    [refund] = listed(sandbox, "refunds")
    assert refund["amount"] == 12100
    latest, first = listed(sandbox, "credit_notes")
    assert (first["out_of_band_amount"], latest["out_of_band_amount"]) == (None, 12100)


def test_what_stripe_would_make_otherwise_is_parked_before_it_is_made(sandbox: Sandbox) -> None:
    invoice = sent()
    [line, _other] = gateway.lines_of(invoice.stripe_id)
    by_hand = {"invoice": invoice.stripe_id, "lines[0][type]": "invoice_line_item"}
    by_hand |= {"lines[0][invoice_line_item]": line.id, "lines[0][amount]": "10000"}
    call(sandbox, "POST", "/v1/credit_notes", by_hand)
    too_much = credit_of(invoice, (96750, 20318), (45413, 9537))

    assert push.push(too_much.pk, at=NOW) == Outcome.PARKED

    assert len(listed(sandbox, "credit_notes")) == 1
    assert not StripeStep.objects.filter(invoice=too_much).exists()


def test_a_credit_waits_for_its_invoice(sandbox: Sandbox) -> None:
    invoice = make.invoice(make.organisation(), state="approved", lines=LINES)
    credit = credit_of(invoice, (10000, 2100))

    assert push.push(credit.pk, at=NOW) == Outcome.WAITING
    assert list(push.candidates()) == [invoice, credit]
    push.push(invoice.pk, at=NOW)
    assert push.push(credit.pk, at=NOW) == Outcome.PUSHED


@pytest.mark.parametrize("fault", ["500_before", "500_after", "drop_response"])
@pytest.mark.parametrize("later", [dt.timedelta(minutes=1), dt.timedelta(hours=30)])
def test_an_uncertain_answer_neither_loses_nor_doubles_a_credit(
    sandbox: Sandbox, fault: str, later: dt.timedelta
) -> None:
    credit = credit_of(sent(), (10000, 2100))
    order(sandbox, "POST /v1/credit_notes", fault, times=1 if fault != "drop_response" else 6)
    push.push(credit.pk, at=NOW)
    control(sandbox, "clock", {"advance_seconds": later.total_seconds()})

    push.push(credit.pk, at=NOW + later)

    assert [there["total"] for there in listed(sandbox, "credit_notes")] == [12100]
    assert Invoice.objects.get(pk=credit.pk).number == "SANDBOX-0001-CN-01"


def test_a_credit_that_a_backup_has_forgotten_is_found(sandbox: Sandbox) -> None:
    credit = credit_of(sent(), (10000, 2100))
    order(sandbox, "POST /v1/credit_notes", "429", times=TOO_OFTEN)
    push.push(credit.pk, at=NOW)
    step = StripeStep.objects.get(kind="credit_note")
    gateway.create_credit_note(step.body, "a key of another life")
    StripeStep.objects.filter(pk=step.pk).update(state="todo", attempted_at=None)

    assert push.push(credit.pk, at=NOW) == Outcome.PUSHED

    assert len(listed(sandbox, "credit_notes")) == 1


def test_a_credit_drafted_anew_on_an_older_backup_is_not_given_twice(sandbox: Sandbox) -> None:
    """In whichever run it is found again; once the forgotten one is voided, it may go."""
    invoice = sent()
    with restored_afterwards():
        push.push(credit_of(invoice, (10000, 2100)).pk, at=NOW)
    [there] = listed(sandbox, "credit_notes")
    again = credit_of(invoice, (10000, 2100))

    assert push.push(again.pk, at=NOW) == Outcome.PARKED
    again.refresh_from_db()
    assert there["number"] in again.parked_because
    assert len(listed(sandbox, "credit_notes")) == 1

    call(sandbox, "POST", f"/v1/credit_notes/{there['id']}/void")
    push.unpark(again.pk)
    assert push.push(again.pk, at=NOW) == Outcome.PUSHED


def test_a_credit_note_that_is_voided_at_stripe_is_void_here(sandbox: Sandbox) -> None:
    credit = credit_of(sent(), (10000, 2100))
    push.push(credit.pk, at=NOW)
    credit.refresh_from_db()
    call(sandbox, "POST", f"/v1/credit_notes/{credit.stripe_id}/void")

    event = make.stripe_event("evt_void", type="credit_note.voided", object_id=credit.stripe_id)
    assert inbox.handle(event.pk, at=NOW) == "handled"

    credit.refresh_from_db()
    assert credit.state == "void"


def test_an_event_that_overtakes_our_own_commit_settles_the_credit(sandbox: Sandbox) -> None:
    credit = credit_of(sent(), (10000, 2100))
    with restored_afterwards():
        push.push(credit.pk, at=NOW)
    [there] = listed(sandbox, "credit_notes")

    event = make.stripe_event("evt_1", type="credit_note.created", object_id=there["id"])
    inbox.handle(event.pk, at=NOW)

    assert Invoice.objects.get(pk=credit.pk).number == "SANDBOX-0001-CN-01"


def test_a_credit_note_made_by_hand_is_left_for_a_person(sandbox: Sandbox) -> None:
    invoice = sent()
    [line, _other] = gateway.lines_of(invoice.stripe_id)
    form = {
        "invoice": invoice.stripe_id,
        "lines[0][type]": "invoice_line_item",
        "lines[0][invoice_line_item]": line.id,
        "lines[0][amount]": "100",
    }
    made = call(sandbox, "POST", "/v1/credit_notes", form).json()

    reconcile.reconcile(at=LATER)

    assert [(one.kind, one.object_id) for one in reconcile.waiting()] == [
        ("made_by_hand", made["id"])
    ]
