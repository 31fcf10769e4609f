"""Credits that staff give of what was sent, and billing it anew (design 5.10, decision 6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agency.models import Organisation
from subscriptions import billing, corrections, inbox, push
from subscriptions.audit import audit
from subscriptions.corrections import CreditRefusedError
from subscriptions.credits import creditable
from subscriptions.models import BilledOccurrence, CreditReason, Invoice, InvoiceLine, OverageCredit
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.at_once import at_once, while_uncommitted
from tests.browsers import as_
from tests.clients import (
    bill,
    client,
    close_and_bill,
    counsellor,
    lines,
    months_from,
    session,
)
from tests.stripe.control import call, listed

NOW = timezone.now()
ON, DUE = dt.date(2026, 1, 12), dt.date(2026, 2, 11)
WRONG = CreditReason.AMOUNT
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with override("en"):
        yield


def sent() -> Invoice:
    """Bill a quarter's fee, a setup fee and a workshop, and say that it was sent."""
    contract = client(billing_interval=3)
    session(contract.organisation, "S1", "2025-12-10")
    (invoice,) = close_and_bill("2025-12")
    assert lines(invoice) == [
        "fee 2026-01/2026-04 337.50",
        "setup 2026-01/2026-02 250.00",
        "session 2025-12/2026-01 875.00",
    ]
    return released(invoice)


def released(invoice: Invoice) -> Invoice:
    known: dict[str, Any] = {"state": "open", "number": f"N-{invoice.pk}"}
    known |= {"stripe_id": f"in_{invoice.pk}", "invoice_on": ON, "due_on": DUE}
    Invoice.objects.filter(pk=invoice.pk).update(**known)
    return Invoice.objects.get(pk=invoice.pk)


def credit(invoice: Invoice, key: UUID | None = None, **how: Any) -> Invoice:
    made = corrections.credit(invoice, WRONG, key=key or uuid4(), **how)
    assert made
    assert made.credit.invoice
    return Invoice.objects.get(pk=made.credit.invoice.pk)


def line(invoice: Invoice, kind: str) -> InvoiceLine:
    return invoice.lines.get(kind=kind)


def states(invoice: Invoice) -> dict[str, str]:
    rows = BilledOccurrence.objects.filter(lines__invoice=invoice)
    return dict(rows.values_list("kind", "state"))


def refuses(sentence: str) -> Any:
    return pytest.raises(CreditRefusedError, match=sentence)


