"""Invariants of documents, their VAT, and what they bill (design 5.8 to 5.10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain, pairwise
from uuid import UUID

from agency.month import Month, MonthRange
from agency.particulars import countries
from subscriptions import buyers, charges, vat
from subscriptions.agreements import NoPriceError
from subscriptions.audit.records import Check, Invariant, Records
from subscriptions.credits import documents_due as credits_due
from subscriptions.documents import RANK, reason_now
from subscriptions.due import Item, items, one_off_items
from subscriptions.facts import Key
from subscriptions.models import (
    BilledOccurrence,
    BlockedReason,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    LineKind,
    OccurrenceState,
    PurchaseOrder,
    Subscription,
)
from subscriptions.vat_returns import SENT
from workshops.models import OfferingKind


def documents_add_up(records: Records) -> Iterator[Check]:
    for invoice in records.invoices.values():
        lines = records.lines.get(invoice.pk, [])
        net, tax = sum(line.net_cents for line in lines), sum(line.vat_cents for line in lines)
        found = (invoice.net_cents, invoice.vat_cents, invoice.total_cents)
        yield Check(records.document_name(invoice), (net, tax, net + tax), found)


def documents_ask_for_something(records: Records) -> Iterator[Check]:
    """What is 0 in all its lines counts as settled without a document."""
    for key, invoice in records.invoices.items():
        is_something = any(line.net_cents for line in records.lines.get(key, []))
        name = records.document_name(invoice)
        yield Check(name, "something", "something" if is_something else "nothing")


def lines_stand_in_their_order(records: Records) -> Iterator[Check]:
    """By kind, period and reference, travel behind its session: cents of VAT go by it too."""
    for key, invoice in records.invoices.items():
        if invoice.kind == InvoiceKind.INVOICE:
            lines = records.lines.get(key, [])
            found = [line.position for line in sorted(lines, key=partial(_place_of, records))]
            yield Check(records.document_name(invoice), list(range(1, len(lines) + 1)), found)


def _place_of(records: Records, line: InvoiceLine) -> tuple[int, Month, str, bool]:
    kind, travels = line.kind, line.kind == LineKind.TRAVEL
    if travels:
        row = records.occurrence_of(line)
        session = records.sessions.get(row.subject_id) if row else None
        is_service = session and session.offering.kind == OfferingKind.SERVICE
        kind = LineKind.SERVICE if is_service else LineKind.SESSION
    return RANK[kind], line.from_month, line.reference, travels


def vat_is_worked_out_once_per_category_and_rate(records: Records) -> Iterator[Check]:
    for invoice in records.invoices.values():
        if invoice.kind == InvoiceKind.INVOICE:
            lines = records.lines.get(invoice.pk, [])
            shares = vat.allocate(
                [(line.net_cents, line.vat_category, line.vat_rate_basis_points) for line in lines]
            )
            for line, share in zip(lines, shares, strict=True):
                yield Check(records.line_name(line), share, line.vat_cents)


def vat_rates_are_those_valid_in_the_run(records: Records) -> Iterator[Check]:
    for line in records.all_lines():
        invoice = records.invoices[line.invoice_id]
        if invoice.kind == InvoiceKind.INVOICE:
            valid = [
                row.rate_basis_points
                for row in records.treatments
                if row.category == line.vat_category and row.valid_from <= invoice.run_month
            ]
            yield Check(records.line_name(line), valid[-1:], [line.vat_rate_basis_points])


def vat_returns_equal_the_documents_of_their_month(records: Records) -> Iterator[Check]:
    """To the cent, credits included: by invoice date, of what was sent and not voided."""
    totals: dict[Month, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for invoice in records.invoices.values():
        if invoice.invoice_on and invoice.state in SENT:
            month = Month.containing(invoice.invoice_on)
            net, tax = totals[month]
            totals[month] = (net + invoice.net_cents, tax + invoice.vat_cents)
    for month in sorted(totals.keys() | records.returned.keys()):
        yield Check(f"VAT return {month}", totals[month], records.returned.get(month, (0, 0)))


def vat_categories_fit_the_buyer_and_the_kind_of_line(records: Records) -> Iterator[Check]:
    """Whether a VAT id was checked is not kept: nothing else goes without being blocked."""
    for line in records.all_lines():
        invoice = records.invoices[line.invoice_id]
        if invoice.kind == InvoiceKind.INVOICE:
            country = invoice.buyer_country
            fitting = [
                vat.category(
                    country=country if country in countries() else vat.HOME,
                    vat_id=invoice.buyer_vat_id,
                    vat_id_checked=invoice.blocked_reason != BlockedReason.VAT_ID_PENDING,
                    exempt=exempt,
                )
                for exempt in _may_be_exempt(records, line)
            ]
            found = line.vat_category
            yield Check(records.line_name(line), found if found in fitting else fitting, found)


def _may_be_exempt(records: Records, line: InvoiceLine) -> list[bool]:
    """Tell whether a line is exempt education; both where that may have been put right since.

    An offering was changed on record, or what was billed was credited: only then may a
    registration with CRKBO change under it.
    """
    row = records.occurrence_of(line)
    seat = records.seats.get(row.subject_id) if row else None
    session = seat.session if seat else records.sessions.get(row.subject_id) if row else None
    if row is None or session is None:
        return [False]
    offering = session.offering
    if records.is_noted(offering.pk, "vocational", row.run_month):
        return [False, True]
    if row.state == OccurrenceState.CREDITED:
        return [False, offering.vocational]
    return [records.facts.is_exempt(session)]


def each_line_bills_one_occurrence_of_its_own(records: Records) -> Iterator[Check]:
    for line in records.all_lines():
        if line.kind != LineKind.CREDIT:
            row = records.occurrence_of(line)
            found = (row.kind, str(row.from_month), str(row.run_month)) if row else None
            run = records.invoices[line.invoice_id].run_month
            expected = (line.kind, str(line.from_month), str(run))
            yield Check(records.line_name(line), expected, found)


def each_occurrence_is_on_one_live_line(records: Records) -> Iterator[Check]:
    """Settled ones are on none, held ones on a blocked document; a void document does not live."""
    places: dict[object, list[str]] = defaultdict(list)
    for line in records.all_lines():
        if line.occurrence_id:
            places[line.occurrence_id].append(_place(records.invoices[line.invoice_id]))
    for key, occurrence in records.occurrences.items():
        name = f"{records.code(occurrence.organisation_id)} {occurrence}"
        fitting = PLACES[occurrence.state]
        found = places[key]
        yield Check(name, found if found in fitting else fitting[0], found)


PLACES: dict[str, list[list[str]]] = {
    OccurrenceState.BILLED: [["document"]],
    OccurrenceState.HELD: [["blocked"]],
    OccurrenceState.SETTLED: [[]],
    OccurrenceState.CREDITED: [["void"], ["document"]],  # the latter by a credit by staff
}


def _place(invoice: Invoice) -> str:
    if invoice.state in (InvoiceState.BLOCKED, InvoiceState.VOID):
        return invoice.state
    return "document"


def revisions_follow_on_credited_ones(records: Records) -> Iterator[Check]:
    """Nothing is billed anew before what was billed of it is credited."""
    billed: dict[tuple[str, UUID, Month], list[BilledOccurrence]] = defaultdict(list)
    for row in records.occurrences.values():
        billed[row.kind, row.subject_id, row.from_month].append(row)
    for rows in billed.values():
        rows.sort(key=lambda row: row.revision)
        name = f"{records.code(rows[0].organisation_id)} {rows[0]}"
        yield Check(name, list(range(1, len(rows) + 1)), [row.revision for row in rows])
        live = [row.revision for row in rows[:-1] if row.state != OccurrenceState.CREDITED]
        yield Check(name, [], live)


def what_was_settled_costs_nothing(records: Records) -> Iterator[Check]:
    """Were it not settled it would be billed at 0 now, where no price was changed on record."""
    settled = {
        (row.kind, row.subject_id, row.from_month): row
        for row in records.occurrences.values()
        if row.state == OccurrenceState.SETTLED and not row.free
    }
    for item in _billed_otherwise(records, settled):
        row = settled.get(item.key)
        if row and not _is_repriced(records, row):
            name = f"{records.code(row.organisation_id)} {row}"
            yield Check(name, "nothing", "nothing" if not item.charge.net_cents else "a price")


def _billed_otherwise(records: Records, settled: Mapping[Key, BilledOccurrence]) -> Iterator[Item]:
    others = {key: row for key, row in records.facts.occurrences.items() if key not in settled}
    facts, run = replace(records.facts, occurrences=others), records.last_run
    if run is None:
        return
    for payer in {row.organisation_id for row in settled.values()}:
        with suppress(NoPriceError):  # which is said elsewhere
            yield from (
                items(facts, payer, run) if payer else chain(*one_off_items(facts, run).values())
            )


def _is_repriced(records: Records, row: BilledOccurrence) -> bool:
    session = records.sessions.get(row.subject_id)
    return session is not None and (
        records.is_noted(session.offering_id, "price", row.run_month)
        or records.is_noted(records.facts.agency.pk, "km rate", row.run_month)
    )


def no_month_of_a_contract_is_paid_twice(records: Records) -> Iterator[Check]:
    paid: dict[object, list[InvoiceLine]] = defaultdict(list)
    for line, occurrence in records.billed(LineKind.FEE):
        if occurrence.state != OccurrenceState.CREDITED:
            paid[occurrence.subject_id].append(line)
    for lines in paid.values():
        for before, line in pairwise(sorted(lines, key=lambda line: line.from_month)):
            twice = line.from_month < before.until_month
            yield Check(records.line_name(line), "once", "twice" if twice else "once")


def every_month_due_is_paid_for(records: Records) -> Iterator[Check]:
    """Each month of the fees due up to the last run is on a line, or was settled as 0.

    Line by line, where the next one asks for occurrences only.
    """
    run = records.last_run
    paid: dict[UUID, set[Month]] = defaultdict(set)
    for line, occurrence in records.billed(LineKind.FEE):
        if occurrence.state != OccurrenceState.CREDITED:
            paid[occurrence.subject_id].update(MonthRange(line.from_month, line.until_month))
    for row in records.occurrences.values():
        contract = records.contracts.get(row.subject_id)
        is_settled = row.kind == LineKind.FEE and row.state == OccurrenceState.SETTLED
        if is_settled and contract and row.from_month in contract.months:
            paid[row.subject_id].update(charges.interval_of(contract, row.from_month))
    for key, contract in records.contracts.items():
        if run is None:
            return
        if records.is_parked(records.subscriptions[key].organisation_id):
            continue
        starts = charges.interval_starts(contract, contract.first_run + 1, run + 1)
        if starts:
            due = MonthRange(starts[0], charges.interval_of(contract, starts[-1]).until)
            served = (month for month in due if not contract.is_paused(month))
            missing = [str(month) for month in served if month not in paid[key]]
            yield Check(records.period_name(key, due), [], missing)


def no_month_of_a_pause_is_paid_for(records: Records) -> Iterator[Check]:
    for line, row in records.billed(LineKind.FEE, LineKind.TIER_CHANGE):
        pauses = records.contracts[row.subject_id].pauses
        if pauses and row.state != OccurrenceState.CREDITED:
            months = MonthRange(line.from_month, line.until_month)
            paid = [str(pause) for pause in pauses if pause.overlaps(months)]
            yield Check(records.line_name(line), [], paid)


def nothing_due_is_left_unbilled(records: Records) -> Iterator[Check]:
    """What fell due up to the last run is billed; what was recorded since asks for that run again.

    Says which kind and month, not how much: overage that is not billed yet is on no document.
    """
    run = records.last_run
    for key, organisation in records.facts.organisations.items():
        if run is None:
            return
        if records.is_parked(key):
            continue
        try:
            due = items(records.facts, key, run)
        except NoPriceError as error:
            yield Check(organisation.code, "a price", f"no price for {error}")
        else:
            yield Check(f"{organisation.code} run {run}", [], _left(due))
    if run is not None:
        seats = [item for due in one_off_items(records.facts, run).values() for item in due]
        yield Check(f"- run {run}", [], _left(seats))
        back = [line for made in credits_due(records.facts, run) for line in made.lines]
        yield Check(f"credits run {run}", [], [f"{line.kind} {line.from_month}" for line in back])


def _left(due: Iterable[Item]) -> list[str]:
    return [f"{item.charge.kind} {item.charge.months}" for item in due]


def blocked_documents_have_their_reason(records: Records) -> Iterator[Check]:
    """But for those of clients of which no run makes anything anew."""
    for invoice in records.invoices.values():
        client = invoice.organisation_id
        waits = client is not None and records.is_parked(client, invoice.run_month)
        if invoice.state == InvoiceState.BLOCKED and not waits:
            name = records.document_name(invoice)
            yield Check(name, invoice.blocked_reason, _reason_now(records, invoice))


def _reason_now(records: Records, invoice: Invoice) -> str:
    """Give the reason that its own run would find; what passed a bound waits for a person."""
    if invoice.blocked_reason == BlockedReason.BOUND:
        return invoice.blocked_reason
    lines = records.lines.get(invoice.pk, [])
    billed = [(line.kind, line.from_month, line.net_cents) for line in lines]
    reasons = (
        reason_now(buyer, contracts, billed, orders, invoice.run_month)
        for buyer, contracts, orders in _parties_now(records, invoice, lines)
    )
    return next(filter(None, reasons), "")


def _parties_now(
    records: Records, invoice: Invoice, lines: Iterable[InvoiceLine]
) -> Iterator[tuple[buyers.Buyer, list[Subscription], list[PurchaseOrder]]]:
    """Give who pays for a document, with contracts and orders; nobody where its seats are gone."""
    if invoice.organisation:
        key = invoice.organisation.pk
        buyer = buyers.of_client(invoice.organisation, invoice.run_month, records.facts.payers)
        orders = records.orders.get(buyer.payer.pk, []) if buyer.payer else []
        yield buyer, records.facts.subscriptions.get(key, []), orders
        return
    for line in lines:
        occurrence = records.occurrence_of(line)
        seat = records.seats.get(occurrence.subject_id) if occurrence else None
        if seat:
            yield buyers.of_seat(seat), [], []


INVARIANTS: tuple[Invariant, ...] = (
    documents_add_up,
    documents_ask_for_something,
    lines_stand_in_their_order,
    vat_is_worked_out_once_per_category_and_rate,
    vat_rates_are_those_valid_in_the_run,
    vat_returns_equal_the_documents_of_their_month,
    vat_categories_fit_the_buyer_and_the_kind_of_line,
    each_line_bills_one_occurrence_of_its_own,
    each_occurrence_is_on_one_live_line,
    revisions_follow_on_credited_ones,
    what_was_settled_costs_nothing,
    no_month_of_a_contract_is_paid_twice,
    every_month_due_is_paid_for,
    no_month_of_a_pause_is_paid_for,
    nothing_due_is_left_unbilled,
    blocked_documents_have_their_reason,
)
