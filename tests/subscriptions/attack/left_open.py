"""The three findings about the rules as they are, and the months that each of them concerns."""

from __future__ import annotations

from collections.abc import Iterator

from agency.month import MonthRange
from subscriptions.agreements import ALL_IN
from subscriptions.attack.released import Released
from subscriptions.attack.schedules import Schedule, Tried
from subscriptions.attack.verdict import Proven
from subscriptions.release import BAND, EXACT


def left_open(schedule: Schedule, released: Released) -> list[MonthRange]:
    """Give the months of which the rules let more be derived than they should."""
    return [
        *_bands_that_share_a_card(released),
        *_reported_at_all_in(schedule, released),
        *_reported_of_few_people(schedule, released),
    ]


def unexplained(tried: Tried) -> list[Proven]:
    """Give what is proven outside of those months, however much is inside."""
    excused = left_open(tried.schedule, tried.released) if tried.finding.proven else []
    return [
        one
        for one in tried.finding.proven
        if not any(
            months.from_month <= one.months.from_month and one.months.until <= months.until
            for months in excused
        )
    ]


def _bands_that_share_a_card(released: Released) -> Iterator[MonthRange]:
    """What a card gives follows from the use of the contract year so far, not of the period."""
    shown = [told.months for told in released.told if told.display == EXACT]
    for card in released.cards:
        if any(card.months.overlaps(period) for period in shown):
            for contract, told in released.contracts:
                for one in told:
                    if one.display == BAND and card.months.overlaps(one.months):
                        year = contract.year_of(one.months.from_month)
                        yield MonthRange(year.months.from_month, one.months.until)


def _reported_at_all_in(schedule: Schedule, released: Released) -> Iterator[MonthRange]:
    contract, reported = released.contracts[0][0], _reported(schedule)
    if schedule.carry_over_basis_points:
        for year in contract.years(reported.until):
            if contract.choices_of(year).overage == ALL_IN and year.until_month <= reported.until:
                yield year.months


def _reported_of_few_people(schedule: Schedule, released: Released) -> Iterator[MonthRange]:
    contract, told = released.contracts[0]
    shown = [one.months.from_month for one in told if one.display == EXACT]
    for year in contract.years(_reported(schedule).until):
        part = [month for month in _reported(schedule) if month in year.months]
        is_small = any(contract.headcount(month) <= 10 for month in part)
        if is_small and any(start in year.months for start in shown):
            yield MonthRange(part[0], part[-1] + 1)


def _reported(schedule: Schedule) -> MonthRange:
    start = schedule.terms[0].from_month
    until = schedule.terms[0].until_month or start + schedule.reported_months
    return MonthRange(start, min(until, start + schedule.reported_months))
