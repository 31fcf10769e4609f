"""A run of the index: worked out, announced by letter, approved by another, applied once."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django_q.models import OrmQ

from agency.models import User
from subscriptions import billing, indexation_letters, indexation_runs
from subscriptions.audit import audit
from subscriptions.indexation_runs import IndexationError
from subscriptions.models import IndexationRun, IndexedContract, Invoice, Subscription, Terms
from tests import factories as make
from tests.agreed import M
from tests.at_once import at_once
from tests.clients import client, close, close_and_bill, lines, months_from

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

NOVEMBER = dt.date(2026, 11, 10)
DECEMBER = dt.date(2026, 12, 20)
OWN: dict[str, Any] = {"own_annual_fee_cents": 1_250_00, "own_overage_rate_cents": 130_00}


@pytest.fixture
def ada() -> User:
    return make.user("controller", email="ada@staff.example")


@pytest.fixture
def bob() -> User:
    return make.user("controller", email="bob@staff.example")


def run_of_2027(**fields: Any) -> IndexationRun:
    before = make.cpi_value("2025-10", 127_800)
    after = make.cpi_value("2026-10", 131_200)
    return make.indexation_run(before, after, effective_month="2027-01", **fields)


def own_client(code: str = "ORG1", **agreed: Any) -> Subscription:
    subscription = client(code, **{**OWN, **agreed})
    make.contact(subscription.organisation)
    return subscription


def send_letters(on: dt.date = NOVEMBER) -> None:
    for task in OrmQ.objects.all():
        if task.task["func"] == "subscriptions.tasks.mail_indexation":
            indexation_letters.send(task.task["args"][0], on=on)


def announced(by: User, **fields: Any) -> IndexationRun:
    run = run_of_2027(**fields)
    indexation_runs.announce(run, by=by, on=NOVEMBER)
    send_letters()
    return run


def approved(ada: User, bob: User) -> IndexationRun:
    run = announced(ada)
    indexation_runs.approve(run, by=bob, on=NOVEMBER)
    return run


def of(run: IndexationRun, on: dt.date = NOVEMBER) -> list[str]:
    """Give what a run does: code, from, old and new fee and rate, or why not."""
    run.refresh_from_db()
    return [
        f"{row.subscription.organisation.code} " + (row.left_out or _prices(row))
        for row in indexation_runs.rows(run, on=on)
    ]


def _prices(row: IndexedContract) -> str:
    prices = (
        *(row.old_annual_fee_cents, row.new_annual_fee_cents),
        *(row.old_overage_rate_cents, row.new_overage_rate_cents),
    )
    return f"{row.from_month} {prices}{' postponed' if row.is_postponed else ''}"


RAISED = "2027-01 (125000, 128326, 13000, 13346)"


def test_the_first_fee_of_the_next_contract_year_is_billed_at_the_announced_price(
    ada: User, bob: User
) -> None:
    subscription = own_client(overage="cap", release="year", own_included_quarters=40)
    close_and_bill("2025-12", *months_from("2026-01", 11))
    run = approved(ada, bob)

    assert indexation_runs.apply(run, on=DECEMBER) == 1
    assert indexation_runs.apply(run, on=DECEMBER) == 1
    close_and_bill("2026-12", "2027-01")

    assert [
        (str(made.run_month), lines(made)[0]) for made in Invoice.objects.order_by("run_month")
    ] == [
        ("2025-12", "fee 2026-01/2027-01 1250.00"),
        ("2026-12", "fee 2027-01/2028-01 1283.26"),
    ]
    terms = Terms.objects.get(subscription=subscription, reason="indexation")
    assert (str(terms.from_month), terms.tier, terms.overage, terms.release) == (
        *("2027-01", "basic", "cap", "year"),
    )
    assert (terms.own_annual_fee_cents, terms.own_overage_rate_cents) == (128326, 13346)
    assert (terms.own_included_quarters, terms.own_included_sessions) == (40, None)
    assert of(run) == [f"ORG1 {RAISED}"]
    assert audit().violations == []


def test_the_dry_run_says_of_each_contract_what_it_makes_or_why_not(ada: User) -> None:
    own_client("ANNIV", start="2025-05")
    own_client("ENDED", until_month=M("2027-01"))
    own_client("GONE", until_month=M("2026-08"))
    own_client("LATE", start="2025-12")
    own_client("OWN")
    client("LIST")
    client("NOBODY", **OWN)
    other = own_client("OTHER")
    make.terms(other, "2026-09", "basic", reason="own_price", own_annual_fee_cents=900_00)
    run = run_of_2027(announcement_months=2)
    run.effective_month = M("2026-12")
    run.save()

    expected = [
        "ANNIV 2027-05 (125000, 128326, 13000, 13346)",
        "LATE 2027-12 (125000, 128326, 13000, 13346) postponed",
        "OWN 2028-01 (125000, 128326, 13000, 13346) postponed",
        "OTHER agreed",
        "ENDED ended",
        "LIST no_own_prices",
        "NOBODY nobody",
    ]
    assert of(run) == expected
    assert not IndexedContract.objects.exists()

    indexation_runs.announce(run, by=ada, on=NOVEMBER)
    assert of(run, on=DECEMBER) == expected


def test_each_client_is_written_to_once_in_its_own_language(ada: User) -> None:
    subscription = own_client(organisation={"language": "en", "legal_name": "Bakery & Sons"})
    for role in ("reader", "billing"):
        user = make.user("contact", email=f"{role}@org1.example")
        make.contact(subscription.organisation, user, role)
    run = announced(ada, cap_basis_points=500)

    indexation_runs.announce(run, by=ada, on=NOVEMBER)
    send_letters(on=DECEMBER)

    (letter,) = mail.outbox
    assert letter.to == ["billing@org1.example", "hr@org1.example"]
    assert letter.subject == "Your prices follow the price index"
    for said in (
        "For Bakery & Sons, from January 2027",
        "1,283.26 instead of €\N{NO-BREAK SPACE}1,250.00",
        "133.46 instead of €\N{NO-BREAK SPACE}130.00",
        "CPI (2015 = 100), 127.80 in October 2025 and 131.20 in October 2026. Source: an example.",
        "at most 5 %",
    ):
        assert said in letter.body, letter.body
    assert IndexedContract.objects.get().sent_on == NOVEMBER


def test_whoever_announced_a_run_does_not_approve_it(ada: User, bob: User) -> None:
    own_client()
    run = announced(ada)

    with pytest.raises(IndexationError, match="Somebody else"):
        indexation_runs.approve(run, by=ada, on=NOVEMBER)
    with pytest.raises(IntegrityError), transaction.atomic():
        IndexationRun.objects.update(state="approved", approved_by=ada, approved_on=NOVEMBER)
    with pytest.raises(IndexationError, match="somebody approved"):
        indexation_runs.apply(run, on=DECEMBER)

    indexation_runs.approve(run, by=bob, on=NOVEMBER)
    indexation_runs.approve(run, by=bob, on=NOVEMBER)
    assert not Terms.objects.filter(reason="indexation").exists()


def test_a_run_without_effect_is_not_announced(ada: User) -> None:
    client()
    run = run_of_2027()

    with pytest.raises(IndexationError, match="No own price"):
        indexation_runs.announce(run, by=ada, on=NOVEMBER)
    with pytest.raises(IndexationError, match="announced"):
        indexation_runs.approve(run, by=ada, on=NOVEMBER)
    with pytest.raises(IndexationError, match="announced"):
        indexation_runs.withdraw(run)
    assert of(run) == ["ORG1 no_own_prices"]


def test_what_was_withdrawn_stays_so_and_frees_its_clients(ada: User, bob: User) -> None:
    own_client()
    run = approved(ada, bob)
    again = make.indexation_run(run.from_value, run.to_value, effective_month="2027-01")
    assert of(again) == ["ORG1 indexed"]

    assert indexation_runs.withdraw(run) == 1
    assert indexation_runs.withdraw(run) == 1
    for deed in (
        partial(indexation_runs.announce, by=ada, on=NOVEMBER),
        partial(indexation_runs.approve, by=bob, on=NOVEMBER),
        partial(indexation_runs.apply, on=DECEMBER),
    ):
        with pytest.raises(IndexationError):
            deed(run)
    assert of(again) == [f"ORG1 {RAISED}"]


def other_price(subscription: Subscription) -> None:
    make.terms(subscription, "2026-12", "basic", reason="own_price", own_annual_fee_cents=1)


def billed(_subscription: Subscription) -> None:
    close("2025-12", *months_from("2026-01", 12))
    billing.draft_run(M("2026-12"))


def end(subscription: Subscription) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(until_month=M("2027-01"))


def upgrade(subscription: Subscription) -> None:
    make.terms(subscription, "2026-12", "extended")


def pause(subscription: Subscription) -> None:
    make.pause(subscription, "2026-10", "2027-04")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_price, "agreed"),
        (billed, "billed"),
        (end, "ended"),
        (upgrade, "other_tier"),
        (pause, "paused"),
    ],
)
def test_a_contract_that_changed_since_its_letter_is_left_out(
    change: Any, reason: str, ada: User, bob: User
) -> None:
    subscription = own_client()
    own_client("STAYS", start="2025-06")
    run = approved(ada, bob)
    change(subscription)

    assert indexation_runs.apply(run, on=DECEMBER) == 1
    assert of(run) == ["STAYS 2027-06 (125000, 128326, 13000, 13346)", f"ORG1 {reason}"]


@pytest.mark.parametrize("sent_on", [None, dt.date(2026, 12, 2)])
def test_a_letter_that_went_too_late_or_not_at_all_raises_nothing(
    sent_on: dt.date | None, ada: User, bob: User
) -> None:
    own_client()
    run = run_of_2027()
    indexation_runs.announce(run, by=ada, on=NOVEMBER)
    if sent_on:
        send_letters(on=sent_on)
    indexation_runs.approve(run, by=bob, on=NOVEMBER)

    assert indexation_runs.apply(run, on=DECEMBER) == 0
    assert of(run) == ["ORG1 untold"]


def test_the_same_months_are_never_counted_twice(ada: User, bob: User) -> None:
    own_client()
    run = approved(ada, bob)
    indexation_runs.apply(run, on=DECEMBER)

    second = make.indexation_run(run.from_value, run.to_value, effective_month="2028-01")
    assert of(second) == ["ORG1 indexed"]
    following = make.indexation_run(
        run.to_value, make.cpi_value("2027-10", 131_300), effective_month="2028-01"
    )
    assert of(following) == ["ORG1 2028-01 (128326, 128424, 13346, 13356)"]


GUARDED = {
    "an announced value": (IndexationRun, {"cap_basis_points": 1}),
    "an announced price": (IndexedContract, {"new_annual_fee_cents": 1}),
    "a day of sending": (IndexedContract, {"sent_on": DECEMBER}),
    "an approval": (IndexationRun, {"approved_on": DECEMBER}),
    "the way back": (IndexationRun, {"state": "announced"}),
    "half an application": (IndexationRun, {"state": "applied", "applied_on": DECEMBER}),
}


@pytest.mark.parametrize(("model", "change"), GUARDED.values(), ids=GUARDED)
def test_the_database_keeps_what_clients_were_told(
    model: Any, change: dict[str, Any], ada: User, bob: User
) -> None:
    own_client()
    approved(ada, bob)

    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.all()._raw_delete(using="default")


def test_indexed_terms_come_from_an_approved_run_only(ada: User, bob: User) -> None:
    subscription = own_client()
    prices = {"own_annual_fee_cents": 128326, "own_overage_rate_cents": 13346}
    write = partial(make.terms, subscription, "2027-01", "basic", reason="indexation")
    run = announced(ada)
    with pytest.raises(IntegrityError), transaction.atomic():
        write(**prices)
    indexation_runs.approve(run, by=bob, on=NOVEMBER)
    with pytest.raises(IntegrityError), transaction.atomic():
        write(**prices | {"own_annual_fee_cents": 128327})

    write(**prices)


def test_a_run_that_was_applied_never_changes(ada: User, bob: User) -> None:
    own_client()
    run = approved(ada, bob)
    indexation_runs.apply(run, on=DECEMBER)

    with pytest.raises(IntegrityError), transaction.atomic():
        IndexationRun.objects.update(state="withdrawn", applied_on=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        IndexedContract.objects.update(left_out="ended", terms=None)
    with pytest.raises(IndexationError):
        indexation_runs.withdraw(run)


@pytest.mark.parametrize(
    "fields",
    [{"reference_year": 2025}, {"series": "CPI derived"}, {"month": "2023-10"}],
    ids=["reference year", "series", "earlier month"],
)
def test_the_database_refuses_values_that_are_not_alike(fields: dict[str, Any]) -> None:
    before = make.cpi_value("2025-10")
    after = make.cpi_value(**{"month": "2026-10"} | fields)

    with pytest.raises(IntegrityError), transaction.atomic():
        make.indexation_run(before, after)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_apply_at_once_one_writes_the_terms() -> None:
    own_client()
    run = approved(make.user("controller"), make.user("controller", email="bob@staff.example"))
    apply = partial(indexation_runs.apply, run, on=DECEMBER)

    assert at_once(apply, apply, apply) == [1, 1, 1]
    assert Terms.objects.filter(reason="indexation").count() == 1
