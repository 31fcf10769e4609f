"""The bounds derived from random short schedules are those of all use that releases the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from math import prod
from random import Random
from unittest.mock import patch

import pytest

from agency.month import Month, MonthRange
from subscriptions.agreements import BASIC, EXTENDED, PriceBooks
from subscriptions.attack import schedules
from subscriptions.attack.bounds import Interval, derive
from subscriptions.attack.knowledge import know
from subscriptions.attack.released import Released, Told
from subscriptions.attack.schedules import LENGTH, START, Schedule, close, draw
from subscriptions.attack.verdict import ends
from subscriptions.release import Thresholds

pytestmark = pytest.mark.attack(3, 4, 5)

POLICY = Thresholds()
SCHEDULES = 120
MOST = 34  # quarters tried in a period without figures: more than the small allowances and cards
WAYS = 1_000  # that the periods of a schedule may have been used; one with more is left alone
BOOKS = PriceBooks(
    ((Month.of(2020, 1), (schedules._band(BASIC, 4), schedules._band(EXTENDED, 10))),)
)

Period = tuple[MonthRange, Told | None]


def small(rng: Random) -> Schedule:
    """Draw a schedule with small cards, at times with months that a former system reported."""
    drawn = draw(rng)
    return replace(
        drawn,
        cards=tuple(replace(card, left_quarters=rng.choice((2, 4))) for card in drawn.cards),
        carry_over_cap_quarters=rng.choice((0, 4, 40)),
        reported_months=rng.choice((0, 0, 1, 2, 3, 5, 6, 9, 12, 14)),
    )


def periods(released: Released) -> list[Period]:
    """Give every period that was stated or reported, in order: figures follow from their sums."""
    found: list[Period] = []
    for contract, told in released.contracts:
        found += [(one.months, one) for one in told]
        for year in contract.years(contract.reported_until):
            until = min(contract.reported_until, year.until_month)
            if year.first_month < until:
                found.append((MonthRange(year.first_month, until), None))
    return sorted(found, key=lambda period: period[0].from_month)


def tries(told: Told | None) -> Sequence[int]:
    if told and told.used_quarters is not None:
        return range(max(0, told.used_quarters - 1), told.used_quarters + 1)
    return range(MOST) if told is None or told.counts else (0,)


def is_hidden(told: Told | None) -> bool:
    """Tell whether nothing follows from the use of a period."""
    return told is not None and not told.counts


def worked(found: Sequence[Period], used: Sequence[int]) -> list[int]:
    quarters = [0] * LENGTH
    for (months, _), of_period in zip(found, used, strict=True):
        quarters[months.from_month.since(START)] = of_period
    return quarters


def attempts() -> Iterator[tuple[Released, list[Period], list[tuple[int, ...]]]]:
    """Give what schedules released, their periods, and all use of these that releases the same."""
    rng = Random(1)  # noqa: S311 - the same at each run
    for _ in range(SCHEDULES):
        schedule = small(rng)
        hours = [rng.choice((1, 1, 2, 3, 5)) if rng.random() < 0.3 else 0 for _ in range(LENGTH)]
        released = close(schedule, hours, POLICY)
        found = periods(released)
        ways = [tries(told) for _, told in found]
        outside = any(months.until > START + LENGTH for months, _ in found)
        if not released.told or outside or prod(map(len, ways)) > WAYS:
            continue
        alike = [
            used
            for used in product(*ways)
            if close(schedule, worked(found, used), POLICY).told == released.told
        ]
        yield released, found, alike


def bound(
    found: Sequence[Period], alike: Sequence[tuple[int, ...]], months: MonthRange
) -> Interval | None:
    """Bound the use of months by all ways of using them; none where they cut through a period."""
    inside = [
        n
        for n, (each, _) in enumerate(found)
        if months.from_month <= each.from_month and each.until <= months.until
    ]
    if sum(len(found[n][0]) for n in inside) != len(months):
        return None
    sums = [sum(used[n] for n in inside) for used in alike]
    unknown = any(is_hidden(found[n][1]) or max(u[n] for u in alike) == MOST - 1 for n in inside)
    return Interval(min(sums), None if unknown else max(sums))


def test_bounds_are_those_of_all_use_that_releases_the_same() -> None:
    """Never tighter nor wider; a card that two bands divide, the known exception, is not drawn."""
    tried = 0
    with patch.object(schedules, "BOOKS", BOOKS):
        for released, found, alike in attempts():
            tried += 1
            knowledge = know(released)
            edges = {end for months, _ in found for end in (months.from_month, months.until)}
            derived = derive(knowledge.facts, sorted(edges | set(ends(knowledge))))
            for start, until in combinations(sorted(edges), 2):
                got = derived.of(MonthRange(start, until))
                true = bound(found, alike, MonthRange(start, until)) or got
                assert lies_in(true, got), released
                assert true == got, released
    assert tried > SCHEDULES / 3


def lies_in(inner: Interval, outer: Interval) -> bool:
    if outer.at_least > inner.at_least:
        return False
    return outer.at_most is None or (inner.at_most is not None and inner.at_most <= outer.at_most)
