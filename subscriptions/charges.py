"""What a contract and its sessions cost, and in which run each charge falls due (design 5.2-5.7).

Pure arithmetic: no database, no framework. Amounts are whole cents without VAT.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agency.money import HUNDREDTHS_PER_QUARTER, round_half_away
from agency.month import Month, MonthRange
from subscriptions.agreements import Contract, ContractYear

HUNDREDTHS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One line to be billed: its kind, the run in which it falls due, and its amount.

    ``quantity_hundredths`` is 100 for one. ``tier`` is the tier that a fee is worked out at.
    """

    kind: str
    due: Month
    months: MonthRange
    net_cents: int
    unit_cents: int
    quantity_hundredths: int = HUNDREDTHS
    tier: str = ""


def once(kind: str, due: Month, months: MonthRange, cents: int, tier: str = "") -> Charge:
    return Charge(kind=kind, due=due, months=months, net_cents=cents, unit_cents=cents, tier=tier)


def interval_starts(contract: Contract, first: Month, last: Month) -> list[Month]:
    """Give the months from ``first`` to ``last`` in which a billing interval starts.

    Intervals are counted from the start of the whole contract year, as a year is a whole number
    of them; the contract's first one may begin inside, and so does what follows a pause.
    """
    start, until = contract.months.from_month, contract.months.until_month
    first = max(first, start)
    last = last if until is None else min(last, until - 1)
    next_start = first + (contract.year_starts_in - first.number) % contract.interval
    starts = [Month(index) for index in range(next_start.index, last.index + 1, contract.interval)]
    if start == first < next_start and first <= last:
        starts = [first, *starts]
    if contract.pauses:
        after = {pause.until for pause in contract.pauses if first <= pause.until <= last}
        starts = sorted(m for m in {*starts, *after} if not contract.is_paused(m))
    return starts


def fee_cents(annual_fee_cents: int, year: ContractYear, months: MonthRange) -> int:
    """Give the fee for months of a contract year, so that all parts of a year add up."""
    until = months.until.since(year.whole_start)
    start = months.from_month.since(year.whole_start)
    return round_half_away(annual_fee_cents * until, 12) - round_half_away(
        annual_fee_cents * start, 12
    )


def fees(contract: Contract, run: Month, paid_until: Month | None = None) -> Iterator[Charge]:
    """Give the fees and the setup fee due in a run or earlier (design 5.2).

    Not those due before the contract's first run: they were billed elsewhere, at prices that may
    be in no book of ours. Nor those of the months before ``paid_until``.
    """
    earliest = contract.first_run + 1
    for start in interval_starts(contract, max(earliest, paid_until or earliest), run + 1):
        year, months = contract.year_of(start), interval_of(contract, start)
        tier = contract.tier_in(start)
        prices = contract.prices(year, tier)
        cents = fee_cents(prices.annual_fee_cents, year, months)
        yield once("fee", start - 1, months, cents, tier)
        if start == contract.months.from_month:
            yield once("setup", start - 1, MonthRange(start, start + 1), prices.setup_fee_cents)


def tier_changes(
    contract: Contract, run: Month, drafted_tiers: Mapping[Month, str]
) -> Iterator[Charge]:
    """Give the lines for tier changes due in a run or earlier (design 5.3).

    ``drafted_tiers`` holds, by first month of an interval, the tier its fee was drafted at. A fee
    drafted at another tier than its first month has by now is put right for all of its interval.
    """
    before = contract.tier
    for month, tier in contract.tier_changes:
        old, before = before, tier
        inside = not (contract.is_paused(month) or _starts_an_interval(contract, month))
        if contract.first_run <= month - 1 <= run and inside:
            yield _difference(contract, month, old, tier)
    for month, drafted in sorted(drafted_tiers.items()):
        tier = contract.tier_in(month)
        if month - 1 <= run and month in contract.months and drafted != tier:
            yield _difference(contract, month, drafted, tier)


def _starts_an_interval(contract: Contract, month: Month) -> bool:
    return interval_of(contract, month).from_month == month


def interval_of(contract: Contract, month: Month) -> MonthRange:
    """Give the billing interval in which a month of the contract lies, as far as pauses leave it.

    The month is none of a pause.
    """
    start = month - (month.number - contract.year_starts_in) % contract.interval
    until = start + contract.interval
    if contract.months.until_month is not None:
        until = min(until, contract.months.until_month)
    whole = MonthRange(max(start, contract.months.from_month), until)
    if not contract.pauses:
        return whole
    parts = whole.without(contract.pauses)
    return next((part for part in parts if month in part), whole)


def _difference(contract: Contract, month: Month, old: str, tier: str) -> Charge:
    """Charge what a tier costs more from a month to the end of its interval; less is negative."""
    year = contract.year_of(month)
    rest = MonthRange(month, interval_of(contract, month).until)
    annual_cents = (
        contract.prices(year, tier).annual_fee_cents - contract.prices(year, old).annual_fee_cents
    )
    cents = round_half_away(annual_cents * len(rest), 12)
    return once("tier_change", month - 1, rest, cents, tier)


def overage(contract: Contract, months: MonthRange, overage_quarters: int) -> Charge:
    """Charge a statement's overage at the rate of the tier in force in its first month."""
    year = contract.year_of(months.from_month)
    rate = contract.prices(year, contract.tier_in(months.from_month)).overage_rate_cents
    return Charge(
        kind="overage",
        due=months.last_month,
        months=months,
        quantity_hundredths=overage_quarters * HUNDREDTHS_PER_QUARTER,
        unit_cents=rate,
        net_cents=round_half_away(overage_quarters * rate, 4),
    )


def included_sessions(contract: Contract, month: Month) -> int:
    """Give how many sessions may be free in the contract year of a month, as known in it."""
    if contract.is_paused(month):
        return 0
    year = contract.year_of(month)
    yearly = contract.prices(year, contract.tier_in(month)).included_sessions
    return -(-yearly * len(contract.served(year, month + 1)) // 12)


def cancellation_percent(rungs: Sequence[tuple[int, int]], days_before: int) -> int:
    """Give the percentage of the price for a cancellation so many whole days before.

    ``rungs`` are (least days before, percent) of the cancellation ladder (design 5.7).
    """
    reached = [rung for rung in rungs if rung[0] <= max(0, days_before)]
    return max(reached)[1] if reached else 100


def cancellation_cents(price_cents: int, percent: int) -> int:
    return round_half_away(price_cents * percent, 100)
