"""Rows of the workbook as values, and the reading of them, cell by cell."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from subscriptions.intake.cells import Oddity, RefusedError
from subscriptions.intake.findings import Findings
from subscriptions.intake.sheets import SHEETS, Column
from subscriptions.intake.workbook import MOST_ROWS, Rows, UnreadableError
from workshops.models import CancelledBy, SessionStatus


@dataclass(eq=False)
class Row:
    """A row's values by column, None where a cell is empty or broken."""

    sheet: str
    number: int
    values: dict[str, Any]
    broken: set[str] = field(default_factory=set)

    def __getitem__(self, column: str) -> Any:
        return self.values[column]

    def knows(self, *columns: str) -> bool:
        """Tell whether rules may build on these cells: all could be read and none is refused."""
        return self.broken.isdisjoint(columns)


@dataclass
class Book:
    """All rows of a workbook by sheet, and what was found wrong with them.

    Rules between sheets make sense only for a ``complete`` one: no sheet or column is missing.
    """

    rows: dict[str, list[Row]]
    findings: Findings
    columns: Mapping[str, Sequence[Column]] = field(default_factory=lambda: SHEETS)
    complete: bool = True
    _grouped: dict[str, dict[str, list[Row]]] = field(default_factory=dict)

    def __getitem__(self, sheet: str) -> list[Row]:
        return self.rows[sheet]

    def miss(self, message: str, sheet: str, row: int | None = None, column: str = "") -> None:
        self.complete = False
        self.findings.problem(message, sheet, row, column)

    def of(self, sheet: str, organisation: str) -> list[Row]:
        """Give the rows of a sheet that name an organisation, broken ones too."""
        if sheet not in self._grouped:
            self._grouped[sheet] = defaultdict(list)
            for row in self.rows[sheet]:
                self._grouped[sheet][row["organisation"]].append(row)
        return self._grouped[sheet].get(organisation, [])

    def knowing(self, sheet: str, *columns: str) -> Iterator[Row]:
        return (row for row in self.rows[sheet] if row.knows(*columns))

    @cached_property
    def organisations(self) -> dict[str, Row]:
        return {row["code"]: row for row in self.knowing("organisations", "code")}

    @cached_property
    def advisors(self) -> dict[str, Row]:
        return {row["code"]: row for row in self.knowing("advisors", "code")}

    @cached_property
    def offerings(self) -> dict[str, Row]:
        return {row["code"]: row for row in self.knowing("offerings", "code")}


def clashing(
    rows: Iterable[Row], key: Sequence[str], clash: Callable[[Row, Row], bool]
) -> Iterator[tuple[Row, Row]]:
    """Give each row that clashes with one above it of the same key, and the first such one.

    A row that is given clashes with none below it.
    """
    earlier: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        above = earlier[tuple(row[column] for column in key)]
        other = next((other for other in above if clash(row, other)), None)
        if other is None:
            above.append(row)
        else:
            yield row, other


def read(sheets: Iterable[tuple[str, Rows]]) -> Book:
    """Read all cells of a workbook; what cannot be read is a problem, rules are not looked at.

    What an empty cell stands for is filled in.
    """
    book = Book({name: [] for name in SHEETS}, Findings())
    seen: set[str] = set()
    for title, rows in sheets:
        name = title.strip()
        if name in SHEETS and name not in seen:
            seen.add(name)
            read_sheet(book, name, rows)
            if sum(map(len, book.rows.values())) > MOST_ROWS:
                raise UnreadableError(_("The workbook holds more rows than can be read at once."))
        else:
            book.findings.problem(_("An agency workbook has no sheet of this name."), name)
    if not seen:
        raise UnreadableError(
            _("The workbook has none of the sheets of an agency workbook (see import_template).")
        )
    for name in SHEETS.keys() - seen:
        book.miss(_("This sheet is missing; it may be empty but for its headings."), name)
    if book.complete:
        _fill_in(book)
    return book


