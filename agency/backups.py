"""Backups: a sealed file of one moment of the database, and how it comes back.

A series of copies would tell when each hour was noted, and with it nearly when somebody called. So
a file of the series holds nothing of open months; that is in one file beside it, which each backup
overwrites. Who was signed in, or tried to, is in neither (``backups`` in processing.toml).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _
from psycopg.conninfo import make_conninfo

from agency import guards, retention, sealed_files
from agency.files import put_whole
from agency.processing import tables
from agency.schema import pending_migrations
from agency.sealed_files import Label, SpoiltError

BESIDE = "open-months.backup"
PART = 2**20
# Which rows of a table a backup takes out of the series, into the file beside it.
OPEN = "month > coalesce((SELECT max(month) FROM advisors_closedmonth), 0)"
TAKEN = {"newest": "1 = 1", "newest while open": OPEN}

Rows = dict[str, tuple[list[str], list[list[Any]]]]  # columns and rows by table
Snapshot = tuple[Any, Callable[[Iterable[str]], Iterator[bytes]]]


class BackupError(Exception):
    """A backup that cannot be made or restored; its text is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: of which day, with its open months or without, and the list of erasures."""

    made_on: dt.date
    has_open_months: bool
    list_was_whole: bool


# Making


def back_up(path: Path, *, on: dt.date) -> Path:
    """Write a file of the series and the one beside it, which is given.

    Others go on writing meanwhile. Nothing of the database lies on a disk unsealed on the way.
    """
    key, beside = _key(), path.with_name(BESIDE)
    if path.exists() or path == beside:
        raise BackupError(_("%s is there already: a backup overwrites none.") % path)
    if not MigrationRecorder(connection).applied_migrations():
        raise BackupError(_("The database is not set up: run `manage.py migrate` first."))
    identity, apart = secrets.token_hex(16), _apart()
    with put_whole(beside) as newest, put_whole(path) as file, _snapshot() as (cursor, content):
        kept, taken = _divided(cursor, apart)
        manifest = {
            "made_on": str(on),
            "migrations": sorted(map(".".join, MigrationRecorder(connection).applied_migrations())),
            "roles": _roles(),
            "erasures": retention.remembered(),
            "rows": kept,
        }
        label = Label("beside", connection.vendor, identity)
        sealed_files.write(newest, label, key, _as_parts(taken))
        label = Label("series", connection.vendor, identity)
        sealed_files.write(file, label, key, chain(_as_parts(manifest), content(apart)))
    return beside


def _key() -> bytes:
    if not settings.BACKUP_KEY:
        raise BackupError(_("BACKUP_KEY is not set: backups are sealed with it."))
    return bytes(settings.BACKUP_KEY)


def _as_parts(data: Any) -> Iterator[bytes]:
    yield json.dumps(data, default=str).encode()


def _apart() -> dict[str, str]:
    """Give the tables there are of which the database's own copy holds no row, and why."""
    there = connection.introspection.table_names()
    named = {
        apps.get_model(entry.model)._meta.db_table if entry.model else entry.table: entry.backups
        for entry in tables()
        if entry.backups
    }
    return {table: place for table, place in named.items() if table in there}


def _divided(cursor: Any, apart: Mapping[str, str]) -> tuple[Rows, Rows]:
    """Read the rows of these tables: those for the series, and those for the file beside it."""
    conditions = {table: TAKEN[place] for table, place in apart.items() if place in TAKEN}
    kept = {name: _rows(cursor, name, f"NOT ({when})") for name, when in conditions.items()}
    return kept, {name: _rows(cursor, name, when) for name, when in conditions.items()}


def _rows(cursor: Any, table: str, condition: str) -> tuple[list[str], list[list[Any]]]:
    # By random key: what stands in the order of recording tells who was first.
    cursor.execute(f'SELECT * FROM "{table}" WHERE {condition} ORDER BY id')  # noqa: S608
    return [column[0] for column in cursor.description], cursor.fetchall()


def _roles() -> list[str]:
    """Name the roles of PostgreSQL that have rights here: they are no part of a database."""
    if connection.vendor == "sqlite":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT grantee FROM information_schema.role_table_grants"
            " WHERE table_schema = current_schema() AND grantee <> grantor"
        )
        return sorted(name for (name,) in cursor.fetchall())


@contextmanager
def _snapshot() -> Iterator[Snapshot]:
    """Give one moment of the database: a cursor on it, and what copies all but some tables' rows.

    SQLite is copied in memory, so that no page lies anywhere unsealed.
    """
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        memory = connection.get_connection_params() | {"database": ":memory:"}
        with closing(connection.get_new_connection(memory)) as copy:  # it knows Django's functions
            copy.isolation_level = None
            connection.connection.backup(copy)
            yield copy.cursor(), lambda tables: _pages(copy, tables)
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (name,) = cursor.fetchone()
        yield cursor, lambda tables: _dump(name, tables)


def _pages(copy: sqlite3.Connection, without: Iterable[str]) -> Iterator[bytes]:
    cursor = copy.cursor()
    with guards.triggers_aside(cursor, cursor.execute):
        for table in without:
            cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608  our own names
    cursor.execute("VACUUM")  # else free pages would hold them still
    content = copy.serialize()
    for start in range(0, len(content), PART):
        yield content[start : start + PART]


