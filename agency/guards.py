"""Tables that remember: triggers, on both databases, that refuse to change what was written.

The functions give operations for a migration. A violation raises ``IntegrityError`` with the
guard's sentence. Only retention may delete guarded rows, through `retention_may_delete`, and
`subscriptions.quotes.take_back` those of a contract of which nothing was made.

SQLite drops a table's triggers when Django rebuilds the table to alter it: the migration that
alters a guarded table does so in `KeepingTriggers` (`tests/agency/test_guards.py` watches).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as Editor
from django.db.migrations.operations import RunPython, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

SWITCH = {
    "sqlite": (
        "CREATE TABLE IF NOT EXISTS retention_switch (is_on integer NOT NULL)",
        "INSERT INTO retention_switch SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM retention_switch)",
    ),
    "postgresql": (
        """
        CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION USING
                MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
    ),
}
# A transaction holds its locks to the end, and the server has room for some thousands: a run that
# drafts ten thousand documents shares these. Two values with one lock merely wait for each other.
LOCKS = 1000
SWITCH_IS_OFF = {
    "sqlite": "(SELECT is_on FROM retention_switch) = 0",
    "postgresql": "coalesce(current_setting('discreet.retention', true), '') <> 'on'",
}


def append_only(table: str, sentence: str) -> list[Operation]:
    """Refuse every update and, but for retention, every deletion."""
    return [
        Guard(table, "never_changed", "UPDATE", sentence),
        *undeletable(table, sentence),
    ]


def columns_frozen(
    table: str, columns: Sequence[str], sentence: str, *, when: str = ""
) -> list[Operation]:
    """Refuse a new value in these columns of rows for which ``when`` holds.

    ``when`` is SQL over the row as it was, valid on both databases: ``OLD.status <> 'draft'``.
    """
    return [Guard(table, "columns_frozen", "UPDATE", sentence, columns=tuple(columns), when=when)]


def undeletable(table: str, sentence: str, *, when: str = "") -> list[Operation]:
    """Refuse to delete rows for which ``when`` holds, and to empty the table, but for retention."""
    return [
        Guard(table, "never_deleted", "DELETE", sentence, when=when),
        Guard(table, "never_emptied", "TRUNCATE", sentence),
    ]


def cache_table() -> Operation:
    """Make the table of the shared cache, which no model describes."""

    def create(apps: Any, schema_editor: Editor) -> None:
        call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)

    return RunPython(create, RunPython.noop)


@contextmanager
def retention_may_delete() -> Iterator[None]:
    """Let guarded rows be deleted in this block, which is one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("UPDATE retention_switch SET is_on = 1")
            yield
            cursor.execute("UPDATE retention_switch SET is_on = 0")
        else:
            cursor.execute("SET LOCAL discreet.retention = 'on'")
            yield
            cursor.execute("SET LOCAL discreet.retention = 'off'")


class KeepingTriggers(SeparateDatabaseAndState):
    """Alterations of tables after which every trigger is there again.

    SQLite loses the triggers of a table that is rebuilt, and refuses to rebuild one that another
    table's trigger names. So all of them go first and come back last; PostgreSQL keeps its own.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        super().__init__(operations, operations)

    def database_forwards(
        self, app_label: str, schema_editor: Editor, *states: ProjectState
    ) -> None:
        with _editing(schema_editor):
            super().database_forwards(app_label, schema_editor, *states)

    def database_backwards(
        self, app_label: str, schema_editor: Editor, *states: ProjectState
    ) -> None:
        with _editing(schema_editor):
            super().database_backwards(app_label, schema_editor, *states)


@contextmanager
def _editing(schema_editor: Editor) -> Iterator[None]:
    if schema_editor.connection.vendor == "postgresql":
        yield
        return
    with (
        schema_editor.connection.cursor() as cursor,
        triggers_aside(cursor, lambda statement: schema_editor.execute(statement, None)),
    ):
        yield


@contextmanager
def triggers_aside(cursor: Any, execute: Callable[[str], Any]) -> Iterator[None]:
    """Take every trigger out of an SQLite database, and put them back after the block."""
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    triggers = cursor.fetchall()
    for name, _sql in triggers:
        execute(f'DROP TRIGGER "{name}"')
    yield
    for _name, sql in triggers:
        execute(sql)


