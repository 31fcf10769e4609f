"""Hours used and included, and what holds of every year (design 5.3 and 5.4)."""

from __future__ import annotations

from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agency.month import Month, MonthRange
from subscriptions.agreements import EXTENDED, Contract
from subscriptions.use import Card, Stated, included
from tests.agreed import M, contract, months
from tests.stated import card, holding, overages, statements, used


class TestIncludedHours:
    @pytest.mark.parametrize(
        ("agreed", "yearly", "hours"),
        [
            pytest.param("2026-01/", 20, 20, id="a whole year"),
            pytest.param("2026-04/", 20, 15, id="nine months"),
            pytest.param("2026-02/", 20, 18.5, id="18.33 rounded up to half hours"),
            pytest.param("2026-12/", 20, 2, id="1.67 rounded up to half hours"),
            pytest.param("2026-01/2026-06", 20, 8.5, id="8.33, cut by the end"),
            pytest.param("2026-01/", 0, 0, id="none"),
            pytest.param("2026-01/", 0.25, 0.5, id="a quarter is rounded up to half an hour"),
        ],
    )
    def test_a_year_includes_its_share_of_the_yearly_hours_rounded_up_to_half_hours(
        self, agreed: str, yearly: float, hours: float
    ) -> None:
        agreement = contract(agreed, year_starts_in=1, **holding(yearly))
        year = agreement.year_of(agreement.months.from_month)
        assert included(agreement, year, year.until_month) == hours * 4

    def test_each_month_includes_a_twelfth_of_its_tiers_hours(self) -> None:
        # Three months of 8 hours a year and nine of 43 are 34.25 hours, rounded up.
        agreement = contract(requests=[("2026-04", EXTENDED)], **holding(8))
        year = agreement.year_of(M("2026-01"))
        assert included(agreement, year, M("2027-01")) == 34.5 * 4

    @pytest.mark.parametrize(
        ("until", "hours"),
        [
            pytest.param("2026-04", 8, id="a change in the month after is not counted"),
            pytest.param("2026-05", 34.5, id="the last month's tier counts for the later months"),
        ],
    )
    def test_a_statement_counts_changes_before_its_end_and_takes_its_last_months_tier_for_the_rest(
        self, until: str, hours: float
    ) -> None:
        agreement = contract(requests=[("2026-04", EXTENDED)], **holding(8))
        year = agreement.year_of(M("2026-01"))
        assert included(agreement, year, M(until)) == hours * 4

    @given(yearly=st.integers(0, 400), start=st.integers(0, 11), length=st.integers(1, 24))
    def test_the_rounding_is_up_and_by_less_than_half_an_hour(
        self, yearly: int, start: int, length: int
    ) -> None:
        from_month = M("2026-01") + start
        term = MonthRange(from_month, from_month + length)
        agreement = contract(str(term), year_starts_in=1, **holding(yearly / 4))
        year = agreement.year_of(from_month)
        exact = Fraction(yearly * len(year.months), 12)
        assert included(agreement, year, year.until_month) % 2 == 0
        assert 0 <= included(agreement, year, year.until_month) - exact < 2


class TestUse:
    @pytest.mark.attack(10)
    @pytest.mark.parametrize(
        ("hours", "shown"),
        [
            pytest.param({"2026-01": 4}, 4, id="whole hours"),
            pytest.param({"2026-01": 4.25}, 4.5, id="rounded up to half hours"),
            pytest.param({"2026-01": 1.25, "2026-03": 1.25}, 2.5, id="once, not month by month"),
            pytest.param({}, 0, id="nothing"),
            pytest.param({"2026-01": -1}, 0, id="never below 0"),
            pytest.param({"2026-01": 3, "2026-02": -1}, 2, id="corrections inside the period"),
        ],
    )
    def test_a_periods_posted_quarters_are_rounded_up_once_to_half_hours(
        self, hours: dict[str, float], shown: float
    ) -> None:
        assert used(contract(), hours, until="2026-04") == [shown]

    def test_a_negative_rest_passes_to_the_next_period(self) -> None:
        agreement = contract(**holding(0))
        hours = {"2026-02": -3.0, "2026-05": 5.0}
        assert used(agreement, hours, until="2026-07") == [0, 2]
        assert overages(agreement, hours, until="2026-07") == [0, 2]

    def test_a_negative_rest_passes_over_as_many_periods_as_it_takes(self) -> None:
        hours = {"2026-02": -3.0, "2026-05": 1.0, "2026-08": 4.0}
        assert used(contract(), hours, until="2026-10") == [0, 0, 2]

    def test_no_use_leaves_no_rest(self) -> None:
        assert used(contract(), {"2026-05": 8.25}) == [0, 8.5, 0, 0]

    def test_a_negative_rest_stays_in_its_contract_year(self) -> None:
        hours = {"2026-12": -3.0, "2027-01": 5.0}
        assert used(contract(), hours, until="2027-04")[-1] == 5

    def test_quarters_left_over_by_the_rounding_are_not_carried_to_the_next_period(self) -> None:
        assert used(contract(), {"2026-01": 0.25, "2026-04": 0.25}, until="2026-07") == [0.5, 0.5]

    def test_only_the_months_of_the_period_count(self) -> None:
        hours = {"2025-12": 9.0, "2026-01": 1.0, "2026-03": 2.0, "2026-04": 9.0}
        assert used(contract(), hours, until="2026-04") == [3]


