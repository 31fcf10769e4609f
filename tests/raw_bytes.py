"""What the database has on the disk, byte by byte, beneath all of its own rules."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import connection


def bytes_kept() -> bytes:
    """Read all that the database has on the disk; of PostgreSQL its tables and indexes."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT 1 FROM sqlite_master")  # the log is there while somebody reads
            path = Path(settings.DATABASES["default"]["NAME"])
            files = sorted(path.parent.glob(f"{path.name}*"))
            assert len(files) == 3  # the database, its log and the index of that
            return b"".join(file.read_bytes() for file in files).lower()
        cursor.execute("CHECKPOINT")
        cursor.execute(
            """
            SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class
            WHERE relkind IN ('r', 'i', 't') AND pg_relation_filepath(oid) IS NOT NULL
            """
        )
        return b"".join(bytes(content) for (content,) in cursor.fetchall()).lower()
