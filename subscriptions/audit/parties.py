"""Invariants of whose a document is, on which terms, and whether it may be sent (design 5.9)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from agency.models import VatAnswer
from agency.money import HUNDREDTHS_PER_QUARTER
from agency.month import AMSTERDAM, Month
from subscriptions import vat
from subscriptions.audit.records import Check, Invariant, Records
from subscriptions.bounds import LEAST_OVERAGE_QUARTERS, passes_a_bound
from subscriptions.buyers import Buyer, blocked_reason, of_organisation, payer_of
from subscriptions.models import (
    BlockedReason,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    LineKind,
    Payer,
    PurchaseOrder,
    Subscription,
)
from subscriptions.orders import is_passed, order_number
from subscriptions.use import included

ON_THE_WAY = frozenset({InvoiceState.DRAFT, InvoiceState.APPROVED, InvoiceState.PARKED})
# Columns of documents: from `buyers.Buyer`, and from `agency.models.Agency`.
BUYER = {
    **{f"buyer_{name}": name for name in ("name", "street", "postcode", "city", "country")},
    "buyer_kvk_number": "registration",
    "buyer_vat_id": "vat_id",
}
CALLED = frozenset({"buyer_name", "buyer_kvk_number", "buyer_vat_id"})
SELLER = {
    "seller_name": "legal_name",
    **{f"seller_{name}": name for name in ("street", "postcode", "city", "country")},
    **{f"seller_{name}": name for name in ("kvk_number", "vat_id", "iban")},
}


def what_is_stated_is_the_clients_own(records: Records) -> Iterator[Check]:
    for subscription, rows in records.statements.items():
        owner = records.code(records.subscriptions[subscription].organisation_id)
        for row in rows:
            name = records.period_name(subscription, row.months)
            yield Check(name, owner, records.code(row.organisation_id))


def what_is_billed_is_the_clients_own(records: Records) -> Iterator[Check]:
    """Contract, card, session, seat or credit, on a document that is made out to who has it.

    The seat of somebody who was erased is nobody's any more.
    """
    tables = (records.subscriptions, records.cards, records.sessions, records.seats)
    owners = {key: row.organisation_id for rows in tables for key, row in rows.items()}
    for credit in records.overage_credits.values():
        owners[credit.pk] = credit.statement.organisation_id
    for key, row in records.occurrences.items():
        if row.subject_id in owners or row.kind != LineKind.SEAT:
            owner = records.code(owners.get(row.subject_id))
            invoice = records.documents_of.get(key)
            client = records.invoices[invoice].organisation_id if invoice else row.organisation_id
            found = {records.code(row.organisation_id), records.code(client)}
            yield Check(f"{owner} {row}", [owner], sorted(found))


def documents_name_buyer_and_seller(records: Records) -> Iterator[Check]:
    """As they are now, where it is not on record that they were changed since.

    Once a document is sent the database freezes it, and whom it names may move.
    """
    agency = records.facts.agency
    for invoice in _on_the_way(records):
        run, payer, differ = invoice.run_month, invoice.payer, []
        if not records.is_noted(agency.pk, "changed", run):
            differ = [
                name for name, of in SELLER.items() if getattr(invoice, name) != getattr(agency, of)
            ]
        if payer and not records.is_noted(payer.pk, "changed", run):
            buyer = of_organisation(payer)
            names = [name for name in BUYER if name not in CALLED or payer.pk not in records.names]
            differ += [
                name for name in names if getattr(invoice, name) != getattr(buyer, BUYER[name])
            ]
        yield Check(records.document_name(invoice), [], differ)


def documents_bear_the_name_of_their_day(records: Records) -> Iterator[Check]:
    """Of who was renamed: what is dated after a name was entered bears the one that holds then."""
    for invoice in _invoices(records):
        names = records.names.get(invoice.payer_id, ()) if invoice.payer_id else ()
        on = invoice.invoice_on
        known = [row for row in names if on is None or row.entered_on < on]
        held = [row for row in known if on is None or row.from_on <= on]
        if held and invoice.state != InvoiceState.BLOCKED:
            evening = on and [
                row for row in held if row.from_on < on
            ]  # Stripe's may be the next day
            fitting = held if on is None else [*held[-1:], *(evening or [])[-1:]]
            number = invoice.buyer_kvk_number
            called = {(row.legal_name, row.kvk_number or number, row.vat_id) for row in fitting}
            found = (invoice.buyer_name, number, invoice.buyer_vat_id)
            expected = found if found in called else sorted(called)
            yield Check(records.document_name(invoice), expected, found)


def documents_go_to_who_pays(records: Records) -> Iterator[Check]:
    """By the month after the run, where it is not on record that the payers were changed since."""
    for invoice in _on_the_way(records):
        if invoice.organisation:
            payer = payer_of(invoice.organisation, invoice.run_month, records.facts.payers)
            found = (records.code(invoice.payer_id), bool(invoice.served_name))
            expected = (records.code(payer.pk), payer != invoice.organisation)
            noted = _paid_another(records, invoice)
            yield Check(records.document_name(invoice), found if noted else expected, found)


def _paid_another(records: Records, invoice: Invoice) -> bool:
    run, client = invoice.run_month, invoice.organisation_id
    rows = records.facts.payers.get(client, ()) if client else ()
    deleted = records.is_noted(Payer._meta.label_lower, "deleted", run)
    deeds = ("added", "changed")
    return deleted or any(records.is_noted(row.pk, deed, run) for row in rows for deed in deeds)


def nobody_pays_for_who_pays(records: Records) -> Iterator[Check]:
    """In no month at once."""
    payers = records.facts.payers
    for rows in payers.values():
        for row in rows:
            beyond = [
                one for one in payers.get(row.payer_id, ()) if one.months.overlaps(row.months)
            ]
            name = f"{records.code(row.organisation_id)} {row.months}"
            yield Check(name, [], [records.code(one.payer_id) for one in beyond])


def vat_ids_that_vies_refused_are_not_checked(records: Records) -> Iterator[Check]:
    """By its last definite answer about the VAT id that a client has now."""
    for key, organisation in records.facts.organisations.items():
        for last in records.consultations.get(key, [])[-1:]:
            if last.vat_id == organisation.vat_id:
                checked = organisation.vat_id_checked and last.answer == VatAnswer.VALID
                yield Check(organisation.code, checked, organisation.vat_id_checked)


def documents_keep_the_terms_of_their_contract(records: Records) -> Iterator[Check]:
    """Days and way of payment, of the newest contract that lines belong to, unless noted since."""
    for invoice in _on_the_way(records):
        for contract in _contracts_of(records, invoice)[-1:]:
            found = (invoice.due_days, invoice.collection)
            days, collection = contract.payment_days, contract.collection
            if records.is_noted(contract.pk, "payment days", invoice.run_month):
                days = invoice.due_days
            if records.is_noted(contract.pk, "collection", invoice.run_month):
                collection = invoice.collection
            yield Check(records.document_name(invoice), (days, collection), found)


def documents_fall_due_after_their_payment_days(records: Records) -> Iterator[Check]:
    """Or a day beside it if the clocks change in between: Stripe counts 24 hours a day."""
    for invoice in _invoices(records):
        if invoice.invoice_on and invoice.due_on:
            due_on = invoice.invoice_on + dt.timedelta(days=invoice.due_days)
            hours = (_offset(due_on) - _offset(invoice.invoice_on)) // dt.timedelta(hours=1)
            fits = invoice.due_on in {due_on, due_on + dt.timedelta(days=hours)}
            found = str(invoice.due_on)
            yield Check(records.document_name(invoice), found if fits else str(due_on), found)


def _offset(day: dt.date) -> dt.timedelta:
    noon = dt.datetime.combine(day, dt.time(12), AMSTERDAM)
    return noon.utcoffset() or dt.timedelta()


def documents_take_the_purchase_order_of_their_lines(records: Records) -> Iterator[Check]:
    """The one valid now, where it is not on record that it came, changed or went since."""
    for invoice in _on_the_way(records):
        if invoice.payer_id:
            orders = records.orders.get(invoice.payer_id, [])
            run, found = invoice.run_month, invoice.po_number
            lines = records.lines.get(invoice.pk, [])
            now = {order_number(orders, line.kind, line.from_month, run) for line in lines}
            fits = now == {found} or _had_other_orders(records, invoice, orders)
            yield Check(records.document_name(invoice), [found] if fits else sorted(now), [found])


def _had_other_orders(records: Records, invoice: Invoice, orders: list[PurchaseOrder]) -> bool:
    run, number = invoice.run_month, invoice.po_number
    if number and number not in {order.number for order in orders}:
        return records.is_noted(PurchaseOrder._meta.label_lower, "deleted", run)
    deeds = ["changed"] if number else ["changed", "added"]
    return any(records.is_noted(order.pk, deed, run) for order in orders for deed in deeds)


def what_falls_due_together_is_on_one_document(records: Records) -> Iterator[Check]:
    """Fees and set-up of a contract, and overage of a client, by run and purchase order.

    Not sessions, seats and cards: a run that is made again bills what was recorded since.
    """
    documents: dict[tuple[UUID | None, Month, str], set[UUID]] = defaultdict(set)
    for line, row in records.billed(LineKind.FEE, LineKind.SETUP, LineKind.OVERAGE):
        if row.revision == 1:
            payer = row.organisation_id if line.kind == LineKind.OVERAGE else row.subject_id
            number = records.invoices[line.invoice_id].po_number
            documents[payer, row.run_month, number].add(line.invoice_id)
    for found in documents.values():
        name = records.document_name(records.invoices[min(found)])
        yield Check(
            name, "on one document", f"on {len(found)}" if len(found) > 1 else "on one document"
        )


def documents_on_their_way_have_no_reason_to_be_blocked(records: Records) -> Iterator[Check]:
    """By what they froze, and by the contract's wish for an order unless that was noted since.

    What passed a bound goes once it is on record that somebody accepted it.
    """
    for invoice in _on_the_way(records):
        yield Check(records.document_name(invoice), "none", _reason(records, invoice) or "none")


def _reason(records: Records, invoice: Invoice) -> str | None:
    lines, run = records.lines.get(invoice.pk, []), invoice.run_month
    po_required = any(
        row.po_required and not records.is_noted(row.pk, "purchase order", run)
        for row in _contracts_of(records, invoice)
    )
    particulars = {name: getattr(invoice, column) for column, name in BUYER.items()}
    if invoice.organisation_id is None:
        particulars["registration"] = None
    buyer = Buyer(
        **particulars,
        email=invoice.buyer_email,
        language=invoice.language,
        vat_id_checked=all(line.vat_category == vat.REVERSE_CHARGE for line in lines),
    )
    orders = records.orders.get(invoice.payer_id, []) if invoice.payer_id else []
    on_order = [order for order in orders if order.number == invoice.po_number]
    spent = any(is_passed(order, 0) for order in on_order)  # what it asks for is taken off already
    number = invoice.po_number
    reason = blocked_reason(buyer, number, po_required=po_required, po_spent=spent)
    accepted = records.is_noted(invoice.pk, "accepted", run)
    is_beyond = not accepted and _passes_a_bound(records, lines)
    return reason or (BlockedReason.BOUND if is_beyond else None)


def _passes_a_bound(records: Records, lines: list[InvoiceLine]) -> bool:
    overage = []
    for line in lines:
        row = records.occurrence_of(line)
        quarters = line.quantity_hundredths // HUNDREDTHS_PER_QUARTER
        if row and line.kind == LineKind.OVERAGE and quarters > LEAST_OVERAGE_QUARTERS:
            contract = records.contracts[row.subject_id]
            year = contract.year_of(line.from_month)
            overage.append((quarters, included(contract, year, line.until_month)))
    return passes_a_bound(sum(line.net_cents + line.vat_cents for line in lines), overage)


def _invoices(records: Records) -> Iterator[Invoice]:
    return (row for row in records.invoices.values() if row.kind == InvoiceKind.INVOICE)


def _on_the_way(records: Records) -> Iterator[Invoice]:
    return (row for row in _invoices(records) if row.state in ON_THE_WAY)


def _contracts_of(records: Records, invoice: Invoice) -> list[Subscription]:
    """Give the contracts that a document's lines belong to, oldest first."""
    found: set[UUID | None] = set()
    for line in records.lines.get(invoice.pk, []):
        row = records.occurrence_of(line)
        if row and row.subject_id in records.subscriptions:
            found.add(row.subject_id)
        elif row:
            month = _month_of(records, row.subject_id)
            found.add(records.contract_in(invoice.organisation_id, month) if month else None)
    rows = (records.subscriptions[key] for key in found if key)
    return sorted(rows, key=lambda row: row.start_month)


def _month_of(records: Records, subject: UUID) -> Month | None:
    card, seat = records.cards.get(subject), records.seats.get(subject)
    session = seat.session if seat else records.sessions.get(subject)
    month: Month | None = session.month_due if session else None
    return card.bought_month if card else month


INVARIANTS: tuple[Invariant, ...] = (
    what_is_stated_is_the_clients_own,
    what_is_billed_is_the_clients_own,
    documents_name_buyer_and_seller,
    documents_bear_the_name_of_their_day,
    documents_go_to_who_pays,
    nobody_pays_for_who_pays,
    vat_ids_that_vies_refused_are_not_checked,
    documents_keep_the_terms_of_their_contract,
    documents_fall_due_after_their_payment_days,
    documents_take_the_purchase_order_of_their_lines,
    what_falls_due_together_is_on_one_document,
    documents_on_their_way_have_no_reason_to_be_blocked,
)
