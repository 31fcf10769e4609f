"""What is proven and what is not: the smallest example of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest

from subscriptions.agreements import BASIC
from subscriptions.attack.bounds import derive
from subscriptions.attack.knowledge import know
from subscriptions.attack.released import Released, Told
from subscriptions.attack.schedules import LENGTH, START, Schedule, Tried, close, search
from subscriptions.attack.verdict import ends, judge, long_enough
from subscriptions.release import Thresholds, shared_years
from subscriptions.use import Card
from tests.agreed import M, contract, months
from tests.subscriptions.attack.left_open import unexplained
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
            found = (tried for tried in search(1_000, 1, POLICY) if tried.finding.proven)
            assert any(unexplained(tried) for tried in found)


class TestWhatTheRulesLeaveOpen:
    """Findings about the rules as they are; a rule that closes one turns its test round."""

    def test_a_card_tells_a_banded_year_by_what_is_left_of_it_in_a_year_with_figures(self) -> None:
        chosen = schedule({"2025-01": 8, "2027-01": 20}, cards=(card("2026-01/2028-01", 5),))
        hours = worked({"2026-03": 10, "2027-05": 13})
        assert proven(close(chosen, hours, POLICY)) == ["2026-01/2027-01 39..40"]

    def test_the_same_card_used_up_in_the_banded_year_tells_how_far_that_went_at_least(
        self,
    ) -> None:
        """Its upper bound is the band's own, so that the lower one alone betrays the year."""
        chosen = schedule({"2025-01": 8, "2027-01": 20}, cards=(card("2026-01/2028-01", 5),))
        hours = worked({"2026-03": 13, "2027-05": 13})
        assert proven(close(chosen, hours, POLICY)) == ["2026-01/2027-01 51..52"]
        capped = replace(chosen, choices=((START, "cap", ""), (M("2027-01"), "bill", "")))
        assert proven(close(capped, hours, POLICY)) == ["2026-01/2027-01 51..None"]

    def test_an_all_in_year_that_a_former_system_reported_carries_over(self) -> None:
        chosen = schedule(
            {"2025-01": 100},
            choices=((START, "all_in", ""),),
            reported_months=12,
            carry_over_basis_points=10_000,
            carry_over_cap_quarters=400,
        )
        hours = worked({"2026-03": 1.5})
        assert proven(close(chosen, hours, POLICY)) == ["2026-01/2027-01 5..6"]
        used_up = close(chosen, worked({"2026-03": 9}), POLICY)  # of 8: nothing is carried over
        assert proven(used_up) == ["2026-01/2027-01 31..None"]

    def test_overage_tells_the_use_of_few_people_whom_a_former_system_reported(self) -> None:
        chosen = schedule({"2025-01": 20, "2026-03": 8, "2026-07": 20}, reported_months=6)
        hours = worked({"2026-03": 6, "2026-09": 4})
        assert "2026-01/2026-07 23..24" in proven(close(chosen, hours, POLICY))

    def test_a_finding_excuses_its_own_months_and_no_other_leak_of_the_client(self) -> None:
        chosen = schedule(
            {"2025-01": 8, "2027-01": 100}, "2026-01/2028-06", cards=(card("2026-01/2028-01", 5),)
        )
        hours = worked({"2026-03": 10, "2027-02": 13, "2028-05": 1.5})
        released = close(chosen, hours, POLICY)
        assert proven(released) == ["2026-01/2027-01 39..40"]
        assert unexplained(Tried(chosen, released, judge(released))) == []
        with weakened("exact tails"):
            released = close(chosen, hours, POLICY)
        (other,) = unexplained(Tried(chosen, released, judge(released)))
        assert str(other.months) == "2028-04/2028-06"


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
def test_an_employer_who_chooses_finds_nothing_but_a_card_in_a_banded_year(seed: int) -> None:
    found = [tried for tried in search(400, seed, POLICY) if tried.finding.proven]
    assert [tried for tried in found if unexplained(tried)] == []
