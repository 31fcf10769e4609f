"""Bounds on the use between months, from facts about sums: difference constraints. No database.

With S(m) the use before month m, a fact says ``at_least <= S(until) - S(from) <= at_most``, and no
month's use is negative. The tightest bounds that follow are shortest paths between months; they
are reached by whole quarters, so that each bound belongs to a ledger which fits all facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agency.month import Month, MonthRange

# Further than any sum of hours, also after some were taken off it: not bounded.
_FAR = 1 << 60
_NOT_BOUNDED = _FAR // 2


class ContradictionError(Exception):
    """No ledger fits the facts."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Quarters, both ends included; without ``at_most`` there is no upper end."""

    at_least: int = 0
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """The use of some months lies in an interval."""

    months: MonthRange
    quarters: Interval


@dataclass(frozen=True, slots=True)
class Bounds:
    """What follows from facts about every range between their months.

    A range that begins or ends inside is bounded from above as the smallest range here around
    it, and from below as the largest one here in it: only signs are known of the months between.
    """

    months: Sequence[Month]
    paths: Sequence[Sequence[int]]

    def between(self, start: int, end: int) -> Interval:
        """Bound the use from one month of ``months`` to a later one, both given by place."""
        longest = self.paths[start][end]
        return Interval(-self.paths[end][start], None if longest >= _NOT_BOUNDED else longest)

    def of(self, months: MonthRange) -> Interval:
        return self.between(self.months.index(months.from_month), self.months.index(months.until))


def derive(facts: Iterable[Fact], months: Sequence[Month]) -> Bounds:
    """Give all that facts say together; ``months``, in order, hold the ends of every fact.

    Raises ContradictionError.
    """
    size = len(months)
    place = {month: index for index, month in enumerate(months)}
    paths = [[_FAR if j > i else 0 for j in range(size)] for i in range(size)]
    for fact in facts:
        start, end = place[fact.months.from_month], place[fact.months.until]
        paths[end][start] = min(paths[end][start], -fact.quarters.at_least)
        if fact.quarters.at_most is not None:
            paths[start][end] = min(paths[start][end], fact.quarters.at_most)
    for middle, onward in enumerate(paths):
        for i, row in enumerate(paths):
            to_middle = row[middle]
            if to_middle < _NOT_BOUNDED and i != middle:
                paths[i] = [
                    min(known, to_middle + more) for known, more in zip(row, onward, strict=True)
                ]
    if any(paths[i][i] < 0 for i in range(size)):
        raise ContradictionError
    return Bounds(months, paths)


def add_up(facts: Sequence[Fact], months: Sequence[Month]) -> Bounds:
    """Give what facts say one beside the other: sums of them, and never a difference."""
    upper = derive([Fact(f.months, Interval(0, f.quarters.at_most)) for f in facts], months)
    lower = derive([Fact(f.months, Interval(f.quarters.at_least)) for f in facts], months)
    size = len(months)
    return Bounds(
        months,
        [[(upper if j > i else lower).paths[i][j] for j in range(size)] for i in range(size)],
    )