def _dump(snapshot: str, without: Iterable[str]) -> Iterator[bytes]:
    leave = [f'--exclude-table-data="{table}"' for table in without]
    options = ["--format=custom", "--compress=0", "--no-owner", f"--snapshot={snapshot}"]
    with _program("pg_dump", *options, *leave, stdout=subprocess.PIPE) as dump:
        yield from iter(lambda: dump.stdout.read(PART), b"")


@contextmanager
def _program(name: str, *options: str, **pipes: int) -> Iterator[Any]:
    """Run a program of PostgreSQL on our database; the first line of what it says is why not."""
    given = {key: to for key, to in connection.get_connection_params().items() if type(to) is str}
    secret = {"PGPASSWORD": given.pop("password")} if "password" in given else {}
    with tempfile.TemporaryFile() as said:
        command = [name, "--dbname", make_conninfo(**given), *options]
        environment = os.environ | secret  # the command line is for all to see
        try:
            run = subprocess.Popen(command, stderr=said, env=environment, **pipes)  # type: ignore[call-overload]  # noqa: S603  no shell
        except FileNotFoundError as missing:
            raise BackupError(_("%s is not here: install PostgreSQL's client.") % name) from missing
        with suppress(BrokenPipeError), run:  # of one that has ended, and said why
            try:
                yield run
            except BrokenPipeError:
                raise
            except BaseException:
                run.kill()
                raise
        if run.returncode:
            said.seek(0)
            raise BackupError(said.readline().decode(errors="replace").strip())


# Restoring


def restore(path: Path) -> Restored:
    """Bring a backup back into an empty database; what is wrong is found before it is touched.

    What the backup knows of erasures is on the list afterwards; to erase them is the caller's.
    """
    key = _key()
    label, manifest, taken = _proven(path, key)
    _refuse_what_does_not_fit(label, manifest)
    if connection.introspection.table_names():
        raise BackupError(_("The database has tables: a backup is restored into an empty one."))
    _make_roles(manifest["roles"])
    list_was_whole = retention.take_over(manifest["erasures"])
    with path.open("rb") as file:
        parts = sealed_files.read(file, sealed_files.label_of(file), key)
        next(parts)
        _load(parts)
    _put_back(manifest["rows"])
    _put_back(taken or {})
    if pending_migrations(connection):
        call_command("migrate", verbosity=0, interactive=False)
    return Restored(dt.date.fromisoformat(manifest["made_on"]), taken is not None, list_was_whole)


def _proven(path: Path, key: bytes) -> tuple[Label, dict[str, Any], Rows | None]:
    """Read a backup to its end, and the open months if they are of the same moment."""
    label, manifest = _read(path, "series", key)
    beside = path.with_name(BESIDE)
    taken = None
    if beside.exists():
        with beside.open("rb") as file, suppress(SpoiltError):
            if sealed_files.label_of(file).identity == label.identity:
                _label, taken = _read(beside, "beside", key)
    return label, manifest, taken


def _read(path: Path, kind: str, key: bytes) -> tuple[Label, Any]:
    try:
        with path.open("rb") as file:
            label = sealed_files.label_of(file)
            parts = sealed_files.read(file, label, key)
            first = json.loads(next(parts)) if label.kind == kind else None
            for _part in parts:
                pass
    except (SpoiltError, StopIteration):
        first = None
    if first is None:
        raise BackupError(
            _("%s is no backup, is not as it was written, or has another BACKUP_KEY.") % path
        )
    return label, first


def _refuse_what_does_not_fit(label: Label, manifest: Mapping[str, Any]) -> None:
    if label.database != connection.vendor:
        raise BackupError(
            _("The backup is of %(theirs)s, and DATABASE_URL names %(ours)s.")
            % {"theirs": label.database, "ours": connection.vendor}
        )
    known = set(map(".".join, MigrationLoader(None).disk_migrations))
    if set(manifest["migrations"]) - known:
        raise BackupError(_("The backup is of a later version: install that one first."))


def _make_roles(names: Iterable[str]) -> None:
    for name in names:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
            if cursor.fetchone():
                continue
            try:
                cursor.execute(f"CREATE ROLE {connection.ops.quote_name(name)} LOGIN")
            except DatabaseError as refused:
                wrong = _("The role %s is missing: have it made in PostgreSQL first.") % name
                raise BackupError(wrong) from refused


def _load(parts: Iterable[bytes]) -> None:
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(":memory:")) as copy:
            copy.deserialize(b"".join(parts))
            connection.ensure_connection()
            copy.backup(connection.connection)
        connection.close()  # the next one sets its mode of journal
        return
    options = ["--no-owner", "--single-transaction", "--exit-on-error"]
    with _program("pg_restore", *options, stdin=subprocess.PIPE) as run:
        for part in parts:
            run.stdin.write(part)


def _put_back(rows: Rows) -> None:
    """Insert rows past the guards, which would refuse some of them by now."""
    with transaction.atomic(), connection.cursor() as cursor, _guards_aside(cursor, rows):
        for table, (columns, values) in rows.items():
            names = ", ".join(f'"{column}"' for column in columns)
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', values)  # noqa: S608


@contextmanager
def _guards_aside(cursor: Any, names: Iterable[str]) -> Iterator[None]:
    if connection.vendor == "sqlite":
        with guards.triggers_aside(cursor, cursor.execute):
            yield
        return
    for table in names:
        cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
    yield
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in names:
        cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
