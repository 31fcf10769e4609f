"""Invariants of what sessions cost, and which of them are free (design 5.7)."""

from __future__ import annotations

import datetime as dt
import sys
from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from agency.month import Month
from subscriptions import charges
from subscriptions.agreements import NoPriceError
from subscriptions.audit.records import Check, Invariant, Records
from subscriptions.models import BilledOccurrence, LineKind, OccurrenceState
from workshops.models import CancelledBy, Session, SessionStatus

KINDS = (LineKind.SESSION, LineKind.SERVICE, LineKind.CANCELLATION)
Billed = tuple[BilledOccurrence, Session]


def sessions_and_cancellations_cost_their_price(records: Records) -> Iterator[Check]:
    """The offering's price, unless it is on record that it was changed since."""
    for line, occurrence in records.billed(*KINDS):
        session = records.sessions.get(occurrence.subject_id)
        if session and (
            occurrence.free
            or not records.is_noted(session.offering_id, "price", occurrence.run_month)
        ):
            percent = 0 if occurrence.free else _percent(records, session)
            cents = charges.cancellation_cents(session.offering.price_cents, percent)
            found = (line.quantity_hundredths, line.unit_cents, line.net_cents)
            yield Check(records.line_name(line), (charges.HUNDREDTHS, cents, cents), found)


def _percent(records: Records, session: Session) -> int:
    if session.cancelled_on is None:
        return 100
    days = (session.starts_on - session.cancelled_on).days
    return charges.cancellation_percent(records.facts.rungs, days)


def sessions_were_held_or_cancelled_by_the_client(records: Records) -> Iterator[Check]:
    for line, occurrence in records.billed(*KINDS, LineKind.TRAVEL):
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
    """At the agency's rate; once that was changed on record, at any one rate."""
    agency = records.facts.agency
    for line, occurrence in records.billed(LineKind.TRAVEL):
        session = records.sessions.get(occurrence.subject_id)
        kilometres = (session.on_site_km or 0) if session else 0
        changed = records.is_noted(agency.pk, "km rate", occurrence.run_month)
        rate_cents = line.unit_cents if changed else agency.km_rate_cents
        expected = (kilometres * charges.HUNDREDTHS, rate_cents, kilometres * rate_cents)
        found = (line.quantity_hundredths, line.unit_cents, line.net_cents)
        yield Check(records.line_name(line), expected, found)


def no_more_sessions_are_free_than_included(records: Records) -> Iterator[Check]:
    for (subscription, month), rows in _by_contract_year(records).items():
        free = sum(row.free for row, _ in rows if row.state != OccurrenceState.CREDITED)
        most = max(_included(records, subscription, *pair)[1] for pair in rows)
        year = records.contracts[subscription].year_of(month)
        text = "at most included" if free <= most else f"{free} free, {most} included"
        yield Check(records.period_name(subscription, year.months), "at most included", text)


def the_first_sessions_due_are_the_free_ones(records: Records) -> Iterator[Check]:
    """Run by run, in order of month due, start and reference; history first.

    What a run billed stays so in the next ones, and what was recorded after its run finds fewer of
    them left. Years in which something was billed anew are passed over: what counted when is not
    kept.
    """
    for (subscription, month), rows in _by_contract_year(records).items():
        if any(row.revision > 1 or row.state == OccurrenceState.CREDITED for row, _ in rows):
            continue
        free = _free_in_history(records, subscription, month)
        for row, session in _in_order(records, rows):
            least, most = _included(records, subscription, row, session)
            fits = free < most if row.free else free >= least
            free += row.free
            found, other = ("free", "charged") if row.free else ("charged", "free")
            name = f"{records.code(session.organisation_id)} {session.reference}"
            yield Check(name, found if fits else other, found)


def _by_contract_year(records: Records) -> dict[tuple[UUID, Month], list[Billed]]:
    years: dict[tuple[UUID, Month], list[Billed]] = defaultdict(list)
    for row in records.occurrences.values():
        session = records.sessions.get(row.subject_id)
        if row.kind in KINDS and session:
            subscription = records.contract_in(session.organisation_id, session.month_due)
            if subscription:
                year = records.contracts[subscription].year_of(session.month_due)
                years[subscription, year.first_month].append((row, session))
    return years


def _in_order(records: Records, rows: list[Billed]) -> Iterator[Billed]:
    """Put together what was billed at once, of one run what is free first: it came first."""
    together: dict[tuple[Month, str], list[Billed]] = defaultdict(list)
    for row, session in rows:
        together[row.run_month, str(records.documents_of.get(row.pk))].append((row, session))
    passes = sorted(
        (run, -sum(row.free for row, _ in billed), document)
        for (run, document), billed in together.items()
    )
    for run, _, document in passes:
        yield from sorted(together[run, document], key=lambda billed: _order(billed[1]))


def _order(session: Session) -> tuple[Month, dt.datetime, str]:
    return session.month_due, session.starts_at, session.reference


def _included(
    records: Records, subscription: UUID, row: BilledOccurrence, session: Session
) -> tuple[int, int]:
    """Give after how few free ones a session had to be free, and after how few it might be.

    They differ where what decides was changed on record since.
    """
    offering, month = session.offering, session.month_due
    eligible_once = records.is_noted(offering.pk, "included", row.run_month)
    if not (offering.included_eligible or eligible_once):
        return 0, 0
    agreed = records.once_agreed(subscription, month)
    try:
        numbers = [charges.included_sessions(contract, month) for contract in agreed]
    except NoPriceError:  # which is said elsewhere
        return 0, sys.maxsize
    return 0 if eligible_once else min(numbers), max(numbers)


def _free_in_history(records: Records, subscription: UUID, month: Month) -> int:
    contract = records.contracts[subscription]
    year, free = contract.year_of(month).months, 0
    rows = records.facts.sessions[records.subscriptions[subscription].organisation_id]
    for session in sorted(rows, key=_order):
        is_history = session.month_due < contract.first_run and session.month_due in year
        if is_history and session.offering.included_eligible and _is_billable(records, session):
            free += free < charges.included_sessions(contract, session.month_due)
    return free


def _is_billable(records: Records, session: Session) -> bool:
    if session.status == SessionStatus.CANCELLED:
        return session.cancelled_by == CancelledBy.CLIENT and _percent(records, session) > 0
    return session.status == SessionStatus.HELD


INVARIANTS: tuple[Invariant, ...] = (
    sessions_and_cancellations_cost_their_price,
    sessions_were_held_or_cancelled_by_the_client,
    travel_costs_its_kilometres,
    no_more_sessions_are_free_than_included,
    the_first_sessions_due_are_the_free_ones,
)
