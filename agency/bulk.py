"""Many rows at once: grouped by a key, and written past the model instances."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import JSONArray

from agency.fields import MonthField

Row = Mapping[str, Any]
Instance = TypeVar("Instance", bound=models.Model)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Let Python's collector of cycles wait while thousands of rows are held.

    Rows make no cycles, and it would look at all of them again and again: a third of a run.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _AllRows(models.Subquery):
    template = "(SELECT JSON_GROUP_ARRAY(JSON(one)) FROM (%(subquery)s) all_of_them)"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        rows = "(SELECT COALESCE(JSONB_AGG(one), '[]') FROM (%(subquery)s) all_of_them)"
        return self.as_sql(compiler, connection, template=rows, **context)


def as_json(rows: models.QuerySet[Any], *columns: str) -> models.Subquery:
    """Give rows within another row's statement: a list of lists, in no order, maybe empty.

    ``rows`` name the row around them by `OuterRef`. Months come as numbers, days and moments as
    text, keys as the database writes them.
    """
    found = rows.order_by().annotate(one=JSONArray(*columns)).values("one")
    return _AllRows(found, output_field=models.JSONField())


class _HowMany(models.Subquery):
    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"


def as_count(rows: models.QuerySet[Any]) -> models.Subquery:
    """Count rows within another row's statement."""
    return _HowMany(rows.order_by().values("pk"), output_field=models.IntegerField())


def grouped(rows: Iterable[Instance], column: str) -> defaultdict[UUID, list[Instance]]:
    """Give rows by the key in a column, such as ``organisation_id``, in their order."""
    groups: defaultdict[UUID, list[Instance]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, column)].append(row)
    return groups


def insert(model: type[models.Model], rows: Sequence[Row]) -> None:
    """Insert rows in one statement: values by the names of the model's attributes.

    A column that a row leaves out gets its default, the same one in every row. Constraints and
    triggers hold as ever; an ``IntegrityError`` tells of a violation.
    """
    if not rows:
        return
    connection = connections[router.db_for_write(model)]
    given = set().union(*rows)
    fields = [
        field
        for field in model._meta.concrete_fields
        if field.attname in given or field.get_default() is not None
    ]
    values = zip(*(_column(field, rows, given) for field in fields), strict=True)
    table = model._meta.db_table  # the names are the model's own, and need no quotes
    columns = ", ".join(str(field.column) for field in fields)
    if connection.vendor == "postgresql":
        _copy(f"COPY {table} ({columns}) FROM STDIN", values, connection)
    else:
        marks = ", ".join(["%s"] * len(fields))
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values))  # noqa: S608  # our own names


def _copy(command: str, values: Iterable[Sequence[Any]], connection: BaseDatabaseWrapper) -> None:
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(command) as copy,
    ):
        for row in values:
            copy.write_row(row)


def _column(
    field: models.Field[Any, Any], rows: Sequence[Row], given: Collection[str]
) -> list[Any]:
    """Give a column's values as the database reads them; only keys and months need a change."""
    name = field.attname
    default = field.get_default()
    if name not in given:
        return [default] * len(rows)
    try:
        values = list(map(itemgetter(name), rows))
    except KeyError:
        values = [row.get(name, default) for row in rows]
    kind = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(kind, MonthField):
        return [value and value.index for value in values]
    if isinstance(kind, models.UUIDField):
        return [value.hex if value else None for value in values]
    return values
