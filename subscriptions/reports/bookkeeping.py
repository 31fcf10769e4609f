"""A month for the bookkeeper: one workbook, and each of its lists as a file that packages read.

The files are CSV as Dutch packages and spreadsheets take it without a question: semicolons, decimal
commas, dates day first, UTF-8 with its mark. Net and VAT of a credit are negative.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from agency.files import write_whole
from agency.models import Agency
from agency.month import Month
from subscriptions import bookkeeping
from subscriptions.bookkeeping import Books
from subscriptions.models import Booked, LineKind
from subscriptions.reports import said
from subscriptions.reports.book import Book
from subscriptions.reports.sheet import Column, Sheet, listing
from subscriptions.reports.style import DATE, EUROS, MONTH, RIGHT_TEXT, Kind
from subscriptions.reports.words import vat_word
from subscriptions.write_offs import word

WORKBOOK = "bookkeeping.xlsx"
# A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list with its columns and rows; amounts in cents. ``summed`` are columns with a total."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    summed: Sequence[int] = ()


def journal(books: Books) -> Listing:
    columns = (
        Column(_("Document"), 16),
        Column(_("Date"), 12, DATE),
        Column(_("Due on"), 12, DATE),
        Column(_("Debtor number"), 18),
        Column(_("Debtor"), 30, wraps=True),
        Column(_("Debtors account"), 20),
        Column(_("Account"), 12),
        Column(_("Kind"), 14),
        Column(_("Description"), 44, wraps=True),
        Column(_("VAT code"), 10),
        Column(_("VAT rate"), 11, RIGHT_TEXT),
        Column(_("Net (€)"), 13, EUROS),
        Column(_("VAT (€)"), 12, EUROS),
        Column(_("From"), 10, MONTH),
        Column(_("Until"), 10, MONTH),
    )
    rows = [
        (
            *_document(entry.line.invoice, entry.debtor),
            books.codes.of(Booked.DEBTORS, entry.line.vat_category),
            entry.account,
            str(LineKind(entry.line.kind_of_thing).label),
            entry.line.description,
            entry.vat_code,
            vat_word(entry.line.vat_category, entry.line.vat_rate_basis_points),
            entry.line.net_cents,
            entry.line.vat_cents,
            entry.line.from_month,
            entry.line.months.last_month,
        )
        for entry in books.journal
    ]
    return Listing(_("Sales journal"), columns, rows, (11, 12))


def _document(invoice: Any, debtor: str) -> tuple[Any, ...]:
    return (invoice.number, invoice.invoice_on, invoice.due_on, debtor, invoice.buyer_name)


def open_items(books: Books) -> Listing:
    columns = (
        Column(_("Document"), 16),
        Column(_("Date"), 12, DATE),
        Column(_("Due on"), 12, DATE),
        Column(_("Debtor number"), 18),
        Column(_("Debtor"), 34, wraps=True),
        Column(_("Total (€)"), 13, EUROS),
        Column(_("Open (€)"), 13, EUROS),
    )
    rows = [
        (*_document(one.invoice, one.debtor), one.invoice.total_cents, one.open_cents)
        for one in books.open_items
    ]
    return Listing(_("Open items"), columns, rows, (5, 6))


def written_off(books: Books) -> Listing:
    columns = (
        Column(_("Document"), 16),
        Column(_("Date"), 12, DATE),
        Column(_("Debtor number"), 18),
        Column(_("Debtor"), 30, wraps=True),
        Column(_("Debtors account"), 20),
        Column(_("Account"), 12),
        Column(_("Kind"), 16),
        Column(_("VAT code"), 10),
        Column(_("VAT rate"), 11, RIGHT_TEXT),
        Column(_("Net (€)"), 13, EUROS),
        Column(_("VAT (€)"), 12, EUROS),
        Column(_("VAT as of"), 12, DATE),
    )
    rows = [
        (
            loss.write_off.invoice.number,
            loss.on,
            entry.debtor,
            loss.write_off.invoice.buyer_name,
            books.codes.of(Booked.DEBTORS, loss.category),
            entry.account,
            word(is_recovered=loss.is_recovered),
            entry.vat_code,
            vat_word(loss.category, loss.rate_basis_points),
            loss.net_cents,
            loss.vat_cents,
            loss.vat_on,
        )
        for entry in books.losses
        for loss in [entry.loss]
    ]
    return Listing(_("Written off"), columns, rows, (9, 10))


def deferred(books: Books) -> Listing:
    after = books.month + 1
    columns = (
        Column(_("Document"), 16),
        Column(_("Debtor number"), 18),
        Column(_("Account"), 12),
        Column(_("Deferred account"), 17),
        Column(_("Description"), 44, wraps=True),
        Column(_("From"), 10, MONTH),
        Column(_("Until"), 10, MONTH),
        Column(_("Net (€)"), 13, EUROS),
        Column(_("Earned (€)"), 13, EUROS),
        Column(_("Deferred (€)"), 13, EUROS),
    )
    rows = [
        (
            one.line.invoice.number,
            one.debtor,
            books.codes.of(one.line.kind_of_thing, one.line.vat_category),
            books.codes.of(Booked.DEFERRED, one.line.vat_category),
            one.line.description,
            one.line.from_month,
            one.line.months.last_month,
            one.line.net_cents,
            one.earned_cents(after),
            one.deferred_cents(after),
        )
        for one in books.deferred
    ]
    return Listing(_("Deferred"), columns, rows, (7, 8, 9))


def by_month(books: Books) -> Listing:
    columns = (Column(_("Month"), 12, MONTH), Column(_("To be earned (€)"), 16, EUROS))
    return Listing(_("Deferred by month"), columns, list(books.by_month().items()), (1,))


def by_period(books: Books) -> Listing:
    """Give the same for who books a period's fees when its statement is published."""
    columns = (
        Column(_("Debtor number"), 18),
        Column(_("Period closed: from"), 14, MONTH),
        Column(_("Until"), 12, MONTH),
        Column(_("Earned in it (€)"), 15, EUROS),
        Column(_("Deferred beyond (€)"), 15, EUROS),
    )
    rows = [
        (
            one.debtor,
            one.period and one.period.from_month,
            one.period and one.period.last_month,
            one.earned_cents,
            one.deferred_cents,
        )
        for one in books.released
    ]
    return Listing(_("Deferred by release period"), columns, rows, (3, 4))


