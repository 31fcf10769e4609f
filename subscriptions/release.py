"""When a period of hours is published and how it shows (design 5.6). No database.

A period is published only when it covers enough people and months that nothing can be worked
back to one conversation. The rule is deterministic: no noise, no split inside a period.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agency.month import Month, MonthRange
from subscriptions.agreements import ALL_IN, Contract, ContractYear

EXACT, BAND, WITHHELD = "exact", "band", "withheld"
MONTH, QUARTER, YEAR = 1, 3, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """A version of the release policy: headcounts from which more is shown, and least lengths."""

    month_from_headcount: int = 251
    quarter_from_headcount: int = 26
    figures_from_headcount: int = 11
    quarter_least_months: int = 3
    year_least_months: int = 6

    def natural_length(self, headcount: int) -> int:
        """Give the least length of a period in months: 1, 3, or 12 for the contract year."""
        if headcount >= self.month_from_headcount:
            return MONTH
        return QUARTER if headcount >= self.quarter_from_headcount else YEAR

    def least_months(self, headcount: int) -> int:
        """Give the months below which a forced closing shows nothing."""
        if headcount >= self.quarter_from_headcount:
            return self.quarter_least_months
        return self.year_least_months


@dataclass(frozen=True, slots=True)
class Release:
    """A period that closes, and how its use shows: exact, band, withheld or all_in."""

    months: MonthRange
    display: str


def shared_years(contract: Contract, year: ContractYear) -> list[ContractYear]:
    """Give the contract year as it was under each contract before that had a part of it."""
    shared = []
    before = contract.predecessor
    while before is not None and before.months.until > year.whole_start:
        shared.append(before.year_of(before.months.last_month))
        before = before.predecessor
    return shared


def lowest_headcount(contract: Contract, year: ContractYear, months: MonthRange) -> int:
    """Give n of design 5.6: the lowest headcount of the year's first month and of ``months``.

    A year that began under contracts before counts the first month under each of them: ending
    and beginning twice would else make a year forget how few people it began with.
    """
    firsts = {part.first_month for part in (year, *shared_years(contract, year))}
    return min(contract.headcount(month) for month in firsts | set(months))


def release(
    contract: Contract, open_from: Month, month: Month, thresholds: Thresholds
) -> Release | None:
    """Tell whether the period open since ``open_from`` closes with ``month``, and how it shows.

    Both months lie in the same contract year: a period never crosses into the next one, nor into
    a pause, before which it closes. A year with a pause in it is like one that two contracts share,
    and has no bands: two of one year tell more than each.
    """
    year = contract.year_of(month)
    months = MonthRange(open_from, month + 1)
    choice = contract.choices_of(year).release
    headcount = lowest_headcount(contract, year, months)
    chosen = {"": MONTH, "quarter": QUARTER, "year": YEAR, "band": YEAR}[choice]
    length = max(thresholds.natural_length(headcount), chosen)
    forced = months.until == year.until_month or contract.is_paused(months.until)
    if not (forced or _closes(length, year, months)):
        return None
    if contract.choices_of(year).overage == ALL_IN:
        return Release(months, ALL_IN)
    if forced and length != MONTH and _too_soon(contract, year, months, headcount, thresholds):
        return Release(months, WITHHELD)
    banded = choice == "band" or headcount < thresholds.figures_from_headcount
    paused = any(pause.overlaps(year.months) for pause in contract.pauses)
    few = headcount < thresholds.quarter_from_headcount
    if (shared_years(contract, year) and few) or (paused and (few or banded)):
        return Release(months, WITHHELD)
    return Release(months, BAND if banded else EXACT)


def periods(contract: Contract, months: MonthRange, thresholds: Thresholds) -> Iterator[Release]:
    """Give the periods that close in some months, the first of which opens one.

    As they will close if no other headcount is declared and no other terms are agreed.
    """
    open_from = months.from_month
    for month in months:
        if contract.is_paused(month):
            open_from = month + 1
        elif closing := release(contract, open_from, month, thresholds):
            open_from = month + 1
            yield closing


def _closes(length: int, year: ContractYear, months: MonthRange) -> bool:
    """Tell whether a period of its least length may close where nothing forces it to."""
    if length == MONTH:
        return True
    quarter_ends = months.until.since(year.whole_start) % QUARTER == 0
    return length == QUARTER and quarter_ends and len(months) >= QUARTER


def _too_soon(
    contract: Contract,
    year: ContractYear,
    months: MonthRange,
    headcount: int,
    thresholds: Thresholds,
) -> bool:
    if len(months) < thresholds.least_months(headcount):
        return True
    covers_all = months.from_month == max(year.first_month, contract.reported_until)
    return headcount < thresholds.figures_from_headcount and not covers_all
