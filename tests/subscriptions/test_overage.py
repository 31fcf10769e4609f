"""Overage, what cards pay for, and what turns out not to be due (design 5.4)."""

from __future__ import annotations

import pytest

from subscriptions.agreements import BASIC, EXTENDED
from tests.agreed import book, books, contract, extended_prices, prices
from tests.stated import allowances, card, holding, overages, statements


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

    def test_figures_find_on_a_card_what_bands_took_and_bands_do_not(self) -> None:
        new = card(1, "2026-01/2027-01", 10)
        after_a_band = new.after("band", 4 * 4)
        assert (new.left_for("band"), after_a_band.left_for("band")) == (10 * 4, 6 * 4)
        assert after_a_band.left_for("exact") == 10 * 4
        after_both = after_a_band.after("exact", 7 * 4)
        assert (after_both.left_for("exact"), after_both.left_for("band")) == (3 * 4, 0)

    def test_a_reported_piece_of_few_people_counts_nothing_for_figures(self) -> None:
        people = {"2026-01": 100, "2026-03": 10, "2026-06": 100}
        agreement = contract(headcount=people, reported_until="2026-07")
        hours = {"2026-02": 20, "2026-08": 9}
        assert overages(agreement, hours) == [1, 0]

    def test_overage_taken_as_stated_counts_what_was_carried_in(self) -> None:
        fields = holding(20, carry_over_basis_points=10_000, carry_over_cap_quarters=100 * 4)
        agreement = contract(reported_until="2027-04", **fields)
        hours = {"2027-02": 25, "2027-05": 16}
        assert overages(agreement, hours, until="2027-07") == [1]


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
