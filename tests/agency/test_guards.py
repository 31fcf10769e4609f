"""What was written stays written, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from agency.guards import (
    Guard,
    append_only,
    columns_frozen,
    retention_may_delete,
    undeletable,
)

pytestmark = pytest.mark.django_db


def run(sql: str) -> list[tuple[object, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall()) if cursor.description else []


def apply(operations: list[Operation], *, backwards: bool = False) -> None:
    state, editor = ProjectState(), connection.schema_editor()
    for operation in operations:
        move = operation.database_backwards if backwards else operation.database_forwards
        move("tests", editor, state, state)


@pytest.fixture
def letters() -> Iterator[None]:
    run("CREATE TABLE letters (id integer PRIMARY KEY, body text, status text)")
    run("INSERT INTO letters VALUES (1, 'a', 'draft'), (2, 'b', 'sent'), (3, NULL, 'sent')")
    yield
    run("DROP TABLE letters")


@pytest.mark.usefixtures("letters")
class TestAppendOnly:
    @pytest.fixture(autouse=True)
    def guards(self, letters: None) -> None:
        apply(append_only("letters", "A letter isn't rewritten."))

    def test_new_rows_are_welcome(self) -> None:
        run("INSERT INTO letters VALUES (4, 'd', 'sent')")
        assert run("SELECT count(*) FROM letters") == [(4,)]

    @pytest.mark.parametrize(
        "change", ["UPDATE letters SET body = 'x'", "DELETE FROM letters WHERE id = 1"]
    )
    def test_a_change_is_refused_with_the_sentence(self, change: str) -> None:
        with pytest.raises(IntegrityError, match="A letter isn't rewritten"):
            run(change)
        assert run("SELECT body FROM letters WHERE id = 1") == [("a",)]

    def test_retention_deletes_but_does_not_rewrite(self) -> None:
        with retention_may_delete():
            run("DELETE FROM letters WHERE id = 1")
            with pytest.raises(IntegrityError):
                run("UPDATE letters SET body = 'x'")
        assert run("SELECT id FROM letters ORDER BY id") == [(2,), (3,)]

    def test_the_switch_is_off_again_after_retention(self) -> None:
        with retention_may_delete():
            pass
        with pytest.raises(IntegrityError):
            run("DELETE FROM letters")

    def test_the_switch_is_off_again_after_a_retention_that_failed(self) -> None:
        with pytest.raises(ZeroDivisionError), retention_may_delete():
            raise ZeroDivisionError
        with pytest.raises(IntegrityError):
            run("DELETE FROM letters")

    def test_the_table_is_not_emptied_or_replaced_either(self) -> None:
        way_round = {
            "sqlite": "INSERT OR REPLACE INTO letters VALUES (1, 'x', 'sent')",
            "postgresql": "TRUNCATE letters",
        }
        with pytest.raises(IntegrityError, match="A letter isn't rewritten"):
            run(way_round[connection.vendor])

    def test_a_migration_back_takes_the_guards_away(self) -> None:
        apply(append_only("letters", ""), backwards=True)
        run("UPDATE letters SET body = 'x'")
        run("DELETE FROM letters")


@pytest.mark.usefixtures("letters")
class TestConditions:
    def test_frozen_columns_change_only_while_the_condition_does_not_hold(self) -> None:
        apply(columns_frozen("letters", ["body"], "Sent is sent.", when="OLD.status <> 'draft'"))

        run("UPDATE letters SET body = 'x' WHERE id = 1")
        run("UPDATE letters SET status = 'read', body = body")

        for number in (2, 3):  # also from and to nothing
            with pytest.raises(IntegrityError, match="Sent is sent"):
                run(f"UPDATE letters SET body = 'x' WHERE id = {number}")
        with pytest.raises(IntegrityError, match="Sent is sent"):
            run("UPDATE letters SET body = NULL WHERE id = 2")

    def test_undeletable_rows_are_those_of_the_condition(self) -> None:
        apply(undeletable("letters", "Sent is kept.", when="OLD.status <> 'draft'"))

        run("DELETE FROM letters WHERE id = 1")

        with pytest.raises(IntegrityError, match="Sent is kept"):
            run("DELETE FROM letters WHERE id = 2")


def test_every_guard_of_the_migrations_is_in_the_database() -> None:
    names = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    expected = {
        trigger
        for migration in MigrationLoader(connection).disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, Guard)
        for trigger in operation.triggers(connection.vendor)
    }
    assert expected
    assert {name for (name,) in run(names[connection.vendor])} >= expected