def read_sheet(book: Book, name: str, rows: Rows) -> None:
    """Read the cells of one sheet into a book; what cannot be read is a problem."""
    number, headings = next(rows, (1, None))
    if headings is None:
        return
    if number != 1:
        book.miss(_("Row 1 must hold the headings."), name, 1)
        return
    places = _places(book, name, headings)
    headed = {at for at, heading in enumerate(headings) if heading is not None}
    for number, values in rows:
        _refuse_strays(book.findings, name, number, values, headed)
        if any(values[at] is not None for at in places if at < len(values)):
            book[name].append(_read_row(name, number, values, places, book.findings))
            if len(book[name]) > MOST_ROWS:
                break


def _places(book: Book, sheet: str, headings: tuple[object, ...]) -> dict[int, Column]:
    """Find the known columns by their headings, and tell the unknown, double and missing ones."""
    columns = {column.name: column for column in book.columns[sheet]}
    places: dict[int, Column] = {}
    for at, heading in enumerate(headings):
        column = columns.get(heading) if isinstance(heading, str) else None
        if column is None:
            if heading is not None:
                message = _("This sheet has no such column.")
                book.findings.problem(message, sheet, 1, _shown(heading, at))
        elif column in places.values():
            book.findings.problem(_("Two columns have this name."), sheet, 1, column.name)
        else:
            places[at] = column
    for column in columns.values():
        if column not in places.values():
            book.miss(_("This column is missing."), sheet, 1, column.name)
    return places


def _shown(heading: object, at: int) -> str:
    """Name an unknown column by its heading if that is a single word, else by its letter."""
    if isinstance(heading, str) and re.fullmatch(r"\w{1,40}", heading):
        return heading
    from openpyxl.utils import get_column_letter

    return get_column_letter(at + 1)


def _refuse_strays(
    findings: Findings, sheet: str, number: int, values: tuple[object, ...], headed: set[int]
) -> None:
    """Tell the first value in each column that has no heading."""
    for at, value in enumerate(values):
        if value is not None and at not in headed:
            headed.add(at)
            message = _("This column has no heading, so its values belong nowhere.")
            findings.problem(message, sheet, number, _shown(None, at))


def _read_row(
    sheet: str,
    number: int,
    values: tuple[object, ...],
    places: Mapping[int, Column],
    findings: Findings,
) -> Row:
    row = Row(sheet, number, {})
    for at, column in places.items():
        try:
            row.values[column.name] = _read_cell(column, values[at] if at < len(values) else None)
        except RefusedError as refused:
            row.values[column.name] = None
            findings.refuse(row, column.name, str(refused))
    return row


def _read_cell(column: Column, raw: object) -> Any:
    if raw is None:
        if column.required:
            raise RefusedError(_("This cell is empty, but a value is needed."))
        return column.empty
    if raw is Oddity.FORMULA:
        raise RefusedError(_("This cell holds a formula: replace it by its value."))
    if raw is Oddity.ERROR:
        raise RefusedError(_("This cell holds an error of the spreadsheet."))
    return column.kind.read(raw)


def _fill_in(book: Book) -> None:
    """Fill in what empty cells mean where it depends on the row (design 8)."""
    for row in book.knowing("subscriptions", "start_month"):
        for column, stands_for in (
            ("first_run", row["start_month"] - 1),
            ("reported_until", row["start_month"]),
        ):
            if row[column] is None and row.knows(column):
                row.values[column] = stands_for
    for row in book.knowing("top_up_cards", "hours"):
        if row["remaining_hours"] is None and row.knows("remaining_hours"):
            row.values["remaining_hours"] = row["hours"]
    for row in book.knowing("sessions", "status", "cancelled_by"):
        if row["status"] == SessionStatus.CANCELLED and not row["cancelled_by"]:
            row.values["cancelled_by"] = CancelledBy.CLIENT.value
