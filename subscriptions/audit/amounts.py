"""Invariants of what each line costs (design 5.2 to 5.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from agency.money import HUNDREDTHS_PER_QUARTER, round_half_away
from agency.month import Month, MonthRange
from subscriptions import charges
from subscriptions.agreements import BASIC, EXTENDED, Contract
from subscriptions.audit.records import Check, Invariant, Records
from subscriptions.facts import Billed
from subscriptions.models import (
    BilledOccurrence,
    InvoiceLine,
    LineKind,
    OccurrenceState,
    YearPrice,
)


def fees_follow_from_frozen_prices(records: Records) -> Iterator[Check]:
    for line, occurrence in records.billed(LineKind.FEE):
        contract = records.contracts[occurrence.subject_id]
        price = _frozen(records, contract, occurrence, occurrence.tier)
        year = contract.year_of(line.from_month)
        months = MonthRange(line.from_month, line.until_month)
        expected = price and charges.fee_cents(price.annual_fee_cents, year, months)
        yield Check(records.line_name(line), expected, line.net_cents)


def setup_fees_follow_from_frozen_prices(records: Records) -> Iterator[Check]:
    for line, occurrence in records.billed(LineKind.SETUP):
        contract = records.contracts[occurrence.subject_id]
        fee = _fee_beside(records, line, occurrence)
        tier = fee.tier if fee else contract.tier_in(line.from_month)
        price = _frozen(records, contract, occurrence, tier)
        yield Check(records.line_name(line), price and price.setup_fee_cents, line.net_cents)


def tier_changes_cost_the_difference_of_frozen_prices(records: Records) -> Iterator[Check]:
    for line, occurrence in records.billed(LineKind.TIER_CHANGE):
        contract = records.contracts[occurrence.subject_id]
        basic = _frozen(records, contract, occurrence, BASIC)
        extended = _frozen(records, contract, occurrence, EXTENDED)
        expected = None
        if basic and extended:
            more = extended.annual_fee_cents - basic.annual_fee_cents
            months = line.until_month.since(line.from_month)
            sign = 1 if contract.tier_in(line.from_month) == EXTENDED else -1
            expected = round_half_away(Fraction(sign * more * months, 12))
        yield Check(records.line_name(line), expected, line.net_cents)


def _frozen(
    records: Records, contract: Contract, occurrence: BilledOccurrence, tier: str
) -> YearPrice | None:
    first_month = contract.year_of(occurrence.from_month).first_month
    return records.year_prices.get((occurrence.subject_id, first_month, tier))


def _fee_beside(
    records: Records, line: InvoiceLine, setup: BilledOccurrence
) -> BilledOccurrence | Billed | None:
    """Give the fee of the same document; where it stands on none, as it was billed last."""
    for other in records.lines[line.invoice_id]:
        if other.kind == LineKind.FEE and other.from_month == line.from_month:
            return records.occurrence_of(other)
    return records.facts.occurrences.get((LineKind.FEE, setup.subject_id, setup.from_month))


def overage_follows_from_its_statement(records: Records) -> Iterator[Check]:
    """At the frozen rate of the tier in force in the period's first month."""
    for line, occurrence in records.billed(LineKind.OVERAGE):
        contract = records.contracts[occurrence.subject_id]
        months = MonthRange(line.from_month, line.until_month)
        price = _frozen(records, contract, occurrence, contract.tier_in(line.from_month))
        stated = [
            row.overage_quarters
            for row in records.statements.get(occurrence.subject_id, [])
            if row.months == months
        ]
        found = (line.quantity_hundredths, line.unit_cents, line.net_cents)
        expected = price and [
            (
                quarters * HUNDREDTHS_PER_QUARTER,
                price.overage_rate_cents,
                round_half_away(Fraction(quarters * price.overage_rate_cents, 4)),
            )
            for quarters in stated
        ]
        fits = expected and found in expected
        yield Check(records.line_name(line), found if fits else expected, found)


def cards_cost_their_price(records: Records) -> Iterator[Check]:
    for line, occurrence in records.billed(LineKind.TOPUP):
        card = records.cards.get(occurrence.subject_id)
        expected = card and (card.price_cents, str(card.months))
        found = (line.net_cents, str(MonthRange(line.from_month, line.until_month)))
        yield Check(records.line_name(line), expected, found)


