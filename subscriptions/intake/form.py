"""The agency workbook as a file, empty or filled, in the look of our workbooks."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from agency.tokens import light
from subscriptions.intake.cells import Amount, Hours, Kind, OneOfNumbers, Percent, Whole
from subscriptions.intake.sheets import SHEETS, Column

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.styles import NamedStyle

FACE = "Calibri"
ROW_HEIGHT, HEADING_HEIGHT = 19, 26
LAST_ROW_OF_A_SHEET = 2**20
NARROWEST, WIDEST = 12, 36
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip file can hold


def workbook(rows: Mapping[str, Iterable[Mapping[str, Any]]]) -> bytes:
    """Give a workbook with these rows of values by sheet; the same rows give the same bytes."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    _add_styles(book)
    for name, columns in SHEETS.items():
        sheet = book.create_sheet(name)
        _set_up(sheet, columns)
        sheet.append([_cell(sheet, column.name, _heading_name(column.kind)) for column in columns])
        for row in rows.get(name, ()):
            sheet.append([_filled(sheet, column, row[column.name]) for column in columns])
    content = io.BytesIO()
    book.save(content)
    return _undated(content)


def _filled(sheet: Any, column: Column, value: Any) -> Any:
    written = None if value is None or value == "" else column.kind.write(value)
    return _cell(sheet, written, _style_name(column.kind))


def _cell(sheet: Any, value: Any, style: str) -> Any:
    """Make a cell; text stays text, also where it begins as a formula does."""
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"
    cell.style = style
    return cell


def _is_number(kind: Kind) -> bool:
    return isinstance(kind, Amount | Hours | OneOfNumbers | Percent | Whole)


def _style_name(kind: Kind) -> str:
    return f"agency {_across(kind)} {kind.number_format}"


def _heading_name(kind: Kind) -> str:
    return f"agency heading {_across(kind)}"


def _across(kind: Kind) -> str:
    return "right" if _is_number(kind) else "left"


def _add_styles(book: Workbook) -> None:
    kinds = {_style_name(column.kind): column.kind for part in SHEETS.values() for column in part}
    for name, kind in kinds.items():
        book.add_named_style(_style(name, kind))
    headings = {_heading_name(kind): kind for kind in kinds.values()}
    for name, kind in headings.items():
        book.add_named_style(_heading_style(name, kind))


def _style(name: str, kind: Kind) -> NamedStyle:
    from openpyxl.styles import Alignment, Border, Font, NamedStyle, Side

    return NamedStyle(
        name,
        font=Font(name=FACE, size=10, color=_colour("ink")),
        border=Border(bottom=Side(style="thin", color=_colour("line"))),
        alignment=Alignment(horizontal=_across(kind), vertical="center", indent=1),
        number_format=kind.number_format,
    )


def _heading_style(name: str, kind: Kind) -> NamedStyle:
    from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side

    return NamedStyle(
        name,
        font=Font(name=FACE, size=10, bold=True, color=_colour("ink")),
        fill=PatternFill("solid", fgColor=_colour("well")),
        border=Border(bottom=Side(style="medium", color=_colour("accent"))),
        alignment=Alignment(horizontal=_across(kind), vertical="top", indent=1),
    )


@cache
def _colour(token: str) -> str:
    return light()[token].lstrip("#").upper()


def _set_up(sheet: Any, columns: Iterable[Column]) -> None:
    """Prepare a sheet for typing: kinds of cells, choices to pick from, widths, print."""
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "A2"
    sheet.sheet_view.showGridLines = False
    sheet.sheet_format.defaultRowHeight = ROW_HEIGHT
    sheet.sheet_format.customHeight = True
    sheet.row_dimensions[1].height = HEADING_HEIGHT
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.fitToHeight = 0
    sheet.page_margins.left = sheet.page_margins.right = 0.5
    sheet.page_margins.top, sheet.page_margins.bottom = 0.85, 0.65
    sheet.print_title_rows = "1:1"
    for number, column in enumerate(columns, start=1):
        letter = get_column_letter(number)
        dimension = sheet.column_dimensions[letter]
        longest = getattr(column.kind, "longest", 0)
        dimension.width = max(min(longest + 4, WIDEST), NARROWEST, len(column.name) + 6)
        dimension.number_format = column.kind.number_format
        if choices := getattr(column.kind, "choices", ()):
            _offer(sheet, letter, choices, column)


def _offer(sheet: Any, letter: str, choices: Iterable[object], column: Column) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    listed = ",".join(str(choice) for choice in choices)
    offer = DataValidation(
        "list", formula1=f'"{listed}"', allow_blank=not column.required, showErrorMessage=True
    )
    offer.add(f"{letter}2:{letter}{LAST_ROW_OF_A_SHEET}")
    sheet.data_validations.append(offer)


def _undated(content: io.BytesIO) -> bytes:
    """Leave out when the file was made, so that the same rows give the same bytes."""
    undated = io.BytesIO()
    with zipfile.ZipFile(content) as parts, zipfile.ZipFile(undated, "w") as package:
        for name in parts.namelist():
            part = parts.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"<dcterms:(\w+)[^>]*>[^<]*</dcterms:\1>", b"", part)
                part = part.replace(b"openpyxl", b"Discreet")
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, part)
    return undated.getvalue()
