"""When a period closes, and how it shows (design 5.6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agency.month import Month, MonthRange
from subscriptions.agreements import Contract
from subscriptions.release import Release, Thresholds, periods, release
from tests.agreed import M, contract, months

POLICY = Thresholds()


def published(agreement: Contract, until: str) -> list[str]:
    """Give the periods of a contract that close before a month, as ``2026-01/2026-04 exact``."""
    month = open_from = max(agreement.months.from_month, agreement.reported_until)
    found = []
    while month < M(until) and month in agreement.months:
        if closing := release(agreement, open_from, month, POLICY):
            found.append(f"{closing.months} {closing.display}")
            open_from = month + 1
        month += 1
    return found


@pytest.mark.parametrize(
    ("headcount", "periods"),
    [
        pytest.param(
            251,
            ["2026-01/2026-02 exact", "2026-02/2026-03 exact", "2026-03/2026-04 exact"],
            id="251 or more: a month",
        ),
        pytest.param(250, ["2026-01/2026-04 exact"], id="250: a quarter"),
        pytest.param(26, ["2026-01/2026-04 exact"], id="26: a quarter"),
        pytest.param(25, [], id="25: the contract year"),
    ],
)
def test_the_least_length_follows_from_the_lowest_headcount(
    headcount: int, periods: list[str]
) -> None:
    assert published(contract(headcount=headcount), "2026-04") == periods


@pytest.mark.attack(5)
@pytest.mark.parametrize(
    ("headcount", "display"),
    [
        pytest.param(11, "exact", id="11: figures"),
        pytest.param(10, "band", id="10: a band"),
        pytest.param(1, "band", id="one person"),
    ],
)
def test_figures_are_shown_from_11_people_and_a_band_below(headcount: int, display: str) -> None:
    assert published(contract(headcount=headcount), "2027-01") == [f"2026-01/2027-01 {display}"]


@pytest.mark.attack(6)
@pytest.mark.parametrize(
    ("declared", "periods"),
    [
        pytest.param(
            {"2025-01": 300, "2026-02": 100},
            ["2026-01/2026-02 exact", "2026-02/2026-07 exact"],
            id="fewer since February: at once a quarter, of three months at least",
        ),
        pytest.param(
            {"2025-01": 100, "2026-02": 300},
            ["2026-01/2026-04 exact", "2026-04/2026-07 exact"],
            id="more since February: the year's first month still counts",
        ),
        pytest.param(
            {"2025-01": 100, "2026-02": 25, "2026-04": 100},
            ["2026-01/2027-01 exact"],
            id="fewer for two months of the open period",
        ),
        pytest.param(
            {"2025-01": 100, "2026-06": 9},
            ["2026-01/2026-04 exact", "2026-04/2027-01 withheld"],
            id="10 or fewer in the open period, which is not the whole year",
        ),
    ],
)
def test_n_is_the_lowest_of_the_years_first_month_and_the_open_period(
    declared: dict[str, int], periods: list[str]
) -> None:
    agreement = contract(headcount=declared)
    assert published(agreement, "2027-01")[: len(periods)] == periods


def test_quarters_are_those_of_the_whole_contract_year() -> None:
    agreement = contract("2026-02/", headcount=100, year_starts_in=2)
    assert published(agreement, "2026-12")[0] == "2026-02/2026-05 exact"


@pytest.mark.parametrize(
    ("start", "first"),
    [
        pytest.param("2026-01", "2026-01/2026-04 exact", id="begins with a quarter"),
        pytest.param("2026-02", "2026-02/2026-07 exact", id="two months are no quarter: on"),
        pytest.param("2026-03", "2026-03/2026-07 exact", id="one month is no quarter: on"),
    ],
)
def test_a_quarters_last_month_closes_a_period_of_at_least_three_months(
    start: str, first: str
) -> None:
    agreement = contract(f"{start}/", headcount=100, year_starts_in=1)
    assert published(agreement, "2026-10")[0] == first


def test_the_contract_years_last_month_always_closes() -> None:
    agreement = contract("2026-05/", headcount=25, year_starts_in=1)
    assert published(agreement, "2027-06") == ["2026-05/2027-01 exact"]


def test_the_contracts_last_month_always_closes() -> None:
    agreement = contract("2026-01/2026-09", headcount=25)
    assert published(agreement, "2027-06") == ["2026-01/2026-09 exact"]


@pytest.mark.parametrize(
    ("choice", "headcount", "periods"),
    [
        pytest.param("quarter", 300, ["2026-01/2026-04 exact"], id="a quarter for a month"),
        pytest.param("year", 300, [], id="a year for a month"),
        pytest.param("year", 100, [], id="a year for a quarter"),
        pytest.param("band", 300, [], id="a band for a month: the length of a year"),
        pytest.param("quarter", 25, [], id="never a quarter for a year"),
    ],
)
def test_a_contract_may_choose_a_coarser_class_never_a_finer_one(
    choice: str, headcount: int, periods: list[str]
) -> None:
    assert published(contract(headcount=headcount, release=choice), "2026-07")[:1] == periods


def test_a_band_by_choice_shows_a_year_as_a_band() -> None:
    agreement = contract(headcount=300, release="band")
    assert published(agreement, "2027-01") == ["2026-01/2027-01 band"]


def test_the_choice_of_a_class_changes_only_at_the_start_of_a_contract_year() -> None:
    agreement = contract(headcount=300, choices=[("2026-02", {"release": "year"})])
    assert published(agreement, "2026-04")[1] == "2026-02/2026-03 exact"
    assert published(agreement, "2028-01")[12:] == ["2027-01/2028-01 exact"]


@pytest.mark.parametrize("headcount", [5, 20, 100, 300])
@pytest.mark.parametrize("agreed", ["2026-12/", "2026-01/2026-02", "2026-01/"])
def test_all_in_shows_nothing_before_every_other_rule(headcount: int, agreed: str) -> None:
    agreement = contract(
        agreed, headcount=headcount, overage="all_in", release="band", year_starts_in=1
    )
    periods = published(agreement, "2027-01")
    assert periods
    assert {period.split()[1] for period in periods} == {"all_in"}


@pytest.mark.parametrize(
    ("agreed", "headcount", "last"),
    [
        pytest.param("2026-11/", 26, "2026-11/2027-01 withheld", id="26: two months"),
        pytest.param("2026-10/", 26, "2026-10/2027-01 exact", id="26: three months"),
        pytest.param("2026-08/", 25, "2026-08/2027-01 withheld", id="25: five months"),
        pytest.param("2026-07/", 25, "2026-07/2027-01 exact", id="25: six months"),
        pytest.param("2026-08/", 10, "2026-08/2027-01 withheld", id="10: five months"),
        pytest.param("2026-07/", 10, "2026-07/2027-01 band", id="10: six months, the whole year"),
        pytest.param("2026-12/", 251, "2026-12/2027-01 exact", id="251: a month is enough"),
        pytest.param("2026-01/2026-03", 100, "2026-01/2026-03 withheld", id="the end, 2 months"),
        pytest.param("2026-01/2026-06", 100, "2026-04/2026-06 withheld", id="2 after a quarter"),
        pytest.param("2026-01/2026-07", 100, "2026-04/2026-07 exact", id="a quarter and the end"),
        pytest.param("2026-01/2026-06", 20, "2026-01/2026-06 withheld", id="the end, 5 months"),
        pytest.param("2026-01/2026-07", 10, "2026-01/2026-07 band", id="10, the end, 6 months"),
    ],
)
def test_a_forced_closing_that_comes_too_soon_withholds(
    agreed: str, headcount: int, last: str
) -> None:
    agreement = contract(agreed, headcount=headcount, year_starts_in=1)
    assert published(agreement, "2027-01")[-1] == last


@pytest.mark.parametrize(
    ("choice", "last"),
    [
        pytest.param("", "2026-12/2027-01 exact", id="a month"),
        pytest.param("quarter", "2026-12/2027-01 withheld", id="a quarter by choice"),
        pytest.param("year", "2026-12/2027-01 withheld", id="a year by choice"),
        pytest.param("band", "2026-12/2027-01 withheld", id="a band by choice"),
    ],
)
def test_whether_a_month_is_enough_is_asked_after_the_contracts_choice(
    choice: str, last: str
) -> None:
    agreement = contract("2026-12/", headcount=300, release=choice, year_starts_in=1)
    assert published(agreement, "2027-01") == [last]


def test_three_months_are_enough_for_26_also_under_a_coarser_choice() -> None:
    agreement = contract("2026-10/", headcount=300, release="year", year_starts_in=1)
    assert published(agreement, "2027-01") == ["2026-10/2027-01 exact"]


@pytest.mark.parametrize(
    ("reported_until", "periods"),
    [
        pytest.param("2026-01", ["2026-01/2027-01 band"], id="nothing reported before"),
        pytest.param("2026-06", ["2026-06/2027-01 band"], id="all months since then"),
        pytest.param("2026-08", ["2026-08/2027-01 withheld"], id="five months are too few"),
    ],
)
def test_10_or_fewer_need_all_contract_months_since_the_former_system(
    reported_until: str, periods: list[str]
) -> None:
    agreement = contract(headcount=10, reported_until=reported_until)
    assert published(agreement, "2027-01") == periods


def test_the_first_release_period_begins_where_the_former_system_stopped() -> None:
    agreement = contract(headcount=100, reported_until="2026-02")
    assert published(agreement, "2026-10") == ["2026-02/2026-07 exact", "2026-07/2026-10 exact"]


def old_and_new(headcount: int | dict[str, int], *, start: str = "2026-07") -> Contract:
    """A contract from ``start`` on after one of 2025-01 until 2026-04, both of one client."""
    old = contract("2025-01/2026-04", headcount=headcount)
    return contract(f"{start}/", headcount=headcount, year_starts_in=1, predecessor=old)


@pytest.mark.attack(8)
@pytest.mark.parametrize(
    ("headcount", "periods"),
    [
        pytest.param(25, ["2026-07/2027-01 withheld"], id="25 or fewer: withheld"),
        pytest.param(
            26, ["2026-07/2026-10 exact", "2026-10/2027-01 exact"], id="26: as any other year"
        ),
        pytest.param(
            {"2025-01": 25, "2026-05": 300},
            ["2026-07/2027-01 withheld"],
            id="n counts the year's first month under the old contract",
        ),
        pytest.param(
            {"2025-01": 100, "2026-05": 300},
            ["2026-07/2026-10 exact", "2026-10/2027-01 exact"],
            id="and the class follows from it",
        ),
    ],
)
def test_a_contract_year_that_two_contracts_share(
    headcount: int | dict[str, int], periods: list[str]
) -> None:
    assert published(old_and_new(headcount), "2027-01") == periods


def test_only_the_year_that_both_share_is_withheld() -> None:
    assert published(old_and_new(20), "2028-01") == [
        "2026-07/2027-01 withheld",
        "2027-01/2028-01 exact",
    ]


def test_a_year_that_begins_after_the_old_contract_is_not_shared() -> None:
    assert published(old_and_new(20, start="2027-01"), "2028-01") == ["2027-01/2028-01 exact"]


def test_a_year_that_three_contracts_share_counts_its_first_month_under_each() -> None:
    counts = {"2025-01": 20, "2026-04": 300}
    first = contract("2026-01/2026-03", headcount=counts)
    second = contract("2026-04/2026-06", headcount=counts, year_starts_in=1, predecessor=first)
    third = contract("2026-07/", headcount=counts, year_starts_in=1, predecessor=second)
    assert published(second, "2027-01") == ["2026-04/2026-06 withheld"]
    assert published(third, "2027-02") == ["2026-07/2027-01 withheld", "2027-01/2027-02 exact"]


def test_a_year_that_begins_as_the_old_contract_ends_is_not_shared() -> None:
    old = contract("2025-01/2026-01", headcount=20)
    agreement = contract(headcount=20, year_starts_in=1, predecessor=old)
    assert published(agreement, "2027-01") == ["2026-01/2027-01 exact"]


@pytest.mark.parametrize(
    ("headcount", "length", "least"),
    [(1, 12, 6), (25, 12, 6), (26, 3, 3), (250, 3, 3), (251, 1, 3)],
)
def test_the_first_policy_asks_for_the_headcounts_of_the_price_bands(
    headcount: int, length: int, least: int
) -> None:
    policy = Thresholds()
    assert (policy.natural_length(headcount), policy.least_months(headcount)) == (length, least)
    assert policy.figures_from_headcount == 11


@pytest.mark.parametrize(("headcount", "display"), [(10, "withheld"), (11, "exact")])
def test_the_rest_of_a_year_that_was_stated_by_the_month_shows_use_of_11_people(
    headcount: int, display: str
) -> None:
    agreement = contract(headcount={"2026-01": 300, "2026-05": headcount})
    assert published(agreement, "2027-01")[-1] == f"2026-05/2027-01 {display}"


def test_the_periods_to_come_follow_one_another() -> None:
    coming = periods(contract(headcount=100), months("2026-01/2026-12"), Thresholds())
    assert [str(one.months) for one in coming] == [
        "2026-01/2026-04",
        "2026-04/2026-07",
        "2026-07/2026-10",
    ]


def test_thresholds_are_a_versioned_policy() -> None:
    stricter = Thresholds(
        month_from_headcount=1_000, quarter_from_headcount=500, figures_from_headcount=400
    )
    agreement = contract(headcount=300)
    assert release(agreement, M("2026-01"), M("2026-03"), stricter) is None
    assert release(agreement, M("2026-01"), M("2026-12"), stricter) == Release(
        months("2026-01/2027-01"), "band"
    )


@st.composite
def agreements(draw: st.DrawFn) -> Contract:
    """Draw contracts of every size, choice and length, with headcounts that move."""
    start = M("2025-01") + draw(st.integers(0, 11))
    length = draw(st.one_of(st.none(), st.integers(1, 30)))
    sizes = st.sampled_from([1, 10, 11, 25, 26, 250, 251, 900])
    counts = draw(st.dictionaries(st.integers(0, 30), sizes, min_size=1, max_size=4))
    reported = draw(st.integers(0, min(length or 14, 14)))
    return contract(
        str(MonthRange(start, None if length is None else start + length)),
        headcount={str(M("2025-01") + step): counts[step] for step in sorted(counts)},
        year_starts_in=draw(st.integers(1, 12)),
        overage=draw(st.sampled_from(["bill", "cap", "all_in"])),
        release=draw(st.sampled_from(["", "quarter", "year", "band"])),
        reported_until=str(start + reported),
    )


def lowest(agreement: Contract, period: MonthRange) -> int:
    """Give n of design 5.6, written anew: of the year's first contract month and the period's."""
    first = agreement.year_of(period.from_month).first_month
    return min(agreement.headcount(month) for month in [first, *period])


def closed(agreement: Contract) -> list[tuple[MonthRange, str]]:
    return [
        (months(text.split()[0]), text.split()[1])
        for text in published(agreement, str(agreement.months.from_month + 60))
    ]


@given(agreements())
def test_periods_follow_one_another_from_the_former_system_on_and_stay_in_their_year(
    agreement: Contract,
) -> None:
    expected: Month = max(agreement.months.from_month, agreement.reported_until)
    for period, _ in closed(agreement):
        assert period.from_month == expected
        assert agreement.year_of(period.last_month) == agreement.year_of(period.from_month)
        expected = period.until
    if agreement.months.until_month is not None:
        assert expected == agreement.months.until_month


@pytest.mark.attack(5, 6)
@given(agreements())
def test_no_figure_covers_fewer_people_or_months_than_the_policy_asks(agreement: Contract) -> None:
    for period, display in closed(agreement):
        n = lowest(agreement, period)
        if display == "exact":
            assert n >= 11
            assert len(period) >= (1 if n >= 251 else 3 if n >= 26 else 6)
        if display == "band":
            assert len(period) >= (3 if n >= 26 else 6)
