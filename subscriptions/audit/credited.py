"""Invariants of what was given back (design 5.4 and 5.10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any
from uuid import UUID

from agency.money import HUNDREDTHS_PER_QUARTER, round_half_away
from subscriptions.audit.records import Check, Invariant, Records
from subscriptions.credits import COPIED
from subscriptions.models import (
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    LineKind,
    OccurrenceState,
    OverageCredit,
)

# An address that was missing may be added to a document that waits to be sent.
AS_CREDITED = sorted({*COPIED} - {"buyer_email"})
AS_BILLED = ("from_month", "until_month", "vat_category", "vat_rate_basis_points")


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
        within = (
            credit and hundredths[occurrence.subject_id] <= credit.quarters * HUNDREDTHS_PER_QUARTER
        )
        fits = credit and original and _is_overage_of_the_year(records, credit, original)
        yield Check(records.line_name(line), "within", "within" if within and fits else "beyond")


def credits_of_overage_are_given_in_full(records: Records) -> Iterator[Check]:
    """In their run, unless overage of the same year stands on a draft or a blocked document.

    What staff gave back of the year's overage, a run need not, nor what nobody pays.
    """
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
    by_hand: dict[Any, int] = defaultdict(int)
    staff = _given_by_staff(records)
    given_up = {row.invoice_id for row in records.write_offs}
    for line, occurrence in records.billed(LineKind.OVERAGE):
        invoice = records.invoices[line.invoice_id]
        year = records.contracts[occurrence.subject_id].year_of(line.from_month)
        is_open = invoice.state == InvoiceState.OPEN
        if invoice.state == InvoiceState.UNCOLLECTIBLE or (is_open and invoice.pk in given_up):
            by_hand[occurrence.subject_id, year] += line.quantity_hundredths
        elif occurrence.state != OccurrenceState.CREDITED:
            by_hand[occurrence.subject_id, year] += staff[line.pk][2]
    for credit in records.overage_credits.values():
        subscription, period = credit.statement.subscription_id, credit.statement.months
        year = records.contracts[subscription].year_of(period.from_month)
        is_due = records.last_run is not None and period.last_month <= records.last_run
        is_newest = credit.statement in records.newest_statements(subscription)
        waits = (subscription, year) in waits_for
        waits = waits or records.is_parked(credit.statement.organisation_id)
        if is_due and is_newest and not waits:
            name = records.period_name(subscription, period)
            most = credit.quarters * HUNDREDTHS_PER_QUARTER
            least = max(0, most - by_hand[subscription, year])
            found = given[credit.pk]
            yield Check(name, found if least <= found <= most else least, found)


def _is_overage_of_the_year(records: Records, credit: OverageCredit, line: InvoiceLine) -> bool:
    statement = credit.statement
    year = records.contracts[statement.subscription_id].year_of(statement.from_month)
    occurrence = records.occurrence_of(line)
    return (
        occurrence is not None
        and (line.kind, occurrence.subject_id) == (LineKind.OVERAGE, statement.subscription_id)
        and line.from_month in year.months
    )


def credits_never_exceed_what_they_credit(records: Records) -> Iterator[Check]:
    for original, live, _ in _taken_back(records):
        net = original.net_cents + sum(line.net_cents for line in live)
        tax = original.vat_cents + sum(line.vat_cents for line in live)
        within = _between(net, original.net_cents) and _between(tax, original.vat_cents)
        yield Check(records.line_name(original), "within", "within" if within else "more")


def credits_take_back_their_share_of_net_and_vat(records: Records) -> Iterator[Check]:
    """In proportion to what the line stored; credits of all of it take back all of it.

    Overage goes back by the hour, everything else in any amount. Beside a credit that was voided,
    each of the others may be a cent off in its VAT.
    """
    for original, live, voided in _taken_back(records):
        found = sum(line.net_cents for line in live), sum(line.vat_cents for line in live)
        net, tax = -original.net_cents, -original.vat_cents
        if original.kind != LineKind.OVERAGE:
            net = found[0]
        elif sum(line.quantity_hundredths for line in live) < original.quantity_hundredths:
            parts = (Fraction(line.quantity_hundredths, 100) for line in live)
            net = -sum(round_half_away(part * original.unit_cents) for part in parts)
        if net != -original.net_cents:
            tax = round_half_away(Fraction(tax * net, -original.net_cents or 1))
        cents = len(live) if voided else 0
        expected = net, found[1] if abs(found[1] - tax) <= cents else tax
        yield Check(records.line_name(original), expected, found)


def what_staff_credited_in_full_is_open_to_be_billed_anew(records: Records) -> Iterator[Check]:
    """And nothing else is, unless its document is void. Lines of 0 go with all others."""
    given = _given_by_staff(records)
    for key, invoice in records.invoices.items():
        if invoice.kind == InvoiceKind.INVOICE and invoice.state != InvoiceState.VOID:
            lines = records.lines.get(key, [])
            wholes = {line.pk: given[line.pk][:2] == _asked(line) for line in lines}
            asked = [wholes[line.pk] for line in lines if any(_asked(line))]
            for line in lines:
                row = records.occurrence_of(line)
                if row:
                    is_open = wholes[line.pk] if any(_asked(line)) else all(asked) and any(asked)
                    found = row.state == OccurrenceState.CREDITED
                    yield Check(records.line_name(line), is_open, found)


def _asked(line: InvoiceLine) -> tuple[int, ...]:
    return line.net_cents, line.vat_cents


def _given_by_staff(records: Records) -> dict[UUID, tuple[int, ...]]:
    """Give net, VAT and hundredths that staff took back, by line; a run's credits are no part."""
    given: dict[UUID, tuple[int, ...]] = defaultdict(lambda: (0, 0, 0))
    for line in records.all_lines():
        live = records.invoices[line.invoice_id].state != InvoiceState.VOID
        if line.credit_of_id and live and line.occurrence_id is None:
            net, vat, hundredths = given[line.credit_of_id]
            hundredths += line.quantity_hundredths
            given[line.credit_of_id] = net - line.net_cents, vat - line.vat_cents, hundredths
    return given


