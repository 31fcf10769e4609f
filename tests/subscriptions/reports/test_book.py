"""Every workbook is honest inside: only known parts, nothing hidden, the same bytes again."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Callable
from io import BytesIO
from xml.etree import ElementTree as ET
from xml.sax.saxutils import unescape

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from agency.month import Month
from subscriptions.models import Subscription
from subscriptions.reports import client as client_workbook
from subscriptions.reports import controller
from subscriptions.reports.book import Book
from subscriptions.reports.sheet import Column, Formula, Sheet, letter
from subscriptions.reports.style import (
    COUNT,
    DATE,
    EUROS,
    HOURS,
    MONTH,
    PERCENT,
    TEXT,
    TIME,
    Kind,
    Look,
    colour,
    lines_needed,
)
from tests import factories as make
from tests import workbooks
from tests.workbooks import MARCH, midnight, opened, parts

Write = Callable[[], bytes]

ALLOWED = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core)\.xml|xl/(workbook|styles)\.xml"
    r"|xl/sharedStrings\.xml|xl/theme/theme1\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/worksheets/(_rels/)?sheet\d+\.xml(\.rels)?|xl/tables/table\d+\.xml"
    r"|xl/drawings/(_rels/)?drawing\d+\.xml(\.rels)?|xl/charts/chart\d+\.xml"
)
HOSTILE = [
    "=cmd|' /C calc'!A7",
    "+31 20 555",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    '<b> & "quotes" \'s ]]>',
    "Café \N{RIGHT-TO-LEFT OVERRIDE}\N{HEBREW LETTER ALEF}\N{GRINNING FACE} Bülow",
    "&L&C&R &P of &N && &[Page]",
    "  around  ",
    "n" * 200,
    "control \x01\x0b\x1f\ufffe characters",
]


@pytest.fixture
def contract(db: None) -> Subscription:
    contract = workbooks.client(people=300)
    make.statement(contract, "2026-01", "2026-02", used_quarters=46)
    make.invoice(contract.organisation, "2026-01", state="open")
    make.session(contract.organisation, status="held")
    workbooks.record_hours(contract.organisation, ["2026-01"], 10)
    return contract


@pytest.fixture(params=["client", "controller"])
def write(request: pytest.FixtureRequest, contract: Subscription) -> Write:
    if request.param == "client":
        return lambda: client_workbook.write(contract.organisation, MARCH)
    return lambda: controller.write(MARCH, on=dt.date(2026, 4, 20), language="en")


@pytest.mark.attack(34)
def test_only_known_parts_are_inside(write: Write) -> None:
    assert [name for name in parts(write()) if not ALLOWED.fullmatch(name)] == []


@pytest.mark.attack(34)
def test_nothing_is_hidden_merged_or_commented(write: Write) -> None:
    for sheet in opened(write()):
        assert sheet.sheet_state == "visible"
        assert not sheet.merged_cells.ranges
        assert not any(column.hidden for column in sheet.column_dimensions.values())
        assert not any(row.hidden for row in sheet.row_dimensions.values())
        assert not any(cell.comment for row in sheet.iter_rows() for cell in row)


@pytest.mark.attack(34)
def test_the_only_names_are_those_of_printing(write: Write) -> None:
    names = re.findall(rb'definedName name="([^"]*)"', parts(write())["xl/workbook.xml"])
    assert set(names) <= {b"_xlnm.Print_Area", b"_xlnm.Print_Titles"}


@pytest.mark.attack(34)
def test_no_author_no_program_and_no_time_is_kept(write: Write) -> None:
    content = write()
    held = parts(content)
    about = held["docProps/core.xml"] + held["docProps/app.xml"]
    assert not re.search(rb"creator|created|modified|openpyxl|Application|20\d\d-\d\d-\d\d", about)
    with zipfile.ZipFile(BytesIO(content)) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.attack(34)
def test_the_same_input_gives_the_same_bytes(write: Write) -> None:
    with time_machine.travel(dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)):
        first = write()
    with time_machine.travel(dt.datetime(2027, 8, 2, 23, tzinfo=dt.UTC)):
        assert write() == first


def test_every_sheet_prints_on_landscape_pages_of_one_width(write: Write) -> None:
    for number, sheet in enumerate(opened(write())):
        assert sheet.page_setup.orientation == "landscape"
        assert (sheet.page_setup.paperSize, sheet.page_setup.fitToWidth) == (9, 1)
        assert sheet.oddFooter is not None
        assert sheet.oddFooter.right.text == "Page &P of &N"
        if number:
            assert sheet.print_title_rows == "$1:$1"
            assert sheet.freeze_panes


def test_tables_are_real_and_start_in_the_first_cell(write: Write) -> None:
    content = opened(write())
    for sheet in content.worksheets[1:]:
        (table,) = sheet.tables.values()
        assert table.ref.startswith("A1:")
        assert [column.name for column in table.tableColumns] == [cell.value for cell in sheet[1]]
    names = [name for sheet in content for name in sheet.tables]
    assert len(names) == len(set(names))


def test_formulas_carry_their_values(write: Write) -> None:
    content = write()
    formulas, values = opened(content, values=False), opened(content)
    found = [
        (sheet.title, cell.coordinate)
        for sheet in formulas
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert found
    for title, place in found:
        assert isinstance(values[title][place].value, int | float)


def test_pandas_reads_every_number(write: Write) -> None:
    content = write()
    for sheet in opened(content).worksheets[1:]:
        read = workbooks.frame(content, sheet.title)
        numbers = sum(cell.data_type == "n" and cell.value is not None
                      for row in sheet.iter_rows(min_row=2) for cell in row)  # fmt: skip
        texts = sum(cell.data_type != "n" and cell.value is not None
                    for row in sheet.iter_rows(min_row=2) for cell in row)  # fmt: skip
        assert read.notna().sum().sum() == numbers + texts


@pytest.mark.attack(35)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(contract: Subscription, name: str) -> None:
    organisation = contract.organisation
    organisation.legal_name = name
    organisation.save()
    for content in (
        client_workbook.write(organisation, MARCH),
        controller.write(MARCH, language="en"),
    ):
        for part_name, part in parts(content).items():
            ET.fromstring(part)  # noqa: S314  # our own output; raises where not well-formed
            assert max(map(len, printed_headers(part)), default=0) <= 255, part_name
        assert not formulas_beyond_totals(content)
    printable = re.sub("[\x01\x0b\x1f\ufffe]", "", name)
    overview = client_workbook.write(organisation, MARCH)
    assert opened(overview)["Overview"]["A1"].value == printable


def printed_headers(part: bytes) -> list[str]:
    headers = re.findall(r"<odd(?:Header|Footer)>(.*?)</odd", part.decode(), re.DOTALL)
    return [unescape(header) for header in headers]


def formulas_beyond_totals(content: bytes) -> list[str]:
    cells = (cell for sheet in opened(content, values=False)
             for row in sheet.iter_rows() for cell in row)  # fmt: skip
    formulas = [str(cell.value) for cell in cells if cell.data_type == "f"]
    return [text for text in formulas if not re.match(r"=(SUBTOTAL|SUMPRODUCT)\(", text)]


def _book(*cells: tuple[Kind, object]) -> bytes:
    sheet = Sheet("Sheet", [20] * len(cells))
    columns = [Column(f"Column {number}", 20, kind) for number, (kind, _) in enumerate(cells)]
    sheet.table(columns, [[value for _, value in cells]])
    return Book("Title", "en", "footer", "&P", [sheet]).to_bytes()


def test_numbers_are_written_exactly() -> None:
    content = _book(
        (HOURS, 1),
        (HOURS, -14),
        (EUROS, 10),
        (EUROS, -123456789012345),
        (PERCENT, 5),
        (DATE, dt.date(2026, 2, 28)),
        (MONTH, Month.of(2026, 3)),
        (TIME, dt.time(18, 0)),
        (COUNT, 0),
        (HOURS, Formula("1+1", 8)),
    )
    written = parts(content)["xl/worksheets/sheet1.xml"].decode().split('<row r="2"')[1]
    assert re.findall("<v>(.*?)</v>", written) == [
        "0.25", "-3.5", "0.1", "-1234567890123.45", "0.0005", "46081", "46082", "0.75", "0", "2",
    ]  # fmt: skip


def test_dates_and_times_come_back_as_such() -> None:
    sheet = opened(_book((DATE, dt.date(2026, 2, 28)), (TIME, dt.time(9, 50))))["Sheet"]
    assert sheet["A2"].value == midnight(2026, 2, 28)
    assert sheet["B2"].value == dt.time(9, 50)


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_text_comes_back_as_that_text(text: str) -> None:
    cell = opened(_book((TEXT, text)), values=False)["Sheet"]["A2"]
    readable = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
    # XML knows one kind of line end.
    assert (cell.value or "") == re.sub("\r\n?", "\n", readable)
    assert cell.data_type in {"s", "n"}


@pytest.mark.parametrize(("column", "letters"), [(1, "A"), (26, "Z"), (27, "AA"), (703, "AAA")])
def test_columns_are_lettered(column: int, letters: str) -> None:
    assert letter(column) == letters


def test_colours_are_the_design_tokens() -> None:
    assert (colour("accent"), colour("well"), colour("lining")) == ("6B2352", "F3F5F4", "E4D8E0")


def test_long_texts_take_more_lines() -> None:
    assert lines_needed("short", 20, Look()) == 1
    assert lines_needed("word " * 20, 20, Look()) == 5
    assert lines_needed("w" * 60, 20, Look()) > 3
