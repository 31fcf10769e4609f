"""A contract as plain data, with the answers that follow from it alone. No database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from agency.month import Month, MonthRange

BASIC, EXTENDED = "basic", "extended"
BILL, CAP, ALL_IN = "bill", "cap", "all_in"


class NoPriceError(LookupError):
    """No price book, or no band in it, holds for a contract year, or no headcount is known."""


class NoHeadcountError(NoPriceError):
    """Nobody ever declared how many people the client has."""


class OnRequestError(NoPriceError):
    """The band has no prices, and the contract did not agree all of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A contract year's prices in one tier; hours in quarters, sessions and fee for 12 months."""

    annual_fee_cents: int
    setup_fee_cents: int
    included_quarters: int
    included_sessions: int
    overage_rate_cents: int


@dataclass(frozen=True, slots=True)
class Band:
    """A band of headcounts; without ``prices`` only the set-up has one, the rest is on request."""

    tier: str
    min_headcount: int
    max_headcount: int | None
    prices: Prices | None
    setup_fee_cents: int = 0

    def holds_for(self, tier: str, headcount: int) -> bool:
        return (
            self.tier == tier
            and self.min_headcount <= headcount
            and (self.max_headcount is None or headcount <= self.max_headcount)
        )


@dataclass(frozen=True, slots=True)
class PriceBooks:
    """Price books in order of the month from which they are valid."""

    books: tuple[tuple[Month, tuple[Band, ...]], ...]

    def band(self, month: Month, tier: str, headcount: int) -> tuple[Month, Band]:
        """Give the month of the newest book at a month, and its band; raises NoPriceError."""
        valid = [book for book in self.books if book[0] <= month]
        for valid_from, bands in valid[-1:]:
            for band in bands:
                if band.holds_for(tier, headcount):
                    return valid_from, band
        raise NoPriceError(f"{month} {tier} {headcount}")


class Choices(NamedTuple):
    """What a contract chose for the contract years that begin in or after a month.

    Own prices are None where the book's hold.
    """

    from_month: Month
    overage: str = BILL
    release: str = ""
    own_annual_fee_cents: int | None = None
    own_included_quarters: int | None = None
    own_included_sessions: int | None = None
    own_overage_rate_cents: int | None = None