def _taken_back(records: Records) -> Iterator[tuple[InvoiceLine, list[InvoiceLine], bool]]:
    """Give the lines credited with their credits that hold, and whether others were voided."""
    lines = {line.pk: line for line in records.all_lines()}
    credited: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in lines.values():
        if line.credit_of_id:
            credited[line.credit_of_id].append(line)
    for key, taken_back in credited.items():
        live = [
            line
            for line in taken_back
            if records.invoices[line.invoice_id].state != InvoiceState.VOID
        ]
        if live:
            yield lines[key], live, len(live) < len(taken_back)


def _between(left: int, whole: int) -> bool:
    """Tell whether what is left of an amount lies between nothing and all of it."""
    return min(0, whole) <= left <= max(0, whole)


def credits_mirror_what_they_credit(records: Records) -> Iterator[Check]:
    """The document in its parties and terms; each line, on that document, in all but its size."""
    lines = {line.pk: line for line in records.all_lines()}
    for invoice in records.invoices.values():
        original = records.invoices.get(invoice.credit_of_id) if invoice.credit_of_id else None
        if original:
            yield _mirrored(records.document_name(invoice), original, invoice, AS_CREDITED)
            for line in records.lines.get(invoice.pk, []):
                billed = lines.get(line.credit_of_id) if line.credit_of_id else None
                name = records.line_name(line)
                if billed is None or billed.invoice_id != original.pk:
                    yield Check(name, "a line of the document credited", "another")
                else:
                    yield _mirrored(name, billed, line, AS_BILLED)


def _mirrored(name: str, one: Any, other: Any, columns: Iterable[str]) -> Check:
    return Check(name, [], [name for name in columns if getattr(one, name) != getattr(other, name)])


INVARIANTS: tuple[Invariant, ...] = (
    credits_of_overage_stay_within_what_their_statement_found,
    credits_of_overage_are_given_in_full,
    credits_never_exceed_what_they_credit,
    credits_take_back_their_share_of_net_and_vat,
    what_staff_credited_in_full_is_open_to_be_billed_anew,
    credits_mirror_what_they_credit,
)
