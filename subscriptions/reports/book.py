"""A workbook as bytes: openpyxl writes everything but the rows, which are streamed in.

openpyxl builds a skeleton with styles, widths, tables, charts and print set-up. Its parts are then
copied into a new package, in which the rows are written as they stand in the sheets: numbers
exactly, text always as text, formulas with their values. What says who made the file and when is
left out, and every entry has the same time, so that the same input gives the same bytes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape, quoteattr

from subscriptions.reports import style
from subscriptions.reports.sheet import (
    LONGEST_PRINTED_NAME,
    Drawn,
    Formula,
    Row,
    Sheet,
    Table,
    letter,
)
from subscriptions.reports.style import SANS, SERIF, Look

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.styles import Border, Side
    from openpyxl.worksheet.worksheet import Worksheet

_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can hold
_SHEET_PART = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_DRAWING_PART = re.compile(r"xl/drawings/drawing(\d+)\.xml")
_ROWS = re.compile(rb"<sheetData\s*/>|<sheetData>.*</sheetData>", re.DOTALL)
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"\s*/>')
# What XML 1.0 cannot hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_CORE = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    "<cp:coreProperties"
    ' xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<dc:title>{title}</dc:title><dc:language>{language}</dc:language></cp:coreProperties>"
)
_APP = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/'
    'extended-properties"></Properties>'
)


@dataclass
class Book:
    """A workbook; ``footer`` stands left below each page, ``page_of`` right of it."""

    title: str
    language: str
    footer: str
    page_of: str
    sheets: list[Sheet] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        skeleton = BytesIO()
        workbook, style_ids = _skeleton(self)
        workbook.save(skeleton)
        return _assemble(skeleton, self, style_ids)


def _skeleton(book: Book) -> tuple[Workbook, dict[Look, int]]:
    from openpyxl import Workbook

    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    workbook.calculation.fullCalcOnLoad = False
    for number, sheet in enumerate(book.sheets, start=1):
        worksheet = workbook.create_sheet(sheet.title)
        _set_up(worksheet, sheet)
        _set_up_print(worksheet, sheet, book)
        for chart in sheet.charts:
            worksheet.add_chart(chart.drawing())
        for place, table in enumerate(sheet.tables):
            worksheet.add_table(_table(table, id_=number * 10 + place))
    return workbook, _register_styles(workbook, book.sheets)


def _set_up(worksheet: Worksheet, sheet: Sheet) -> None:
    worksheet.sheet_view.showGridLines = False
    if sheet.frozen:
        worksheet.freeze_panes = sheet.frozen
    for column, width in enumerate(sheet.widths, start=1):
        worksheet.column_dimensions[letter(column)].width = width


def _set_up_print(worksheet: Worksheet, sheet: Sheet, book: Book) -> None:
    from openpyxl.worksheet.properties import PageSetupProperties

    worksheet.page_setup.orientation = "landscape"
    worksheet.page_setup.paperSize = 9  # A4
    worksheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    worksheet.page_setup.fitToWidth = 1
    worksheet.page_setup.fitToHeight = 1 if sheet.cover else 0
    margins = worksheet.page_margins
    margins.left = margins.right = 0.5
    margins.top, margins.bottom = (0.7 if sheet.cover else 0.85), 0.65
    margins.header, margins.footer = 0.35, 0.3
    last = letter(len(sheet.widths))
    if sheet.cover:
        worksheet.print_area = f"A1:{last}{max(len(sheet.rows), sheet.print_rows)}"
    else:
        worksheet.print_title_rows = "1:1"
    _set_up_headers(worksheet, sheet, book)


def _set_up_headers(worksheet: Worksheet, sheet: Sheet, book: Book) -> None:
    worksheet.HeaderFooter.scaleWithDoc = False
    quiet = (f"{SANS},Regular", 9, "ink-2")
    header: Any = worksheet.oddHeader
    footer: Any = worksheet.oddFooter
    if sheet.cover:
        _print(header.right, sheet.title, *quiet)
    else:
        _print(header.left, sheet.title, f"{SERIF},Bold", 15, "ink")
        _print(header.right, sheet.printed_right, f"{SANS},Bold", 9, "ink-2")
    _print(footer.left, book.footer, *quiet)
    _print(footer.right, "", *quiet)
    footer.right.text = book.page_of


def _print(part: Any, text: str, font: str, size: int, ink: str) -> None:
    text = " ".join(_FORBIDDEN.sub("", text).split())
    if len(text) > LONGEST_PRINTED_NAME:
        text = text[: LONGEST_PRINTED_NAME - 1] + "…"
    part.text = text.replace("&", "&&")
    part.font, part.size, part.color = font, size, style.colour(ink)


def _table(table: Table, id_: int) -> Any:
    from openpyxl.worksheet.filters import AutoFilter
    from openpyxl.worksheet.table import Table as DrawnTable
    from openpyxl.worksheet.table import TableColumn, TableStyleInfo

    drawn = DrawnTable(id=id_, name=table.name, displayName=table.name, ref=table.ref)
    drawn.autoFilter = AutoFilter(ref=table.ref)
    for number, column in enumerate(table.columns, start=1):
        drawn.tableColumns.append(TableColumn(id=number, name=column.heading))
    drawn.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
    return drawn


def _register_styles(workbook: Workbook, sheets: Sequence[Sheet]) -> dict[Look, int]:
    """Give each look its number in the styles of the workbook."""
    looks = dict.fromkeys(
        drawn.look for sheet in sheets for row in sheet.rows for drawn in row.cells.values()
    )
    worksheet = workbook.worksheets[0]
    style_ids = {
        look: _style_id(worksheet.cell(1, number), look) for number, look in enumerate(looks, 1)
    }
    worksheet.delete_rows(1)
    return style_ids


def _style_id(cell: Any, look: Look) -> int:
    from openpyxl.styles import Alignment, Font, PatternFill

    cell.font = Font(name=look.face, size=look.size, bold=look.bold, color=style.colour(look.ink))
    filled = style.colour(look.fill) if look.fill else None
    cell.fill = PatternFill("solid", fgColor=filled) if filled else PatternFill()
    cell.border = _border(look)
    cell.alignment = Alignment(
        horizontal=look.across,
        vertical=look.down,
        indent=0 if look.across == "center" else 1,
        wrap_text=look.wraps,
    )
    cell.number_format = look.number_format
    return int(cell.style_id)


def _border(look: Look) -> Border:
    from openpyxl.styles import Border

    return Border(
        top=_side(look.line_above, "thin"),
        bottom=_side(look.line_below, "medium" if look.line_below == "accent" else "thin"),
        left=_side(look.edge, "thick"),
    )


def _side(ink: str, weight: Literal["thin", "medium", "thick"]) -> Side:
    from openpyxl.styles import Side

    return Side(style=weight, color=style.colour(ink)) if ink else Side()


def _assemble(skeleton: BytesIO, book: Book, style_ids: dict[Look, int]) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(skeleton) as parts, zipfile.ZipFile(content, "w") as package:
        for name in parts.namelist():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 0, 0
            with package.open(entry, "w") as part:
                for piece in _pieces(name, parts.read(name), book, style_ids):
                    part.write(piece)
    return content.getvalue()


def _pieces(name: str, skeleton: bytes, book: Book, style_ids: dict[Look, int]) -> Iterator[bytes]:
    if match := _SHEET_PART.fullmatch(name):
        yield from _sheet(skeleton, book.sheets[int(match[1]) - 1], style_ids)
    elif match := _DRAWING_PART.fullmatch(name):
        drawn = [sheet for sheet in book.sheets if sheet.charts][int(match[1]) - 1]
        yield _described(skeleton, drawn)
    elif name == "docProps/core.xml":
        yield _CORE.format(title=_clean(book.title), language=book.language).encode()
    elif name == "docProps/app.xml":
        yield _APP.encode()
    else:
        yield skeleton


def _sheet(skeleton: bytes, sheet: Sheet, style_ids: dict[Look, int]) -> Iterator[bytes]:
    last = letter(max(max(row.cells, default=1) for row in sheet.rows))
    dimension = f'<dimension ref="A1:{last}{len(sheet.rows)}"/>'
    before, after = _ROWS.split(_DIMENSION.sub(dimension.encode(), skeleton), maxsplit=1)
    yield before
    yield b"<sheetData>"
    for number, row in enumerate(sheet.rows, start=1):
        yield "".join(_row(number, row, style_ids)).encode()
    yield b"</sheetData>"
    yield after


def _row(number: int, row: Row, style_ids: dict[Look, int]) -> Iterator[str]:
    yield f'<row r="{number}" ht="{row.height:.4g}" customHeight="1">'
    for column in sorted(row.cells):
        drawn = row.cells[column]
        yield _cell(f"{letter(column)}{number}", drawn, style_ids[drawn.look])
    yield "</row>"


def _cell(place: str, drawn: Drawn, style_id: int) -> str:
    """Write a cell: text inline, so that nothing in it can become a formula."""
    opening, value = f'<c r="{place}" s="{style_id}"', drawn.value
    if value is None or value == "":
        return f"{opening}/>"
    if drawn.kind.write is None:
        return f'{opening} t="inlineStr"><is>{_text(str(value))}</is></c>'
    if isinstance(value, Formula):
        formula, result = escape(value.text), drawn.kind.write(value.value)
        return f"{opening}><f>{formula}</f><v>{result}</v></c>"
    return f"{opening}><v>{drawn.kind.write(value)}</v></c>"


def _text(text: str) -> str:
    clean = _clean(text)
    keep = ' xml:space="preserve"' if clean != clean.strip() or "\n" in clean else ""
    return f"<t{keep}>{clean}</t>"


def _clean(text: str) -> str:
    return escape(_FORBIDDEN.sub("", text))


def _described(drawing: bytes, sheet: Sheet) -> bytes:
    """Give each chart its name and its alternative text, which openpyxl has no place for."""
    for number, chart in enumerate(sheet.charts, start=1):
        named = f"name={quoteattr(chart.title)} descr={quoteattr(chart.description)}"
        drawing = drawing.replace(f'name="Chart {number}"'.encode(), named.encode())
    return drawing
