"""A headcount counts from a month to come, once staff confirm it; a finer figure takes two."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from agency.models import Headcount, Organisation, User
from agency.month import Month
from subscriptions import declarations
from subscriptions.models import HeadcountDeclaration, RequestState
from tests import factories as make

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 4, 8)
MAY = Month.of(2026, 5)


@pytest.fixture
def organisation() -> Organisation:
    row = make.organisation()
    make.headcount(row, 20, "2026-01")
    return row


@pytest.fixture
def planner() -> User:
    return make.user("planner")


@pytest.fixture
def controller() -> User:
    return make.user("controller")


def declared(organisation: Organisation, headcount: int, by: User) -> HeadcountDeclaration:
    return declarations.declare(organisation, month=MAY, headcount=headcount, by=by, on=ON)


def counted() -> list[int]:
    return list(Headcount.objects.order_by("month").values_list("headcount", flat=True))


def test_what_a_client_declares_counts_once_staff_confirm_it(
    organisation: Organisation, planner: User
) -> None:
    row = declared(organisation, 22, by=make.contact(organisation).user)
    assert counted() == [20]

    assert declarations.confirm(row, by=planner, on=ON)
    assert declarations.confirm(row, by=planner, on=ON)
    assert counted() == [20, 22]


def test_what_staff_declare_counts_at_once(organisation: Organisation, planner: User) -> None:
    declared(organisation, 15, by=planner)

    assert counted() == [20, 15]


@pytest.mark.parametrize(("before", "after"), [(10, 11), (25, 26), (250, 251), (5, 400)])
def test_a_rise_across_a_threshold_takes_two_people(
    before: int, after: int, planner: User, controller: User
) -> None:
    organisation = make.organisation()
    make.headcount(organisation, before, "2026-01")

    row = declared(organisation, after, by=planner)
    with pytest.raises(declarations.DeclarationError, match="Iemand anders"):
        declarations.confirm(row, by=planner, on=ON)
    assert counted() == [before]

    assert declarations.confirm(row, by=controller, on=ON)
    assert counted() == [before, after]


@pytest.mark.parametrize(("before", "after"), [(11, 25), (26, 250), (251, 900), (300, 5)])
def test_any_other_change_takes_one(before: int, after: int, planner: User) -> None:
    organisation = make.organisation()
    make.headcount(organisation, before, "2026-01")

    declared(organisation, after, by=planner)

    assert counted() == [before, after]


def test_a_client_is_not_one_of_the_two(
    organisation: Organisation, planner: User, controller: User
) -> None:
    row = declared(organisation, 30, by=make.contact(organisation).user)

    assert not declarations.confirm(row, by=planner, on=ON)
    assert declarations.confirm(row, by=controller, on=ON)


def test_a_month_that_has_begun_is_refused(organisation: Organisation, planner: User) -> None:
    with pytest.raises(declarations.DeclarationError, match="nog niet is begonnen"):
        declarations.declare(organisation, month=Month.of(2026, 4), headcount=22, by=planner, on=ON)


def test_a_declaration_that_waited_too_long_is_refused(
    organisation: Organisation, planner: User
) -> None:
    row = declared(organisation, 22, by=make.contact(organisation).user)

    with pytest.raises(declarations.DeclarationError, match="is begonnen"):
        declarations.confirm(row, by=planner, on=dt.date(2026, 5, 1))
    assert counted() == [20]


def test_one_declaration_waits_at_a_time(organisation: Organisation, planner: User) -> None:
    declared(organisation, 30, by=planner)

    with pytest.raises(declarations.DeclarationError, match="wacht al"):
        declarations.declare(organisation, month=MAY + 1, headcount=22, by=planner, on=ON)


def test_what_was_declined_changes_nothing(
    organisation: Organisation, planner: User, controller: User
) -> None:
    row = declared(organisation, 30, by=planner)

    declarations.decline(row)

    with pytest.raises(declarations.DeclarationError, match="afgewezen"):
        declarations.confirm(row, by=controller, on=ON)
    assert counted() == [20]


def test_the_database_wants_two_people_too(organisation: Organisation, planner: User) -> None:
    row = declared(organisation, 30, by=planner)

    with pytest.raises(IntegrityError, match="two_people_are_not_one"), transaction.atomic():
        HeadcountDeclaration.objects.filter(pk=row.pk).update(
            seconded_by=planner, state=RequestState.CONFIRMED
        )
