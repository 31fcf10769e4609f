"""All documents of the year's runs; blocked ones stand in their place with the reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from agency.month import MonthRange
from subscriptions.models import Invoice, InvoiceKind, InvoiceState
from subscriptions.reports.controller.figures import nets_by_category
from subscriptions.reports.sheet import Cell, Column, Sheet, Table, listing
from subscriptions.reports.style import DATE, EUROS, MONTH

if TYPE_CHECKING:
    import pandas as pd

_CATEGORIES = ("S", "E", "AE", "O")
_FIRST_AMOUNT, _STATUS = 6, 13
_AMOUNTS = range(_FIRST_AMOUNT, _FIRST_AMOUNT + 6)


def invoices_sheet(runs: MonthRange, right: str, on: dt.date | None) -> Sheet:
    """Draw the sheet; what is open and was due before ``on`` is late."""
    columns = _columns()
    sheet = listing(_("Invoices"), columns, right, frozen="B2")
    documents = list(_documents(runs))
    rows = list(_rows(documents, nets_by_category(runs), on))
    table = sheet.table(columns, rows)
    if rows:
        sheet.total(table, _("Total"), {at: sum(row[at] for row in rows) for at in _AMOUNTS})
        for state in (InvoiceState.BLOCKED, InvoiceState.VOID):
            _subtotal(sheet, table, rows, _STATES[state]())
    return sheet


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Number"), 17),
        Column(_("Invoice date"), 14, DATE),
        Column(_("Run"), 10, MONTH),
        Column(_("Client no."), 12),
        Column(_("Client"), 34, wraps=True),
        Column(_("Purchase order"), 14, wraps=True),
        Column(_("Net standard rate (€)"), 13, EUROS),
        Column(_("Net exempt (€)"), 13, EUROS),
        Column(_("Net reversed (€)"), 13, EUROS),
        Column(_("Net outside EU (€)"), 13, EUROS),
        Column(_("VAT (€)"), 12, EUROS),
        Column(_("Total (€)"), 13, EUROS),
        Column(_("Due date"), 13, DATE),
        Column(_("Status"), 14),
        Column(_("Blocked because"), 30, wraps=True),
    )


def _documents(runs: MonthRange) -> Iterator[Invoice]:
    rows = Invoice.objects.filter(run_month__gte=runs.from_month, run_month__lt=runs.until)
    rows = rows.select_related("organisation")
    return rows.order_by("run_month", "organisation__code", "po_number", "number", "pk").iterator()


def _rows(
    documents: Sequence[Invoice], nets: pd.DataFrame, on: dt.date | None
) -> Iterator[list[Any]]:
    by_key = nets.to_dict("index")
    for row in documents:
        client, net = row.organisation, by_key.get(row.pk, {})
        tone = "quiet" if row.state == InvoiceState.VOID else ""
        values = (
            row.number or None,
            row.invoice_on,
            row.run_month,
            client.code if client else None,
            client.legal_name if client else row.buyer_name,
            row.po_number or None,
        )
        because = row.get_blocked_reason_display() if row.blocked_reason else row.parked_because
        yield [
            *(Cell(value, tone) for value in values),
            *(int(net.get(category, 0)) for category in _CATEGORIES),
            row.vat_cents,
            row.total_cents,
            row.due_on,
            _standing(row, on),
            Cell(because.capitalize(), "wait word") if because else None,
        ]


_STATES = {
    InvoiceState.DRAFT: lambda: pgettext("invoice", "Draft"),
    InvoiceState.BLOCKED: lambda: pgettext("invoice", "Blocked"),
    InvoiceState.APPROVED: lambda: pgettext("invoice", "Approved"),
    InvoiceState.PARKED: lambda: pgettext("invoice", "Parked"),
    InvoiceState.OPEN: lambda: pgettext("invoice", "Open"),
    InvoiceState.PAID: lambda: pgettext("invoice", "Paid"),
    InvoiceState.VOID: lambda: pgettext("invoice", "Void"),
    InvoiceState.UNCOLLECTIBLE: lambda: pgettext("invoice", "Uncollectible"),
    InvoiceState.SETTLED: lambda: pgettext("invoice", "Settled"),
}
_TONES = {
    InvoiceState.BLOCKED: "wait",
    InvoiceState.PARKED: "wait",
    InvoiceState.PAID: "good",
    InvoiceState.UNCOLLECTIBLE: "bad",
}


def _standing(row: Invoice, on: dt.date | None) -> Cell:
    state = InvoiceState(row.state)
    if row.kind == InvoiceKind.CREDIT and state != InvoiceState.VOID:
        return Cell(pgettext("invoice", "Credit"))
    if state == InvoiceState.OPEN and row.debit_failed_on:
        return Cell(pgettext("invoice", "Debit failed"), "bad")
    if state == InvoiceState.OPEN and on and row.due_on and row.due_on < on:
        return Cell(pgettext("invoice", "Late"), "bad")
    return Cell(_STATES[state](), _TONES.get(state, ""))


def _subtotal(sheet: Sheet, table: Table, rows: Sequence[Sequence[Any]], word: str) -> None:
    """Add what the total holds of documents that nobody pays (yet)."""
    of_word = [row for row in rows if row[_STATUS].value == word]
    if not of_word:
        return
    label = pgettext("total", "of which %(what)s") % {"what": word.lower()}
    sums = {at: sum(row[at] for row in of_word) for at in _AMOUNTS}
    sheet.part_of_total(table, label, (_STATUS, word), sums)
