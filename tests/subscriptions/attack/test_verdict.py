"""What is proven and what is not: the smallest example of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest

from subscriptions.agreements import BASIC
from subscriptions.attack.bounds import derive
from subscriptions.attack.knowledge import know
from subscriptions.attack.released import Released, Told
from subscriptions.attack.schedules import LENGTH, START, Schedule, close, search
from subscriptions.attack.verdict import ends, judge, long_enough
from subscriptions.release import Thresholds, shared_years
from subscriptions.use import Card
from tests.agreed import M, contract, months
from tests.weakened import HOLES, weakened

pytestmark = pytest.mark.attack(3, 5, 6, 7)

POLICY = Thresholds()
MOST = 20  # hours that are tried in a year


def schedule(headcount: Mapping[str, int], *terms: str, **fields: Any) -> Schedule:
    """Choose contracts, by default one from January 2026 on, billed, in the basic tier: 8 hours."""
    defaults: dict[str, Any] = {"choices": ((START, "bill", ""),), "tier": BASIC}
    return Schedule(
        terms=tuple(months(term) for term in terms or ("2026-01/",)),
        year_starts_in=1,
        headcounts=tuple((M(month), people) for month, people in headcount.items()),
        **defaults | fields,
    )


def worked(hours: Mapping[str, float]) -> list[int]:
    return [round(hours.get(str(START + at), 0) * 4) for at in range(LENGTH)]


def proven(released: Released) -> list[str]:
    """Give the months of what is proven, with the derived quarters."""
    return [
        f"{one.months} {one.derived.at_least}..{one.derived.at_most}"
        if one.derived
        else f"{one.months} contradicts"
        for one in judge(released).proven
    ]


def card(term: str, hours: float) -> Card:
    return Card(UUID(int=1), months(term), round(hours * 4))


class TestHolesInTheRules:
    """Negative controls: the same attack, on what rules with a hole release."""

    def test_exact_months_for_all(self) -> None:
        chosen, hours = schedule({"2025-01": 100}), worked({"2026-03": 1.25})
        assert proven(close(chosen, hours, POLICY)) == []
        with weakened("exact months for all"):
            released = close(chosen, hours, POLICY)
        assert "2026-03/2026-04 5..6" in proven(released)
        assert "2026-02/2026-03 0..0" in proven(released)  # zero is a figure

    def test_the_class_without_the_first_months_headcount(self) -> None:
        chosen, hours = schedule({"2025-01": 100, "2026-04": 300}), worked({"2026-05": 1.5})
        assert proven(close(chosen, hours, POLICY)) == []
        with weakened("the class without the first month's headcount"):
            released = close(chosen, hours, POLICY)
        assert "2026-05/2026-06 5..6" in proven(released)

    def test_exact_tails(self) -> None:
        chosen, hours = schedule({"2025-01": 100}, "2026-01/2026-06"), worked({"2026-05": 1.5})
        assert proven(close(chosen, hours, POLICY)) == []
        with weakened("exact tails"):
            released = close(chosen, hours, POLICY)
        assert proven(released) == ["2026-04/2026-06 5..6"]

    def test_figures_for_10_people_or_fewer(self) -> None:
        chosen, hours = schedule({"2025-01": 10}), worked({"2026-03": 1.5})
        assert proven(close(chosen, hours, POLICY)) == []
        with weakened("figures for 10 people or fewer"):
            released = close(chosen, hours, POLICY)
        assert "2026-01/2027-01 5..6" in proven(released)

    def test_carry_over_out_of_banded_years(self) -> None:
        chosen = schedule(
            {"2025-01": 8}, carry_over_basis_points=10_000, carry_over_cap_quarters=400
        )
        hours = worked({"2026-03": 1.5})
        assert proven(close(chosen, hours, POLICY)) == []
        with weakened("carry-over out of banded years"):
            released = close(chosen, hours, POLICY)
        assert "2026-01/2027-01 5..6" in proven(released)

    def test_a_first_month_that_two_new_starts_would_make_forgotten(self) -> None:
        chosen = schedule(
            {"2025-01": 20, "2026-04": 300}, "2026-01/2026-03", "2026-04/2026-06", "2026-07/2027-01"
        )
        hours = worked({"2026-08": 1.5})
        assert proven(close(chosen, hours, POLICY)) == []
        only_the_last = lambda *which: shared_years(*which)[:1]  # noqa: E731
        with patch("subscriptions.release.shared_years", only_the_last):
            released = close(chosen, hours, POLICY)
        assert "2026-08/2026-09 5..6" in proven(released)

    @pytest.mark.parametrize("hole", HOLES)
    def test_an_employer_who_chooses_finds_each_hole(self, hole: str) -> None:
        with weakened(hole):
            assert any(tried.finding.proven for tried in search(1_000, 1, POLICY))


class TestWhatFiguresWouldTellOfMonthsWithoutThem:
    """Rules of use that keep figures from telling of months without any, each with its control."""

    @pytest.mark.parametrize("banded", [10, 13])  # 8 of them included, 5 more on the card
    def test_figures_find_again_what_bands_took_from_a_card(self, banded: int) -> None:
        chosen = schedule({"2025-01": 8, "2027-01": 20}, cards=(card("2026-01/2028-01", 5),))
        hours = worked({"2026-03": banded, "2027-05": 13})
        assert proven(close(chosen, hours, POLICY)) == []
        with weakened("cards that figures find as bands left them"):
            released = close(chosen, hours, POLICY)
        assert proven(released) != []

    def test_two_bands_of_a_year_with_a_pause_are_not_set_against_each_other(self) -> None:
        chosen = schedule(
            {"2025-01": 100},
            choices=((START, "bill", "band"),),
            pauses=(months("2026-04/2026-07"),),
        )
        hours = worked({"2026-02": 1, "2026-08": 20})
        assert proven(close(chosen, hours, POLICY)) == []
        with weakened("bands beside a pause"):
            released = close(chosen, hours, POLICY)
        assert "2026-07/2027-01 58..84" in proven(released)

    def test_an_all_in_year_that_a_former_system_reported_leaves_nothing(self) -> None:
        chosen = schedule(
            {"2025-01": 100},
            choices=((START, "all_in", ""),),
            reported_months=12,
            carry_over_basis_points=10_000,
            carry_over_cap_quarters=400,
        )
        assert proven(close(chosen, worked({"2026-03": 1.5}), POLICY)) == []
        assert proven(close(chosen, worked({"2026-03": 9}), POLICY)) == []
        with weakened("carry-over out of banded years"):
            released = close(chosen, worked({"2026-03": 1.5}), POLICY)
        assert "2026-01/2027-01 5..6" in proven(released)

    def test_a_reported_piece_of_few_people_counts_nothing_beside_figures(self) -> None:
        chosen = schedule({"2025-01": 20, "2026-03": 8, "2026-07": 20}, reported_months=6)
        hours = worked({"2026-03": 6, "2026-09": 4})
        assert proven(close(chosen, hours, POLICY)) == []
        with weakened("figures that count the reported use of few people"):
            released = close(chosen, hours, POLICY)
        assert proven(released) != []


@pytest.mark.parametrize(
    ("headcount", "hours", "fields"),
    [
        pytest.param({"2025-01": 8}, {"2026-03": 3}, {}, id="a band"),
        pytest.param({"2025-01": 8}, {"2026-03": 9.75}, {}, id="a band with overage"),
        pytest.param({"2025-01": 20}, {"2026-03": 9.75}, {}, id="a figure"),
        pytest.param(
            {"2025-01": 8, "2027-01": 20},
            {"2026-03": 10, "2027-05": 13},
            {"cards": (card("2026-01/2028-01", 5),)},
            id="a band, and a card that a year with figures shares",
        ),
        pytest.param(
            {"2025-01": 8, "2027-01": 20},
            {"2026-03": 10, "2027-05": 13},
            {"cards": (card("2026-01/2028-01", 5),), "choices": ((START, "cap", ""),)},
            id="the same under a cap",
        ),
    ],
)
def test_a_years_bounds_are_those_of_all_its_hours_that_release_the_same(
    headcount: Mapping[str, int], hours: Mapping[str, float], fields: Any
) -> None:
    chosen = schedule(headcount, **fields)
    released = close(chosen, worked(hours), POLICY)
    alike = [
        quarters
        for quarters in range(4 * MOST)
        if close(chosen, worked({**hours, "2026-03": quarters / 4}), POLICY) == released
    ]
    knowledge = know(released)
    found = derive(knowledge.facts, ends(knowledge)).of(months("2026-01/2027-01"))
    assert alike == list(range(found.at_least, (found.at_most or 4 * MOST - 1) + 1))


class TestFiguresThatNoRuleExplains:
    def told(self, term: str = "2026-01/2027-01", **fields: Any) -> Told:
        defaults: dict[str, Any] = {
            "display": "exact",
            "used_quarters": 10,
            "allowance_quarters": 32,
            "overage_quarters": 0,
        }
        return Told(months=months(term), **defaults | fields)

    def released(self, *told: Told, headcount: int = 20, **fields: Any) -> Released:
        return Released(code="ORG1", contracts=[(contract(headcount=headcount), told)], **fields)

    def test_overage_that_the_use_does_not_explain_is_a_finding(self) -> None:
        assert proven(self.released(self.told(overage_quarters=8))) == [
            "2026-01/2027-01 contradicts"
        ]

    def test_a_card_that_was_entered_late_explains_overage_beside_it(self) -> None:
        over = self.told(used_quarters=40, overage_quarters=8)
        assert proven(self.released(over, cards=[card("2026-06/2027-06", 5)])) == []

    def test_an_overage_line_that_no_statement_says_tells_of_its_months(self) -> None:
        withheld = self.told(display="withheld", used_quarters=None)
        released = self.released(withheld, billed=[(months("2026-01/2026-03"), 6)])
        assert proven(released) == ["2026-01/2026-03 5..None"]
        honest = self.released(
            self.told(used_quarters=38, overage_quarters=6),
            billed=[(months("2026-01/2027-01"), 6)],
        )
        assert proven(honest) == []

    def test_an_older_version_stays_known(self) -> None:
        month = self.told("2026-01/2026-02")
        year = self.told("2026-01/2027-01", version=2, used_quarters=12)
        assert proven(self.released(month, year)) == ["2026-01/2026-02 9..10"]
        assert proven(self.released(self.told(), year)) == []

    def test_nobody_to_whom_nothing_was_told_can_derive_anything(self) -> None:
        assert judge(self.released()).proven == ()
        assert judge(Released(code="ORG1", contracts=[])).shortest is None


@pytest.mark.parametrize(
    ("headcount", "term", "figure", "enough"),
    [
        pytest.param(251, "2026-01/", "2026-03/2026-04", True, id="251: a month"),
        pytest.param(250, "2026-01/", "2026-03/2026-05", False, id="250: no two months"),
        pytest.param(26, "2026-01/", "2026-02/2026-05", True, id="26: any three months"),
        pytest.param(25, "2026-01/", "2026-01/2026-12", False, id="25: no eleven months"),
        pytest.param(25, "2026-01/", "2026-01/2027-01", True, id="25: the contract year"),
        pytest.param(25, "2026-01/2026-07", "2026-01/2026-07", True, id="25: six to the end"),
        pytest.param(25, "2026-01/2026-06", "2026-01/2026-06", False, id="25: five to the end"),
        pytest.param(26, "2026-01/2026-06", "2026-04/2026-06", False, id="26: two to the end"),
        pytest.param(10, "2026-01/", "2026-04/2027-01", False, id="10: not the whole year"),
        pytest.param(10, "2026-07/", "2026-07/2027-01", True, id="10: all there is of the year"),
        pytest.param(25, "2026-01/", "2026-12/2027-02", False, id="25: across two years"),
    ],
)
def test_a_figure_covers_enough_months(
    headcount: int, term: str, figure: str, *, enough: bool
) -> None:
    agreed = contract(term, headcount=headcount, year_starts_in=1)
    released = Released(code="ORG1", contracts=[(agreed, ())])
    assert long_enough(released, months(figure), POLICY) is enough


@pytest.mark.parametrize("seed", [1, 2])
def test_an_employer_who_chooses_finds_nothing(seed: int) -> None:
    assert [tried for tried in search(400, seed, POLICY) if tried.finding.proven] == []
