"""The sheet of invoices that were sent before moving in: read whole, or refused cell by cell."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext as _

from agency.models import Organisation
from subscriptions.comparison import Sent
from subscriptions.intake.cells import Amount
from subscriptions.intake.findings import Finding, Findings
from subscriptions.intake.rows import Book, Row, clashing, read_sheet
from subscriptions.intake.sheets import Column
from subscriptions.intake.texts import Code, Text
from subscriptions.intake.times import Month
from subscriptions.intake.workbook import NoFileError, UnreadableError, opened, read_file

__all__ = ["NoFileError", "read"]

SHEET = "invoices"
# The month is that of the run: the last month of use, and the one before what is paid in advance.
COLUMNS = (
    Column("number", Text(40)),
    Column("month", Month()),
    Column("organisation", Code()),
    Column("net", Amount(signed=True)),
    Column("vat", Amount(signed=True)),
)


def read(path: Path) -> tuple[list[Sent], list[Finding]]:
    """Give the invoices of a file, and what is wrong with it. Raises NoFileError."""
    book = Book({SHEET: []}, Findings(), {SHEET: COLUMNS})
    try:
        with opened(read_file(path)) as sheets:
            seen = False
            for title, rows in sheets:
                if title.strip() == SHEET and not seen:
                    seen = True
                    read_sheet(book, SHEET, rows)
                else:
                    book.findings.problem(_("Only a sheet called invoices is read."), title)
    except UnreadableError as error:
        return [], [Finding(None, None, None, str(error))]
    if not seen:
        book.miss(_("This sheet is missing."), SHEET)
    if book.complete:
        _check(book)
    if book.findings.problems:
        return [], book.findings.problems
    return [_sent(row) for row in book[SHEET]], []


def _check(book: Book) -> None:
    known = set(Organisation.objects.values_list("code", flat=True))
    for row in book.knowing(SHEET, "organisation"):
        if row["organisation"] not in known:
            message = _("No organisation here has this code.")
            book.findings.refuse(row, "organisation", message)
    numbered = book.knowing(SHEET, "number")
    for row, other in clashing(numbered, ["number"], lambda _one, _other: True):
        message = _("Row %(row)d has the same number.") % {"row": other.number}
        book.findings.refuse(row, "number", message)


def _sent(row: Row) -> Sent:
    return Sent(row["number"], row["month"], row["organisation"], row["net"], row["vat"])