@dataclass(frozen=True, slots=True)
class ContractYear:
    """The contract months of one contract year, and where the whole year would start.

    A first year before the anniversary and a year cut by the contract's end are short.
    """

    whole_start: Month
    months: MonthRange

    @property
    def first_month(self) -> Month:
        return self.months.from_month

    @property
    def until_month(self) -> Month:
        return self.months.until


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Everything agreed in one contract, and the headcounts and prices that it depends on.

    ``year_starts_in`` is the number of the month in which contract years start; ``requests`` are
    tier changes asked for, in order of month. ``predecessor`` is the contract that ended at most
    12 months before this one started (design 5.6); its contract year is kept. ``pauses`` are in
    order; they are whole quarters or years of the contract year (`subscriptions.pauses`).
    """

    months: MonthRange
    year_starts_in: int
    interval: int
    tier: str
    books: PriceBooks
    headcounts: tuple[tuple[Month, int], ...]
    choices: tuple[Choices, ...]
    first_run: Month
    reported_until: Month
    requests: tuple[tuple[Month, str], ...] = ()
    carry_over_basis_points: int = 0
    carry_over_cap_quarters: int = 0
    frozen_prices: Mapping[tuple[Month, str], Prices] = field(default_factory=dict)
    predecessor: Contract | None = None
    pauses: tuple[MonthRange, ...] = ()

    def year_of(self, month: Month) -> ContractYear:
        """Give the contract year in which a month of the contract lies (design 5.1)."""
        whole_start = month - (month.number - self.year_starts_in) % 12
        until = whole_start + 12
        if self.months.until_month is not None:
            until = min(until, self.months.until_month)
        return ContractYear(
            whole_start, MonthRange(max(whole_start, self.months.from_month), until)
        )

    def years(self, until: Month) -> Iterator[ContractYear]:
        """Give the contract years that begin before a month, oldest first."""
        month = self.months.from_month
        while month < until and month in self.months:
            year = self.year_of(month)
            yield year
            month = year.until_month

    def is_paused(self, month: Month) -> bool:
        return any(month in pause for pause in self.pauses)

    def resumes(self, month: Month) -> Month:
        """Give a month itself or, where the contract is paused in it, the first one after that."""
        while self.is_paused(month):
            month += 1
        return month

    def served(self, year: ContractYear, until: Month) -> list[Month]:
        """Give the months of a contract year without those of pauses begun by a month."""
        begun = [pause for pause in self.pauses if pause.from_month <= until]
        if not begun:
            return list(year.months)
        return [month for part in year.months.without(begun) for month in part]

    def headcount(self, month: Month) -> int:
        """Give the headcount known for a month: the latest declared, else the earliest.

        Raises NoPriceError where none was ever declared.
        """
        if not self.headcounts:
            raise NoHeadcountError(str(month))
        known = [number for declared, number in self.headcounts if declared <= month]
        return known[-1] if known else self.headcounts[0][1]

    def choices_of(self, year: ContractYear) -> Choices:
        """Give the choices in force at the start of a contract year; they hold all year."""
        made = [choices for choices in self.choices if choices.from_month <= year.first_month]
        return made[-1] if made else self.choices[0]

    def prices(self, year: ContractYear, tier: str) -> Prices:
        """Give a year's prices in a tier: frozen ones, else the book's with own ones (design 5.1).

        Raises NoPriceError, of prices on request OnRequestError.
        """
        frozen = self.frozen_prices.get((year.first_month, tier))
        if frozen is not None:
            return frozen
        first = year.first_month
        band = self.books.band(first, tier, self.headcount(first))[1]
        book, own = band.prices, self.choices_of(year)
        if book is None:
            agreed = _agreed(own, band) if tier == self.tier else None
            if agreed is None:
                raise OnRequestError(f"{first} {tier} {self.headcount(first)}")
            return agreed
        if tier != self.tier:
            return book
        return Prices(
            annual_fee_cents=_either(own.own_annual_fee_cents, book.annual_fee_cents),
            setup_fee_cents=book.setup_fee_cents,
            included_quarters=_either(own.own_included_quarters, book.included_quarters),
            included_sessions=_either(own.own_included_sessions, book.included_sessions),
            overage_rate_cents=_either(own.own_overage_rate_cents, book.overage_rate_cents),
        )

    def prices_if_any(self, year: ContractYear, tier: str) -> Prices | None:
        try:
            return self.prices(year, tier)
        except NoPriceError:
            return None

    @cached_property
    def tier_changes(self) -> tuple[tuple[Month, str], ...]:
        """Months in which the tier changes, with the new tier (design 5.3), in order.

        An upgrade counts from its month. A downgrade waits for the first contract year that
        starts in or after its month and at least 12 months after the last upgrade; a later
        request replaces it while it waits. What would fall at or after the end has no effect.
        """
        changes: list[tuple[Month, str]] = []
        waiting: Month | None = None
        tier, last_upgrade = self.tier, None
        for month, wanted in self.requests:
            if waiting is not None and waiting <= month:
                changes.append((waiting, BASIC))
                tier = BASIC
            waiting = None
            if wanted == EXTENDED and tier == BASIC:
                changes.append((month, EXTENDED))
                tier, last_upgrade = EXTENDED, month
            elif wanted == BASIC and tier == EXTENDED:
                waiting = self._downgrade_month(month, last_upgrade)
        if waiting is not None:
            changes.append((waiting, BASIC))
        return self._in_force(changes)

    def _in_force(self, changes: list[tuple[Month, str]]) -> tuple[tuple[Month, str], ...]:
        """Keep the last change of each month, where it is one, and none outside the contract."""
        kept: list[tuple[Month, str]] = []
        tier = self.tier
        for month, last in dict(changes).items():
            if month in self.months and last != tier:
                kept.append((month, last))
                tier = last
        return tuple(kept)

    def _downgrade_month(self, month: Month, last_upgrade: Month | None) -> Month:
        earliest = month if last_upgrade is None else max(month, last_upgrade + 12)
        return self.next_year_start(earliest)

    def next_year_start(self, month: Month) -> Month:
        """Give where the first contract year starts in or after a month: choices count from there.

        Beyond an end as well, where no contract year starts any more.
        """
        if month <= self.months.from_month:
            return self.months.from_month
        return month + (self.year_starts_in - month.number) % 12

    def band(self, year: ContractYear, tier: str) -> Band | None:
        """Give the band of the price book that a contract year falls into, if it has one."""
        first = year.first_month
        try:
            return self.books.band(first, tier, self.headcount(first))[1]
        except NoPriceError:
            return None

    def tier_in(self, month: Month) -> str:
        """Give the tier in force in a month."""
        past = [tier for changed, tier in self.tier_changes if changed <= month]
        return past[-1] if past else self.tier


def _agreed(own: Choices, band: Band) -> Prices | None:
    """Give a contract's own prices in a band without any, if it has all of them."""
    fee, hours = own.own_annual_fee_cents, own.own_included_quarters
    sessions, rate = own.own_included_sessions, own.own_overage_rate_cents
    if fee is None or hours is None or sessions is None or rate is None:
        return None
    return Prices(
        annual_fee_cents=fee,
        setup_fee_cents=band.setup_fee_cents,
        included_quarters=hours,
        included_sessions=sessions,
        overage_rate_cents=rate,
    )


def _either(own: int | None, book: int) -> int:
    return book if own is None else own
