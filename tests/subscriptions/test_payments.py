"""Payments that our own bank received: noted once, told to Stripe, paid from the bank's day on."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from agency.models import Agency, AuditEvent
from subscriptions import (
    billing,
    corrections,
    gateway,
    inbox,
    payments,
    push,
    reconcile,
    write_offs,
)
from subscriptions.audit import arrears, audit
from subscriptions.models import CreditReason, Invoice, Receipt, StripeStep
from subscriptions.payments import PaymentError
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.stripe.control import TOO_OFTEN, listed, order
from tests.stripe.faults import act, by_hand, forget_faults
from tests.subscriptions.test_bank import entry, statement

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

NOW = timezone.now()
TODAY = timezone.localdate()
LATER = NOW + dt.timedelta(hours=12)
NOBODY = UUID(int=7)
ADDRESS = "/admin/subscriptions/invoice/received/"


def sent(**fields: Any) -> Invoice:
    organisation = make.organisation(f"ORG{Invoice.objects.count()}")
    invoice = make.invoice(organisation, state="approved", **fields)
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED
    invoice.refresh_from_db()
    return invoice


def test_stripe_asks_for_nothing_any_more(sandbox: Sandbox) -> None:
    invoice = sent()

    payments.note(invoice.pk, received_on=TODAY, on=TODAY)
    assert push.push(invoice.pk, at=LATER) == Outcome.PUSHED

    [there] = listed(sandbox)
    invoice.refresh_from_db()
    assert (there["status"], there["amount_remaining"]) == ("paid", 0)
    assert there["amount_paid_off_stripe"] == invoice.total_cents
    assert (invoice.state, invoice.paid_on) == ("paid", TODAY)
    assert push.push(invoice.pk, at=LATER) == Outcome.ALREADY
    assert reconcile.reconcile(at=LATER).found == []


def test_it_is_paid_from_the_day_of_the_bank_also_where_the_webhook_is_faster(
    sandbox: Sandbox,
) -> None:
    invoice = sent()
    payments.note(invoice.pk, received_on=TODAY, on=TODAY)
    Invoice.objects.update(received_on=TODAY - dt.timedelta(days=9))
    by_hand(sandbox.state, "POST", f"invoices/{invoice.stripe_id}/pay", "paid_out_of_band=true")

    reconcile.reconcile(at=LATER)  # as the webhook's handler does

    invoice.refresh_from_db()
    assert (invoice.state, invoice.paid_on) == ("paid", TODAY - dt.timedelta(days=9))
    assert push.push(invoice.pk, at=LATER) == Outcome.ALREADY


@pytest.mark.parametrize("fault", ["500_before", "500_after", "drop_response", "429"])
def test_a_call_that_fails_is_made_once_all_the_same(sandbox: Sandbox, fault: str) -> None:
    invoice = sent()
    payments.note(invoice.pk, received_on=TODAY, on=TODAY)
    order(sandbox, "POST /v1/invoices/{invoice}/pay", fault, times=TOO_OFTEN)
    assert push.push(invoice.pk, at=LATER) in {Outcome.WAITING, Outcome.PUSHED}
    forget_faults(sandbox.state)

    push.push(invoice.pk, at=LATER + dt.timedelta(days=2))

    invoice.refresh_from_db()
    assert invoice.state == "paid"
    assert [there["status"] for there in listed(sandbox)] == ["paid"]


@pytest.mark.parametrize(
    ("fields", "received_on", "sentence"),
    [
        ({"state": "paid"}, TODAY, "Only an open invoice"),
        ({"state": "draft"}, TODAY, "Only an open invoice"),
        ({"state": "open"}, TODAY + dt.timedelta(days=1), "between the invoice date and today"),
        ({"state": "open"}, dt.date(2020, 1, 1), "between the invoice date and today"),
    ],
)
def test_what_cannot_be_is_refused(
    fields: dict[str, Any], received_on: dt.date, sentence: str
) -> None:
    invoice = make.invoice(make.organisation(), **fields)

    with pytest.raises(PaymentError, match=sentence):
        payments.note(invoice.pk, received_on=received_on, on=TODAY)

    assert not StripeStep.objects.exists()


def test_a_payment_is_noted_once() -> None:
    invoice = make.invoice(make.organisation(), state="open")
    day = invoice.invoice_on or TODAY
    for _ in range(2):
        payments.note(invoice.pk, received_on=day, on=TODAY)

    assert StripeStep.objects.filter(kind="settle").count() == 1
    with pytest.raises(PaymentError, match="noted already"):
        payments.note(invoice.pk, received_on=TODAY, on=TODAY)
    assert payments.asked() == {}


@pytest.fixture
def controller(client: Client) -> Client:
    make.agency()
    client.force_login(make.user("controller"))
    return client


class TestParts:
    def test_the_rest_stays_open_and_stripe_is_told_once_all_is_there(
        self, sandbox: Sandbox
    ) -> None:
        invoice = sent()
        make.agency()
        for _ in range(2):  # twice is once
            payments.note(invoice.pk, received_on=TODAY, on=TODAY, amount_cents=1210_00 - 1)
        assert payments.asked() == {invoice.number: (invoice.pk, 1)}
        assert not StripeStep.objects.filter(kind="settle").exists()
        assert push.push(invoice.pk, at=LATER) == Outcome.ALREADY

        payments.note(invoice.pk, received_on=TODAY, on=TODAY)
        assert push.push(invoice.pk, at=LATER) == Outcome.PUSHED

        invoice.refresh_from_db()
        assert (invoice.state, invoice.paid_on) == ("paid", TODAY)
        assert {row.amount_cents for row in invoice.receipts.all()} == {1210_00 - 1, 1}
        assert [there["status"] for there in listed(sandbox)] == ["paid"]
        assert list(payments.overpaid()) == []
        assert audit(arrears.INVARIANTS).violations == []

    def test_what_is_too_much_is_set_against_the_next_or_paid_back(
        self, controller: Client
    ) -> None:
        invoice = make.invoice(make.organisation(), state="open")
        later: dict[str, Any] = {"number": "2", "stripe_id": "in_2", "due_on": dt.date(2026, 7, 1)}
        other = make.invoice(invoice.organisation, state="open", **later)
        day = invoice.invoice_on or TODAY
        payments.note(invoice.pk, received_on=day, on=TODAY, amount_cents=3000_00)
        [over] = payments.overpaid()
        assert (over.over_cents, over.against) == (3000_00 - 1210_00, other)

        stale = {"step": "set_off", "of": str(invoice.pk), "against": str(NOBODY)}
        controller.post(ADDRESS, stale)  # what the list suggested then: nothing is noted
        assert Receipt.objects.count() == 1
        note = "Note that it is paid back"
        for step, said, to in (("set_off", "Set against 2", str(other.pk)), ("pay_back", note, "")):
            assert said in controller.get(ADDRESS).content.decode()
            controller.post(ADDRESS, {"step": step, "of": str(invoice.pk), "against": to})

        other.refresh_from_db()
        assert other.received_on == TODAY
        kinds = [(row.kind, row.amount_cents) for row in Receipt.objects.order_by("-amount_cents")]
        back = [("set_off", 1210_00), ("paid_back", -580_00), ("set_off", -1210_00)]
        assert kinds == [("received", 3000_00), *back]
        assert "Paid too much" not in controller.get(ADDRESS).content.decode()
        assert audit(arrears.INVARIANTS).violations == []

    def test_a_part_beside_a_payment_through_stripe_is_too_much(self) -> None:
        invoice = make.invoice(make.organisation(), state="open")
        payments.note(invoice.pk, received_on=TODAY, on=TODAY, amount_cents=10_00)
        Invoice.objects.filter(pk=invoice.pk).update(state="paid", paid_on=TODAY)

        [over] = payments.overpaid()
        assert (over.over_cents, over.against) == (10_00, None)
        assert payments.pay_back(invoice.pk, on=TODAY) == 10_00
        with pytest.raises(PaymentError, match="Nothing was paid too much"):
            payments.pay_back(invoice.pk, on=TODAY)

    @pytest.mark.parametrize("is_told_first", [False, True])
    def test_what_stripe_receives_beside_our_bank_is_too_much(
        self, sandbox: Sandbox, *, is_told_first: bool
    ) -> None:
        make.agency()
        invoice = sent()
        payments.note(invoice.pk, received_on=TODAY, on=TODAY)
        act(sandbox.state, "pay", invoice.stripe_id)  # a debit that was under way
        for _ in range(2):
            if is_told_first:
                assert push.push(invoice.pk, at=LATER) in {Outcome.PUSHED, Outcome.ALREADY}
            inbox.follow(gateway.read(invoice.stripe_id), at=LATER)

        invoice.refresh_from_db()
        assert (invoice.state, invoice.received_on) == ("paid", None)
        assert [(row.over_cents, row.against) for row in payments.overpaid()] == [(1210_00, None)]
        assert audit(arrears.INVARIANTS).violations == []

        bounced = replace(gateway.read(invoice.stripe_id), status="open")
        inbox.follow(bounced, at=LATER, failed_at=LATER)
        invoice.refresh_from_db()
        assert (invoice.state, invoice.received_on) == ("open", TODAY)
        assert invoice.steps.filter(kind="settle", state="todo").count() == 1
        assert list(payments.overpaid()) == []
        inbox.follow(gateway.read(invoice.stripe_id), at=LATER)

        assert payments.pay_back(invoice.pk, on=TODAY) == 1210_00
        assert list(payments.overpaid()) == []
        assert reconcile.reconcile(at=LATER).found == []
        assert audit(arrears.INVARIANTS).violations == []

    def test_all_that_came_for_what_was_voided_is_too_much(self) -> None:
        make.agency()
        invoice = make.invoice(make.organisation(), state="open")
        payments.note(invoice.pk, received_on=TODAY, on=TODAY)
        Invoice.objects.filter(pk=invoice.pk).update(state="void")
        assert payments.pay_back(invoice.pk, on=TODAY) == 1210_00
        assert audit(arrears.INVARIANTS).violations == []

    def test_it_is_set_against_what_its_payer_owes_whoever_was_served(self) -> None:
        make.agency()
        group, north, south = (make.organisation(code) for code in ("GROUP", "NORTH", "SOUTH"))
        day = dt.date(2026, 4, 10)
        later: dict[str, Any] = {"state": "open", "invoice_on": day, "due_on": day}
        for school in (north, south):
            make.payer(school, group, "2026-04", "2026-05")
        over = make.invoice(north, payer=group, **later | {"number": "1", "stripe_id": "in_1"})
        mine = make.invoice(north, "2026-05", **later | {"number": "2", "stripe_id": "in_2"})
        payments.note(over.pk, received_on=day, on=day, amount_cents=2000_00)

        assert [row.against for row in payments.overpaid()] == [None]
        with pytest.raises(PaymentError, match="of the same payer only"):
            payments.set_off(over.pk, mine.pk, on=TODAY)
        theirs = make.invoice(south, payer=group, **later | {"number": "3", "stripe_id": "in_3"})
        assert [row.against for row in payments.overpaid()] == [theirs]
        payments.set_off(over.pk, theirs.pk, on=TODAY)

        assert payments.left_cents(theirs) == 1210_00 - 790_00
        assert audit(arrears.INVARIANTS).violations == []

    def test_a_credit_makes_a_part_enough(self, sandbox: Sandbox) -> None:
        invoice = sent()
        payments.note(invoice.pk, received_on=TODAY, on=TODAY, amount_cents=605_00)
        make.agency()
        parts = {invoice.lines.get().pk: 500_00}
        corrections.credit(invoice, CreditReason.GOODWILL, key=NOBODY, parts=parts)
        billing.approve(Invoice.objects.filter(pk=NOBODY))
        assert push.push(NOBODY, at=LATER) == Outcome.PUSHED

        assert push.push(invoice.pk, at=LATER) == Outcome.PUSHED

        invoice.refresh_from_db()
        assert (invoice.state, invoice.received_on) == ("paid", TODAY)
        assert audit(arrears.INVARIANTS).violations == []

    def test_a_part_is_not_written_off_and_later_parts_bring_its_vat_back(self) -> None:
        make.agency()
        invoice = make.invoice(make.organisation(), state="open")
        payments.note(invoice.pk, received_on=TODAY, on=TODAY, amount_cents=605_00)
        write_offs.write_off(invoice.pk, "barred", by=make.user("controller"), on=TODAY)
        payments.note(invoice.pk, received_on=TODAY, on=TODAY, amount_cents=121_00)

        found = [
            (loss.is_recovered, loss.net_cents, loss.vat_cents) for loss in write_offs.losses()
        ]

        assert found == [(False, -500_00, -105_00), (True, 100_00, 21_00)]
        assert audit(arrears.INVARIANTS).violations == []

    def test_the_database_keeps_what_was_received(self) -> None:
        invoice = make.invoice(make.organisation(), state="open")
        row = make.receipt(invoice, 10_00)
        with pytest.raises(IntegrityError, match="stays as it was noted"), transaction.atomic():
            Receipt.objects.update(amount_cents=1)
        with pytest.raises(IntegrityError, match="stays as it was noted"), transaction.atomic():
            row.delete()
        wrongs: dict[str, dict[str, Any]] = {
            "sign_of_its_kind": {"amount_cents": -1},
            "goes back": {"amount_cents": -10_01, "kind": "paid_back"},
        }
        for wrong, fields in wrongs.items():
            with pytest.raises(IntegrityError, match=wrong), transaction.atomic():
                make.receipt(invoice, **fields)
        with pytest.raises(IntegrityError, match="sent invoice"), transaction.atomic():
            make.receipt(make.invoice(invoice.organisation), 1, received_on=TODAY)
        with pytest.raises(IntegrityError, match="than was not received"), transaction.atomic():
            make.write_off(invoice, make.user("controller"))


class TestPage:
    def upload(self, client: Client, *entries: str) -> Any:
        own = Agency.objects.get().iban
        data = statement(*entries, iban=own)
        file = SimpleUploadedFile("statement.xml", data)
        return client.post(ADDRESS, {"step": "compare", "statement": file})

    def test_a_statement_is_compared_and_what_is_ticked_is_noted(self, controller: Client) -> None:
        invoice = make.invoice(make.organisation(), state="open", invoice_on=dt.date(2026, 4, 1))
        euros = f"{invoice.total_cents / 100:.2f}"

        shown = self.upload(controller, entry(euros, invoice.number), entry("1", "what?"))

        ticked = f"{invoice.pk} 2026-04-08 {invoice.total_cents} "
        assert shown.status_code == 200
        [mark] = re.findall(f'value="{ticked}([0-9a-f]{{64}})" checked', shown.content.decode())
        assert "No open invoice is named." in shown.content.decode()
        assert not StripeStep.objects.exists()
        controller.post(ADDRESS, {"step": "note", "paid": [ticked + mark]})
        invoice.refresh_from_db()
        assert str(invoice.received_on) == "2026-04-08"
        assert (
            "Noted before."
            in self.upload(controller, entry(euros, invoice.number)).content.decode()
        )
        assert OrmQ.objects.count() == 1
        assert AuditEvent.objects.filter(action="paid", subject_id=invoice.pk).count() == 1

    def test_a_part_that_was_noted_by_hand_is_known_again_once(self, controller: Client) -> None:
        invoice = make.invoice(make.organisation(), state="open", invoice_on=dt.date(2026, 4, 1))
        payments.note(invoice.pk, received_on=dt.date(2026, 4, 8), on=TODAY, amount_cents=605_00)
        part = entry("605.00", invoice.number)
        assert "Noted before." in self.upload(controller, part).content.decode()
        twice = self.upload(controller, part, part).content.decode()
        assert len(re.findall(f'value="{invoice.pk} 2026-04-08 60500 ', twice)) == 1

    def test_what_one_line_pays_is_noted_as_one(self, controller: Client) -> None:
        invoice = make.invoice(make.organisation(), state="open", invoice_on=dt.date(2026, 4, 1))
        paid = [f"{key} 2026-04-08 60500 {'a' * 64}" for key in (invoice.pk, UUID(int=2**128 - 1))]
        assert controller.post(ADDRESS, {"step": "note", "paid": paid}).status_code == 400
        assert not Receipt.objects.exists()

    def test_one_payment_is_noted_by_its_number(self, controller: Client) -> None:
        invoice = make.invoice(make.organisation(), state="open", invoice_on=dt.date(2026, 4, 1))

        given = {"step": "one", "number": invoice.number.lower(), "received_on": "2026-04-08"}
        controller.post(ADDRESS, given)

        invoice.refresh_from_db()
        assert str(invoice.received_on) == "2026-04-08"

    def test_a_part_is_noted_once_and_a_wrong_one_is_said_at_its_field(
        self, controller: Client
    ) -> None:
        invoice = make.invoice(make.organisation(), state="open", invoice_on=dt.date(2026, 4, 1))
        part = {"step": "one", "number": invoice.number, "received_on": "2026-04-08"}
        part["amount"] = "10,00"

        for wrong, sentence in (
            ({"received_on": "2026-03-31"}, "between the invoice date and today"),
            ({"amount": "99999999999999999999"}, "Give an amount in euros"),
        ):
            assert sentence in controller.post(ADDRESS, part | wrong).content.decode()
        assert controller.post(ADDRESS, part).status_code == 302
        assert "was noted already" in controller.post(ADDRESS, part).content.decode()
        make.collection_policy()
        make.reminder(invoice)
        page = controller.get(f"/admin/subscriptions/invoice/{invoice.pk}/change/").content.decode()
        assert "1,200.00" in page
        assert "first reminder" in page

        assert [row.amount_cents for row in invoice.receipts.all()] == [10_00]

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ({"step": "compare"}, "This field is required."),
            ({"step": "one", "number": "A-1", "received_on": "2026-04-08"}, "No open invoice has"),
            ({"step": "one", "number": "A-1", "received_on": "soon"}, "Enter a valid date."),
        ],
    )
    def test_bad_input_gets_a_sentence(
        self, controller: Client, given: dict[str, str], sentence: str
    ) -> None:
        assert sentence in controller.post(ADDRESS, given).content.decode()

    def test_another_file_gets_a_sentence(self, controller: Client) -> None:
        file = SimpleUploadedFile("statement.xml", b"not XML")
        shown = controller.post(ADDRESS, {"step": "compare", "statement": file})
        assert "This is no bank statement" in shown.content.decode()

    @pytest.mark.parametrize("paid", ["x", f"{NOBODY} 2026-04-08 1 x", f"{NOBODY} soon 1 x"])
    def test_what_no_page_of_ours_sends_is_refused(self, controller: Client, paid: str) -> None:
        assert controller.post(ADDRESS, {"step": "note", "paid": [paid]}).status_code == 400
