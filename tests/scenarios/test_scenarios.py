"""Eighty clients over three contract years, each with what it should be sent and told by design 5.

Worked out by hand from the rules, with the arithmetic beside it. What does not exist is not walked:
quotes, payment plans, write-offs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import transaction
from django.utils.translation import override

from tests import factories as make
from tests.scenarios.crossed import CROSSED
from tests.scenarios.fees import FEES, TIERS
from tests.scenarios.papers import CREDITS, ORDERS, PAUSES, PAYERS, SESSIONS, TAKEOVERS, VAT
from tests.scenarios.use import CARDS, CARRY_OVER, USE
from tests.scenarios.walk import (
    Scenario,
    Told,
    World,
    expected_documents,
    expected_statements,
)

if TYPE_CHECKING:
    from pytest_django.plugin import DjangoDbBlocker

pytestmark = pytest.mark.django_db

SCENARIOS = (
    *(*FEES, *TIERS, *USE, *CARDS, *CARRY_OVER),
    *(*VAT, *PAYERS, *TAKEOVERS, *ORDERS, *SESSIONS, *PAUSES, *CREDITS, *CROSSED),
)
RISE_CENTS = 60_00


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> tuple[dict[str, Told], list[str]]:
    """Walk all scenarios at once, and give what was told and what the audit finds; keep nothing."""
    with django_db_blocker.unblock(), override("en"), transaction.atomic():
        made = World(SCENARIOS)
        dearer_book()
        made.walk()
        found = made.told(), made.violations()
        transaction.set_rollback(True)
    return found


def dearer_book() -> None:
    """Let a book that is 60.00 a year dearer be valid from January 2028 on."""
    book = make.price_book("2028-01", bands=False)
    for tier, at_least, at_most, fee, setup, hours, sessions, rate in make.BANDS:
        make.price_band(
            book, tier, at_least, at_most,
            annual_fee_cents=fee * 100 + RISE_CENTS, setup_fee_cents=setup * 100,
            included_quarters=hours * 4, included_sessions=sessions,
            overage_rate_cents=rate * 100,
        )  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_client_is_sent_and_told_what_its_contract_says(
    scenario: Scenario, world: tuple[dict[str, Told], list[str]]
) -> None:
    told = world[0][scenario.name]
    assert told.documents == expected_documents(scenario.documents)
    assert told.statements == expected_statements(scenario.statements)


def test_the_books_are_clean_at_the_end(world: tuple[dict[str, Told], list[str]]) -> None:
    assert len(world[0]) == len(SCENARIOS) >= 60
    assert world[1] == []
