"""What counts as proven: use of too short a time, known better than the statements say it.

The rule of design 5.6 is written down here a second time, from the side of who looks: how many
months a figure must cover. It does not ask the code that decides when to publish.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agency.month import Month, MonthRange
from subscriptions.agreements import ALL_IN, Contract, ContractYear
from subscriptions.attack.bounds import (
    Bounds,
    ContradictionError,
    Fact,
    Interval,
    add_up,
    derive,
)
from subscriptions.attack.knowledge import Knowledge, Piece, know, paused
from subscriptions.attack.released import Released, Told
from subscriptions.release import MONTH, QUARTER, YEAR, Thresholds


@dataclass(frozen=True, slots=True)
class Proven:
    """The use of some months, derived from all figures, and as the statements say it themselves.

    ``derived`` is None where the figures contradict each other.
    """

    organisation: str
    months: MonthRange
    derived: Interval | None
    said: Interval


@dataclass(frozen=True, slots=True)
class Finding:
    """What can be derived about one organisation.

    ``shortest`` is the number of months of the shortest time whose use is known to a half hour,
    where a figure for a month would be too much.
    """

    proven: tuple[Proven, ...]
    shortest: int | None


def judge(released: Released) -> Finding:
    """Derive all that can be known from what was released, at each time, and judge it."""
    found = [_judge(edition) for edition in released.editions()]
    known = [finding.shortest for finding in found if finding.shortest is not None]
    proven = dict.fromkeys(proven for finding in found for proven in finding.proven)
    return Finding(tuple(proven), min(known, default=None))


def _judge(released: Released) -> Finding:
    if not released.told:
        return Finding((), None)
    try:
        knowledge = know(released)
        months = ends(knowledge)
        derived = derive(knowledge.facts, months)
    except ContradictionError:
        told = released.told
        whole = MonthRange(told[0].months.from_month, told[-1].months.until)
        return Finding((Proven(released.code, whole, None, Interval()),), None)
    said = add_up(_fair(released, knowledge, derived), months)
    proven = _smallest(list(_proven(released, derived, said)))
    return Finding(tuple(proven), _shortest(released, derived))


def ends(knowledge: Knowledge) -> list[Month]:
    """Give all months with which anything known begins or ends, in order."""
    facts = [*knowledge.facts, *(fact for saying in knowledge.sayings for fact in saying.facts)]
    pieces = [piece.months for piece in knowledge.pieces]
    ranges = [*(fact.months for fact in facts), *pieces]
    return sorted({end for months in ranges for end in (months.from_month, months.until)})


def _fair(released: Released, knowledge: Knowledge, derived: Bounds) -> list[Fact]:
    """Give what may be known: statements of enough months and people, each by itself.

    What a former system reported was told by that one, as far as our own rules let it. That
    nothing is used in a pause is no secret.
    """
    fair = [
        fact
        for saying in knowledge.sayings
        if _may_be_said(released, saying.told)
        for fact in saying.facts
    ]
    fair += paused(released)
    return fair + [
        Fact(piece.months, derived.of(piece.months))
        for piece in knowledge.pieces
        if _may_be_told(piece, _policy(released, piece.months))
    ]


def _may_be_said(released: Released, told: Told) -> bool:
    people = [_fewest(*part) for part in _parts(released, told.months)]
    enough = told.used_quarters is None or min(people) >= told.thresholds.figures_from_headcount
    return enough and long_enough(released, told.months, told.thresholds)


def _may_be_told(piece: Piece, policy: Thresholds) -> bool:
    choices = piece.contract.choices_of(piece.year)
    people = _fewest(piece.contract, piece.year, piece.months)
    least = MONTH if policy.natural_length(people) == MONTH else policy.least_months(people)
    return (
        len(piece.months) >= least
        and people >= policy.figures_from_headcount
        and choices.release != "band"
        and choices.overage != ALL_IN
    )


def _proven(released: Released, derived: Bounds, said: Bounds) -> Iterator[Proven]:
    """Give the ranges that are bounded more tightly than said, and are too short for it.

    An upper bound holds for any part of a range, so there it is the parts that count. A lower one
    of a range without any figure is too much however long that is: its use is told to nobody.
    """
    for end in range(1, len(derived.months)):
        for start in range(end):
            known, fair = derived.between(start, end), said.between(start, end)
            if known == fair:
                continue
            months = MonthRange(derived.months[start], derived.months[end])
            few = _inside(derived.months, start, end) if known.at_most != fair.at_most else []
            is_raised = known.at_least > fair.at_least
            few += [months] if is_raised else []
            policy = _policy(released, months)
            is_hidden = is_raised and not _has_figures(released, months)
            if is_hidden or not all(long_enough(released, range_, policy) for range_ in few):
                yield Proven(released.code, months, known, fair)


def _has_figures(released: Released, months: MonthRange) -> bool:
    return any(
        told.used_quarters is not None for told in released.told if told.months.overlaps(months)
    )


def _inside(months: Sequence[Month], start: int, end: int) -> list[MonthRange]:
    """Give the shortest ranges that have the upper bound of a range.

    Each month of a single period; else from the first one's last month to the last one's first.
    """
    if end == start + 1:
        return [MonthRange(m, m + 1) for m in MonthRange(months[start], months[end])]
    return [MonthRange(months[start + 1] - 1, months[end - 1] + 1)]


def _smallest(proven: Sequence[Proven]) -> list[Proven]:
    """Leave out what lies around something else that is proven."""

    def lies_in(inner: MonthRange, outer: MonthRange) -> bool:
        return outer.from_month <= inner.from_month and inner.until <= outer.until

    return [
        one
        for one in proven
        if not any(other is not one and lies_in(other.months, one.months) for other in proven)
    ]


def _shortest(released: Released, derived: Bounds) -> int | None:
    known = []
    for end in range(1, len(derived.months)):
        for start in range(end):
            use = derived.between(start, end)
            months = MonthRange(derived.months[start], derived.months[end])
            if use.at_most is not None and 0 < use.at_most <= use.at_least + 1:
                policy = _policy(released, months)
                parts = _parts(released, months)
                if any(policy.natural_length(_fewest(*part)) != MONTH for part in parts):
                    known.append(len(months))
    return min(known, default=None)


def long_enough(released: Released, months: MonthRange, policy: Thresholds) -> bool:
    """Tell whether a figure for these months covers as many as the headcount asks for.

    A month, three months, or the contract year by the lowest headcount of the year's first month
    and of the months themselves; where the contract year or the contract ends, the fewest months
    that design 5.6 shows anything of.
    """
    parts = _parts(released, months)
    lengths = [policy.natural_length(_fewest(*part)) for part in parts]
    if len(parts) != 1:
        return len(months) >= max(lengths, default=0)
    contract, year, covered = parts[0]
    people = _fewest(contract, year, covered)
    if lengths[0] == MONTH or (lengths[0] == QUARTER and len(covered) >= QUARTER):
        return True
    if covered.until != year.until_month or len(covered) < policy.least_months(people):
        return False
    if lengths[0] != YEAR:
        return True
    covers_all = covered.from_month <= max(year.first_month, contract.reported_until)
    is_shared = len(_first_months(contract, year)) > 1
    return not is_shared and (people >= policy.figures_from_headcount or covers_all)


def _parts(
    released: Released, months: MonthRange
) -> list[tuple[Contract, ContractYear, MonthRange]]:
    """Part months by contract year; those outside any contract are in none."""
    parts = []
    for contract, _ in released.contracts:
        for year in contract.years(months.until):
            start = max(months.from_month, year.first_month)
            until = min(months.until, year.until_month)
            if start < until:
                parts.append((contract, year, MonthRange(start, until)))
    return parts


def _first_months(contract: Contract, year: ContractYear) -> list[Month]:
    """Give the first contract month of a contract year, under each contract that shared it."""
    firsts = [year.first_month]
    before = contract.predecessor
    while before is not None and before.months.until > year.whole_start:
        firsts.append(before.year_of(before.months.last_month).first_month)
        before = before.predecessor
    return firsts


def _fewest(contract: Contract, year: ContractYear, months: MonthRange) -> int:
    counted = {*_first_months(contract, year), *months}
    return min(contract.headcount(month) for month in counted)


def _policy(released: Released, months: MonthRange) -> Thresholds:
    """Give the thresholds of the last statement that touches these months, or of any."""
    told = released.told
    touching = [one for one in told if one.months.overlaps(months)]
    return (touching or told)[-1].thresholds
