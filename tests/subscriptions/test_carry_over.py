"""Hours carried over, and months that a former system reported (design 5.5 and section 8)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.agreements import EXTENDED, Contract
from tests.agreed import M, book, books, contract, extended_prices, months, prices
from tests.stated import allowances, holding, overages, statements


def carrying(percent: float, cap_hours: float, yearly: float = 20, **fields: Any) -> Contract:
    return contract(
        carry_over_basis_points=round(percent * 100),
        carry_over_cap_quarters=round(cap_hours * 4),
        **holding(yearly, **fields),
    )


class TestCarryOver:
    @pytest.mark.parametrize(
        ("percent", "cap", "hours", "allowance"),
        [
            pytest.param(0, 100, {}, 20, id="no carry-over agreed: unused hours lapse"),
            pytest.param(100, 100, {}, 40, id="all of them"),
            pytest.param(50, 100, {"2026-02": 10}, 25, id="half of the unused 10"),
            pytest.param(50, 3, {"2026-02": 10}, 23, id="at most the cap"),
            pytest.param(50, 0, {"2026-02": 10}, 20, id="an empty cap is 0"),
            pytest.param(33, 100, {"2026-02": 10}, 23, id="3.3 hours rounded down to 3"),
            pytest.param(38, 100, {"2026-02": 10}, 23.5, id="3.8 hours rounded down to 3.5"),
            pytest.param(12.5, 100, {"2026-02": 4}, 22, id="a percentage with decimals"),
            pytest.param(100, 100, {"2026-02": 30}, 20, id="nothing unused"),
        ],
    )
    def test_unused_hours_lapse_unless_a_percentage_is_carried_over(
        self, percent: float, cap: float, hours: dict[str, float], allowance: float
    ) -> None:
        made = allowances(carrying(percent, cap), hours, until="2027-04")
        assert made == [20, 20, 20, 20, allowance]

    def test_the_part_is_rounded_down_from_what_is_unused_and_no_more(self) -> None:
        # 98.83 % of 43 hours is 42.4969.
        assert allowances(carrying(98.83, 100, 43), {}, until="2027-04")[-1] == 43 + 42
        # 4.94 % of 20 hours is 0.988, also of a year that did not use the half hour carried in.
        assert allowances(carrying(4.94, 100), {}, until="2028-04")[::4] == [20, 20.5, 20.5]

    def test_a_band_of_another_year_takes_nothing_from_the_next_one(self) -> None:
        agreement = carrying(100, 100, headcount={"2025-01": 10, "2026-12": 100})
        assert allowances(agreement, {}, until="2028-04")[-1] == 40

    def test_hours_are_carried_over_for_one_year(self) -> None:
        agreement = carrying(100, 100)
        assert allowances(agreement, {"2026-02": 15}, until="2028-04")[::4] == [20, 25, 40]
        # 2027 uses the 5 hours carried in first, and 15 of its own: 5 are left for 2028.
        assert allowances(agreement, {"2026-02": 15, "2027-02": 20}, until="2028-04")[-1] == 25

    def test_hours_carried_in_are_used_first(self) -> None:
        agreement = carrying(100, 100)
        hours = {"2026-02": 15, "2027-02": 3}
        assert allowances(agreement, hours, until="2028-04")[-1] == 40

    def test_hours_carried_in_are_used_before_there_is_overage(self) -> None:
        hours = {"2026-02": 15, "2027-02": 26}
        assert overages(carrying(100, 100), hours, until="2027-04")[-1] == 1

    def test_hours_billed_as_overage_count_as_unused(self) -> None:
        # 22 used, 2 of them billed; then an upgrade lifts the year's allowance to 29 hours.
        agreement = carrying(100, 100, requests=[("2026-10", EXTENDED)])
        hours = {"2026-02": 22}
        lifted = allowances(agreement, hours)[-1]
        assert overages(agreement, hours) == [2, 0, 0, 0]
        assert allowances(agreement, hours, until="2027-04")[-1] == 43 + lifted - (22 - 2)

    @pytest.mark.parametrize(
        "fields",
        [
            pytest.param({"headcount": 10}, id="a band"),
            pytest.param({"release": "band"}, id="a band by choice"),
            pytest.param({"overage": "all_in"}, id="all-in"),
        ],
    )
    def test_nothing_is_carried_out_of_a_year_with_a_statement_that_is_not_exact(
        self, fields: dict[str, Any]
    ) -> None:
        made = allowances(carrying(100, 100, **fields), {}, until="2028-01")
        assert set(made) == {20}

    def test_one_withheld_statement_is_enough(self) -> None:
        agreement = contract(
            "2026-11/",
            year_starts_in=1,
            carry_over_basis_points=10_000,
            carry_over_cap_quarters=400,
            **holding(24),
        )
        assert allowances(agreement, {}, until="2027-04") == [4, 24]

    def test_capped_hours_above_the_allowance_leave_nothing_to_carry(self) -> None:
        agreement = carrying(100, 100, overage="cap")
        assert allowances(agreement, {"2026-02": 30}, until="2027-04")[-1] == 20

    @given(
        percent=st.integers(0, 10_000),
        cap=st.integers(0, 80),
        first=st.integers(0, 120),
        second=st.integers(0, 120),
    )
    def test_carried_hours_are_half_hours_at_most_the_cap_and_never_more_than_unused(
        self, percent: int, cap: int, first: int, second: int
    ) -> None:
        agreement = contract(
            headcount=20,
            carry_over_basis_points=percent,
            carry_over_cap_quarters=cap * 2,
            **holding(20),
        )
        hours = {"2026-02": first / 4, "2027-02": second / 4}
        years = statements(agreement, hours, until="2029-01")
        for before, year in pairwise(years):
            carried = year.allowance_quarters - 80
            carried_before = before.allowance_quarters - 80
            own_use = max(0, before.used_quarters - before.overage_quarters - carried_before)
            assert carried % 2 == 0
            assert 0 <= carried <= min(cap * 2, max(0, 80 - own_use))


class TestFormerSystem:
    """Months before ``reported_until`` (section 8)."""

    def test_reported_months_use_up_the_allowance_and_get_no_statement(self) -> None:
        agreement = contract(reported_until="2026-04")
        (first, *_) = statements(agreement, {"2026-02": 7, "2026-05": 3})
        assert first.release.months == months("2026-04/2026-07")
        assert (first.used_quarters, first.overage_quarters) == (3 * 4, 2 * 4)

    def test_their_overage_counts_as_stated(self) -> None:
        agreement = contract(reported_until="2026-04")
        assert overages(agreement, {"2026-02": 20, "2026-05": 3})[0] == 3

    @pytest.mark.parametrize(("overage", "carried"), [("bill", 8), ("cap", 4)])
    def test_their_overage_is_not_taken_as_stated_under_a_cap(
        self, overage: str, carried: float
    ) -> None:
        # 12 hours used of 8; then an upgrade lifts the year's allowance to 16 hours.
        both = book(prices(included_quarters=8 * 4), extended_prices(included_quarters=40 * 4))
        agreement = replace(
            carrying(
                100,
                100,
                overage=overage,
                requests=[("2026-10", EXTENDED)],
                reported_until="2026-04",
            ),
            books=books({"2020-01": both}),
        )
        made = allowances(agreement, {"2026-02": 12}, until="2027-04")
        assert made == [8, 8, 16, 40 + carried]

    def test_the_piece_is_rounded_like_a_period(self) -> None:
        agreement = contract(reported_until="2026-04")
        hours = {"2026-01": 3.25, "2026-02": 4, "2026-05": 1}
        assert overages(agreement, hours)[0] == 0.5  # 7.5 + 1 - 8

    @pytest.mark.parametrize(
        ("headcount", "reported_until", "over"),
        [
            pytest.param(251, "2026-02", 2, id="251 or more: one month counts"),
            pytest.param(26, "2026-03", 0, id="26 or more: two months count nothing"),
            pytest.param(26, "2026-04", 2, id="26 or more: three months count"),
            pytest.param(25, "2026-06", 0, id="fewer: five months count nothing"),
            pytest.param(25, "2026-07", 2, id="fewer: six months count"),
        ],
    )
    def test_a_piece_that_is_too_short_counts_nothing(
        self, headcount: int, reported_until: str, over: float
    ) -> None:
        agreement = contract(headcount=headcount, reported_until=reported_until)
        hours = {"2026-01": 4, str(M(reported_until)): 6}
        assert sum(overages(agreement, hours)) == over

    def test_a_year_reported_by_a_former_system_carries_over(self) -> None:
        agreement = carrying(100, 100, reported_until="2027-01")
        assert allowances(agreement, {"2026-05": 12}, until="2027-04") == [28]

    @pytest.mark.parametrize(
        ("fields", "allowance"),
        [
            pytest.param({"headcount": 10}, 20, id="10 people or fewer"),
            pytest.param({"headcount": 11}, 40, id="11 people"),
            pytest.param({"release": "band"}, 20, id="a band by choice"),
            pytest.param({"release": "year"}, 40, id="a year by choice"),
        ],
    )
    def test_a_reported_year_that_could_not_show_figures_carries_nothing(
        self, fields: dict[str, Any], allowance: float
    ) -> None:
        agreement = carrying(100, 100, reported_until="2027-01", **fields)
        assert set(allowances(agreement, {}, until="2028-01")) == {allowance}

    def test_a_year_with_too_few_reported_months_carries_nothing(self) -> None:
        # Two reported months of 26 or more are too few, also where the rest was exact.
        agreement = carrying(100, 100, reported_until="2026-03")
        assert allowances(agreement, {}, until="2027-04")[-1] == 20
