"""Hours used, included, carried over and charged (design 5.3, 5.4, 5.5 and section 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agency.month import Month, MonthRange
from subscriptions.agreements import BASIC, EXTENDED, Contract
from subscriptions.release import Thresholds, release
from subscriptions.use import Account, Card, Stated, account, included
from tests.agreed import M, book, books, contract, extended_prices, months, prices

POLICY = Thresholds()


def statements(
    agreement: Contract,
    hours: Mapping[str, float],
    cards: Sequence[Card] = (),
    *,
    until: str = "2027-01",
) -> list[Account]:
    """State the periods of a contract that end before a month, one after another.

    ``hours`` are those posted, by month.
    """
    quarters = {M(month): round(number * 4) for month, number in hours.items()}
    left = {card.key: card.left_quarters for card in cards}
    month = open_from = max(agreement.months.from_month, agreement.reported_until)
    stated: list[Stated] = []
    made = []
    while month < M(until) and month in agreement.months:
        closing = release(agreement, open_from, month, POLICY)
        month += 1
        if closing:
            now = [replace(card, left_quarters=left[card.key]) for card in cards]
            result = account(agreement, closing, quarters, stated, now, POLICY)
            for card, taken in result.card_uses:
                left[card.key] -= taken
            stated.append(
                Stated(
                    months=closing.months,
                    display=closing.display,
                    overage_quarters=result.overage_quarters,
                    card_quarters=sum(taken for _, taken in result.card_uses),
                )
            )
            made.append(result)
            open_from = month
    return made


def overages(
    agreement: Contract,
    hours: Mapping[str, float],
    cards: Sequence[Card] = (),
    *,
    until: str = "2027-01",
) -> list[float]:
    """Give the overage of each statement in hours."""
    made = statements(agreement, hours, cards, until=until)
    return [statement.overage_quarters / 4 for statement in made]


def used(agreement: Contract, hours: Mapping[str, float], *, until: str = "2027-01") -> list[float]:
    return [made.used_quarters / 4 for made in statements(agreement, hours, until=until)]


def allowances(
    agreement: Contract, hours: Mapping[str, float], *, until: str = "2027-01"
) -> list[float]:
    return [made.allowance_quarters / 4 for made in statements(agreement, hours, until=until)]


def holding(hours: float, **fields: Any) -> dict[str, Any]:
    """Give the fields of a contract whose year includes so many hours, by default of 100 people."""
    both = book(
        prices(included_quarters=round(hours * 4)),
        extended_prices(included_quarters=43 * 4),
    )
    return {"books": books({"2020-01": both}), **fields}


def card(key: int, valid: str, hours: float) -> Card:
    return Card(UUID(int=key), months(valid), round(hours * 4))


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

    def test_a_negative_rest_stays_in_its_contract_year(self) -> None:
        hours = {"2026-12": -3.0, "2027-01": 5.0}
        assert used(contract(), hours, until="2027-04")[-1] == 5

    def test_quarters_left_over_by_the_rounding_are_not_carried_to_the_next_period(self) -> None:
        assert used(contract(), {"2026-01": 0.25, "2026-04": 0.25}, until="2026-07") == [0.5, 0.5]

    def test_only_the_months_of_the_period_count(self) -> None:
        hours = {"2025-12": 9.0, "2026-01": 1.0, "2026-03": 2.0, "2026-04": 9.0}
        assert used(contract(), hours, until="2026-04") == [3]


class TestOverage:
    def test_23_25_hours_used_with_20_included_are_3_5_hours_over(self) -> None:
        agreement = contract(headcount=20, **holding(20))
        (year,) = statements(agreement, {"2026-03": 20, "2026-11": 3.25})
        assert (year.used_quarters, year.overage_quarters) == (23.5 * 4, 3.5 * 4)

    @pytest.mark.parametrize(
        ("hours", "over"),
        [
            pytest.param({"2026-02": 8}, [0, 0, 0, 0], id="exactly the included hours"),
            pytest.param({"2026-02": 9}, [1, 0, 0, 0], id="one hour over"),
            pytest.param(
                {"2026-02": 9, "2026-05": 2}, [1, 2, 0, 0], id="only the new part, never twice"
            ),
            pytest.param({"2026-02": 5, "2026-05": 5}, [0, 2, 0, 0], id="over in the second"),
            pytest.param(
                {"2026-02": 12, "2026-05": -4, "2026-08": 4},
                [4, 0, 0, 0],
                id="what a correction takes back is not charged again",
            ),
        ],
    )
    def test_overage_is_what_passes_the_allowance_and_was_not_stated_yet(
        self, hours: dict[str, float], over: list[float]
    ) -> None:
        assert overages(contract(), hours) == over

    def test_after_an_upgrade_there_is_no_overage_until_use_passes_43_and_the_23_hours_billed(
        self,
    ) -> None:
        # 11/12 of 46 hours and 1/12 of 8 are 43 hours, rounded up.
        both = book(prices(included_quarters=8 * 4), extended_prices(included_quarters=46 * 4))
        agreement = contract(
            headcount=300, requests=[("2026-02", EXTENDED)], books=books({"2020-01": both})
        )
        hours = {"2026-01": 31.0, "2026-02": 12.0, "2026-03": 23.0, "2026-04": 1.0}
        assert allowances(agreement, hours, until="2026-05") == [8, 43, 43, 43]
        assert overages(agreement, hours, until="2026-05") == [23, 0, 0, 1]

    def test_a_new_contract_year_starts_from_nothing(self) -> None:
        assert overages(contract(), {"2026-02": 20, "2027-02": 8}, until="2028-01") == [
            12,
            *[0] * 7,
        ]

    def test_cap_states_no_overage_and_counts_none_as_stated(self) -> None:
        agreement = contract(overage="cap")
        made = statements(agreement, {"2026-02": 20, "2026-05": 3})
        assert [m.used_quarters / 4 for m in made[:2]] == [20, 3]
        assert [m.overage_quarters for m in made] == [0, 0, 0, 0]

    def test_all_in_shows_no_use_and_charges_nothing(self) -> None:
        made = statements(contract(overage="all_in"), {"2026-02": 20})
        assert {(m.used_quarters, m.overage_quarters, m.release.display) for m in made} == {
            (0, 0, "all_in")
        }

    def test_the_choice_changes_only_at_the_start_of_a_contract_year(self) -> None:
        agreement = contract(choices=[("2026-02", {"overage": "cap"})])
        hours = {"2026-05": 20, "2027-05": 20}
        assert overages(agreement, hours, until="2028-01") == [0, 12, *[0] * 6]

    def test_a_withheld_period_counts_and_charges_nothing(self) -> None:
        # January to November in quarters; the last two months are too few for 26 or more.
        agreement = contract("2026-01/2026-09", **holding(1))
        made = statements(agreement, {"2026-02": 1, "2026-07": 30})
        assert [(m.release.display, m.used_quarters, m.overage_quarters) for m in made] == [
            ("exact", 4, 0),
            ("exact", 0, 0),
            ("withheld", 0, 0),
        ]


class TestCards:
    def test_hours_included_come_first_then_cards_then_overage(self) -> None:
        (first, *_) = statements(contract(), {"2026-02": 20}, [card(1, "2026-01/2027-01", 5)])
        assert [(used.key.int, taken / 4) for used, taken in first.card_uses] == [(1, 5)]
        assert first.overage_quarters == 7 * 4

    def test_the_oldest_card_is_used_first(self) -> None:
        cards = [card(1, "2025-06/2026-06", 2), card(2, "2026-01/2027-01", 10)]
        (first, *_) = statements(contract(), {"2026-02": 12}, cards)
        assert [(used.key.int, taken / 4) for used, taken in first.card_uses] == [(1, 2), (2, 2)]

    @pytest.mark.parametrize(
        ("valid", "over"),
        [
            pytest.param("2026-03/2027-03", 0, id="bought in the period's last month"),
            pytest.param("2025-02/2026-02", 0, id="valid in the period's first month only"),
            pytest.param("2026-04/2027-04", 4, id="bought after the period"),
            pytest.param("2025-01/2026-01", 4, id="expired before the period"),
        ],
    )
    def test_a_card_counts_for_a_period_if_it_is_valid_in_any_of_its_months(
        self, valid: str, over: float
    ) -> None:
        assert overages(contract(), {"2026-02": 12}, [card(1, valid, 50)])[0] == over

    def test_what_a_card_paid_for_is_not_charged_later(self) -> None:
        cards = [card(1, "2026-01/2026-04", 4)]
        assert overages(contract(), {"2026-02": 12, "2026-05": 1}, cards) == [0, 1, 0, 0]

    def test_a_card_is_used_up_over_the_periods(self) -> None:
        cards = [card(1, "2026-01/2027-01", 4)]
        assert overages(contract(), {"2026-02": 11, "2026-05": 3}, cards) == [0, 2, 0, 0]

    def test_no_card_is_touched_while_included_hours_last(self) -> None:
        made = statements(contract(), {"2026-02": 8}, [card(1, "2026-01/2027-01", 4)])
        assert [m.card_uses for m in made] == [(), (), (), ()]


class TestCredit:
    @pytest.mark.parametrize(
        ("hours", "credit"),
        [
            pytest.param({"2026-02": 12, "2026-11": -3}, 3, id="part of the overage"),
            pytest.param({"2026-02": 12, "2026-11": -9}, 4, id="as far as overage was billed"),
            pytest.param({"2026-02": 5, "2026-11": -3}, 0, id="nothing was billed"),
            pytest.param({"2026-02": 12, "2026-11": 3}, 0, id="no negative rest"),
            pytest.param({"2026-02": 12, "2026-08": -9, "2026-11": 6}, 3, id="left from before"),
            pytest.param({"2026-02": 12, "2026-11": -0.25}, 0, id="a rest under half an hour"),
        ],
    )
    def test_a_negative_rest_at_the_end_of_the_year_is_credited_as_far_as_overage_was_billed(
        self, hours: dict[str, float], credit: float
    ) -> None:
        made = statements(contract(), hours)
        assert [m.credit_quarters / 4 for m in made] == [0, 0, 0, credit]

    def test_overage_that_a_former_system_billed_is_not_ours_to_credit(self) -> None:
        agreement = contract(reported_until="2026-04")  # whose first three months had 4 above 8
        made = statements(agreement, {"2026-02": 12, "2026-05": 1, "2026-11": -9})
        assert [m.overage_quarters / 4 for m in made] == [1, 0, 0]
        assert [m.credit_quarters / 4 for m in made] == [0, 0, 1]

    def test_overage_stated_before_the_first_run_is_not_ours_to_credit(self) -> None:
        agreement = contract(first_run="2026-06")  # the first quarter was billed elsewhere
        made = statements(agreement, {"2026-02": 12, "2026-05": 1, "2026-11": -9})
        assert [m.overage_quarters / 4 for m in made] == [4, 1, 0, 0]
        assert [m.credit_quarters / 4 for m in made] == [0, 0, 0, 1]

    def test_an_allowance_that_grew_credits_no_more_than_the_rest(self) -> None:
        # 23 hours of overage in January, which the upgrade of February would have covered.
        agreement = contract(headcount=300, tier=BASIC, requests=[("2026-02", EXTENDED)])
        made = statements(agreement, {"2026-01": 31, "2026-12": -1})
        assert made[0].overage_quarters == 23 * 4
        assert sum(m.credit_quarters for m in made) == 4

    def test_a_rest_is_credited_also_where_the_last_period_is_withheld(self) -> None:
        # 100 people, an end after two months of a quarter: withheld, and nothing of it is counted.
        agreement = contract("2026-01/2026-09")
        made = statements(agreement, {"2026-02": 12, "2026-05": -3, "2026-08": 9}, until="2026-09")
        assert [m.release.display for m in made] == ["exact", "exact", "withheld"]
        assert [m.credit_quarters / 4 for m in made] == [0, 0, 3]

    @pytest.mark.parametrize("choice", ["cap", "all_in"])
    def test_where_nothing_is_charged_nothing_is_credited(self, choice: str) -> None:
        made = statements(contract(overage=choice), {"2026-02": 12, "2026-11": -9})
        assert {m.credit_quarters for m in made} == {0}


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
        Stated(months=months("2026-01/2026-04"), display=display, overage_quarters=0).counts
        for display in ("exact", "band", "withheld", "all_in")
    ]
    assert shown == [True, True, False, False]
