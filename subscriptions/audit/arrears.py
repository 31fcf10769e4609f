"""Invariants of what was not paid in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from subscriptions import write_offs
from subscriptions.audit.records import Check, Invariant, Records
from subscriptions.models import InvoiceState, ReceiptKind, StepKind


def write_offs_are_of_what_was_left_split_as_the_lines_are(records: Records) -> Iterator[Check]:
    """Net, VAT, and the day of the return that takes the VAT back."""
    for row in records.write_offs:
        invoice = records.invoices[row.invoice_id]
        on = row.written_off_on
        if on and invoice.state != InvoiceState.VOID:
            lines = records.lines[invoice.pk] + [
                line
                for credit in records.credits_of[invoice.pk]
                if credit.state == InvoiceState.PAID
                and credit.invoice_on
                and credit.invoice_on <= on
                for line in records.lines[credit.pk]
            ]
            asked = sum(line.net_cents + line.vat_cents for line in lines)
            received = sum(row.amount_cents for row in records.receipts[invoice.pk])
            # What our bank had by then is not kept apart from what it received since.
            left = row.total_cents if 0 < asked - row.total_cents <= received else asked
            parts = write_offs.split(write_offs.taxed(lines), left).values()
            expected: Any = (
                *(sum(cents) for cents in zip(*parts, strict=True)),
                str(write_offs.claimed_on(invoice, on)),
            )
            found = row.net_cents, row.vat_cents, str(row.vat_on)
            yield Check(records.document_name(invoice), expected, found)


def what_is_written_off_stripe_asks_for_no_more(records: Records) -> Iterator[Check]:
    told = {step.invoice_id for step in records.steps if step.kind == StepKind.WRITE_OFF}
    for row in records.write_offs:
        invoice = records.invoices[row.invoice_id]
        if row.written_off_on:
            asks = invoice.state == InvoiceState.OPEN and invoice.pk not in told
            yield Check(records.document_name(invoice), "told", "not told" if asks else "told")


def what_our_bank_has_all_of_asks_for_no_more(records: Records) -> Iterator[Check]:
    """And what it has only a part of, or nothing, goes on asking; what is void asks for nothing."""
    for invoice in records.invoices.values():
        received = sum(row.amount_cents for row in records.receipts[invoice.pk])
        is_noted = invoice.received_on and invoice.state != InvoiceState.VOID
        if is_noted or (received and invoice.state in InvoiceState.payable):
            credited = [row for row in records.credits_of[invoice.pk] if row.state == "paid"]
            asked = invoice.total_cents + sum(credit.total_cents for credit in credited)
            found = "all" if invoice.received_on else "a part"
            name = records.document_name(invoice)
            yield Check(name, "all" if received >= asked else "a part", found)


def what_was_set_off_was_taken_from_another_invoice_of_who_pays(
    records: Records,
) -> Iterator[Check]:
    sums: dict[UUID | None, int] = defaultdict(int)
    for key, rows in records.receipts.items():
        for row in rows:
            if row.kind == ReceiptKind.SET_OFF:
                sums[records.invoices[key].payer_id] += row.amount_cents
    for payer, cents in sums.items():
        yield Check(records.code(payer), 0, cents)


def parts_of_plans_add_up(records: Records) -> Iterator[Check]:
    for plan, cents in records.plan_parts.items():
        name = records.document_name(records.invoices[plan.invoice_id])
        yield Check(name, plan.total_cents, cents)


INVARIANTS: tuple[Invariant, ...] = (
    write_offs_are_of_what_was_left_split_as_the_lines_are,
    what_is_written_off_stripe_asks_for_no_more,
    what_our_bank_has_all_of_asks_for_no_more,
    what_was_set_off_was_taken_from_another_invoice_of_who_pays,
    parts_of_plans_add_up,
)
