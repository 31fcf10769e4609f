"""An invoice paid in parts: they add up, what is paid fills them in order, and late is shown."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from subscriptions import payment_plans, payments
from subscriptions.audit import arrears, audit
from subscriptions.models import Invoice, PaymentPlan, PlanPart
from subscriptions.payment_plans import PlanError, agree, equal_parts, standings
from tests import factories as make
from tests.browsers import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

D = dt.date.fromisoformat
PARTS = [(D("2026-06-01"), 400_00), (D("2026-07-01"), 400_00), (D("2026-08-01"), 410_00)]
ON = D("2026-05-20")


@given(cents=st.integers(36, 10**9), count=st.integers(1, 36), paid=st.integers(0, 10**9))
def test_parts_add_up_and_what_is_paid_fills_them_in_order(
    cents: int, count: int, paid: int
) -> None:
    amounts = equal_parts(cents, count)
    assert sum(amounts) == cents
    assert max(amounts) - min(amounts) <= 1
    parts = [(ON + dt.timedelta(days=day), part) for day, part in enumerate(amounts)]
    found = standings(reversed(parts), paid, on=ON)
    assert sum(one.paid_cents for one in found) == min(paid, cents)
    unfilled = [not one.is_paid for one in found]
    assert unfilled == sorted(unfilled)


@pytest.mark.parametrize(
    ("paid", "on", "late", "kept"),
    [
        (0, "2026-06-01", [0, 0, 0], True),
        (0, "2026-06-14", [13, 0, 0], True),
        (0, "2026-06-15", [14, 0, 0], False),
        (399_99, "2026-06-15", [14, 0, 0], False),
        (400_00, "2026-06-15", [0, 0, 0], True),
        (400_01, "2026-07-02", [0, 1, 0], True),
        (0, "2026-07-02", [31, 1, 0], False),
        (1210_00, "2027-01-01", [0, 0, 0], True),
        (-5, "2026-05-01", [0, 0, 0], True),
    ],
)
def test_a_part_two_weeks_late_breaks_it(
    paid: int, on: str, late: list[int], *, kept: bool
) -> None:
    assert [one.days_late for one in standings(PARTS, paid, on=D(on))] == late
    invoice = make.invoice(make.organisation(), state="open")
    agree(invoice.pk, PARTS, by=make.user("controller"), on=ON)
    if paid > 0:
        make.receipt(invoice, paid)
    assert payment_plans.late(D(on)).exists() is any(late)
    assert payment_plans.broken(D(on)).exists() is not kept
    assert payment_plans.kept(D(on)).exists() is kept


def test_nobody_is_reminded_while_it_is_kept() -> None:
    make.agency()
    invoice = make.invoice(make.organisation(), state="open")
    agree(invoice.pk, PARTS, by=make.user("controller"), on=ON)
    assert payment_plans.kept(D("2026-06-10")).exists()
    assert not payment_plans.kept(D("2026-06-20")).exists()
    day = D("2026-06-12")
    payments.note(invoice.pk, received_on=day, on=day, amount_cents=400_00)
    assert payment_plans.kept(D("2026-06-20")).exists()
    payments.note(invoice.pk, received_on=day, on=day)
    assert not payment_plans.kept(D("2026-06-10")).exists()
    assert all(one.is_paid for one in payment_plans.standings_of(PaymentPlan.objects.get(), on=ON))
    assert audit(arrears.INVARIANTS).violations == []


def test_another_plan_takes_its_place_for_what_is_left_then() -> None:
    invoice, by = make.invoice(make.organisation(), state="open"), make.user("controller")
    agree(invoice.pk, PARTS, by=by, on=ON)
    payments.note(invoice.pk, received_on=ON, on=ON, amount_cents=10_00)
    rest = [(D("2026-06-01"), 1000_00), (D("2026-09-01"), 200_00)]

    plan = agree(invoice.pk, rest, by=by, on=ON)

    assert PaymentPlan.objects.filter(ended_on=ON).count() == 1
    assert payment_plans.kept(ON).get() == plan
    found = payment_plans.standings_of(plan, on=ON)
    assert [(one.due_on, one.amount_cents, one.paid_cents) for one in found] == [
        (*part, 0) for part in rest
    ]


@pytest.mark.parametrize(
    ("fields", "parts", "sentence"),
    [
        ({"state": "paid"}, PARTS, "Only an open invoice"),
        ({"state": "open"}, PARTS[:2], "1,210.00 is left"),
        ({"state": "open"}, [(PARTS[0][0], 1210_00)], "2 to 36 parts"),
        ({"state": "open"}, PARTS[::-1], "one after another"),
        ({"state": "open"}, [(D("2026-05-19"), 1), *PARTS], "not before today"),
        ({"state": "open"}, [(ON, -1), (D("2026-06-01"), 1210_01)], "left to pay"),
    ],
)
def test_what_cannot_be_agreed_on_is_refused(
    fields: dict[str, Any], parts: list[payment_plans.Part], sentence: str
) -> None:
    invoice = make.invoice(make.organisation(), **fields)
    with pytest.raises(PlanError, match=sentence):
        agree(invoice.pk, parts, by=make.user("controller"), on=ON)
    assert not PaymentPlan.objects.exists()


def test_the_database_has_the_parts_add_up_and_changes_nothing_of_them() -> None:
    invoice, by = make.invoice(make.organisation(), state="open"), make.user("controller")
    for total in (invoice.total_cents, invoice.total_cents - 1):
        plan = PaymentPlan.objects.create(invoice=invoice, total_cents=total, agreed_by=by)
        PlanPart.objects.create(plan=plan, due_on=ON, amount_cents=invoice.total_cents - 1)
        with pytest.raises(IntegrityError, match="add up to what is open"), transaction.atomic():
            PaymentPlan.objects.update(agreed_on=ON)
        plan.delete()
    plan = make.payment_plan(invoice, by)
    day = ON + dt.timedelta(days=400)
    for change in (
        lambda: PlanPart.objects.update(amount_cents=1),
        lambda: PlanPart.objects.all().delete(),
        lambda: PlanPart.objects.create(plan=plan, due_on=day, amount_cents=1),
        lambda: PaymentPlan.objects.update(total_cents=1),
    ):
        with (
            pytest.raises(IntegrityError, match=r"as it was agreed|add up to"),
            transaction.atomic(),
        ):
            change()
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentPlan.objects.create(invoice=invoice, total_cents=1, agreed_by=by)


def test_the_page_agrees_on_a_plan_and_ends_it() -> None:
    invoice: Invoice = make.invoice(make.organisation(), state="open")
    address = f"/admin/subscriptions/invoice/{invoice.pk}/plan/"
    browser = as_("controller")
    assert "403.34" in browser.get(address).content.decode()
    for wrong, said in (
        ("tomorrow 12", "is no day and amount"),
        ("2026-02-30 12", "is no day and amount"),
        ("30-2-2026 12", "is no day and amount"),
        ("2099-01-01 12\n2099-02-01 12", "The parts come to"),
        ("2099-01-01 0,001", "Give an amount in euros"),
        ("", "This field is required"),
    ):
        assert said in browser.post(address, {"parts": wrong}).content.decode()
    parts = "2099-01-01 1.000,00\n\n1-2-2099 210"
    shown = browser.post(address, {"parts": parts}, follow=True).content.decode()
    assert "In force" in shown
    listed = browser.get("/admin/subscriptions/paymentplan/").content.decode()
    assert "Kept" in listed or "kept" in listed
    browser.post(address, {"step": "end"})
    assert PaymentPlan.objects.get().ended_on is not None
    assert as_("planner").get(address).status_code == 403
