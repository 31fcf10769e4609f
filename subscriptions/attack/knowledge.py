"""What released figures say about sums of months, by the rules that everybody may read.

An exact statement says what its period used. A band says how far the year went at most or, beside
overage, at least. The allowance of a contract year says what the year before left over; cards
and pieces that a former system reported are followed through the years.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from agency.month import MonthRange
from subscriptions.agreements import ALL_IN, BILL, Contract, ContractYear
from subscriptions.attack.bounds import Fact, Interval
from subscriptions.attack.cards import Entry, reach
from subscriptions.attack.released import Released, Told
from subscriptions.release import BAND, Thresholds, lowest_headcount
from subscriptions.use import HALF_HOUR, included, reported_piece, up_to_half_hours

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Saying:
    """Facts that one statement says by itself, with what was told before it."""

    told: Told
    facts: Sequence[Fact]


@dataclass(frozen=True, slots=True)
class Piece:
    """Months of a contract year that a former system reported and that count."""

    contract: Contract
    year: ContractYear
    months: MonthRange


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What each statement says by itself, and what all that was released says."""

    sayings: list[Saying] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class YearTold:
    """A contract year, the statements of it that count, in order, and what was carried into it.

    ``carried_quarters`` is None where no statement tells it.
    """

    contract: Contract
    year: ContractYear
    told: Sequence[Told]
    carried_quarters: int | None
    piece: MonthRange | None
    thresholds: Thresholds

    def until(self, place: int) -> YearTold:
        """Give the year as it was told up to a statement.

        For one with figures a reported piece without any counts nothing.
        """
        told = self.told[: place + 1]
        is_shown = told[-1].used_quarters is not None
        counts = self.piece is None or not is_shown or self._has_figures(self.piece)
        return replace(self, told=told, piece=self.piece if counts else None)

    def _has_figures(self, piece: MonthRange) -> bool:
        people = lowest_headcount(self.contract, self.year, piece)
        return people >= self.thresholds.figures_from_headcount

    @property
    def charged_quarters(self) -> int:
        return sum(told.overage_quarters for told in self.told)

    @property
    def shown_quarters(self) -> int | None:
        """The use of the statements; None where one does not show it."""
        shown = [told.used_quarters for told in self.told if told.used_quarters is not None]
        return sum(shown) if len(shown) == len(self.told) else None


def know(released: Released) -> Knowledge:
    """Read all facts out of what was released; raises ContradictionError."""
    knowledge = Knowledge()
    years = [year for pair in released.contracts for year in _years(*pair)]
    entries = [entry for year in years for entry in _entries(year)]
    reached = iter(reach(entries, released.cards))
    for year in years:
        if year.piece:
            knowledge.pieces.append(Piece(year.contract, year.year, year.piece))
        for place, told in enumerate(year.told):
            alone, together = next(reached)
            so_far = year.until(place)
            said = list(_period(told)) or list(_total(so_far, alone))
            knowledge.sayings.append(Saying(told, said))
            knowledge.facts.extend(_period(told))
            knowledge.facts.extend(_total(so_far, together))
    for earlier, later in pairwise(years):
        if earlier.contract is later.contract:
            knowledge.facts.extend(_carried(earlier, later))
    knowledge.facts.extend(_billed(released))
    knowledge.facts.extend(paused(released))
    return knowledge


def paused(released: Released) -> list[Fact]:
    """Say that nothing is used in a pause, which everybody knows."""
    pauses = (months for contract, _ in released.contracts for months in contract.pauses)
    return [Fact(months, Interval(0, 0)) for months in pauses]


def _years(contract: Contract, told: Sequence[Told]) -> Iterator[YearTold]:
    for year in contract.years(told[-1].months.until if told else contract.months.from_month):
        of_year = [one for one in told if one.months.from_month in year.months]
        carried = 0 if year.first_month == contract.months.from_month else None
        first = of_year[0] if of_year else told[-1]
        if of_year:
            carried = first.allowance_quarters - included(contract, year, first.months.until)
        counted = [one for one in of_year if one.counts]
        piece = reported_piece(contract, year, first.thresholds)
        yield YearTold(contract, year, counted, carried, piece, first.thresholds)


