"""A random agency lives on, and its books never say anything but the facts."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.scenarios.machine import RandomAgency
from tests.weakened import weakened

pytestmark = pytest.mark.django_db


def live(agency: type[RandomAgency], lives: int, number: int) -> None:
    """Let an agency live so many lives; the first is the quietest that there is."""
    agency.happened.clear()
    how = settings(
        max_examples=lives,
        stateful_step_count=agency.months * agency.steps_a_month,
        phases=[Phase.generate],  # a life is too long to be made shorter
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(agency), settings=how)
    assert agency.happened["lives"] == lives


class ForHalfAYear(RandomAgency):
    months = 6


class ForAQuarter(RandomAgency):
    months = 4


@pytest.mark.parametrize("number", [6, 14])
def test_half_a_year_of_a_random_agency_leaves_nothing_unexplained(number: int) -> None:
    live(ForHalfAYear, 2, number)


@pytest.mark.long
@pytest.mark.parametrize("number", range(100, 110))
def test_two_years_of_a_random_agency_leave_nothing_unexplained(number: int) -> None:
    """Most that can happen does in ten lives, and processes die in all kinds of deeds."""
    live(RandomAgency, 10, number)
    assert len(RandomAgency.happened) >= 35
    assert sum(name.endswith(" dies") for name in RandomAgency.happened) >= 3


# The controls


def test_a_rule_with_a_hole_is_found_out() -> None:
    with (
        weakened("exact months for all"),
        pytest.raises(AssertionError, match="periods_close_when"),
    ):
        live(ForAQuarter, 2, 1)


@pytest.mark.parametrize("is_unnoticed", [False, True])
def test_a_payment_that_goes_unnoticed_is_found_out(*, is_unnoticed: bool) -> None:
    agency = RandomAgency()
    agency.the_next_month_begins(moment=None)
    agency.a_client_or_its_bank_acts(number=0, deed="pay")
    if is_unnoticed:
        with patch("subscriptions.inbox._move"), pytest.raises(AssertionError, match="'open'"):
            agency.both_sides_are_compared(moment=None)
    else:
        agency.both_sides_are_compared(moment=None)
    agency.teardown()