def controls(books: Books) -> Listing:
    columns = (Column(_("Control total"), 60), Column("€", 16, EUROS))
    return Listing(_("Control totals"), columns, books.controls)


LISTS: dict[str, Callable[[Books], Listing]] = {
    "journal.csv": journal,
    "open_items.csv": open_items,
    "written_off.csv": written_off,
    "deferred.csv": deferred,
    "deferred_by_month.csv": by_month,
    "deferred_by_period.csv": by_period,
    "controls.csv": controls,
}


def write(month: Month, name: str, *, language: str = settings.LANGUAGE_CODE) -> bytes:
    """Give the workbook, or a list by the name of its file.

    Raises BookkeepingError, and KeyError for a name of none.
    """
    with translation.override(language):
        books = bookkeeping.read(month)
        return _workbook(books, language) if name == WORKBOOK else _csv(LISTS[name](books))


def write_files(
    month: Month, directory: Path, *, language: str = settings.LANGUAGE_CODE
) -> list[Path]:
    """Write ``directory/YYYY-MM_NAME`` for the workbook and each list. Raises OSError."""
    with translation.override(language):
        books = bookkeeping.read(month)
        contents = {WORKBOOK: _workbook(books, language)}
        contents |= {name: _csv(make(books)) for name, make in LISTS.items()}
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [
        write_whole(directory / f"{month}_{name}", content) for name, content in contents.items()
    ]


def _workbook(books: Books, language: str) -> bytes:
    agency, month = Agency.objects.get(), said.long_month(books.month)
    return Book(
        title=_("Bookkeeping of %(month)s") % {"month": month},
        language=language,
        footer=_("%(agency)s · internal, not for clients · %(month)s")
        % {"agency": agency.name, "month": month},
        page_of=_("Page &P of &N"),
        sheets=[_sheet(make(books), agency.name) for make in LISTS.values()],
    ).to_bytes()


def _sheet(drawn: Listing, right: str) -> Sheet:
    sheet = listing(drawn.title, drawn.columns, right, frozen="B2")
    table = sheet.table(drawn.columns, drawn.rows)
    if drawn.rows and drawn.summed:
        sums = {at: sum(row[at] for row in drawn.rows) for at in drawn.summed}
        sheet.total(table, _("Total"), sums)
    return sheet


def _csv(drawn: Listing) -> bytes:
    text = io.StringIO()
    lines = csv.writer(text, delimiter=";", lineterminator="\r\n")
    lines.writerow([column.heading for column in drawn.columns])
    lines.writerows(_cells(drawn.columns, row) for row in drawn.rows)
    return text.getvalue().encode("utf-8-sig")


def _cells(columns: Sequence[Column], row: Iterable[Any]) -> list[str]:
    return [_cell(column.kind, value) for column, value in zip(columns, row, strict=True)]


def _cell(kind: Kind, value: Any) -> str:
    if value is None:
        return ""
    if kind is EUROS:
        sign = "-" if value < 0 else ""
        return f"{sign}{abs(value) // 100},{abs(value) % 100:02d}"
    if kind is DATE:
        return f"{value:%d-%m-%Y}"
    if kind is MONTH:
        return f"{value.first_day:%m-%Y}"
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
