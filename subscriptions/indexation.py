"""What a rise by a price index makes of a contract's own prices (design 5.12). No database.

The first contract year counts that starts in or after the run's month, late enough to have been
announced, and of which nothing was billed; prices that were agreed anew for it stay as agreed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from typing import NamedTuple

from agency.money import round_half_away
from agency.month import Month, MonthRange
from subscriptions.agreements import Contract, ContractYear
from subscriptions.charges import fee_cents
from subscriptions.models import LeftOut

WHOLE = 10_000  # basis points


class Rise(NamedTuple):
    """New own prices from the first month of a contract year; None for what is not its own.

    ``is_postponed`` says that the contract year asked for can no longer be indexed in time.
    """

    from_month: Month
    is_postponed: bool
    old_annual_fee_cents: int | None
    new_annual_fee_cents: int | None
    old_overage_rate_cents: int | None
    new_overage_rate_cents: int | None


def factor(
    before_thousandths: int,
    after_thousandths: int,
    cap_basis_points: int | None = None,
    floor_basis_points: int | None = None,
) -> Fraction:
    """Give what prices are multiplied by; a floor of 0 means that they never fall."""
    found = Fraction(after_thousandths, before_thousandths)
    if cap_basis_points is not None:
        found = min(found, Fraction(WHOLE + cap_basis_points, WHOLE))
    if floor_basis_points is not None:
        found = max(found, Fraction(WHOLE + floor_basis_points, WHOLE))
    return found


def indexed(cents: int | None, by: Fraction) -> int | None:
    return None if cents is None else round_half_away(cents * by)


def rise(contract: Contract, by: Fraction, *, wanted: Month, earliest: Month) -> Rise | LeftOut:
    """Index a contract's own prices, in the first contract year that starts in or after a month.

    ``earliest`` is the first month for which an announcement is still in time.
    """
    years = _years(contract, wanted)
    asked = next(years, None)
    year = next((y for y in chain([asked], years) if y and _is_open(contract, y, earliest)), None)
    if asked is None or year is None:
        return LeftOut.ENDED
    old = own_prices(contract, year)
    new = tuple(indexed(cents, by) for cents in old)
    if old == (None, None):
        return LeftOut.NO_OWN_PRICES
    if old != own_prices(contract, contract.year_of(asked.first_month - 1)):
        return LeftOut.AGREED
    return obstacle_in(contract, year) or (
        LeftOut.UNCHANGED
        if old == new
        else Rise(year.first_month, year != asked, old[0], new[0], old[1], new[1])
    )


def obstacle_in(contract: Contract, year: ContractYear) -> LeftOut | None:
    """Say why own prices cannot be indexed in a contract year."""
    first = year.first_month
    if first not in contract.months or contract.year_of(first) != year:
        return LeftOut.ENDED
    if _is_billed(contract, first):
        return LeftOut.BILLED
    if contract.is_paused(first):
        return LeftOut.PAUSED
    if contract.tier_in(first) != contract.tier:
        return LeftOut.OTHER_TIER
    is_agreed = any(choices.from_month >= first for choices in contract.choices)
    return LeftOut.AGREED if is_agreed else None


def year_cents(annual_fee_cents: int, first: Month, months: Iterable[MonthRange]) -> int:
    """Give what a fee makes in parts of the contract year that starts in a month (design 5.2)."""
    year = ContractYear(first, MonthRange(first, first + 12))
    return sum(fee_cents(annual_fee_cents, year, part) for part in months)


def earliest_month(on: dt.date, months: int) -> Month:
    """Give the first month that begins so many months after a day, or later."""
    return Month.containing(on) + months + (on.day > 1)


def _years(contract: Contract, wanted: Month) -> Iterator[ContractYear]:
    """Give the contract years that start in or after a month, without the contract's first one.

    Those of a contract without an end never stop.
    """
    month = max(wanted, contract.months.from_month + 1)
    if month in contract.months:
        year = contract.year_of(month)
        month = month if year.first_month == month else year.until_month
    while month in contract.months:
        year = contract.year_of(month)
        yield year
        month = year.until_month


def _is_open(contract: Contract, year: ContractYear, earliest: Month) -> bool:
    return year.first_month >= earliest and not _is_billed(contract, year.first_month)


def _is_billed(contract: Contract, first: Month) -> bool:
    """Tell whether a contract year's first fee was billed, by us or before our first run."""
    is_history = first - 1 < contract.first_run
    return is_history or any(month == first for month, _tier in contract.frozen_prices)


def own_prices(contract: Contract, year: ContractYear) -> tuple[int | None, int | None]:
    """Give the own fee and rate of a contract year."""
    own = contract.choices_of(year)
    return own.own_annual_fee_cents, own.own_overage_rate_cents
