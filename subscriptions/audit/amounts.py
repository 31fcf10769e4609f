"""Invariants of what each line costs (design 5.2 to 5.7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from uuid import UUID

from agency.money import round_half_away
from agency.month import Month, MonthRange
from subscriptions import charges
from subscriptions.agreements import BASIC, EXTENDED, Contract
from subscriptions.audit.records import Check, Invariant, Records
from subscriptions.facts import Billed
from subscriptions.models import (
    BilledOccurrence,
    InvoiceLine,
    InvoiceState,
    LineKind,
    OverageCredit,
    YearPrice,
)
from workshops.models import CancelledBy, Session, SessionStatus


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
        fee = _fee_beside(records, occurrence)
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


def _fee_beside(records: Records, setup: BilledOccurrence) -> Billed | None:
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
                quarters * 25,
                price.overage_rate_cents,
                round_half_away(Fraction(quarters * price.overage_rate_cents, 4)),
            )
            for quarters in stated
        ]
        fits = expected and found in expected
        yield Check(records.line_name(line), found if fits else expected, found)


def sessions_and_cancellations_cost_their_price(records: Records) -> Iterator[Check]:
    """The offering's price, unless it is on record that it was changed since."""
    for line, occurrence in records.billed(
        LineKind.SESSION, LineKind.SERVICE, LineKind.CANCELLATION
    ):
        session = records.sessions.get(occurrence.subject_id)
        if session and (occurrence.free or session.offering_id not in records.repriced):
            cents = 0 if occurrence.free else _price_cents(records, session)
            found = (line.quantity_hundredths, line.unit_cents, line.net_cents)
            yield Check(records.line_name(line), (charges.HUNDREDTHS, cents, cents), found)


def _price_cents(records: Records, session: Session) -> int:
    if session.cancelled_on is None:
        return session.offering.price_cents
    days = (session.starts_on - session.cancelled_on).days
    percent = charges.cancellation_percent(records.facts.rungs, days)
    return charges.cancellation_cents(session.offering.price_cents, percent)


def sessions_were_held_or_cancelled_by_the_client(records: Records) -> Iterator[Check]:
    for line, occurrence in records.billed(
        LineKind.SESSION, LineKind.SERVICE, LineKind.CANCELLATION, LineKind.TRAVEL
    ):
        session = records.sessions.get(occurrence.subject_id)
        cancelled = line.kind == LineKind.CANCELLATION
        yield Check(
            records.line_name(line),
            "cancelled by the client" if cancelled else "held",
            _how_it_ended(session) if session else "no session",
        )


def _how_it_ended(session: Session) -> str:
    if session.status == SessionStatus.CANCELLED:
        by = "client" if session.cancelled_by == CancelledBy.CLIENT else "agency"
        return f"cancelled by the {by}"
    return str(session.status)


def travel_costs_its_kilometres(records: Records) -> Iterator[Check]:
    for line, occurrence in records.billed(LineKind.TRAVEL):
        session = records.sessions.get(occurrence.subject_id)
        kilometres = (session.on_site_km or 0) if session else 0
        expected = (kilometres * charges.HUNDREDTHS, kilometres * line.unit_cents)
        yield Check(records.line_name(line), expected, (line.quantity_hundredths, line.net_cents))


def cards_cost_their_price(records: Records) -> Iterator[Check]:
    for line, occurrence in records.billed(LineKind.TOPUP):
        card = records.cards.get(occurrence.subject_id)
        expected = card and (card.price_cents, str(card.months))
        found = (line.net_cents, str(MonthRange(line.from_month, line.until_month)))
        yield Check(records.line_name(line), expected, found)


def credits_of_overage_stay_within_what_their_statement_found(records: Records) -> Iterator[Check]:
    """Each on overage of its own contract year, and together no more hours than were found.

    What was voided gave nothing back.
    """
    found = {row.pk: row for row in records.overage_credits.values()}
    lines = {line.pk: line for line in records.all_lines()}
    hundredths: dict[UUID, int] = defaultdict(int)
    for line, occurrence in records.billed(LineKind.CREDIT):
        if records.invoices[line.invoice_id].state == InvoiceState.VOID:
            continue
        credit = found.get(occurrence.subject_id)
        original = lines.get(line.credit_of_id) if line.credit_of_id else None
        hundredths[occurrence.subject_id] += line.quantity_hundredths
        within = credit and hundredths[occurrence.subject_id] <= credit.quarters * 25
        fits = credit and original and _is_overage_of_the_year(records, credit, original)
        yield Check(records.line_name(line), "within", "within" if within and fits else "beyond")


