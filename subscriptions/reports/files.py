"""Workbooks on disk: each whole or not at all, and readable by their owner only."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

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
    return _write_whole(_folder(directory, "staff") / f"controller_{month}.xlsx", content)


def write_clients(
    organisations: Sequence[Organisation], month: Month, directory: Path
) -> Iterator[Path]:
    """Write ``directory/clients/utilisation_CODE_YYYY-MM.xlsx`` for each, one after another.

    Who had no contract yet gets none. Raises OSError; files written before it stay.
    """
    for organisation, content in client.write_many(organisations, month):
        folder = _folder(directory, "clients")
        yield _write_whole(folder / client_file_name(organisation, month), content)


def _folder(directory: Path, name: str) -> Path:
    folder = directory / name
    folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    folder.chmod(_OWNER_ONLY)
    return folder


def _write_whole(path: Path, content: bytes) -> Path:
    """Write a file beside its place, to the disk, and then put it there (mode 0600)."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as draft:
        try:
            draft.write(content)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink()
            raise
    return path
