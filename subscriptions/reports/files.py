"""Workbooks on disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from agency.files import write_whole
from agency.models import Organisation
from agency.month import Month
from subscriptions.reports import client, controller

_OWNER_ONLY = 0o700


def client_file_name(organisation: Organisation, month: Month) -> str:
    """Give the name of a client's workbook; what a file name cannot hold is percent-encoded."""
    return f"utilisation_{quote(organisation.code, safe='')}_{month}.xlsx"


def write_controller(month: Month, directory: Path, *, on: dt.date, language: str) -> Path:
    """Write ``directory/staff/controller_YYYY-MM.xlsx``. Raises OSError."""
    content = controller.write(month, on=on, language=language)
    return write_whole(_folder(directory, "staff") / f"controller_{month}.xlsx", content)


def write_clients(
    organisations: Sequence[Organisation], month: Month, directory: Path
) -> Iterator[Path]:
    """Write ``directory/clients/utilisation_CODE_YYYY-MM.xlsx`` for each, one after another.

    Who had no contract yet and ordered nothing gets none. Raises OSError; files written before it
    stay.
    """
    for organisation, content in client.write_many(organisations, month):
        folder = _folder(directory, "clients")
        yield write_whole(folder / client_file_name(organisation, month), content)


def _folder(directory: Path, name: str) -> Path:
    folder = directory / name
    folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    folder.chmod(_OWNER_ONLY)
    return folder
