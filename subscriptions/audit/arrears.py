"""Invariants of what was not paid in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from subscriptions import write_offs
from subscriptions.audit.records import Check, Invariant, Records
from subscriptions.models import InvoiceState, StepKind


def write_offs_are_of_what_was_left_split_as_the_lines_are(records: Records) -> Iterator[Check]:
    """Net, VAT, and the day of the return that takes the VAT back."""
    for row in records.write_offs:
        invoice = records.invoices[row.invoice_id]
        if on := row.written_off_on:
            lines = records.lines[invoice.pk] + [
                line
                for credit in records.credits_of[invoice.pk]
                if credit.state == InvoiceState.PAID
                and credit.invoice_on
                and credit.invoice_on <= on
                for line in records.lines[credit.pk]
            ]
            left = sum(line.net_cents + line.vat_cents for line in lines)
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


INVARIANTS: tuple[Invariant, ...] = (
    write_offs_are_of_what_was_left_split_as_the_lines_are,
    what_is_written_off_stripe_asks_for_no_more,
)
