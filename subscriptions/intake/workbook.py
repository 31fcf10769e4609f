"""Open a workbook that may be damaged or hostile, in bounded memory; nothing of it is kept."""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from agency.files import write_whole
from subscriptions.intake.cells import Oddity

# An agency of 5,000 clients and two years of hours fills about 5 MB, 60 MB unpacked.
MOST_BYTES_OF_THE_FILE = 32 * 2**20
MOST_BYTES_UNPACKED = 128 * 2**20
# Sheets are read as a stream. The other parts that are read at all, such as styles, are held as a
# whole and take many times their size: a list of short texts ten times.
STREAMED_PARTS = ("xl/worksheets/", "xl/media/", "xl/drawings/")
TEXTS = "xl/sharedstrings.xml"
MOST_BYTES_OF_THE_TEXTS = 16 * 2**20
MOST_BYTES_OF_A_WHOLE_PART = 4 * 2**20
MOST_PARTS = 2000
MOST_ROWS = 300_000
MOST_COLUMNS = 64  # the widest sheet has 22
LAST_ROW_OF_A_SHEET = 2**20  # no spreadsheet has more

OLD_OR_ENCRYPTED = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of .xls and of passwords
# What a workbook may bring along besides values, by the folder or name of the part.
REFUSED_PARTS = {
    "vbaproject": "macros",
    "xl/macrosheets/": "macros",
    "xl/activex/": "macros",
    "xl/externallinks/": "links",
    "xl/connections": "links",
    "xl/querytables/": "links",
    "xl/embeddings/": "objects",
}


class NoFileError(Exception):
    """There is no such file, or it cannot be used; the text is the sentence to show."""


class UnreadableError(Exception):
    """The file is no workbook that we take; the text is the sentence to show."""


Rows = Iterator[tuple[int, tuple[object, ...]]]


def read_file(path: Path) -> bytes:
    """Give the bytes of a file; raises NoFileError or UnreadableError."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise NoFileError(_("%(path)s is not a file.") % {"path": path})
        if about.st_size > MOST_BYTES_OF_THE_FILE:
            raise UnreadableError(_("The file is too large to be an agency workbook."))
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NoFileError(_("There is no file %(path)s.") % {"path": path}) from error
    except (OSError, ValueError) as error:
        raise NoFileError(_("The file %(path)s cannot be read.") % {"path": path}) from error


def write_file(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all; raises NoFileError."""
    try:
        if path.exists() and not path.is_file():
            raise NoFileError(_("%(path)s is not a file.") % {"path": path})
        write_whole(path, data)
    except (OSError, ValueError) as error:
        raise NoFileError(_("The file %(path)s cannot be written.") % {"path": path}) from error


@contextmanager
def opened(data: bytes) -> Iterator[Iterator[tuple[str, Rows]]]:
    """Give the sheets of a workbook in order, each with its numbered rows, read as a stream.

    Raises UnreadableError, also while the rows are read.
    """
    _check_container(data)
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        # What the library cannot show, such as a drawing, does not matter for the values.
        warnings.simplefilter("ignore")
        with _damage_told():
            _refuse_hidden(data)
            book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        try:
            yield ((sheet.title, _rows(sheet)) for sheet in book.worksheets)
        finally:
            book.close()


def _check_container(data: bytes) -> None:
    """Look at the container before any of it is unpacked."""
    if not data:
        raise UnreadableError(_("The file is empty."))
    if data.startswith(OLD_OR_ENCRYPTED):
        raise UnreadableError(
            _("The file has a password or is of an old kind: save it as .xlsx without a password.")
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnreadableError(_not_a_workbook()) from error
    _check_sizes(parts)
    _check_names([part.filename.lower().lstrip("/") for part in parts])


def _not_a_workbook() -> str:
    return _("The file is not an Excel workbook (.xlsx), or it is damaged.")


def _check_sizes(parts: list[zipfile.ZipInfo]) -> None:
    """Refuse what would unpack to too much.

    The stated sizes can be relied on: more than the stated size of a part is never unpacked.
    """
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableError(
            _("The file has a password or is of an old kind: save it as .xlsx without a password.")
        )
    if any(part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for part in parts):
        raise UnreadableError(_not_a_workbook())
    if (
        len(parts) > MOST_PARTS
        or sum(part.file_size for part in parts) > MOST_BYTES_UNPACKED
        or any(part.file_size > _most_bytes(part.filename.lower().lstrip("/")) for part in parts)
    ):
        raise UnreadableError(_("The file unpacks to more than an agency workbook can hold."))


def _most_bytes(name: str) -> int:
    if name.startswith(STREAMED_PARTS):
        return MOST_BYTES_UNPACKED
    return MOST_BYTES_OF_THE_TEXTS if name == TEXTS else MOST_BYTES_OF_A_WHOLE_PART


def _refuse_hidden(data: bytes) -> None:
    """Refuse what lies among the parts read as a stream, and is of a kind that is held as a whole.

    The library finds such parts by their kind, wherever they lie.
    """
    from defusedxml.ElementTree import fromstring

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        kinds = fromstring(archive.read("[Content_Types].xml"))
    for part in kinds:
        is_held = part.get("ContentType", "").endswith(("sharedStrings+xml", "main+xml"))
        if is_held and part.get("PartName", "").lower().lstrip("/").startswith(STREAMED_PARTS):
            raise UnreadableError(_not_a_workbook())


def _check_names(names: list[str]) -> None:
    if "[content_types].xml" not in names:
        raise UnreadableError(_not_a_workbook())
    sentences = {
        "macros": _("The workbook holds macros: save it as .xlsx without them."),
        "links": _("The workbook links to other files or data: break the links and save it again."),
        "objects": _("The workbook holds embedded files: remove them and save it again."),
    }
    for part, what in REFUSED_PARTS.items():
        if any(part in name for name in names):
            raise UnreadableError(sentences[what])


@contextmanager
def _damage_told() -> Iterator[None]:
    """Say in a sentence that a workbook is damaged."""
    try:
        yield
    except Exception as error:  # a damaged file makes the library raise anything
        raise UnreadableError(_not_a_workbook()) from error


def _rows(sheet: Any) -> Rows:
    """Give the rows of a sheet that hold anything, numbered as in the spreadsheet."""
    # The stated dimensions may be wrong, and a stray cell far away would make every row wide.
    sheet.reset_dimensions()
    from openpyxl.cell.read_only import EMPTY_CELL

    blank: object = None
    with _damage_told():
        rows = sheet.iter_rows(max_col=MOST_COLUMNS, max_row=LAST_ROW_OF_A_SHEET)
        for number, row in enumerate(rows, start=1):
            if row is blank:  # there may be a million of them above a stray cell
                continue
            values = tuple(None if cell is EMPTY_CELL else _value(cell) for cell in row)
            if any(value is not None for value in values):
                yield number, values
            else:
                blank = row


def _value(cell: Any) -> object:
    if cell.data_type == "f":
        return Oddity.FORMULA
    if cell.data_type == "e":
        return Oddity.ERROR
    value = cell.value
    return (value.strip() or None) if isinstance(value, str) else value