class Guard(Operation):
    """One trigger that refuses one kind of change, as a step of a migration."""

    reduces_to_sql = True
    reversible = True

    def __init__(
        self,
        table: str,
        name: str,
        event: str,
        sentence: str,
        *,
        columns: tuple[str, ...] = (),
        when: str = "",
    ) -> None:
        self.table, self.name, self.event, self.sentence = table, name, event, sentence
        self.columns, self.when = columns, when

    @property
    def trigger(self) -> str:
        return f"{self.table}_{self.name}"

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: Editor, *states: ProjectState
    ) -> None:
        vendor = schema_editor.connection.vendor
        for statement in (*SWITCH[vendor], *self._create(vendor)):
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: Editor, *states: ProjectState
    ) -> None:
        for statement in self._drop(schema_editor.connection.vendor):
            schema_editor.execute(statement, params=None)

    def describe(self) -> str:
        return f"Guard {self.table}: {self.name}"

    def applies_to(self, vendor: str) -> bool:
        """Tell whether the database knows the event: SQLite empties tables by deleting."""
        return not (vendor == "sqlite" and self.event == "TRUNCATE")

    def triggers(self, vendor: str) -> set[str]:
        """Give the names of the triggers that the guard makes."""
        return {self.trigger} if self.applies_to(vendor) else set()

    def _create(self, vendor: str) -> Iterator[str]:
        if not self.applies_to(vendor):
            return
        sentence = self.sentence.replace("'", "''")
        body = (
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            if vendor == "sqlite"
            else f"EXECUTE FUNCTION refuse('{sentence}')"
        )
        each = "STATEMENT" if self.event == "TRUNCATE" else "ROW"
        yield (
            f'CREATE TRIGGER "{self.trigger}" BEFORE {self.event} ON "{self.table}" '
            f"FOR EACH {each} {self._when(vendor)} {body}"
        )

    def _drop(self, vendor: str) -> Iterator[str]:
        if self.applies_to(vendor):
            on_table = f' ON "{self.table}"' if vendor == "postgresql" else ""
            yield f'DROP TRIGGER IF EXISTS "{self.trigger}"{on_table}'

    def _when(self, vendor: str) -> str:
        differs = "IS NOT" if vendor == "sqlite" else "IS DISTINCT FROM"
        changes = [f'OLD."{column}" {differs} NEW."{column}"' for column in self.columns]
        conditions = [
            *([SWITCH_IS_OFF[vendor]] if self.event != "UPDATE" else []),
            *([f"({self.when})"] if self.when else []),
            *([f"({' OR '.join(changes)})"] if changes else []),
        ]
        return f"WHEN ({' AND '.join(conditions)})" if conditions else ""


class RowGuard(Guard):
    """Triggers that refuse to write or delete a row for which ``when`` holds.

    ``when`` may ask other rows: ``EXISTS (SELECT 1 FROM ... WHERE ... NEW.organisation_id)``.
    Retention may delete all the same.
    On PostgreSQL the rows of one value of ``one_at_a_time`` are written one after another, so
    that two transactions cannot both miss the other's row; of none, where no two rows can meet.
    Rows for which ``only`` does not hold, a condition on their own columns, are not asked about.
    """

    def __init__(
        self,
        table: str,
        name: str,
        sentence: str,
        *,
        when: str,
        one_at_a_time: str,
        events: tuple[str, ...] = ("INSERT", "UPDATE"),
        only: str = "",
    ) -> None:
        super().__init__(table, name, " OR ".join(events), sentence, when=when)
        self.one_at_a_time, self.events, self.only = one_at_a_time, events, only

    def triggers(self, vendor: str) -> set[str]:
        if vendor == "sqlite":
            return {f"{self.trigger}_{event.lower()}" for event in self.events}
        return {self.trigger}

    def _create(self, vendor: str) -> Iterator[str]:
        sentence = self.sentence.replace("'", "''")
        deletes = "DELETE" in self.events
        when = f"{SWITCH_IS_OFF[vendor]} AND ({self.when})" if deletes else self.when
        if vendor == "sqlite":
            when = f"({self.only}) AND ({when})" if self.only else when
            for event in self.events:
                yield (
                    f'CREATE TRIGGER "{self.trigger}_{event.lower()}" BEFORE {event} '
                    f'ON "{self.table}" FOR EACH ROW WHEN ({when}) '
                    f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
                )
            return
        row = "OLD" if deletes else "NEW"
        value = f'hashtext({row}."{self.one_at_a_time}"::text) % {LOCKS}'
        lock = f"PERFORM pg_advisory_xact_lock({value});" if self.one_at_a_time else ""
        yield f"""
            CREATE OR REPLACE FUNCTION "{self.trigger}"() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                {lock}
                IF {when} THEN
                    RAISE EXCEPTION USING
                        MESSAGE = '{sentence}', ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN {row};
            END $$
        """
        only = f"WHEN ({self.only}) " if self.only else ""
        yield (
            f'CREATE TRIGGER "{self.trigger}" BEFORE {self.event} ON "{self.table}" '
            f'FOR EACH ROW {only}EXECUTE FUNCTION "{self.trigger}"()'
        )

    def _drop(self, vendor: str) -> Iterator[str]:
        if vendor == "sqlite":
            for name in self.triggers(vendor):
                yield f'DROP TRIGGER IF EXISTS "{name}"'
        else:
            yield f'DROP FUNCTION IF EXISTS "{self.trigger}" CASCADE'


def no_overlap(table: str, start: str, until: str, sentence: str) -> list[Operation]:
    """Refuse two rows of one organisation whose half-open ranges of months overlap."""
    return [
        RowGuard(
            table,
            "no_overlap",
            sentence,
            when=(  # the names are our own, never a user's
                f'EXISTS (SELECT 1 FROM "{table}" other '  # noqa: S608  # as said above
                f"WHERE other.organisation_id = NEW.organisation_id AND other.id <> NEW.id "
                f"AND (other.{until} IS NULL OR NEW.{start} < other.{until}) "
                f"AND (NEW.{until} IS NULL OR other.{start} < NEW.{until}))"
            ),
            one_at_a_time="organisation_id",
        )
    ]