def credits_of_overage_are_given_in_full(records: Records) -> Iterator[Check]:
    """In their run, unless overage of the same year stands on a draft or a blocked document."""
    given: dict[UUID, int] = defaultdict(int)
    for line, occurrence in records.billed(LineKind.CREDIT):
        if records.invoices[line.invoice_id].state != InvoiceState.VOID:
            given[occurrence.subject_id] += line.quantity_hundredths
    not_sent = {InvoiceState.DRAFT, InvoiceState.BLOCKED}
    waits_for = {
        (occurrence.subject_id, records.contracts[occurrence.subject_id].year_of(line.from_month))
        for line, occurrence in records.billed(LineKind.OVERAGE)
        if records.invoices[line.invoice_id].state in not_sent
    }
    for credit in records.overage_credits.values():
        subscription, period = credit.statement.subscription_id, credit.statement.months
        year = records.contracts[subscription].year_of(period.from_month)
        is_due = records.last_run is not None and period.last_month <= records.last_run
        is_newest = credit.statement in records.newest_statements(subscription)
        if is_due and is_newest and (subscription, year) not in waits_for:
            name = records.period_name(subscription, period)
            yield Check(name, credit.quarters * 25, given[credit.pk])


def _is_overage_of_the_year(records: Records, credit: OverageCredit, line: InvoiceLine) -> bool:
    statement = credit.statement
    year = records.contracts[statement.subscription_id].year_of(statement.from_month)
    occurrence = records.occurrences.get(line.occurrence_id) if line.occurrence_id else None
    return (
        occurrence is not None
        and (line.kind, occurrence.subject_id) == (LineKind.OVERAGE, statement.subscription_id)
        and line.from_month in year.months
    )


def seats_cost_their_price_at_a_session_held(records: Records) -> Iterator[Check]:
    for line, occurrence in records.billed(LineKind.SEAT):
        seat = records.seats.get(occurrence.subject_id)
        expected = (seat.price_cents, str(seat.session.month)) if seat else "a session held"
        yield Check(records.line_name(line), expected, (line.net_cents, str(line.from_month)))


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


def no_more_sessions_are_free_than_included(records: Records) -> Iterator[Check]:
    free: dict[tuple[UUID, Month], list[Session]] = defaultdict(list)
    for occurrence in records.facts.occurrences.values():
        session = records.sessions.get(occurrence.subject_id)
        if occurrence.free and session:
            subscription = _subscription_in(records, session)
            if subscription:
                year = records.contracts[subscription].year_of(session.month_due)
                free[subscription, year.first_month].append(session)
    for (subscription, month), sessions in free.items():
        contract = records.contracts[subscription]
        most = max(charges.included_sessions(contract, s.month_due) for s in sessions)
        name = records.period_name(subscription, contract.year_of(month).months)
        yield Check(name, "at most included", _free_text(len(sessions), most))


def _free_text(free: int, most: int) -> str:
    return "at most included" if free <= most else f"{free} free, {most} included"


def _subscription_in(records: Records, session: Session) -> UUID | None:
    rows = records.facts.subscriptions[session.organisation_id] if session.organisation_id else []
    return next((row.pk for row in rows if session.month_due in row.months), None)


INVARIANTS: tuple[Invariant, ...] = (
    fees_follow_from_frozen_prices,
    setup_fees_follow_from_frozen_prices,
    tier_changes_cost_the_difference_of_frozen_prices,
    overage_follows_from_its_statement,
    sessions_and_cancellations_cost_their_price,
    sessions_were_held_or_cancelled_by_the_client,
    travel_costs_its_kilometres,
    cards_cost_their_price,
    credits_of_overage_stay_within_what_their_statement_found,
    credits_of_overage_are_given_in_full,
    seats_cost_their_price_at_a_session_held,
    nothing_is_billed_before_it_is_due,
    no_more_sessions_are_free_than_included,
)
