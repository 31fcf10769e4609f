"""Generated agencies, closed by the real rules and attacked; and by rules with a hole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from random import Random

import pytest

from agency.month import Month
from subscriptions.attack.bounds import derive
from subscriptions.attack.knowledge import know
from subscriptions.attack.schedules import START, Schedule, Tried, close, draw, draw_worked
from subscriptions.attack.verdict import ends, judge
from subscriptions.release import Thresholds
from tests.weakened import HOLES, weakened

pytestmark = pytest.mark.attack(3, 4, 5, 6, 7)

POLICY = Thresholds()
FEW = 25  # agencies, each of three to five organisations, in which a hole must show


def organisations(agency: int) -> Iterator[tuple[Schedule, tuple[int, ...]]]:
    """Draw an agency: contracts of all kinds, some brought in under way, some hours taken back."""
    rng = Random(agency)  # noqa: S311  # the same agencies at each run
    for _ in range(3 + agency % 3):
        schedule, worked = draw(rng), list(draw_worked(rng))
        if rng.choice((True, False)):
            reported = rng.choice((1, 2, 3, 5, 6, 9, 12, 14))
            schedule = replace(schedule, reported_months=reported)
        if rng.choice((True, False, False, False)):
            worked[rng.randrange(len(worked))] = -rng.randint(1, 20)
        yield schedule, tuple(worked)


def attacked(agencies: range, hole: str = "") -> Iterator[Tried]:
    """Attack the organisations of agencies, one after another."""
    for agency in agencies:
        for schedule, worked in organisations(agency):
            with weakened(hole) if hole else nullcontext():
                released = close(schedule, worked, POLICY)
            yield Tried(schedule, released, judge(released))


def test_nothing_is_proven_of_a_thousand_agencies() -> None:
    assert [tried for tried in attacked(range(1_000)) if tried.finding.proven] == []


@pytest.mark.long
def test_nothing_is_proven_of_ten_thousand_agencies() -> None:
    assert [tried for tried in attacked(range(10_000)) if tried.finding.proven] == []


@pytest.mark.parametrize("hole", HOLES)
def test_each_hole_in_the_rules_is_found(hole: str) -> None:
    assert any(tried.finding.proven for tried in attacked(range(FEW), hole))


def test_the_true_use_lies_within_all_bounds() -> None:
    checked = 0
    for agency in range(2 * FEW):
        for schedule, worked in organisations(agency):
            if min(worked) < 0:
                continue
            released = close(schedule, worked, POLICY)
            paused = {m for agreed, _ in released.contracts for of in agreed.pauses for m in of}
            posted = tuple(
                0 if START + at in paused else quarters for at, quarters in enumerate(worked)
            )
            knowledge = know(released)
            months = ends(knowledge)
            bounds = derive(knowledge.facts, months)
            for end in range(1, len(months)):
                for start in range(end):
                    checked += 1
                    use = used(posted, months[start], months[end])
                    found = bounds.between(start, end)
                    assert found.at_least <= use
                    assert found.at_most is None or use <= found.at_most
    assert checked > 1_000


def used(worked: tuple[int, ...], start: Month, end: Month) -> int:
    return sum(worked[start.since(START) : end.since(START)])
