"""What will not be paid is written off with its VAT, and paid after all it is owed again."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from agency.money import round_half_away
from agency.month import Month, MonthRange
from subscriptions import (
    bookkeeping,
    corrections,
    gateway,
    inbox,
    payments,
    push,
    write_offs,
)
from subscriptions.audit import arrears, audit
from subscriptions.bounds import ONE_PERSON_APPROVES_CENTS
from subscriptions.models import CreditReason, Invoice, StripeStep, WriteOff
from subscriptions.push import Outcome
from subscriptions.reports import vat_return as workbook
from subscriptions.sandbox.server import Sandbox
from subscriptions.vat_returns import vat_return
from subscriptions.write_offs import WriteOffError, claimed_on, split
from tests import factories as make
from tests.at_once import at_once
from tests.browsers import as_
from tests.stripe.control import TOO_OFTEN, listed, order
from tests.stripe.faults import act, by_hand, forget_faults
from tests.workbooks import rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

NOW = timezone.now()
TODAY = timezone.localdate()
NOBODY = UUID(int=7)
LATER = NOW + dt.timedelta(hours=12)
S, E = ("S", 2100), ("E", 0)
EXEMPT = {"net_cents": 950_00, "vat_cents": 0, "vat_category": "E", "vat_rate_basis_points": 0}
THIS_MONTH = MonthRange(Month.containing(TODAY), Month.containing(TODAY) + 1)

amounts = st.integers(0, 10**8)


@given(
    nets=st.lists(st.tuples(amounts, st.sampled_from([0, 900, 2100])), min_size=1, max_size=4),
    paid=st.integers(0, 10**9),
)
def test_parts_of_a_document_add_up_and_hold_their_share_of_vat(
    nets: list[tuple[int, int]], paid: int
) -> None:
    taxed = {("S", rate): (net, round_half_away(net * rate, 10_000)) for net, rate in nets}
    whole = sum(map(sum, taxed.values()))
    if not whole:
        return
    left = whole - min(paid, whole)
    parts = split(taxed, left)

    assert sum(map(sum, parts.values())) == left
    for rate, (net, vat) in parts.items():
        of_rate = sum(taxed[rate])
        assert abs((net + vat) * whole - of_rate * left) < whole
        assert abs(vat * (of_rate or 1) - taxed[rate][1] * (net + vat)) <= (of_rate or 1) // 2
    assert split(taxed, whole) == taxed


@pytest.mark.parametrize(
    ("due_on", "on", "claimed"),
    [
        ("2026-03-10", "2026-02-01", "2026-02-01"),
        ("2026-03-10", "2027-03-09", "2027-03-09"),
        ("2026-03-10", "2027-03-10", "2027-03-10"),
        ("2026-03-10", "2027-09-01", "2027-03-10"),
        ("2024-02-29", "2025-06-01", "2025-02-28"),
    ],
)
def test_vat_is_claimed_back_with_the_write_off_or_a_year_after_it_fell_due(
    due_on: str, on: str, claimed: str
) -> None:
    invoice = Invoice(due_on=dt.date.fromisoformat(due_on))
    assert str(claimed_on(invoice, dt.date.fromisoformat(on))) == claimed


def sent(**fields: Any) -> Invoice:
    organisation = make.organisation(f"ORG{Invoice.objects.count()}")
    invoice = make.invoice(organisation, state="approved", lines=[{}, EXEMPT], **fields)
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED
    invoice.refresh_from_db()
    return invoice


def off(invoice: Invoice) -> Invoice:
    write_offs.write_off(invoice.pk, "bankrupt", by=make.user("controller"), on=TODAY)
    assert push.push(invoice.pk, at=LATER) == Outcome.PUSHED
    invoice.refresh_from_db()
    assert invoice.state == "uncollectible"
    return invoice


def declared(months: MonthRange = THIS_MONTH) -> list[tuple[str, str, int, int]]:
    return [(box.box, box.about, box.net_cents, box.vat_cents) for box in vat_return(months).boxes]


BILLED = [("1a", "", 1_000_00, 210_00), ("", "", 950_00, 0)]
LOST = ("1a", "written off", -1_000_00, -210_00)


@pytest.mark.parametrize("by", ["Stripe", "our bank"])
def test_it_leaves_the_return_and_comes_back_when_it_is_paid(sandbox: Sandbox, by: str) -> None:
    invoice = off(sent())
    make.agency()
    assert declared() == [*BILLED, LOST]
    assert vat_return(THIS_MONTH).vat_cents == 0
    book = bookkeeping.read(THIS_MONTH.from_month)
    assert [
        (one.account, one.vat_code, one.loss.net_cents, one.loss.vat_cents) for one in book.losses
    ] == [("4750", "VH", -1_000_00, -210_00), ("4750", "VVR", -950_00, 0)]
    assert book.open_items == []
    assert [there["status"] for there in listed(sandbox)] == ["uncollectible"]

    if by == "Stripe":
        act(sandbox.state, "pay", invoice.stripe_id)
        inbox.follow(gateway.read(invoice.stripe_id), at=LATER)
    else:
        assert payments.asked() == {invoice.number: (invoice.pk, 2160_00)}
        payments.note(invoice.pk, received_on=TODAY, on=TODAY)
        assert push.push(invoice.pk, at=LATER) == Outcome.PUSHED

    invoice.refresh_from_db()
    assert (invoice.state, push.push(invoice.pk, at=LATER)) == ("paid", Outcome.ALREADY)
    assert [there["status"] for there in listed(sandbox)] == ["paid"]
    paid_after_all = ("1a", "paid after all", 1_000_00, 210_00)
    assert declared() == [*BILLED, LOST, paid_after_all]
    lost = bookkeeping.read(THIS_MONTH.from_month).losses
    assert sum(one.loss.net_cents + one.loss.vat_cents for one in lost) == 0
    documents = rows(workbook.write(THIS_MONTH, language="en"), "Documents")
    assert [row["Kind"] for row in documents][-2:] == ["written off", "paid after all"]
    assert audit(arrears.INVARIANTS).violations == []


def test_what_is_voided_after_it_was_written_off_gives_no_vat_back(sandbox: Sandbox) -> None:
    make.agency()
    invoice = off(sent())
    by_hand(sandbox.state, "POST", f"invoices/{invoice.stripe_id}/void")
    inbox.follow(gateway.read(invoice.stripe_id), at=LATER)

    assert Invoice.objects.get().state == "void"
    assert declared() == []
    assert bookkeeping.read(THIS_MONTH.from_month).losses == []
    assert audit(arrears.INVARIANTS).violations == []


@pytest.mark.parametrize("fault", ["500_after", "drop_response", "429"])
def test_a_call_that_fails_is_made_once_all_the_same(sandbox: Sandbox, fault: str) -> None:
    invoice = sent()
    write_offs.write_off(invoice.pk, "costs", by=make.user("controller"), on=TODAY)
    order(sandbox, "POST /v1/invoices/{invoice}/mark_uncollectible", fault, times=TOO_OFTEN)
    assert push.push(invoice.pk, at=LATER) in {Outcome.WAITING, Outcome.PUSHED}
    forget_faults(sandbox.state)

    push.push(invoice.pk, at=LATER + dt.timedelta(days=2))

    invoice.refresh_from_db()
    assert invoice.state == "uncollectible"
    assert [there["status"] for there in listed(sandbox)] == ["uncollectible"]


def test_who_pays_before_stripe_is_told_has_paid(sandbox: Sandbox) -> None:
    invoice = sent()
    write_offs.write_off(invoice.pk, "costs", by=make.user("controller"), on=TODAY)
    by_hand(sandbox.state, "POST", f"invoices/{invoice.stripe_id}/pay", "paid_out_of_band=true")

    assert push.push(invoice.pk, at=LATER) == Outcome.PUSHED
    inbox.follow(gateway.read(invoice.stripe_id), at=LATER)

    assert Invoice.objects.get().state == "paid"
    assert vat_return(THIS_MONTH).vat_cents == 210_00


def test_what_was_credited_is_not_written_off() -> None:
    invoice = make.invoice(make.organisation(), state="open", lines=[{}, EXEMPT])
    back = {"kind": "credit", "net_cents": -400_00, "vat_cents": -84_00}
    credit = make.invoice(
        invoice.organisation,
        kind="credit",
        credit_of=invoice,
        lines=[back | {"credit_of": invoice.lines.get(position=1)}],
    )
    with pytest.raises(WriteOffError, match="credit of it is on its way"):
        write_offs.preview(invoice, on=TODAY)
    with pytest.raises(IntegrityError, match="credit of it is under way"), transaction.atomic():
        make.write_off(invoice, make.user("controller"))
    sent_on = {"number": "CN-1", "invoice_on": invoice.invoice_on}
    Invoice.objects.filter(pk=credit.pk).update(state="paid", **sent_on)

    parts = write_offs.preview(invoice, on=TODAY)

    assert [(part.net_cents, part.vat_cents) for part in parts] == [
        (-600_00, -126_00),
        (-950_00, 0),
    ]


class TestTwoPeople:
    def test_a_large_one_waits_for_a_second_person(self) -> None:
        one, other = make.user("controller"), make.user("controller", email="b@staff.example")
        line = {"net_cents": ONE_PERSON_APPROVES_CENTS + 1, "vat_cents": 0}
        invoice = make.invoice(make.organisation(), state="open", lines=[line])
        for by in (one, one):
            assert not write_offs.write_off(invoice.pk, "barred", by=by, on=TODAY).written_off_on
        assert list(write_offs.losses()) == []
        assert not StripeStep.objects.exists()
        write_offs.withdraw(invoice.pk)
        assert not WriteOff.objects.exists()
        write_offs.write_off(invoice.pk, "barred", by=one, on=TODAY)
        row = write_offs.write_off(invoice.pk, "costs", by=other, on=TODAY)
        assert (row.reason, row.approved_by, row.seconded_by) == ("barred", one, other)
        assert (row.written_off_on, StripeStep.objects.get().kind) == (TODAY, "write_off")

    def test_the_database_holds_to_it_and_lets_nothing_be_changed(self) -> None:
        one = make.user("controller")
        line = {"net_cents": ONE_PERSON_APPROVES_CENTS + 1, "vat_cents": 0}
        large = make.invoice(make.organisation(), state="open", lines=[line])
        small = make.invoice(large.organisation, state="open", number="2", stripe_id="in_2")
        wrongs: dict[str, dict[str, Any]] = {
            "large_write_off_takes": {"invoice": large},
            "large_write_off": {"vat_on": None},
            "write_off_is_seconded": {"seconded_by": one},
            "No more is written off": {"net_cents": small.net_cents + 1},
        }
        for wrong, fields in wrongs.items():
            with pytest.raises(IntegrityError, match=wrong), transaction.atomic():
                make.write_off(**{"invoice": small, "approved_by": one} | fields)
        row = make.write_off(small, one)
        for change in ({"vat_on": "2020-01-01"}, {"net_cents": 1}, {"written_off_on": None}):
            with pytest.raises(IntegrityError, match="stays written off"), transaction.atomic():
                WriteOff.objects.filter(pk=row.pk).update(**change)
        with pytest.raises(IntegrityError, match="stays written off"), transaction.atomic():
            row.delete()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"state": "paid"}, "Only an open invoice"),
        ({"state": "draft"}, "Only an open invoice"),
        ({"state": "open", "received_on": TODAY}, "Our bank has its money"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], sentence: str) -> None:
    invoice = make.invoice(make.organisation(), **fields)
    with pytest.raises(WriteOffError, match=sentence):
        write_offs.write_off(invoice.pk, "barred", by=make.user("controller"), on=TODAY)
    assert not WriteOff.objects.exists()


def test_the_page_shows_what_comes_of_it_and_does_it_once() -> None:
    invoice = make.invoice(make.organisation(), state="open", lines=[{}, EXEMPT])
    address = f"/admin/subscriptions/invoice/{invoice.pk}/write_off/"
    browser = as_("controller")
    page = browser.get(address).content.decode()
    assert "-210.00" in page.replace("\N{MINUS SIGN}", "-").replace("\u2011", "-")
    assert not WriteOff.objects.exists()
    wrong = browser.post(address, {"step": "write_off", "reason": "because"}).content.decode()
    assert "Select a valid choice" in wrong
    for said in ("Stripe is told", "It is written off."):
        answer = browser.post(address, {"step": "write_off", "reason": "costs"}, follow=True)
        assert said in answer.content.decode()
    assert WriteOff.objects.get().reason == "costs"
    assert as_("planner").get(address).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_a_write_off_and_a_credit_at_once_one_is_refused() -> None:
    make.agency()
    controller = make.user("controller")
    invoice = make.invoice(make.organisation(), state="open")

    def credit() -> object:
        return corrections.credit(invoice, CreditReason.GOODWILL, key=NOBODY)

    outcomes = at_once(
        credit, lambda: write_offs.write_off(invoice.pk, "costs", by=controller, on=TODAY)
    )

    refused = [one for one in outcomes if isinstance(one, ValidationError)]
    assert len(refused) == 1, outcomes
    assert invoice.credits.count() + WriteOff.objects.count() == 1
