"""Hours used, included, carried over and charged, contract year by contract year (design 5.4, 5.5).

All figures are quarter-hours. What was published before is given and never worked out again:
only the period that closes is decided here. No database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from uuid import UUID

from agency.month import Month, MonthRange
from subscriptions.agreements import ALL_IN, CAP, Contract, ContractYear
from subscriptions.release import (
    BAND,
    EXACT,
    MONTH,
    WITHHELD,
    Release,
    Thresholds,
    lowest_headcount,
)

HALF_HOUR = 2


@dataclass(frozen=True, slots=True)
class Card:
    """A top-up card with the quarters that periods with figures have left on it now.

    ``banded_quarters`` is what bands took. A period with figures finds that on the card again: else
    its figures would tell how far a year went of which only a band is shown (design 1, promise B).
    """

    key: UUID
    months: MonthRange
    left_quarters: int
    banded_quarters: int = 0

    def left_for(self, display: str) -> int:
        """Give the quarters that a period of this display may take."""
        taken = 0 if display == EXACT else self.banded_quarters
        return max(0, self.left_quarters - taken)

    def after(self, display: str, quarters: int) -> Card:
        """Give the card after a period of this display has taken quarters from it."""
        if display == EXACT:
            return replace(self, left_quarters=self.left_quarters - quarters)
        return replace(self, banded_quarters=self.banded_quarters + quarters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A period with a statement: what it showed, charged and took from cards."""

    months: MonthRange
    display: str
    overage_quarters: int
    card_quarters: int

    @property
    def counts(self) -> bool:
        return self.display in (EXACT, BAND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a statement of a period says, and what it takes from which card.

    ``used_quarters`` is the period's own use even where the display does not show it;
    ``credit_quarters`` is overage billed earlier in the year that turned out not to be due.
    """

    release: Release
    used_quarters: int
    allowance_quarters: int
    overage_quarters: int
    credit_quarters: int
    card_uses: tuple[tuple[Card, int], ...] = ()


@dataclass(frozen=True, slots=True)
class YearSoFar:
    """A contract year's sums up to a month; ``rest_quarters`` is what is still to be set off."""

    used_quarters: int
    overage_quarters: int
    card_quarters: int
    rest_quarters: int


def up_to_half_hours(quarters: int) -> int:
    return quarters + quarters % HALF_HOUR


def included(contract: Contract, year: ContractYear, until: Month) -> int:
    """Give the included quarters of a contract year as a statement up to ``until`` counts them.

    Tier changes before ``until`` count; the later months take the tier of the last month before
    it (design 5.3). Months of a pause count nothing once it follows that month, or earlier: who
    agrees on one later changes no statement. Rounded up to half hours once for the year.
    """
    last = until - 1
    yearly = sum(
        contract.prices(year, contract.tier_in(min(month, last))).included_quarters
        for month in contract.served(year, until)
    )
    return -(-Fraction(yearly, 12) // HALF_HOUR) * HALF_HOUR


def reported_piece(
    contract: Contract, year: ContractYear, thresholds: Thresholds
) -> MonthRange | None:
    """Give the months of a year that a former system reported, if they count (design 8)."""
    until = min(contract.reported_until, year.until_month)
    if until <= year.first_month:
        return None
    piece = MonthRange(year.first_month, until)
    return None if _too_few(contract, year, piece, thresholds) else piece


def _too_few(
    contract: Contract, year: ContractYear, piece: MonthRange, thresholds: Thresholds
) -> bool:
    headcount = lowest_headcount(contract, year, piece)
    if thresholds.natural_length(headcount) == MONTH:
        return False
    return len(piece) < thresholds.least_months(headcount)


def _of_few_people(
    contract: Contract, year: ContractYear, piece: MonthRange, thresholds: Thresholds
) -> bool:
    return lowest_headcount(contract, year, piece) < thresholds.figures_from_headcount


def carried_in(
    contract: Contract,
    year: ContractYear,
    hours: Mapping[Month, int],
    stated: Sequence[Stated],
    thresholds: Thresholds,
) -> int:
    """Give the quarters that the year before leaves to a contract year (design 5.5)."""
    carried = 0
    for earlier in contract.years(year.first_month):
        carried = _carried_out(contract, earlier, carried, hours, stated, thresholds)
    return carried


def _carried_out(
    contract: Contract,
    year: ContractYear,
    carried: int,
    hours: Mapping[Month, int],
    stated: Sequence[Stated],
    thresholds: Thresholds,
) -> int:
    if not contract.carry_over_basis_points or not _may_carry(contract, year, stated, thresholds):
        return 0
    sums = so_far(contract, year, carried, hours, stated, thresholds)
    whole = included(contract, year, year.until_month)
    used = max(0, sums.used_quarters - sums.overage_quarters - carried)
    unused = max(0, whole - used)
    part = unused * contract.carry_over_basis_points // (10_000 * HALF_HOUR) * HALF_HOUR
    return min(part, contract.carry_over_cap_quarters)


def _may_carry(
    contract: Contract, year: ContractYear, stated: Sequence[Stated], thresholds: Thresholds
) -> bool:
    if any(s.display != EXACT for s in stated if s.months.from_month in year.months):
        return False
    until = min(contract.reported_until, year.until_month)
    if until <= year.first_month:
        return True
    piece = MonthRange(year.first_month, until)
    few_people = _of_few_people(contract, year, piece, thresholds)
    choices = contract.choices_of(year)
    shown_to_nobody = choices.release == "band" or choices.overage == ALL_IN
    return not (few_people or shown_to_nobody or _too_few(contract, year, piece, thresholds))


def so_far(
    contract: Contract,
    year: ContractYear,
    carried: int,
    hours: Mapping[Month, int],
    stated: Sequence[Stated],
    thresholds: Thresholds,
    *,
    shown: bool = False,
) -> YearSoFar:
    """Add up a contract year: the piece a former system reported, then the published periods.

    ``hours`` are the posted quarters by month, adjustments included. A period is rounded up once
    to half hours and never below 0: a negative rest passes to the next period that counts. For a
    period with figures (``shown``) a piece of so few people that it has none counts nothing: the
    overage would tell of it.
    """
    used = overage = cards = rest = 0
    piece = reported_piece(contract, year, thresholds)
    if piece and not (shown and _of_few_people(contract, year, piece, thresholds)):
        period, rest = _settle(hours, piece, rest)
        used += period
        if contract.choices_of(year).overage not in (CAP, ALL_IN):
            allowance = included(contract, year, piece.until) + carried
            overage = max(0, used - allowance)
    for statement in stated:
        if statement.months.from_month in year.months and statement.counts:
            period, rest = _settle(hours, statement.months, rest)
            used += period
            overage += statement.overage_quarters
            cards += statement.card_quarters
    return YearSoFar(used, overage, cards, rest)


def _settle(hours: Mapping[Month, int], months: MonthRange, rest: int) -> tuple[int, int]:
    """Give a period's use in whole half hours, and the negative rest that it passes on."""
    posted = rest + sum(hours.get(month, 0) for month in months)
    return up_to_half_hours(max(0, posted)), min(0, posted)


def account(
    contract: Contract,
    release: Release,
    hours: Mapping[Month, int],
    stated: Sequence[Stated],
    cards: Sequence[Card],
    thresholds: Thresholds,
) -> Account:
    """Work out what the statement of a closing period says.

    ``stated`` are the contract's earlier statements in order; ``cards`` the organisation's, oldest
    first. Included and carried-in hours are used first, then cards valid in a month of the
    period, then overage: what passes all of them and was not stated yet this year.
    """
    year = contract.year_of(release.months.from_month)
    carried = carried_in(contract, year, hours, stated, thresholds)
    allowance = included(contract, year, release.months.until) + carried
    shown = release.display == EXACT
    sums = so_far(contract, year, carried, hours, stated, thresholds, shown=shown)
    if release.display in (WITHHELD, ALL_IN):
        return Account(
            release=release,
            used_quarters=0,
            allowance_quarters=allowance,
            overage_quarters=0,
            credit_quarters=_credit(contract, release, stated, sums.rest_quarters),
        )
    used, rest = _settle(hours, release.months, sums.rest_quarters)
    beyond = sums.used_quarters + used - allowance
    need = max(0, beyond - sums.card_quarters - sums.overage_quarters)
    taken = _take(cards, release, need)
    capped = contract.choices_of(year).overage == CAP
    charged = 0 if capped else need - sum(quarters for _, quarters in taken)
    return Account(
        release=release,
        used_quarters=used,
        allowance_quarters=allowance,
        overage_quarters=charged,
        card_uses=taken,
        credit_quarters=_credit(contract, release, stated, rest),
    )


def _take(cards: Sequence[Card], release: Release, need: int) -> tuple[tuple[Card, int], ...]:
    taken = []
    for card in cards:
        quarters = min(need, card.left_for(release.display))
        if quarters and card.months.overlaps(release.months):
            taken.append((card, quarters))
            need -= quarters
    return tuple(taken)


def _credit(contract: Contract, release: Release, stated: Sequence[Stated], rest: int) -> int:
    """Give what is left of a negative rest at the end of the year, as far as we billed overage.

    Overage that a former system billed, or stated before the first run, is not ours to credit.
    """
    year = contract.year_of(release.months.from_month)
    if contract.resumes(release.months.until) < year.until_month:
        return 0
    billed = sum(
        statement.overage_quarters
        for statement in stated
        if statement.months.from_month in year.months
        and statement.months.last_month >= contract.first_run
    )
    return min(-rest // HALF_HOUR * HALF_HOUR, billed)
