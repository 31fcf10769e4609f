"""Contracts read from the database as plain data."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from agency.models import Organisation
from subscriptions import contracts
from subscriptions.agreements import BASIC, EXTENDED, Contract, Prices
from subscriptions.models import Subscription
from tests import factories as make
from tests.agreed import M, months
from tests.clients import client, close, stated, worked

pytestmark = pytest.mark.django_db


def loaded(subscription: Subscription) -> Contract:
    return contracts.load()[subscription.pk]


def test_a_contract_has_what_was_agreed() -> None:
    row = client(
        start="2026-03",
        tier="extended",
        headcount={"2025-01": 40, "2026-02": 60},
        year_starts_in=1,
        until_month=M("2027-03"),
        billing_interval=3,
        first_run=M("2026-05"),
        reported_until=M("2026-04"),
        carry_over_basis_points=5_000,
        carry_over_cap_quarters=16,
        overage="cap",
        release="year",
        own_annual_fee_cents=777_00,
    )
    agreement = loaded(row)
    assert agreement.months == months("2026-03/2027-03")
    assert (agreement.tier, agreement.year_starts_in, agreement.interval) == (EXTENDED, 1, 3)
    assert (agreement.first_run, agreement.reported_until) == (M("2026-05"), M("2026-04"))
    assert (agreement.carry_over_basis_points, agreement.carry_over_cap_quarters) == (5_000, 16)
    assert agreement.headcounts == ((M("2025-01"), 40), (M("2026-02"), 60))
    (choices,) = agreement.choices
    assert (choices.overage, choices.release, choices.own_annual_fee_cents) == (
        "cap",
        "year",
        777_00,
    )
    assert agreement.predecessor is None


def test_contract_years_start_in_the_start_month_unless_another_is_named() -> None:
    assert loaded(client("ORG1", "2026-05")).year_starts_in == 5
    assert loaded(client("ORG2", "2026-05", year_starts_in=9)).year_starts_in == 9


def test_tier_changes_are_requests_and_other_versions_are_choices() -> None:
    row = client()
    make.terms(row, "2026-05", "extended")
    make.terms(row, "2027-01", "basic", reason="own_price", own_annual_fee_cents=1_00)
    agreement = loaded(row)
    assert agreement.requests == ((M("2026-05"), EXTENDED),)
    assert [(str(c.from_month), c.own_annual_fee_cents) for c in agreement.choices] == [
        ("2026-01", None),
        ("2027-01", 1_00),
    ]


def test_frozen_prices_are_those_of_the_contract() -> None:
    row, other = client("ORG1"), client("ORG2")
    make.year_price(row, "2026-01", "basic", annual_fee_cents=1_00)
    assert loaded(row).frozen_prices == {
        (M("2026-01"), BASIC): Prices(
            annual_fee_cents=1_00,
            setup_fee_cents=450_00,
            included_quarters=80,
            included_sessions=1,
            overage_rate_cents=125_00,
        )
    }
    assert loaded(other).frozen_prices == {}


def test_price_books_come_in_order_of_the_month_they_are_valid_from() -> None:
    row = client()
    for month in ("2024-01", "2022-01"):
        make.price_band(make.price_book(month, bands=False))
    assert [str(month) for month, _ in loaded(row).books.books] == ["2020-01", "2022-01", "2024-01"]


@pytest.mark.parametrize(
    ("start", "year_starts_in"),
    [
        pytest.param("2025-06", 3, id="at once"),
        pytest.param("2026-06", 3, id="12 months after the end"),
        pytest.param("2026-07", 7, id="13 months after the end"),
    ],
)
def test_a_contract_that_starts_within_12_months_of_the_end_of_another_keeps_its_contract_year(
    start: str, year_starts_in: int
) -> None:
    old = client("ORG1", "2024-03", until_month=M("2025-06"))
    new = make.subscription(old.organisation, start)
    agreement = loaded(new)
    assert agreement.year_starts_in == year_starts_in
    assert (agreement.predecessor == loaded(old)) is (year_starts_in == 3)


def test_the_year_is_kept_over_several_contracts_whatever_they_say_themselves() -> None:
    first = client("ORG1", "2024-03", until_month=M("2025-01"))
    make.subscription(first.organisation, "2025-01", until_month=M("2025-05"), year_starts_in=8)
    last = make.subscription(first.organisation, "2025-09")
    assert loaded(last).year_starts_in == 3


def test_the_contract_of_another_client_keeps_nothing() -> None:
    client("ORG1", "2024-03", until_month=M("2025-06"))
    assert loaded(client("ORG2", "2025-06")).year_starts_in == 6


def test_a_small_client_that_changes_contract_inside_a_year_shows_nothing_in_it() -> None:
    old = client("ORG1", "2026-01", headcount=20, until_month=M("2026-07"), hours={"2026-02": 1})
    make.subscription(old.organisation, "2026-07", "basic")
    worked(old.organisation, {"2026-08": 9, "2027-02": 3})
    close(*[str(M("2026-01") + step) for step in range(24)])
    assert [row.split(" over")[0] for row in stated()] == [
        "2026-01/2026-07 exact 1 of 0",
        "2026-07/2027-01 withheld None of 0",
        "2027-01/2028-01 exact 3 of 0",
    ]


def test_only_the_organisations_asked_for_are_read() -> None:
    row = client("ORG1")
    client("ORG2")
    found = contracts.load([Organisation.objects.get(code="ORG1").pk])
    assert list(found) == [row.pk]
    assert contracts.load([]) == {}


def test_contracts_are_read_in_a_fixed_number_of_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client("ORG0")
    with django_assert_num_queries(6):
        contracts.load()
    for number in range(1, 4):
        client(f"ORG{number}")
    with django_assert_num_queries(6):
        contracts.load()
