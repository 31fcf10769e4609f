"""A sheet under construction: rows of cells, tables with their totals, charts, print set-up."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from subscriptions.reports import style
from subscriptions.reports.style import TEXT, Kind, Look

if TYPE_CHECKING:
    from subscriptions.reports.chart import Chart

# Excel refuses a print header of more than 255 characters, its codes included.
LONGEST_PRINTED_NAME = 80


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula with the value it has, in the unit of its column: readers need not calculate."""

    text: str
    value: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A value with the kind and tone that differ from its column's."""

    value: Any = None
    tone: str = ""
    kind: Kind | None = None


LINED = Cell(tone="lined")
Entry = tuple[str, Cell, str, str]  # item, value, unit, note


@dataclass(frozen=True, slots=True)
class Drawn:
    """A cell as the file gets it: ``number`` is how a number is written, else it is text."""

    look: Look
    value: Any = None
    kind: Kind = TEXT


@dataclass(frozen=True, slots=True)
class Row:
    height: float
    cells: Mapping[int, Drawn]


@dataclass(frozen=True, slots=True)
class Column:
    heading: str
    width: float
    kind: Kind = TEXT
    wraps: bool = False
    serif: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table in its place: the heading row and at least one row below it."""

    name: str
    columns: Sequence[Column]
    heading_row: int
    last_row: int
    first_column: int = 1

    @property
    def first_row(self) -> int:
        return self.heading_row + 1

    @property
    def ref(self) -> str:
        last = letter(self.first_column + len(self.columns) - 1)
        return f"{letter(self.first_column)}{self.heading_row}:{last}{self.last_row}"

    def cells(self, column: int, *, fixed_rows: bool = False) -> str:
        """Give the range of a column (counted from 0) without its heading."""
        name, lock = letter(self.first_column + column), "$" if fixed_rows else ""
        return f"{name}{lock}{self.first_row}:{name}{lock}{self.last_row}"

    def absolute(self, column: int) -> str:
        name = letter(self.first_column + column)
        return f"${name}${self.first_row}:${name}${self.last_row}"


def letter(column: int) -> str:
    """Give the letters of a column counted from 1."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@dataclass(frozen=True, slots=True)
class Draft:
    """A table to be added; ``row_height`` replaces the usual height of rows that do not wrap."""

    name: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]
    first_column: int = 1
    row_height: float = style.ROW_HEIGHT


