"""Contested invoices: no debit and no reminder until a day, or until they are settled."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from advisors import hours
from agency.models import User
from subscriptions import contests, push, reconcile, tasks
from subscriptions.contests import ContestError
from subscriptions.models import Contest, ContestEnd, Invoice, Statement, StripeStep
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.agreed import M
from tests.clients import client as billable
from tests.clients import close, counsellor
from tests.stripe.control import listed, order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

NOW = timezone.now()
TODAY = timezone.localdate()
LATER = NOW + dt.timedelta(hours=12)
NEXT_WEEK = TODAY + dt.timedelta(days=7)
ADDRESS = "/admin/subscriptions/contest/"


@pytest.fixture
def controller() -> User:
    return make.user("controller")


def sent(collection: str = "sepa") -> Invoice:
    invoice = make.approved(f"ORG{Invoice.objects.count()}", collection=collection)
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED
    invoice.refresh_from_db()
    return invoice


def contested(invoice: Invoice, by: User, until_on: dt.date | None = NEXT_WEEK) -> Contest:
    contest = Contest(invoice=invoice, reason="amount", said_by="contact", until_on=until_on)
    contests.note(contest, by=by, on=TODAY)
    return contest


def goes_on(sandbox: Sandbox) -> bool:
    [there] = listed(sandbox)
    return bool(there["auto_advance"])


def test_a_contested_invoice_is_not_debited_until_its_day_comes(
    sandbox: Sandbox, controller: User
) -> None:
    invoice = sent()
    contest = contested(invoice, controller)
    assert push.push(invoice.pk, at=LATER) == Outcome.PUSHED
    assert not goes_on(sandbox)

    assert contests.end_over(NEXT_WEEK - dt.timedelta(days=1)) == []
    assert contests.end_over(NEXT_WEEK) == [invoice.pk]
    assert push.push(invoice.pk, at=LATER) == Outcome.PUSHED

    contest.refresh_from_db()
    assert (contest.outcome, contest.ended_on, contest.ended_by) == ("lapsed", NEXT_WEEK, None)
    assert goes_on(sandbox)
    assert push.push(invoice.pk, at=LATER) == Outcome.ALREADY
    assert reconcile.reconcile(at=LATER).found == []


@pytest.mark.parametrize("fault", ["500_before", "500_after", "drop_response", "429"])
def test_a_call_that_fails_stops_the_debit_all_the_same(
    sandbox: Sandbox, controller: User, fault: str
) -> None:
    invoice = sent()
    contested(invoice, controller)
    order(sandbox, "POST /v1/invoices/{invoice}", fault, times=2)
    push.push(invoice.pk, at=LATER)
    push.push(invoice.pk, at=LATER + dt.timedelta(hours=30))
    assert not goes_on(sandbox)


def test_the_last_word_holds_where_stripe_was_not_told_yet(
    sandbox: Sandbox, controller: User
) -> None:
    invoice = sent()
    contests.end(contested(invoice, controller), ContestEnd.RESUMED, by=controller, on=TODAY)
    contested(invoice, controller)
    assert push.push(invoice.pk, at=LATER) == Outcome.PUSHED
    assert not goes_on(sandbox)
    assert StripeStep.objects.filter(kind="advance", error_code="overtaken").count() == 2


def test_what_is_settled_is_contested_no_more(sandbox: Sandbox, controller: User) -> None:
    invoice = sent("invoice")
    contest = contested(invoice, controller, None)
    assert not invoice.steps.filter(kind="advance").exists()  # Stripe does nothing by itself
    tasks.go_on_collecting()
    Invoice.objects.update(state="paid", paid_on=TODAY)
    tasks.go_on_collecting()
    contest.refresh_from_db()
    assert contest.outcome == "settled"


def test_what_cannot_be_is_refused(controller: User) -> None:
    organisation = make.organisation()
    paid = make.invoice(organisation, state="paid")
    with pytest.raises(ContestError, match="Only an open invoice is contested"):
        contested(paid, controller)
    unpaid = make.invoice(organisation, "2026-04", state="open", number="N", stripe_id="in_n")
    with pytest.raises(ContestError, match="on a day to come"):
        contested(unpaid, controller, TODAY)
    contest = contested(unpaid, controller)
    with pytest.raises(ContestError, match="No credit of it was sent"):
        contests.end(contest, ContestEnd.CREDITED, by=controller, on=TODAY)
    contests.end(contest, ContestEnd.RESUMED, by=controller, on=TODAY)
    with pytest.raises(ContestError, match="contested no more"):
        contests.end(contest, ContestEnd.RESUMED, by=controller, on=TODAY)


class TestTheDatabase:
    @pytest.mark.parametrize(
        "change",
        [
            {"reason": "twice"},
            {"until_on": None},
            {"noted_on": TODAY - dt.timedelta(days=400)},
            {"ended_on": NEXT_WEEK},
            {"outcome": "resumed"},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_keeps_what_was_noted(self, controller: User, change: dict[str, Any]) -> None:
        invoice = make.invoice(make.organisation(), state="open")
        contest = contested(invoice, controller)
        with pytest.raises(IntegrityError), transaction.atomic():
            Contest.objects.update(**change)
        with pytest.raises(IntegrityError), transaction.atomic():
            contest.delete()

    def test_refuses_a_second_contest_and_one_of_what_is_paid(self, controller: User) -> None:
        organisation = make.organisation()
        invoice = make.invoice(organisation, state="open")
        contested(invoice, controller)
        with pytest.raises(IntegrityError), transaction.atomic():
            make.contest(invoice, controller)
        paid = make.invoice(organisation, "2026-04", state="paid", number="P", stripe_id="in_p")
        with pytest.raises(IntegrityError, match="Only an open invoice"), transaction.atomic():
            make.contest(paid, controller)

    def test_refuses_to_have_stripe_go_on_with_a_contested_invoice(self, controller: User) -> None:
        invoice = make.invoice(make.organisation(), state="open")
        contested(invoice, controller)
        make.stripe_step(invoice, "advance", body={"auto_advance": False})
        again = {"generation": 2, "idempotency_key": "another"}
        with pytest.raises(IntegrityError, match="neither debited"), transaction.atomic():
            make.stripe_step(invoice, "advance", **again, body={"auto_advance": True})


class TestPage:
    def test_notes_shows_and_ends_it(self, client: Client, controller: User) -> None:
        invoice = make.invoice(make.organisation(), state="open")
        client.force_login(controller)
        row = {"invoice": invoice.pk, "reason": "twice", "said_by": "books", "until_on": ""}
        wrong = client.post(f"{ADDRESS}add/", row | {"until_on": str(TODAY)}).content.decode()
        assert "on a day to come" in wrong
        client.post(f"{ADDRESS}add/", row)
        client.post(f"{ADDRESS}add/", row | {"until_on": str(NEXT_WEEK)})

        newest = Contest.objects.get(ended_on=None)
        assert Contest.objects.exclude(pk=newest.pk).get().outcome == "prolonged"
        page = client.get(f"/admin/subscriptions/invoice/{invoice.pk}/change/").content.decode()
        assert "accounts department of the client" in page
        found = "/admin/subscriptions/invoice/?overdue=contested"
        assert f"Contested until {NEXT_WEEK.day} " in client.get(found).content.decode()

        chosen = {"action": "ask_again", "_selected_action": [newest.pk]}
        told = client.post(ADDRESS, chosen, follow=True).content.decode()
        assert "1 invoice is asked for again." in told
        assert invoice.number not in client.get(found).content.decode()

    def test_tells_the_client_until_when_and_never_why(
        self, client: Client, controller: User
    ) -> None:
        invoice = make.invoice(make.organisation(), state="open")
        contested(invoice, controller)
        assert invoice.organisation
        client.force_login(make.contact(invoice.organisation).user)
        page = client.get(f"/portal/{invoice.organisation.pk}/invoices/").content.decode()
        assert "Contested until" in page
        assert "price or amount" not in page


def test_no_unpaid_bill_closes_the_way_to_the_counsellor(client: Client, controller: User) -> None:
    """Of a client that contests, was reminded thrice and pays nothing, all goes on as ever."""
    contract = billable("OWES", headcount=300)
    organisation = contract.organisation
    advisor = counsellor(organisation)
    invoice = make.invoice(organisation, "2025-12", state="open", due_on=dt.date(2024, 1, 1))
    make.collection_policy()
    for step in ("first", "second", "final"):
        make.reminder(invoice, step, sent_on=TODAY, pay_by_on=NEXT_WEEK)
    contested(invoice, controller, None)

    hours.record(advisor, organisation, M("2026-01"), from_quarters=0, to_quarters=8)
    close("2026-01")

    assert Statement.objects.get(organisation=organisation).used_quarters == 8
    client.force_login(make.contact(organisation).user)
    page = client.get(f"/portal/{organisation.pk}/").content.decode()
    assert all(said in page for said in (advisor.user.name, "Contested"))
