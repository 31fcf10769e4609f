"""Our side as a backup has it, while Stripe goes on; what is in one; where to restore it to."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from agency import sealed_files


@contextmanager
def restored_afterwards() -> Iterator[None]:
    """Take our side back to where it was before the block; what Stripe was told, it keeps."""
    backup = transaction.savepoint()
    yield
    transaction.savepoint_rollback(backup)


def opened(content: bytes) -> list[bytes]:
    """Give the parts of a file of a backup; raises SpoiltError for a spoilt one."""
    file = io.BytesIO(content)
    return list(sealed_files.read(file, sealed_files.label_of(file), settings.BACKUP_KEY))


@contextmanager
def empty_database(directory: Path) -> Iterator[None]:
    """Have everything use another database that holds nothing, which is gone after the block."""
    usual = connection.settings_dict["NAME"]
    on_postgresql = connection.vendor == "postgresql"
    name = f"{usual}_restored" if on_postgresql else directory / "restored.sqlite3"
    if on_postgresql:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
        if on_postgresql:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}"')
        else:
            for file in directory.glob("restored.sqlite3*"):
                file.unlink()