@dataclass
class Sheet:
    """One sheet. Rows are added from the top; title and ``printed_right`` head a page.

    A cover fits on one page and prints its name small; ``frozen`` is the first cell that scrolls.
    """

    title: str
    widths: Sequence[float]
    printed_right: str = ""
    cover: bool = False
    frozen: str = ""
    rows: list[Row] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    print_rows: int = 0

    @property
    def next_row(self) -> int:
        return len(self.rows) + 1

    def add(self, cells: Mapping[int, Drawn], height: float) -> int:
        """Add a row below the last one and give its number."""
        self.rows.append(Row(height, cells))
        return len(self.rows)

    def space(self, height: float) -> None:
        self.add({}, height)

    def say(self, text: str, look: Look, height: float, column: int = 1) -> int:
        return self.add({column: Drawn(look, text)}, height)

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Table:
        """Add a table; without rows it keeps a blank one, since a table needs one."""
        (table,) = self.tables_beside(Draft(self.title, columns, rows))
        return table

    def tables_beside(self, *drafts: Draft) -> tuple[Table, ...]:
        """Add tables whose headings stand in the same row."""
        heading_row = self.next_row
        heads: dict[int, Drawn] = {}
        heights = [_heading_height(draft.columns) for draft in drafts]
        for draft in drafts:
            heads |= _headings(draft.columns, draft.first_column)
        self.add(heads, max(heights))
        lengths = [self._fill(draft, heading_row) for draft in drafts]
        tables = tuple(
            Table(
                _identifier(draft.name),
                draft.columns,
                heading_row,
                heading_row + length,
                draft.first_column,
            )
            for draft, length in zip(drafts, lengths, strict=True)
        )
        self.tables.extend(tables)
        return tables

    def _fill(self, draft: Draft, heading_row: int) -> int:
        """Write a table's rows beside what stands there already, and give their number."""
        length = 0
        for length, values in enumerate(draft.rows, start=1):
            self._fill_row(draft, heading_row + length, values)
        if not length:
            length = 1
            self._fill_row(draft, heading_row + 1, [None] * len(draft.columns))
        return length

    def _fill_row(self, draft: Draft, number: int, values: Sequence[Any]) -> None:
        cells, height = _body_row(draft, values)
        if number > len(self.rows):
            self.add(cells, height)
        else:
            beside = self.rows[number - 1]
            self.rows[number - 1] = Row(max(beside.height, height), {**beside.cells, **cells})

    def total(self, table: Table, label: str, sums: Mapping[int, int]) -> None:
        """Add the total below a table: what filters leave, with the sum of all rows stored."""
        self.space(7)
        formulas = {
            column: Formula(f"SUBTOTAL(109,{table.cells(column)})", value)
            for column, value in sums.items()
        }
        self._sum_row(table, label, formulas, leading=True)

    def part_of_total(
        self, table: Table, label: str, where: tuple[int, str], sums: Mapping[int, int]
    ) -> None:
        """Add below the total the part of it in the rows that hold a word in a column.

        Compared as text: SUMIFS would read "21 %" as the number 0.21.
        """
        column, word = where
        words = table.cells(column, fixed_rows=True)
        formulas = {
            at: Formula(
                f'SUMPRODUCT(--({words}="{word}"),{table.cells(at, fixed_rows=True)})', value
            )
            for at, value in sums.items()
        }
        self._sum_row(table, label, formulas, leading=False)

    def _sum_row(
        self, table: Table, label: str, sums: Mapping[int, Formula], *, leading: bool
    ) -> None:
        cells = {
            place: Drawn(style.total(column.kind, leading=leading), sums.get(at), column.kind)
            for at, (place, column) in enumerate(enumerate(table.columns, table.first_column))
        }
        cells[1] = Drawn(style.total(TEXT, leading=leading), label)
        self.add(cells, 20)


def listing(title: str, columns: Sequence[Column], right: str, *, frozen: str) -> Sheet:
    """Begin a sheet for one table of these columns; its title and ``right`` head each page."""
    widths = [column.width for column in columns]
    return Sheet(title, widths, printed_right=right, frozen=frozen)


def _headings(columns: Sequence[Column], first: int) -> dict[int, Drawn]:
    return {
        place: Drawn(style.heading(column.kind), column.heading)
        for place, column in enumerate(columns, first)
    }


def by_group(*groups: tuple[str, Iterable[Entry]]) -> Iterator[Sequence[Any]]:
    """Give rows of entries; a group repeats its name, so that filters work, and stands out once."""
    for group, entries in groups:
        for number, entry in enumerate(entries):
            yield Cell(group, "quiet" if number else "group"), *entry


def _heading_height(columns: Sequence[Column]) -> float:
    return style.heading_height(
        [(column.heading, column.width, style.heading(column.kind)) for column in columns]
    )


def _body_row(draft: Draft, values: Sequence[Any]) -> tuple[dict[int, Drawn], float]:
    cells: dict[int, Drawn] = {}
    height = draft.row_height
    for place, (column, value) in enumerate(
        zip(draft.columns, values, strict=True), draft.first_column
    ):
        cell = value if isinstance(value, Cell) else Cell(value)
        kind = cell.kind or column.kind
        look = style.body(kind, cell.tone, wraps=column.wraps, serif=column.serif)
        cells[place] = Drawn(look, cell.value, kind)
        if column.wraps and cell.value:
            height = max(height, style.row_height(str(cell.value), column.width, look))
    return cells, height


def _identifier(name: str) -> str:
    """Make a table's name from a sheet's: letters and digits only."""
    plain = unicodedata.normalize("NFKD", name.title())
    return "tbl" + "".join(char for char in plain if char.isascii() and char.isalnum())