def seats_cost_their_price_at_a_session_held(records: Records) -> Iterator[Check]:
    for line, occurrence in records.billed(LineKind.SEAT):
        seat = records.seats.get(occurrence.subject_id)
        expected = (seat.price_cents, str(seat.session.month)) if seat else "a session held"
        yield Check(records.line_name(line), expected, (line.net_cents, str(line.from_month)))


def lines_cost_their_quantity_at_their_unit_price(records: Records) -> Iterator[Check]:
    """But for credits, the last of which take back all that is left."""
    for line in records.all_lines():
        if line.kind != LineKind.CREDIT:
            cents = round_half_away(line.quantity_hundredths * line.unit_cents, charges.HUNDREDTHS)
            yield Check(records.line_name(line), cents, line.net_cents)


def lines_stand_for_the_months_of_what_they_bill(records: Records) -> Iterator[Check]:
    for line, row in records.billed(*LineKind.values):
        ways = _may_stand_for(records, line, row)
        found = MonthRange(line.from_month, line.until_month)
        months = next(ways, found)
        fits = found == months or found in ways
        yield Check(records.line_name(line), str(found if fits else months), str(found))


def _may_stand_for(
    records: Records, line: InvoiceLine, row: BilledOccurrence
) -> Iterator[MonthRange]:
    """Give its months; a line that was credited may stand for months that were paused after."""
    subject, credited = row.subject_id, row.state == OccurrenceState.CREDITED
    if session := records.sessions.get(subject):
        yield MonthRange(session.month, session.month + 1)
    elif subject in records.contracts:
        for contract in records.once_agreed(subject, line.from_month):
            yield _stands_for(contract, line)
            if credited and contract.pauses:
                yield _stands_for(replace(contract, pauses=()), line)


def _stands_for(contract: Contract, line: InvoiceLine) -> MonthRange:
    """Give the months that a line of a contract has to have; of overage its statement tells."""
    months, start = MonthRange(line.from_month, line.until_month), contract.months.from_month
    if line.kind == LineKind.SETUP:
        return MonthRange(start, start + 1)
    if line.kind == LineKind.OVERAGE:
        return months
    if line.from_month not in contract.months:
        return contract.months
    interval = charges.interval_of(contract, line.from_month)
    return interval if line.kind == LineKind.FEE else MonthRange(line.from_month, interval.until)


def tier_changes_are_billed_where_the_tier_changes(records: Records) -> Iterator[Check]:
    """Inside an interval, or for all of one whose fee was drafted at the other tier."""
    for line, row in records.billed(LineKind.TIER_CHANGE):
        contract, month = records.contracts[row.subject_id], line.from_month
        if row.state != OccurrenceState.CREDITED and month in contract.months:
            drafted = records.facts.drafted_tiers[row.subject_id].get(month)
            inside = drafted is None and month in dict(contract.tier_changes)
            changes = inside or drafted not in {None, contract.tier_in(month)}
            found = "a change" if changes else "none"
            yield Check(records.line_name(line), "a change", found)


def nothing_is_billed_before_it_is_due(records: Records) -> Iterator[Check]:
    in_advance = {LineKind.FEE, LineKind.SETUP, LineKind.TIER_CHANGE, LineKind.TOPUP}
    for line, occurrence in records.billed(*LineKind.values):
        due = _month_due(records, line, occurrence, in_advance)
        if due is not None:
            early = occurrence.run_month < due
            name = records.line_name(line)
            yield Check(name, "due", f"due in run {due}" if early else "due")


def _month_due(
    records: Records, line: InvoiceLine, occurrence: BilledOccurrence, in_advance: set[LineKind]
) -> Month | None:
    months = MonthRange(line.from_month, line.until_month)
    if line.kind in in_advance:
        return months.from_month - 1
    if line.kind in {LineKind.OVERAGE, LineKind.SEAT}:
        return months.last_month
    session = records.sessions.get(occurrence.subject_id)
    return session.month_due if session else None


INVARIANTS: tuple[Invariant, ...] = (
    fees_follow_from_frozen_prices,
    setup_fees_follow_from_frozen_prices,
    tier_changes_cost_the_difference_of_frozen_prices,
    overage_follows_from_its_statement,
    cards_cost_their_price,
    seats_cost_their_price_at_a_session_held,
    lines_cost_their_quantity_at_their_unit_price,
    lines_stand_for_the_months_of_what_they_bill,
    tier_changes_are_billed_where_the_tier_changes,
    nothing_is_billed_before_it_is_due,
)
