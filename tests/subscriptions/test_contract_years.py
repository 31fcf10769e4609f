"""Contract years and the prices that hold in them (design 5.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agency.month import MonthRange
from subscriptions.agreements import BASIC, EXTENDED, Band, NoPriceError
from tests.agreed import M, book, books, contract, extended_prices, months, prices


@pytest.mark.parametrize(
    ("agreed", "year_starts_in", "years"),
    [
        pytest.param(
            "2026-01/", 1, ["2026-01/2027-01", "2027-01/2028-01"], id="from January, running"
        ),
        pytest.param(
            "2026-05/", 5, ["2026-05/2027-05", "2027-05/2028-05"], id="from the start month"
        ),
        pytest.param(
            "2026-05/", 1, ["2026-05/2027-01", "2027-01/2028-01"], id="the first year is short"
        ),
        pytest.param(
            "2026-12/", 1, ["2026-12/2027-01", "2027-01/2028-01"], id="a first year of one month"
        ),
        pytest.param(
            "2026-01/2027-04", 1, ["2026-01/2027-01", "2027-01/2027-04"], id="the end cuts the last"
        ),
        pytest.param("2026-05/2026-11", 1, ["2026-05/2026-11"], id="short at both sides"),
        pytest.param(
            "2026-01/2027-01", 1, ["2026-01/2027-01"], id="an end on the anniversary cuts nothing"
        ),
    ],
)
def test_a_contract_year_is_12_months_from_the_start_month_or_the_month_named(
    agreed: str, year_starts_in: int, years: list[str]
) -> None:
    running = contract(agreed, year_starts_in=year_starts_in)
    assert [year.months for year in running.years(M("2028-01"))] == [months(y) for y in years]


def test_a_short_year_remembers_where_the_whole_year_starts() -> None:
    year = contract("2026-05/2026-11", year_starts_in=1).year_of(M("2026-06"))
    assert year.whole_start == M("2026-01")


@given(
    start=st.integers(0, 30),
    length=st.one_of(st.none(), st.integers(1, 40)),
    year_starts_in=st.integers(1, 12),
)
def test_contract_years_follow_one_another_without_a_gap(
    start: int, length: int | None, year_starts_in: int
) -> None:
    from_month = M("2024-01") + start
    term = MonthRange(from_month, None if length is None else from_month + length)
    running = contract(str(term), year_starts_in=year_starts_in)
    until = from_month + (length or 60)

    years = list(running.years(until))

    assert [month for year in years for month in year.months if month < until] == list(
        MonthRange(from_month, until)
    )
    assert all(len(year.months) <= 12 for year in years)
    assert all(year.first_month.number == year_starts_in for year in years[1:])
    assert all(running.year_of(month) == year for year in years for month in year.months)


NEWER = books(
    {
        "2020-01": book(prices(annual_fee_cents=1_000_00)),
        "2026-07": book(prices(annual_fee_cents=1_100_00)),
    }
)


@pytest.mark.parametrize(
    ("agreed", "month", "annual_fee_cents"),
    [
        pytest.param(
            "2026-01/", "2026-12", 1_000_00, id="a year keeps the book of its first month"
        ),
        pytest.param("2026-01/", "2027-01", 1_100_00, id="the next year takes the newer book"),
        pytest.param("2026-07/", "2026-07", 1_100_00, id="a book is valid from its own month"),
        pytest.param("2026-06/", "2026-07", 1_000_00, id="and not a month before"),
    ],
)
def test_prices_come_from_the_newest_book_valid_at_the_years_first_contract_month(
    agreed: str, month: str, annual_fee_cents: int
) -> None:
    agreement = contract(agreed, books=NEWER)
    assert agreement.prices(agreement.year_of(M(month)), BASIC).annual_fee_cents == annual_fee_cents


def test_a_short_first_year_takes_the_book_of_the_start_month() -> None:
    agreement = contract("2026-07/", year_starts_in=1, books=NEWER)
    assert agreement.prices(agreement.year_of(M("2026-12")), BASIC).annual_fee_cents == 1_100_00


@pytest.mark.parametrize(
    ("declared", "month", "headcount"),
    [
        pytest.param({"2026-01": 40}, "2026-01", 40, id="declared for the month"),
        pytest.param({"2025-03": 40}, "2026-01", 40, id="the latest of an earlier month"),
        pytest.param({"2025-03": 40, "2025-09": 60}, "2026-01", 60, id="the latest of several"),
        pytest.param({"2025-03": 40, "2026-02": 60}, "2026-01", 40, id="a later one not yet"),
        pytest.param({"2026-05": 40, "2026-08": 60}, "2026-01", 40, id="else the earliest"),
    ],
)
def test_the_headcount_known_is_the_latest_declared_by_then_else_the_earliest(
    declared: dict[str, int], month: str, headcount: int
) -> None:
    assert contract(headcount=declared).headcount(M(month)) == headcount


BANDS = books(
    {
        "2020-01": (
            Band(BASIC, 1, 50, prices(annual_fee_cents=500_00)),
            Band(BASIC, 51, None, prices(annual_fee_cents=900_00)),
        )
    }
)


@pytest.mark.parametrize(
    ("headcount", "annual_fee_cents"),
    [
        pytest.param(50, 500_00, id="the last of a band"),
        pytest.param(51, 900_00, id="the first of the next"),
        pytest.param(4_000, 900_00, id="a band without an end"),
    ],
)
def test_prices_are_those_of_the_headcounts_band(headcount: int, annual_fee_cents: int) -> None:
    agreement = contract(headcount=headcount, books=BANDS)
    year = agreement.year_of(M("2026-01"))
    assert agreement.prices(year, BASIC).annual_fee_cents == annual_fee_cents


def test_a_headcount_that_grows_changes_the_band_at_the_next_contract_year() -> None:
    agreement = contract(headcount={"2025-01": 40, "2026-02": 80}, books=BANDS)
    fees = [
        agreement.prices(agreement.year_of(M(month)), BASIC).annual_fee_cents
        for month in ("2026-01", "2026-12", "2027-01")
    ]
    assert fees == [500_00, 500_00, 900_00]


def test_own_prices_replace_the_books_for_the_tier_that_was_signed_for() -> None:
    agreement = contract(own_annual_fee_cents=777_00, own_overage_rate_cents=99_00)
    year = agreement.year_of(M("2026-01"))

    assert agreement.prices(year, BASIC) == prices(
        annual_fee_cents=777_00, overage_rate_cents=99_00
    )
    assert agreement.prices(year, EXTENDED) == extended_prices()


def test_an_own_price_of_nothing_is_a_price_too() -> None:
    agreement = contract(own_annual_fee_cents=0, own_included_quarters=0)
    assert agreement.prices(agreement.year_of(M("2026-01")), BASIC) == prices(
        annual_fee_cents=0, included_quarters=0
    )


def test_new_own_prices_hold_from_the_next_contract_year() -> None:
    agreement = contract(
        own_annual_fee_cents=700_00, choices=[("2026-03", {"own_annual_fee_cents": 800_00})]
    )
    fees = [
        agreement.prices(agreement.year_of(M(month)), BASIC).annual_fee_cents
        for month in ("2026-01", "2026-12", "2027-01")
    ]
    assert fees == [700_00, 700_00, 800_00]


def test_prices_that_were_frozen_hold_whatever_the_books_say_later() -> None:
    frozen = prices(annual_fee_cents=1_00)
    agreement = contract(own_annual_fee_cents=777_00, frozen_prices={(M("2026-01"), BASIC): frozen})
    assert agreement.prices(agreement.year_of(M("2026-06")), BASIC) == frozen
    assert agreement.prices(agreement.year_of(M("2027-06")), BASIC).annual_fee_cents == 777_00


@pytest.mark.parametrize(
    ("agreed", "headcount"),
    [
        pytest.param("2019-12/", 100, id="before the first book"),
        pytest.param("2026-01/", 51, id="a headcount beyond the bands"),
    ],
)
def test_a_year_without_a_price_says_so(agreed: str, headcount: int) -> None:
    agreement = contract(
        agreed, headcount=headcount, books=books({"2020-01": (Band(BASIC, 1, 50, prices()),)})
    )
    if headcount == 100:
        agreement = contract(agreed)
    with pytest.raises(NoPriceError):
        agreement.prices(agreement.year_of(M(agreed[:7])), BASIC)
