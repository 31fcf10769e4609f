"""What the sandbox was told, in one SQLite file that outlives the process.

Objects are kept as Stripe would show them (JSON), next to the few columns that lists filter on.
"""

import json
import secrets
import sqlite3
import string
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Json = dict[str, Any]

ALPHABET = string.ascii_letters + string.digits
TABLES = """
create table if not exists object (
    sequence integer primary key, id text not null unique, kind text not null,
    parent text not null, body text not null);
create index if not exists object_by_kind on object (kind, parent, sequence);
create table if not exists idempotency (
    key text primary key, address text not null, digest text not null,
    created integer not null, request_id text not null, status integer not null,
    body text not null);
create table if not exists fault (
    sequence integer primary key, operation text not null, name text not null,
    seconds real not null, times integer not null);
create table if not exists delivery (
    sequence integer primary key, event text not null, endpoint text not null,
    attempts integer not null, due_at real not null, state text not null);
create index if not exists delivery_by_state on delivery (state, due_at);
create table if not exists setting (name text primary key, value integer not null);
"""


class State:
    """The one connection of a sandbox; every use stands inside ``transaction``."""

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.RLock()
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        try:
            self.connection.execute("pragma journal_mode=wal")
            self.connection.executescript(TABLES)
        except sqlite3.Error:  # no database of ours
            self.connection.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One request at a time; what raises leaves no trace."""
        with self._lock:
            self.connection.execute("begin immediate")
            try:
                yield
            except BaseException:
                self.connection.execute("rollback")
                raise
            self.connection.execute("commit")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what stands inside, if it raises, but keep the surrounding transaction."""
        self.connection.execute("savepoint operation")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback to operation")
            raise
        finally:
            self.connection.execute("release operation")

    def close(self) -> None:
        with self._lock:
            self.connection.close()

    def now(self) -> int:
        """Return the sandbox's own time; control routes may have moved it."""
        return int(time.time()) + self.setting("clock_offset")

    def setting(self, name: str) -> int:
        row = self.connection.execute("select value from setting where name = ?", [name])
        return next((int(value) for (value,) in row), 0)

    def set_setting(self, name: str, value: int) -> None:
        self.connection.execute("insert or replace into setting values (?, ?)", [name, value])

    def next_number(self, name: str) -> int:
        """Count up without gaps: a number is taken in the transaction that uses it."""
        number = self.setting(name) + 1
        self.set_setting(name, number)
        return number

    def add(self, body: Json, *, kind: str, parent: str = "") -> Json:
        self.connection.execute(
            "insert into object (id, kind, parent, body) values (?, ?, ?, ?)",
            [body["id"], kind, parent, json.dumps(body)],
        )
        return body

    def find(self, kind: str, identity: str) -> Json | None:
        row = self.connection.execute(
            "select body from object where id = ? and kind = ?", [identity, kind]
        ).fetchone()
        return json.loads(row[0]) if row else None

    def save(self, body: Json) -> Json:
        self.connection.execute(
            "update object set body = ? where id = ?", [json.dumps(body), body["id"]]
        )
        return body

    def remove(self, identity: str) -> None:
        self.connection.execute(
            "delete from object where id = ? or parent = ?", [identity, identity]
        )

    def newest(self, kind: str, parent: str = "") -> Iterator[Json]:
        """Return all objects of a kind, the last one added first."""
        rows = self.connection.execute(
            "select body from object where kind = ? and (? = '' or parent = ?)"
            " order by sequence desc",
            [kind, parent, parent],
        )
        return (json.loads(body) for (body,) in rows)


def new_id(prefix: str) -> str:
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(24))