class TestParts:
    def test_a_part_takes_its_vat_of_the_stored_and_opens_nothing(self) -> None:
        invoice = sent()
        part = credit(invoice, parts={line(invoice, "fee").pk: 100_01})
        (row,) = part.lines.all()
        assert (row.quantity_hundredths, row.unit_cents, row.net_cents) == (100, -100_01, -100_01)
        assert (row.vat_cents, part.total_cents) == (-21_00, -121_01)
        assert (part.state, part.credit_reason, part.run_month) == (
            "draft",
            WRONG,
            invoice.run_month,
        )
        assert states(invoice) == {"fee": "billed", "setup": "billed", "session": "billed"}
        assert audit().violations == []

    def test_a_line_in_full_opens_its_next_revision_alone(self) -> None:
        invoice = sent()
        fee = line(invoice, "fee")
        credit(invoice, parts={fee.pk: 100_01})
        rest = credit(invoice, parts={fee.pk: 237_49})
        assert rest.vat_cents == -(fee.vat_cents - 21_00)
        assert states(invoice) == {"fee": "credited", "setup": "billed", "session": "billed"}
        (anew,) = [one for one in close_and_bill("2026-01") if one.kind == "invoice"]
        assert lines(anew) == ["fee 2026-01/2026-04 337.50"]
        assert audit().violations == []

    @settings(
        max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        st.lists(st.integers(1, 400_00), min_size=3, max_size=3),
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 300_00)), max_size=6),
        st.integers(0, 3),
    )
    def test_whatever_parts_are_credited_all_of_them_are_the_document_to_the_cent(
        self, nets: list[int], steps: list[tuple[int, int]], off: int
    ) -> None:
        with transaction.atomic():
            each: list[dict[str, Any]] = [
                {"net_cents": net, "vat_cents": max(0, net * 21 // 100 - off)} for net in nets
            ]
            each[0] |= {"kind": "overage", "quantity_hundredths": 300, "unit_cents": nets[0] // 3}
            invoice = released(make.invoice(make.organisation("ANY"), lines=each))
            rows = corrections.lines_of(invoice)
            for number, size in steps:
                try:
                    credit(invoice, parts={rows[number].pk: size % 301 if number == 0 else size})
                except CreditRefusedError as refused:
                    assert refused.line in {rows[number].pk, None}  # noqa: PT017  # or too late
                assert within(invoice)
            if any(map(corrections._is_left, corrections.lines_of(invoice))):
                credit(invoice)
            back = Invoice.objects.filter(credit_of=invoice)
            assert sum(one.net_cents for one in back) == -invoice.net_cents
            assert sum(one.vat_cents for one in back) == -invoice.vat_cents
            assert within(invoice)
            with refuses("in full already"):
                credit(invoice)
            transaction.set_rollback(True)


def within(invoice: Invoice) -> bool:
    """Tell whether nothing was taken back of any line that it did not bill."""
    left = [creditable(row).left for row in corrections.lines_of(invoice)]
    return all(part.net_cents >= 0 and part.vat_cents >= 0 for part in left)


class TestRefusals:
    @pytest.mark.parametrize(
        ("state", "sentence"),
        [
            ("draft", "was not sent"),
            ("approved", "was not sent"),
            ("parked", "was not sent"),
            ("void", "asks for nothing any more"),
            ("uncollectible", "asks for nothing any more"),
            ("open", "at least one line"),
        ],
    )
    def test_what_may_not_be_credited_takes_one_sentence(self, state: str, sentence: str) -> None:
        invoice = make.invoice(make.organisation(), state=state)
        with refuses(sentence):
            credit(invoice, parts={})
        assert Invoice.objects.count() == 1

    def test_a_credit_is_not_credited_itself(self) -> None:
        with refuses("is not credited itself"):
            credit(released(credit(sent())))

    def test_no_more_than_is_left_of_a_line_and_says_at_which(self) -> None:
        invoice = sent()
        fee = line(invoice, "fee")
        credit(invoice, parts={fee.pk: 300_00})
        with refuses("Of this line") as refused:
            credit(invoice, parts={fee.pk: 37_51})
        assert refused.value.line == fee.pk

    def test_a_line_below_zero_goes_with_its_whole_document_only(self, sandbox: Sandbox) -> None:
        each = [
            {"net_cents": 100_00, "vat_cents": 21_00},
            {"net_cents": -30_00, "vat_cents": -6_30, "unit_cents": -30_00},
        ]
        invoice = make.invoice(make.organisation(), state="approved", lines=each)
        push.push(invoice.pk, at=NOW)
        high, low = invoice.lines.order_by("position")
        with refuses("only credited with all"):
            credit(invoice, parts={low.pk: 1})
        with refuses("left of the document"):
            credit(invoice, parts={high.pk: 70_01})
        with refuses("nothing is left"), transaction.atomic():
            credit(invoice, parts={high.pk: 70_00})
            credit(invoice)
        whole = credit(invoice)
        assert whole.net_cents == -70_00
        billing.approve([whole])
        assert push.push(whole.pk, at=NOW) == "pushed"
        (note,) = listed(sandbox, "credit_notes")
        assert (note["subtotal"], note["total"]) == (70_00, 84_70)


class TestBilledAnew:
    def test_credit_and_bill_anew_is_one_deed(self, sandbox: Sandbox) -> None:
        contract = client(billing_interval=3)
        (invoice,) = close_and_bill("2025-12")
        billing.approve([invoice])
        push.push(invoice.pk, at=NOW)
        invoice = Invoice.objects.get()
        Organisation.objects.update(legal_name="New Name B.V.")
        make.purchase_order(contract.organisation, "PO-9", "2026-01")
        key = uuid4()

        seen = corrections.preview(invoice, WRONG, key=key, anew=True)
        assert seen
        assert Invoice.objects.count() == 1
        done = corrections.credit(invoice, WRONG, key=key, anew=True)
        assert done
        assert [one.invoice and one.invoice.total_cents for one in seen.anew] == [
            invoice.total_cents
        ]
        assert corrections.credit(invoice, WRONG, key=key, anew=True) is None

        back, anew = (
            Invoice.objects.get(kind="credit"),
            Invoice.objects.get(state="draft", kind="invoice"),
        )
        assert (anew.buyer_name, anew.po_number) == ("New Name B.V.", "PO-9")
        assert (back.buyer_name, back.pk) == ("ORG1 B.V.", key)
        assert lines(anew) == lines(invoice)
        assert audit().violations == []
        with refuses("billed anew already"):
            corrections.throw_away(back)

        billing.approve([back, anew])
        assert {push.push(one.pk, at=NOW) for one in push.candidates()} == {"pushed"}
        assert [note["total"] for note in listed(sandbox, "credit_notes")] == [invoice.total_cents]
        assert audit().violations == []

    def test_a_free_session_comes_anew_with_its_document(self) -> None:
        contract = client(tier="extended", billing_interval=3)
        offering = make.offering("FREE", included_eligible=True)
        session(contract.organisation, "S1", "2026-01-10", offering=offering)
        session(contract.organisation, "S2", "2026-01-12")
        close_and_bill("2025-12")
        (invoice,) = close_and_bill("2026-01")
        assert lines(invoice)[0] == "session 2026-01/2026-02 0.00"
        done = corrections.credit(released(invoice), WRONG, key=uuid4(), anew=True)
        assert done
        assert [lines(one.invoice) for one in done.anew if one.invoice] == [lines(invoice)]
        assert audit().violations == []

    def test_a_fee_whose_tier_was_put_right_comes_after_what_put_it_right(self) -> None:
        contract = client(billing_interval=3)
        (fee,) = close_and_bill("2025-12")
        make.terms(contract, "2026-01", "extended")
        (change,) = close_and_bill("2026-01")
        assert lines(change) == ["tier_change 2026-01/2026-04 562.50"]
        with refuses("credit that one first"):
            credit(released(fee))
        credit(released(change))
        done = corrections.credit(released(fee), WRONG, key=uuid4(), anew=True)
        assert done
        (anew,) = [one.invoice for one in done.anew if one.invoice]
        assert lines(anew)[0] == "fee 2026-01/2026-04 900.00"
        assert bill("2026-01") == []
        assert audit().violations == []


class TestThrownAway:
    def test_a_draft_gives_its_revision_back(self) -> None:
        invoice = sent()
        back = credit(invoice)
        assert set(states(invoice).values()) == {"credited"}
        corrections.throw_away(back)
        assert set(states(invoice).values()) == {"billed"}
        assert Invoice.objects.get() == invoice
        assert close_and_bill("2026-01") == []

    def test_an_approved_one_or_a_runs_is_not(self) -> None:
        back = credit(sent())
        billing.approve([back])
        with refuses("Only a draft"):
            corrections.throw_away(back)

    def test_one_that_stripe_voids_gives_its_revision_back(self, sandbox: Sandbox) -> None:
        client(billing_interval=3)
        (invoice,) = close_and_bill("2025-12")
        billing.approve([invoice])
        push.push(invoice.pk, at=NOW)
        fee, _setup = invoice.lines.order_by("position")
        back = credit(invoice, parts={fee.pk: fee.net_cents})
        billing.approve([back])
        push.push(back.pk, at=NOW)
        back.refresh_from_db()
        call(sandbox, "POST", f"/v1/credit_notes/{back.stripe_id}/void", {})
        event = make.stripe_event("evt_1", type="credit_note.voided", object_id=back.stripe_id)
        assert inbox.handle(event.pk, at=NOW) == "handled"
        assert states(invoice) == {"fee": "billed", "setup": "billed"}
        assert audit().violations == []


def test_hours_that_staff_gave_back_are_not_given_back_by_the_run_too() -> None:
    """Two hours of overage in the second quarter, of which the year turns out to owe none."""
    subscription = client(hours={"2026-05": 4}, billing_interval=1)
    make.hours_adjustment(
        counsellor(subscription.organisation), subscription.organisation, "2026-11", -8
    )
    for month in months_from("2025-12", 12):
        for one in close_and_bill(month):
            released(one)
    overage = InvoiceLine.objects.get(kind="overage")
    part = credit(overage.invoice, parts={overage.pk: 150})
    assert lines(part) == ["credit 2026-04/2026-07 -202.50"]

    made = [one for one in close_and_bill("2026-12") if one.kind == "credit"]
    assert OverageCredit.objects.get().quarters == 8
    assert [lines(one) for one in made] == [["credit 2026-04/2026-07 -67.50"]]
    assert audit().violations == []
    with refuses("gave back overage"):
        credit(overage.invoice, anew=True)


def test_the_database_holds_credits_to_the_document_and_to_its_sign() -> None:
    each = [{"net_cents": 100_00, "vat_cents": 21_00}, {"net_cents": -30_00, "vat_cents": -6_30}]
    invoice = make.invoice(make.organisation(), state="open", lines=each)
    high = invoice.lines.get(position=1)
    for net, vat, sentence in ((-70_01, -14_70, "of a document never"), (10_00, 0, "takes back")):
        row = {"kind": "credit", "net_cents": net, "vat_cents": vat, "credit_of": high}
        with pytest.raises(IntegrityError, match=sentence), transaction.atomic():
            make.invoice(invoice.organisation, kind="credit", credit_of=invoice, lines=[row])
    Invoice.objects.filter(pk=invoice.pk).update(state="void")
    with pytest.raises(IntegrityError, match="stays void"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(state="open")


@pytest.mark.django_db(transaction=True)
def test_of_two_credits_at_once_one_is_given() -> None:
    client(billing_interval=3)
    (invoice,) = close_and_bill("2025-12")
    original, key = released(invoice), uuid4()

    def give(key: UUID) -> bool:
        return corrections.credit(original, WRONG, key=key) is not None

    twice = at_once(partial(give, key), partial(give, key))
    assert sorted(twice) == [False, True]
    corrections.throw_away(Invoice.objects.get(pk=key))
    given, refused = sorted(
        at_once(partial(give, uuid4()), partial(give, uuid4())), key=lambda one: one is not True
    )
    assert given is True
    assert isinstance(refused, CreditRefusedError)


@pytest.mark.django_db(transaction=True)
def test_the_database_holds_two_credits_at_once_to_the_document() -> None:
    invoice = make.invoice(make.organisation(), state="open")

    def give() -> Invoice:
        row: dict[str, Any] = {"kind": "credit", "net_cents": -1_000_00, "vat_cents": -210_00}
        row |= {"credit_of": invoice.lines.get()}
        with transaction.atomic():
            return make.invoice(invoice.organisation, kind="credit", credit_of=invoice, lines=[row])

    first, second = while_uncommitted(give, give)
    assert isinstance(first, Invoice)
    assert isinstance(second, IntegrityError)


def test_a_controller_sees_what_comes_of_it_and_does_it_once() -> None:
    invoice = sent()
    browser = as_("controller")
    address = f"/admin/subscriptions/invoice/{invoice.pk}/credit/"
    key = str(uuid4())
    answers = {"key": key, "reason": "amount", "deed": "parts"}
    answers[f"line_{line(invoice, 'fee').pk}"] = "400"

    assert "Of this line" in browser.post(address, answers).content.decode()
    answers[f"line_{line(invoice, 'fee').pk}"] = "337.50"
    page = browser.post(address, answers).content.decode()
    assert "billed anew by the next run: Subscription" in page
    answers["deed"] = "anew"
    page = browser.post(address, answers).content.decode()
    assert "Anew: Subscription" in page
    assert Invoice.objects.count() == 1
    for _ in range(2):
        browser.post(address, answers | {"confirmed": "1"}, follow=True)
    assert sorted(Invoice.objects.values_list("kind", "state")) == [
        ("credit", "draft"),
        ("invoice", "draft"),
        ("invoice", "open"),
    ]
    assert as_("auditor").get(address).status_code == 403
