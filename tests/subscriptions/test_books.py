"""The books of one period are opened by two people, for two weeks, and every step is logged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.translation import override
from pytest_django.fixtures import Settings

from agency.models import AuditEvent, User
from agency.month import Month
from subscriptions import books
from subscriptions.books import BooksError
from subscriptions.models import BooksOpening, BooksReason, Subscription
from tests import factories as make
from tests.agreed import M
from tests.clients import client, close, counsellor, worked

pytestmark = [pytest.mark.django_db, pytest.mark.attack(43)]

ON = dt.date(2026, 4, 20)
FEBRUARY = Month.of(2026, 2)
LIST = "/admin/subscriptions/booksopening/"


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with override("en"):
        yield


@pytest.fixture
def contract() -> Subscription:
    """Make a client with a stated first quarter, to which two advisors posted."""
    made = client(headcount=100, hours={"2026-01": 1.25, "2026-02": 2})
    worked(made.organisation, {"2026-02": 1.5, "2026-03": 0.25}, by="SECOND")
    worked(made.organisation, {"2026-04": 9}, by="SECOND")
    make.hours_adjustment(counsellor(made.organisation), made.organisation, "2026-03", -1)
    close("2026-01", "2026-02", "2026-03")
    return made


@pytest.fixture
def asking() -> User:
    return make.user("controller", name="Asking")


@pytest.fixture
def second() -> User:
    return make.user("auditor", name="Second", email="second@people.example")


@pytest.fixture
def opening(contract: Subscription, asking: User) -> BooksOpening:
    return asked(contract, asking)


def asked(contract: Subscription, by: User, month: Month = FEBRUARY) -> BooksOpening:
    return books.ask(contract.organisation, month, reason=BooksReason.CLIENT, by=by, on=ON)


def logged() -> list[tuple[str, str, str, str]]:
    rows = AuditEvent.objects.filter(subject_model="subscriptions.booksopening").order_by("on")
    return [(str(row.on), str(row.actor), row.action, row.fields) for row in rows]


class TestTheRules:
    def test_the_two_read_totals_of_the_whole_period_that_agree_with_the_statement(
        self, opening: BooksOpening, asking: User, second: User
    ) -> None:
        books.agree(opening, by=second, on=ON)
        opening.refresh_from_db()

        for reader in (asking, second):
            found = books.totals(opening, by=reader, on=ON)
            assert found.by_advisor == [("Advisor A-ORG1", 12), ("Advisor SECOND", 7)]
            assert (found.posted_quarters, found.counted_quarters) == (19, 20)
            assert found.agrees
            assert opening.statement.used_quarters == 20

    def test_every_step_is_logged_by_day_and_without_a_figure(
        self, opening: BooksOpening, asking: User, second: User
    ) -> None:
        books.agree(opening, by=second, on=ON + dt.timedelta(days=1))
        opening.refresh_from_db()
        books.totals(opening, by=asking, on=ON + dt.timedelta(days=2))
        books.totals(opening, by=second, on=ON + dt.timedelta(days=3))

        assert logged() == [
            ("2026-04-20", "Asking", "asked", ""),
            ("2026-04-21", "Second", "agreed", ""),
            ("2026-04-22", "Asking", "looked", ""),
            ("2026-04-23", "Second", "looked", ""),
        ]

    def test_nobody_looks_before_somebody_else_agreed(
        self, opening: BooksOpening, asking: User
    ) -> None:
        with pytest.raises(BooksError, match="Nobody has agreed yet"):
            books.totals(opening, by=asking, on=ON)
        with pytest.raises(BooksError, match="not who asked"):
            books.agree(opening, by=asking, on=ON)
        assert [action for _, _, action, _ in logged()] == ["asked"]

    @pytest.mark.parametrize("role", ["planner", "administrator", "advisor", "contact"])
    def test_only_controllers_ask_and_only_they_and_auditors_agree(
        self, contract: Subscription, opening: BooksOpening, role: str
    ) -> None:
        somebody = make.user(role, email="x@people.example")
        with pytest.raises(BooksError, match="Only a controller"):
            asked(contract, somebody)
        with pytest.raises(BooksError, match="A controller or an auditor"):
            books.agree(opening, by=somebody, on=ON)

    def test_a_third_person_does_not_look(self, opening: BooksOpening, second: User) -> None:
        books.agree(opening, by=second, on=ON)
        opening.refresh_from_db()
        third = make.user("controller", email="third@people.example")
        with pytest.raises(BooksError, match="Only who asked and who agreed"):
            books.totals(opening, by=third, on=ON)
        with pytest.raises(BooksError, match="Somebody else has agreed"):
            books.agree(opening, by=third, on=ON)

    def test_who_is_no_controller_any_more_does_not_look(
        self, opening: BooksOpening, asking: User, second: User
    ) -> None:
        books.agree(opening, by=second, on=ON)
        opening.refresh_from_db()
        asking.role = "planner"
        with pytest.raises(BooksError, match="Only who asked and who agreed"):
            books.totals(opening, by=asking, on=ON)

    def test_the_books_close_again_after_two_weeks(
        self, opening: BooksOpening, asking: User, second: User
    ) -> None:
        books.agree(opening, by=second, on=ON)
        opening.refresh_from_db()

        books.totals(opening, by=asking, on=dt.date(2026, 5, 4))
        with pytest.raises(BooksError, match="closed again"):
            books.totals(opening, by=asking, on=dt.date(2026, 5, 5))

    def test_what_nobody_agreed_to_in_two_weeks_is_asked_again(
        self, opening: BooksOpening, second: User
    ) -> None:
        with pytest.raises(BooksError, match="too long ago"):
            books.agree(opening, by=second, on=dt.date(2026, 5, 5))

    def test_repeating_a_step_changes_nothing(
        self, contract: Subscription, opening: BooksOpening, asking: User, second: User
    ) -> None:
        assert asked(contract, asking, M("2026-03")) == opening
        books.agree(opening, by=second, on=ON)
        books.agree(opening, by=second, on=ON + dt.timedelta(days=5))

        opening.refresh_from_db()
        assert opening.agreed_on == ON
        assert [action for _, _, action, _ in logged()] == ["asked", "agreed"]


class TestWhichPeriods:
    @pytest.mark.parametrize("month", ["2025-12", "2026-04", "2026-05"])
    def test_a_period_that_is_not_stated_stays_closed(
        self, contract: Subscription, asking: User, month: str
    ) -> None:
        with pytest.raises(BooksError, match="No published statement"):
            asked(contract, asking, M(month))

    @pytest.mark.parametrize(
        ("agreed", "hours"),
        [
            ({"overage": "all_in"}, 30),  # shows and charges nothing
            ({"headcount": 8}, 1),  # within its hours, as a band
            ({"until_month": M("2026-03")}, 30),  # withheld: it ended too soon
        ],
    )
    def test_what_shows_and_charges_nothing_has_no_bill_to_dispute(
        self, asking: User, agreed: dict[str, object], hours: int
    ) -> None:
        months = [f"2026-{month:02}" for month in range(1, 13)]
        made = client("SMALL", **{"headcount": 20, **agreed}, hours={"2026-02": hours})  # type: ignore[arg-type]
        close(*months)
        assert made.statements.count() == 1
        with pytest.raises(BooksError, match="No published statement"):
            asked(made, asking)

    def test_overage_of_a_band_is_a_bill_and_agrees(self, asking: User, second: User) -> None:
        made = client("SMALL", headcount=8, hours={"2026-02": 5.25})
        close(*[f"2026-{month:02}" for month in range(1, 13)])
        opening = asked(made, asking)
        books.agree(opening, by=second, on=ON)
        opening.refresh_from_db()

        found = books.totals(opening, by=asking, on=ON)
        assert (found.by_advisor, found.counted_quarters) == ([("Advisor A-SMALL", 21)], 22)
        assert found.agrees

    def test_a_rest_below_zero_of_an_earlier_period_is_set_off(
        self, asking: User, second: User
    ) -> None:
        made = client("BIG", headcount=300, hours={"2026-01": 1, "2026-02": 3})
        make.hours_adjustment(counsellor(made.organisation), made.organisation, "2026-01", -8)
        close("2026-01", "2026-02")
        opening = asked(made, asking)
        books.agree(opening, by=second, on=ON)
        opening.refresh_from_db()

        found = books.totals(opening, by=second, on=ON)
        assert (found.posted_quarters, found.counted_quarters, found.agrees) == (12, 8, True)

    def test_hours_that_do_not_lead_to_the_statement_are_said_not_to(
        self, contract: Subscription, opening: BooksOpening, asking: User, second: User
    ) -> None:
        make.month_hours(counsellor(contract.organisation), contract.organisation, "2026-03", 40)
        books.agree(opening, by=second, on=ON)
        opening.refresh_from_db()

        assert not books.totals(opening, by=asking, on=ON).agrees


class TestTheDatabase:
    @pytest.mark.parametrize(
        "change",
        [
            {"reason": "advisor"},
            {"asked_on": ON - dt.timedelta(days=30)},
            {"agreed_on": ON + dt.timedelta(days=30)},
        ],
    )
    def test_what_was_asked_and_agreed_never_changes(
        self, opening: BooksOpening, second: User, change: dict[str, object]
    ) -> None:
        books.agree(opening, by=second, on=ON)
        with pytest.raises(IntegrityError), transaction.atomic():
            BooksOpening.objects.filter(pk=opening.pk).update(**change)

    def test_it_is_never_deleted(self, opening: BooksOpening) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            opening.delete()

    def test_two_people_are_not_one(self, opening: BooksOpening, asking: User) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            BooksOpening.objects.filter(pk=opening.pk).update(agreed_by=asking, agreed_on=ON)

    @pytest.mark.parametrize("days", [-1, None])
    def test_an_agreement_has_a_day_after_the_asking(
        self, opening: BooksOpening, second: User, days: int | None
    ) -> None:
        on = None if days is None else ON + dt.timedelta(days=days)
        with pytest.raises(IntegrityError), transaction.atomic():
            BooksOpening.objects.filter(pk=opening.pk).update(agreed_by=second, agreed_on=on)


class TestThePages:
    @pytest.fixture(autouse=True)
    def on_20_april_2026(self, settings: Settings) -> None:
        settings.TODAY = ON

    def as_(self, user: User) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    def queue_of(self, user: User) -> str:
        return str(self.as_(user).get("/admin/").content.decode())

    def test_from_asking_to_looking(
        self, contract: Subscription, asking: User, second: User
    ) -> None:
        form = {"organisation": contract.organisation_id, "month": "2026-02", "reason": "client"}
        controller, auditor = self.as_(asking), self.as_(second)
        assert controller.post(f"{LIST}add/", form).status_code == 302
        opening = BooksOpening.objects.get()
        page = f"{LIST}{opening.pk}/totals/"
        assert "Nobody has agreed yet." in controller.get(page, follow=True).content.decode()
        said = auditor.post(LIST, {"action": "agree", "_selected_action": opening.pk}, follow=True)
        assert "The books of this period are open to you two." in said.content.decode()

        for browser in (controller, auditor):
            assert page in browser.get(f"{LIST}{opening.pk}/change/").content.decode()
            shown = browser.get(page).content.decode()
            assert "Advisor A-ORG1" in shown
            assert "This agrees with the statement." in shown
            assert "2026-02" not in shown
        actions = [action for _, _, action, _ in logged()]
        assert sorted(actions) == ["added", "agreed", "asked", "looked", "looked"]

    def test_who_may_agree_finds_it_in_the_queue_until_it_is_agreed_or_lapsed(
        self, opening: BooksOpening, asking: User, second: User, settings: Settings
    ) -> None:
        settings.TODAY = ON
        planner = make.user("planner", email="planner@people.example")
        waits = "opening of the books to agree to"
        leads_to = f"{LIST}?needs=agreement"

        assert [waits in self.queue_of(person) for person in (second, asking, planner)] == [1, 0, 0]
        assert leads_to in self.queue_of(second)
        assert str(opening.pk) in self.as_(second).get(leads_to).content.decode()
        assert str(opening.pk) not in self.as_(asking).get(leads_to).content.decode()

        settings.TODAY = ON + books.DAYS_OPEN + dt.timedelta(days=1)
        assert waits not in self.queue_of(second)  # it can only be asked again
        settings.TODAY = ON
        books.agree(opening, by=second, on=ON)
        assert waits not in self.queue_of(second)

    def test_a_month_without_a_statement_is_refused_at_the_form(
        self, contract: Subscription, asking: User
    ) -> None:
        form = {"organisation": contract.organisation_id, "month": "2026-04", "reason": "client"}
        page = self.as_(asking).post(f"{LIST}add/", form).content.decode()
        assert "No published statement with a figure covers this month." in page
        assert not BooksOpening.objects.exists()

    @pytest.mark.parametrize("role", ["planner", "administrator"])
    def test_others_of_staff_do_not_see_that_it_was_asked(
        self, opening: BooksOpening, role: str
    ) -> None:
        browser = self.as_(make.user(role, email="x@people.example"))
        for page in (LIST, f"{LIST}add/", f"{LIST}{opening.pk}/change/"):
            assert browser.get(page).status_code == 403
        assert browser.get(f"{LIST}{opening.pk}/totals/").status_code in {403, 404}

    def test_an_auditor_agrees_and_does_not_ask(self, second: User) -> None:
        assert self.as_(second).get(f"{LIST}add/").status_code == 403
