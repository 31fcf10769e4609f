"""Checks that no table has a place for a story: models and live database against the record.

``manage.py check`` compares the models with `agency.processing`, and ``check --database default``,
which ``migrate`` runs too, compares the database itself, whatever made its columns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from agency.fields import MonthField
from agency.processing import by_model, tables

# All that a table of hours, submissions, statements or attendance may have without an entry: keys
# that tell no order, months, whole numbers. Not a day, a moment or a length of time either.
HARMLESS = frozenset(
    {
        models.UUIDField,
        models.ForeignKey,
        models.OneToOneField,
        MonthField,
        models.BooleanField,
        models.IntegerField,
        models.SmallIntegerField,
        models.PositiveIntegerField,
        models.PositiveSmallIntegerField,
    }
)
# Elsewhere days, moments and counters are fine too. A field of any other class has its entry, also
# one of a class that does not exist yet.
WORDLESS = HARMLESS | {
    models.DateField,
    models.DateTimeField,
    models.BigIntegerField,
    models.AutoField,
    models.BigAutoField,
}
# The types of sealed columns, as SQLite and PostgreSQL name them.
TYPES = {
    "key": ("char(32)", "uuid"),
    "month": ("smallint unsigned", "smallint"),
    "small": ("smallint unsigned", "smallint"),
    "signed": ("smallint", "smallint"),
    "whole": ("integer unsigned", "integer"),
    "yes_no": ("bool", "boolean"),
    "day": ("date", "date"),
    "moment": ("datetime", "timestamp with time zone"),
    "words": ("varchar", "character varying"),
    "choice": ("varchar", "character varying"),
}
# Tables, views and whatever else has columns; another schema than the usual one is named with it.
COLUMNS = {
    "sqlite": """
        SELECT t.name, c.name, lower(c.type)
        FROM (SELECT name, type, 'main' AS place FROM sqlite_master
              UNION ALL SELECT name, type, 'temp' FROM sqlite_temp_master) t,
            pragma_table_xinfo(t.name, t.place) c
        WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite_%%'
    """,
    "postgresql": """
        SELECT CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname || '.' END
                || t.relname,
            c.attname,
            format_type(c.atttypid, c.atttypmod) || CASE
                WHEN c.attidentity <> ''
                    OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval%%' THEN ' counting'
                ELSE '' END
        FROM pg_class t
        JOIN pg_namespace n ON n.oid = t.relnamespace
        JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = c.attnum
        WHERE t.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
            AND NOT pg_is_other_temp_schema(n.oid)
    """,
}


@register(Tags.models)
def models_are_in_the_record(**_kwargs: Any) -> list[CheckMessage]:
    return list(faults_of_models(apps.get_models(include_auto_created=True)))


def faults_of_models(described: Iterable[type[models.Model]]) -> Iterator[CheckMessage]:
    """Name each table and column that the record lacks, and each entry without a column."""
    entries = by_model()
    for model in described:
        if model._meta.proxy:
            continue
        entry = entries.get(model._meta.label)
        if entry is None:
            hint = "Add it to agency/processing.toml: purpose, readers, retention."
            yield Error(f"{model._meta.label} is not in the record.", hint, model, "agency.E010")
            continue
        fields = model._meta.concrete_fields
        named = {*entry.columns, *entry.personal, *entry.secret} - {"all"}
        gone = named - {field.name for field in fields}
        if gone:
            yield _error(f"{model._meta.label} has no {_listed(gone)}.", "agency.E011")
        places = {f.name for f in fields if is_a_place_for_words(f, sealed=bool(entry.sealed))}
        unknown = places - set(entry.columns)
        if unknown:
            sentence = f"{model._meta.label} has a place for words: {_listed(unknown)}."
            yield _error(sentence, "agency.E012")
        if entry.sealed and _hidden_places(model):
            yield _error(f"{model._meta.label} points at anything.", "agency.E012")


def is_a_place_for_words(field: models.Field[Any, Any], *, sealed: bool) -> bool:
    """Tell whether a field needs an entry of its own, because something can be told in it."""
    if field.choices and isinstance(field, models.CharField | models.IntegerField):
        return False
    return type(field) not in (HARMLESS if sealed else WORDLESS)


def _hidden_places(model: type[models.Model]) -> bool:
    return any(isinstance(field, GenericForeignKey) for field in model._meta.private_fields)


@register(Tags.database)
def database_is_in_the_record(
    databases: Collection[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Compare the live columns; a database with migrations still to come is compared after them."""
    return [
        fault
        for alias in databases or ()
        if not pending_migrations(connections[alias])
        for fault in faults_of_database(connections[alias])
    ]


def pending_migrations(connection: BaseDatabaseWrapper) -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def faults_of_database(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    """Name live columns that neither a model nor the record has, and sealed ones that differ."""
    live = live_columns(connection)
    described = {
        model._meta.db_table: model for model in apps.get_models(include_auto_created=True)
    }
    known = {
        name: {field.column for field in model._meta.concrete_fields}
        for name, model in described.items()
    } | {entry.table: set(entry.columns) for entry in tables() if entry.table}
    for name, columns in sorted(live.items()):
        unknown = set(columns) - known.get(name, set())
        if unknown:
            yield _error(f"The table {name} has {_listed(unknown)}.", "agency.E013")
    for entry in tables():
        if entry.sealed:
            name = apps.get_model(entry.model)._meta.db_table
            frozen = {
                column: live_type(kind, connection.vendor) for column, kind in entry.sealed.items()
            }
            found = live.get(name, {})
            differing = {
                column
                for column in frozen.keys() | found.keys()
                if frozen.get(column) != found.get(column)
            }
            if differing:
                yield _error(
                    f"{name} is not as it was sealed: {_listed(differing)}.", "agency.E014"
                )


def live_columns(connection: BaseDatabaseWrapper) -> dict[str, dict[str, str]]:
    """Read the catalogue: all that has columns, wherever it is, with their types."""
    found: dict[str, dict[str, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS[connection.vendor], [])
        for table, column, kind in cursor.fetchall():
            found.setdefault(table, {})[column] = kind
    return found


def live_type(kind: str, vendor: str) -> str:
    """Give the type of a sealed column, ``words(20)`` for example, as the database names it."""
    name, bracket, length = kind.partition("(")
    return TYPES[name][vendor == "postgresql"] + bracket + length


def _error(sentence: str, code: str) -> CheckMessage:
    return Error(sentence, "See agency/processing.toml and docs/data.md.", id=code)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
