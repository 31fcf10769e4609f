"""Files that are no agency workbook, by accident or on purpose: one sentence, bounded memory."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from openpyxl import Workbook, load_workbook

from agency.models import Agency
from subscriptions import intake
from tests.agency_workbook import SAMPLE, save, small_agency

pytestmark = pytest.mark.django_db

SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b"<sheetData>%b</sheetData></worksheet>"
)
HIDDEN = (
    b'<Override PartName="/xl/worksheets/texts.xml" ContentType="application/'
    b'vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
)
LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "lol">'
    + b"".join(b'<!ENTITY %c "%b">' % (98 + at, b"&%c;" % (97 + at) * 10) for at in range(9))
    + b"]>"
)


def changed(path: Path, parts: Mapping[str, Callable[[bytes], bytes] | bytes | None]) -> Path:
    """Save the sample with some parts changed, added or (None) left out."""
    with zipfile.ZipFile(SAMPLE) as sample, zipfile.ZipFile(path, "w") as archive:
        for name in [*sample.namelist(), *(parts.keys() - set(sample.namelist()))]:
            part = parts[name] if name in parts else sample.read(name)
            content = part(sample.read(name)) if callable(part) else part
            if content is not None:
                archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return path


def write(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def change(**parts: Callable[[bytes], bytes] | bytes | None) -> Callable[[Path], object]:
    named = {name.replace("__", "/").replace("_0", "."): part for name, part in parts.items()}
    return lambda path: changed(path, named)


def pack(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")


def blank(path: Path) -> None:
    Workbook().save(path)


def cut(path: Path) -> None:
    path.write_bytes(SAMPLE.read_bytes()[:30_000])


def hidden_texts(path: Path) -> None:
    changed(
        path,
        {
            "[Content_Types].xml": lambda part: part.replace(b"</Types>", HIDDEN),
            "xl/worksheets/texts.xml": b"<sst/>",
        },
    )


def bomb(path: Path, mebibytes: int = 1024) -> None:
    """Save a workbook with a sheet of a gigabyte of blanks."""
    with zipfile.ZipFile(SAMPLE) as sample, zipfile.ZipFile(path, "w") as archive:
        for name in sample.namelist():
            if name != "xl/worksheets/sheet12.xml":
                archive.writestr(name, sample.read(name))
        entry = zipfile.ZipInfo("xl/worksheets/sheet12.xml")
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry._compresslevel = 1  # type: ignore[attr-defined]
        with archive.open(entry, "w", force_zip64=True) as part:
            for _ in range(mebibytes):
                part.write(b" " * 2**20)


def lying_bomb(path: Path) -> None:
    """Save a bomb that says of itself that it is small."""
    bomb(path, mebibytes=200)
    content = bytearray(path.read_bytes())
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(content)


HOSTILE: dict[str, Callable[[Path], object]] = {
    "an empty file": write(b""),
    "a text": write(b"agency,name\n1,2\n"),
    "an encrypted or old workbook": write(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(5000)),
    "a zip file of something else": pack,
    "half a workbook": cut,
    "a workbook of an empty sheet": blank,
    "macros": change(xl__vbaProject_0bin=b"x"),
    "links to other files": change(xl__externalLinks__externalLink1_0xml=b"<x/>"),
    "a data connection": change(xl__connections_0xml=b"<x/>"),
    "an embedded file": change(xl__embeddings__letter_0docx=b"x"),
    "no list of sheets": change(xl__workbook_0xml=None),
    "a sheet that breaks off": change(xl__worksheets__sheet5_0xml=lambda part: part[:5000]),
    "entities that grow in a sheet": change(
        xl__worksheets__sheet1_0xml=LAUGHS
        + SHEET % b'<row r="1"><c r="A1" t="inlineStr"><is><t>&j;</t></is></c></row>'
    ),
    "entities that grow in the list of sheets": change(
        xl__workbook_0xml=lambda part: LAUGHS + part.replace(b'name="agency"', b'name="&j;"')
    ),
    "an entity that reads a file": change(
        xl__workbook_0xml=lambda part: (
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
            + part.replace(b'name="agency"', b'name="&e;"')
        )
    ),
    "a cell outside every sheet": change(
        xl__worksheets__sheet8_0xml=SHEET
        % b'<row r="99999999999"><c r="ZZZZZZ99999999999"><v>1</v></c></row>'
    ),
    "a number of thousands of digits": change(
        xl__worksheets__sheet8_0xml=SHEET % (b'<row r="1"><c><v>%b</v></c></row>' % (b"9" * 5000))
    ),
    "styles without end": change(xl__styles_0xml=b" " * 5 * 2**20),
    "texts without end": change(xl__sharedStrings_0xml=b" " * 17 * 2**20),
    "texts that lie among the sheets": hidden_texts,
    "a bomb that hides its size": lying_bomb,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_no_agency_workbook_is_told_in_one_sentence(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "hostile.xlsx"
    HOSTILE[name](path)

    outcome = intake.bring_in(path)

    (problem,) = outcome.problems
    assert (problem.sheet, problem.row, problem.column) == (None, None, None)
    assert problem.message.endswith((".", ")."))
    assert "Traceback" not in problem.message
    assert not Agency.objects.exists()


def test_a_gigabyte_in_a_small_file_takes_neither_memory_nor_time(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    bomb(path)
    # The peak is the program's own (VmHWM begins anew with it); what getrusage tells of children
    # is never below the size of the process that started them.
    program = (
        "import os, re, sys, django; django.setup()\n"
        "from pathlib import Path\n"
        "from subscriptions.intake import workbook\n"
        "try:\n"
        "    with workbook.opened(workbook.read_file(Path(sys.argv[1]))): pass\n"
        "except workbook.UnreadableError: pass\n"
        "else: sys.exit(3)\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())[1]\n"
        "print(peak, os.times().user)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        check=False,
        timeout=60,
        env=dict(os.environ),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    peak_kib, seconds = done.stdout.split()
    assert path.stat().st_size < 8 * 2**20
    assert int(peak_kib) < 250_000  # Django alone takes a hundred thousand
    assert float(seconds) < 20


def test_a_stray_cell_in_the_last_row_does_not_hold_things_up(tmp_path: Path) -> None:
    path = changed(
        tmp_path / "stray.xlsx",
        {
            "xl/worksheets/sheet8.xml": lambda part: part.replace(
                b"</sheetData>",
                b'<row r="1048576"><c r="B1048576" t="inlineStr"><is><t>x</t></is></c></row>'
                b"</sheetData>",
            )
        },
    )

    problems = intake.bring_in(path).problems

    assert {(problem.sheet, problem.row) for problem in problems} == {("top_up_cards", 1048576)}


@pytest.mark.parametrize("there", ["nothing", "a folder", "a device"])
def test_a_file_that_is_not_there_is_wrong_use(there: str, tmp_path: Path) -> None:
    path = {"nothing": tmp_path / "none.xlsx", "a folder": tmp_path, "a device": "/dev/zero"}[there]

    with pytest.raises(CommandError) as refused:
        call_command("import_agency", str(path), "--json")

    assert refused.value.returncode == 2
    assert str(path) in str(refused.value)


# What a person does to a workbook


def spoiled(path: Path, spoil: Callable[[Workbook], object]) -> Path:
    book = load_workbook(save(path, small_agency()))
    spoil(book)
    book.save(path)
    return path


SLIPS: dict[str, tuple[Callable[[Workbook], object], list[tuple[object, ...]]]] = {
    "another sheet": (
        lambda book: book.create_sheet("Notes"),
        [("Notes", None, None)],
    ),
    "a sheet is gone": (
        lambda book: book.remove(book["hours"]),
        [("hours", None, None)],
    ),
    "a sheet without even headings": (
        lambda book: book["tier_changes"].delete_rows(1, 100),
        [],
    ),
    "a line above the headings": (
        lambda book: book["hours"].insert_rows(1),
        [("hours", 1, None)],
    ),
    "a column is gone": (
        lambda book: book["contacts"].delete_cols(4),
        [("contacts", 1, "role")],
    ),
    "a column is there twice": (
        lambda book: book["contacts"].cell(1, 6, "role"),
        [("contacts", 1, "role")],
    ),
    "columns in another order": (
        lambda book: book["hours"].move_range("D1:D5", cols=1),
        [],
    ),
    "a remark beside the table": (
        lambda book: book["hours"].cell(4, 7, "gesprek met J."),
        [("hours", 4, "G")],
    ),
    "a remark as a heading": (
        lambda book: book["hours"].cell(1, 5, "gesprek met J."),
        [("hours", 1, "E")],
    ),
    "a blank row": (lambda book: book["hours"].insert_rows(4), []),
    "a formula": (
        lambda book: book["hours"].cell(4, 4, "=1+1"),
        [("hours", 4, "hours")],
    ),
    "an error": (
        lambda book: book["hours"].cell(4, 4, "#N/A"),
        [("hours", 4, "hours")],
    ),
    "blanks around a value": (
        lambda book: book["hours"].cell(2, 1, "  A1 "),
        [],
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_with_the_sheets_is_told_in_its_place(name: str, tmp_path: Path) -> None:
    spoil, expected = SLIPS[name]

    problems = intake.bring_in(spoiled(tmp_path / "a.xlsx", spoil), dry_run=True).problems

    assert [(problem.sheet, problem.row, problem.column) for problem in problems] == expected
    assert "gesprek" not in str(problems)