@st.composite
def stories(draw: st.DrawFn) -> tuple[Contract, dict[str, float], list[Card]]:
    """Draw a contract of any size and choice with two years of hours, corrections and cards."""
    agreement = contract(
        headcount=draw(st.sampled_from([5, 20, 100, 300])),
        year_starts_in=draw(st.sampled_from([1, 1, 7])),
        overage=draw(st.sampled_from(["bill", "bill", "cap"])),
        requests=draw(st.sampled_from([(), [("2026-05", EXTENDED)]])),
        reported_until=draw(st.sampled_from(["2026-01", "2026-04"])),
        carry_over_basis_points=draw(st.sampled_from([0, 5_000])),
        carry_over_cap_quarters=draw(st.sampled_from([0, 16])),
    )
    hours = draw(
        st.dictionaries(st.integers(0, 23), st.integers(-20, 60).map(lambda q: q / 4), max_size=10)
    )
    cards = [
        card(number, f"{M('2026-01') + start}/{M('2026-01') + start + 12}", size)
        for number, (start, size) in enumerate(
            draw(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 8)), max_size=2)), start=1
        )
    ]
    return agreement, {str(M("2026-01") + step): number for step, number in hours.items()}, cards


@given(stories())
def test_overage_is_never_negative_and_never_twice(
    story: tuple[Contract, dict[str, float], list[Card]],
) -> None:
    agreement, hours, cards = story
    made = statements(agreement, hours, cards, until="2028-01")
    for year in agreement.years(M("2028-01")):
        of_year = [m for m in made if m.release.months.from_month in year.months]
        posted = sum(max(0, round(hours.get(str(m), 0) * 4)) for m in year.months)
        over = sum(m.overage_quarters for m in of_year)
        assert all(m.overage_quarters >= 0 and m.overage_quarters % 2 == 0 for m in of_year)
        assert over <= posted + 2 * len(of_year)  # a half hour of rounding for each period
        assert sum(m.credit_quarters for m in of_year) <= over


@given(stories())
def test_cards_are_never_overdrawn_nor_used_outside_their_months(
    story: tuple[Contract, dict[str, float], list[Card]],
) -> None:
    agreement, hours, cards = story
    taken: dict[UUID, int] = {}
    for made in statements(agreement, hours, cards, until="2028-01"):
        for used_card, quarters in made.card_uses:
            taken[used_card.key] = taken.get(used_card.key, 0) + quarters
            assert used_card.months.overlaps(made.release.months)
    assert all(taken.get(one.key, 0) <= one.left_quarters for one in cards)


@given(stories())
def test_each_hour_of_a_year_is_included_on_a_card_or_stated_as_overage_once(
    story: tuple[Contract, dict[str, float], list[Card]],
) -> None:
    agreement, hours, cards = story
    if agreement.requests or agreement.choices[0].overage == "cap":
        return  # an allowance that grows, or hours that nobody pays
    if agreement.reported_until > M("2026-01"):
        return  # overage that another system billed
    made = statements(agreement, hours, cards, until="2028-01")
    for year in agreement.years(M("2028-01")):
        of_year = [m for m in made if m.release.months.from_month in year.months]
        if not of_year or any(m.release.display == "withheld" for m in of_year):
            continue
        use = sum(m.used_quarters for m in of_year)
        from_cards = sum(quarters for m in of_year for _, quarters in m.card_uses)
        over = sum(m.overage_quarters for m in of_year)
        assert over == max(0, use - of_year[-1].allowance_quarters - from_cards)


@pytest.mark.attack(3)
@given(
    stories(),
    st.lists(st.tuples(st.integers(0, 23), st.integers(0, 2), st.integers(-8, 8)), max_size=6),
)
def test_moving_hours_between_the_months_of_a_period_changes_no_statement(
    story: tuple[Contract, dict[str, float], list[Card]], moves: list[tuple[int, int, int]]
) -> None:
    agreement, hours, cards = story
    before = statements(agreement, hours, cards, until="2028-01")
    moved = dict(hours)
    for start, step, quarters in moves:
        source, target = M("2026-01") + start, M("2026-01") + start + step
        period = next((m.release.months for m in before if source in m.release.months), None)
        if period and target in period:
            moved[str(source)] = moved.get(str(source), 0) - quarters / 4
            moved[str(target)] = moved.get(str(target), 0) + quarters / 4
    assert statements(agreement, moved, cards, until="2028-01") == before


def test_moving_hours_out_of_a_period_does_change_its_statement() -> None:
    before = statements(contract(), {"2026-03": 1})
    assert statements(contract(), {"2026-04": 1}) != before


@pytest.mark.attack(1)
@given(stories(), st.integers(1, 23), st.integers(-40, 40))
def test_hours_of_later_months_change_nothing_that_was_published(
    story: tuple[Contract, dict[str, float], list[Card]], step: int, quarters: int
) -> None:
    agreement, hours, cards = story
    month: Month = M("2026-01") + step
    later = hours | {str(month): hours.get(str(month), 0) + quarters / 4}
    published = statements(agreement, hours, cards, until=str(month))
    assert statements(agreement, later, cards, until="2028-01")[: len(published)] == published


def test_only_exact_and_band_periods_count() -> None:
    shown = [
        Stated(
            months=months("2026-01/2026-04"), display=display, overage_quarters=0, card_quarters=0
        ).counts
        for display in ("exact", "band", "withheld", "all_in")
    ]
    assert shown == [True, True, False, False]