def _entries(year: YearTold) -> Iterator[Entry]:
    for place, told in enumerate(year.told):
        so_far = year.until(place)
        yield Entry(
            told=told,
            total_quarters=None if so_far.piece else so_far.shown_quarters,
            stated_quarters=so_far.charged_quarters - told.overage_quarters,
            opens_year=place == 0,
        )


def _period(told: Told) -> Iterator[Fact]:
    if told.used_quarters is not None:
        yield _fact(told.months, told.used_quarters - 1, told.used_quarters)


def _total(year: YearTold, use: Interval) -> Iterator[Fact]:
    """Read a year's use so far, without overage that a former system is taken to have charged.

    Each period was rounded up by less than a half hour.
    """
    if not year.piece:
        if year.told and year.shown_quarters is None:
            yield from _spread(_span(year), use.at_least - len(year.told), use.at_most)
        return
    charges = year.contract.choices_of(year.year).overage == BILL
    whole = included(year.contract, year.year, year.piece.until) + (year.carried_quarters or 0)
    if year.shown_quarters is None:
        span = _span(year)
        at_least = use.at_least - whole - len(year.told) if charges else 0
        yield from _spread(span, at_least, use.at_most)
        span = _span(year, year.piece)
        at_most = None if charges else use.at_most
        yield from _spread(span, use.at_least - len(year.told) - 1, at_most)
        return
    at_most = None if use.at_most is None else use.at_most - year.shown_quarters
    if charges and at_most is not None and at_most >= whole:
        at_most = None
    yield _fact(year.piece, use.at_least - year.shown_quarters - 1, at_most)


def _span(year: YearTold, piece: MonthRange | None = None) -> MonthRange | None:
    """Give the months up to the last statement, if those in between are all counted or paused."""
    counted = [one.months for one in year.told]
    start = (piece or counted[0]).from_month
    span = MonthRange(start, counted[-1].until)
    served = sum(len(part) for part in span.without(year.contract.pauses))
    return span if served == sum(map(len, [*counted, *([piece] if piece else [])])) else None


def _spread(span: MonthRange | None, at_least: int, at_most: int | None) -> Iterator[Fact]:
    if span:
        yield _fact(span, at_least, at_most)


def _fact(months: MonthRange, at_least: int, at_most: int | None) -> Fact:
    return Fact(months, Interval(max(0, at_least), at_most))


def _carried(year: YearTold, following: YearTold) -> Iterator[Fact]:
    """Turn round the rule for unused hours (design 5.5): what was left tells what was used."""
    part, cap = year.contract.carry_over_basis_points, year.contract.carry_over_cap_quarters
    carried = following.carried_quarters
    if carried is None or carried < 0 or not part or year.carried_quarters is None:
        return
    if carried == 0 and not _may_leave(year, following.thresholds):
        return
    halves = -(-carried // HALF_HOUR)
    unused_at_least = -(-halves * BASIS_POINTS * HALF_HOUR // part)
    unused_at_most = ((halves + 1) * BASIS_POINTS * HALF_HOUR - 1) // part
    whole = included(year.contract, year.year, year.year.until_month)
    before = year.charged_quarters + year.carried_quarters + whole
    knows_least = carried < cap and unused_at_most < whole
    at_least = up_to_half_hours(max(0, before - unused_at_most)) if knows_least else 0
    at_most = (before - unused_at_least) // HALF_HOUR * HALF_HOUR if carried > 0 else None
    yield from _total(year, Interval(at_least, at_most))


def _may_leave(year: YearTold, thresholds: Thresholds) -> bool:
    """Tell whether leaving nothing says that a year went far, by the rule for unused hours.

    Only one with reported months: what a year with figures used is known without it.
    """
    contract, piece = year.contract, year.piece
    if piece is None:
        return False
    with_figures = [told.months for told in year.told if told.used_quarters is not None]
    people = lowest_headcount(contract, year.year, piece)
    return (
        sum(map(len, [piece, *with_figures])) == len(year.year.months)
        and people >= thresholds.figures_from_headcount
        and contract.choices_of(year.year).release != BAND
        and contract.choices_of(year.year).overage != ALL_IN
    )


def _billed(released: Released) -> Iterator[Fact]:
    """An overage line that no statement says tells of use by itself."""
    said = {(told.months, told.overage_quarters) for told in released.told}
    for months, quarters in released.billed:
        if (months, quarters) not in said:
            yield _fact(months, quarters - 1, None)
