"""The search of the lists: names are found in the tables that hold them, then rows by their keys.

A list says in paths from its own rows where it searches. Of each table that they lead to, the keys
of what fits are read, no more than `MOST_FOUND`; where more fit, each row is looked at in the order
of the list instead, and a page of it is soon full.

A column is searched for parts of words. One that ends in "exact" has to be all that was typed. One
that ends in "contains" is a number, as typed or in capitals: an index of its own has it with the
key, but for where it is empty. ``SEARCHED_WITHOUT`` of a model names for a column another that has
to be empty for it to count.
"""

from __future__ import annotations

from functools import reduce
from itertools import islice
from operator import and_, or_
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.constants import LOOKUP_SEP
from django.db.models.lookups import IContains
from django.utils.text import smart_split, unescape_string_literal

from agency.paging import MOST_FOUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import ForeignKey, QuerySet

    Paths = tuple[str, ...]
    Known = dict[tuple[type[Any], Paths], list[Any]]

NUMBER, WHOLE = "__contains", "__exact"
MOST_WORDS = 10  # more of them make a question that SQLite refuses


@CharField.register_lookup
class _Has(IContains):
    """Finds a part of a word, in the words in which PostgreSQL can tell how many rows have it.

    By capitals of both sides, as Django asks, it takes them for few and reads them all.
    """

    lookup_name = "has"

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        if connection.vendor == "postgresql":
            return f"ILIKE {rhs}"
        return str(connection.operators["icontains"] % rhs)


class _TooManyError(Exception):
    """More rows of a table fit than are looked for by their keys."""


class _Asked(NamedTuple):
    text: str
    words: list[str]


def find(rows: QuerySet[Any], paths: Iterable[str], text: str) -> QuerySet[Any]:
    """Give the rows where all words are found in the columns of one table; all without a word.

    Costs a statement for each table that the paths lead to, and one for the list's own numbers.
    """
    words = islice(smart_split(text), MOST_WORDS)
    asked = _Asked(text.strip(), [_unquoted(word) for word in words])
    model, paths = rows.model, tuple(paths)
    if not asked.words:
        return rows
    if not any(path.endswith((NUMBER, WHOLE)) for path in paths):
        return rows.filter(_fits(model, paths, asked))
    try:
        return rows.filter(_by_keys(model, paths, asked, {}))
    except _TooManyError:
        return rows.filter(_by_rows(model, paths, asked))


def _unquoted(word: str) -> str:
    is_quoted = word[0] in "\"'" and word[0] == word[-1] and len(word) > 1
    return unescape_string_literal(word) if is_quoted else word


def _by_keys(model: type[Any], paths: Paths, asked: _Asked, known: Known) -> Q:
    columns, related = _split(model, paths)
    numbers = tuple(column for column in columns if column.endswith(NUMBER))
    found = _fits(model, [column for column in columns if column not in numbers], asked)
    for key, theirs in related.items():  # first: names are fewer than numbers
        table = key.related_model
        if _split(table, theirs)[1]:
            rows = _every(table).filter(_by_keys(table, theirs, asked, known))
            found |= Q(**{f"{key.name}__in": rows.values("pk")})
        else:
            found |= Q(**{f"{key.name}__in": _keys(table, theirs, asked, known)})
    return found | Q(pk__in=_keys(model, numbers, asked, known)) if numbers else found


def _keys(model: type[Any], columns: Paths, asked: _Asked, known: Known) -> list[Any]:
    """Give the keys of what fits, each number by its own index; raises _TooManyError."""
    if (model, columns) not in known:
        rows = _every(model).values_list("pk", flat=True)
        names = [column for column in columns if not column.endswith(NUMBER)]
        numbers = [column for column in columns if column not in names]
        parts = [rows.filter(_fits(model, names, asked))] if names else []
        for number in numbers:
            is_given = ~Q(**{number.removesuffix(NUMBER): ""})
            parts.append(rows.filter(is_given, _fits(model, [number], asked)))
        first, *more = parts
        every = first.union(*more, all=True) if more else first
        known[model, columns] = list(every[: MOST_FOUND + 1])
    if len(known[model, columns]) > MOST_FOUND:
        raise _TooManyError
    return known[model, columns]


def _by_rows(model: type[Any], paths: Paths, asked: _Asked) -> Q:
    """Give the same condition for whoever has a row before them: no index is tempted to help."""
    columns, related = _split(model, paths)
    found = _fits(model, columns, asked)
    for key, theirs in related.items():
        table = key.related_model
        theirs_fits = _by_rows(table, theirs, asked)
        found |= Q(Exists(_every(table).filter(theirs_fits, pk=OuterRef(key.attname))))
    return found


def _every(model: type[Any]) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._base_manager.order_by()  # noqa: SLF001  # the documented name
    return rows


def _split(model: type[Any], paths: Paths) -> tuple[list[str], dict[ForeignKey[Any, Any], Paths]]:
    """Tell a table's own columns from paths to other tables, which are given from there."""
    columns: list[str] = []
    related: dict[ForeignKey[Any, Any], Paths] = {}
    for path in paths:
        name, _separator, rest = path.partition(LOOKUP_SEP)
        field = model._meta.get_field(name)
        if field.many_to_one or (field.one_to_one and field.concrete):
            related[field] = (*related.get(field, ()), rest)
        else:
            columns.append(path)
    return columns, related


def _fits(model: type[Any], columns: Sequence[str], asked: _Asked) -> Q:
    """Give the condition that each word is in one of the columns, or the text is all of one."""
    wholes = [column for column in columns if column.endswith(WHOLE)]
    parts = [column for column in columns if not column.endswith(WHOLE)]
    words = [
        reduce(or_, (_has(model, column, word) for column in parts))
        for word in (asked.words if parts else [])
    ]
    found = reduce(and_, words) if words else Q(pk__in=[])
    for whole in wholes:  # an index that leaves out the empty is used where the question does
        found |= Q(**{whole: asked.text}) & ~Q(**{whole: ""})
    return found


def _has(model: type[Any], column: str, word: str) -> Q:
    if column.endswith(NUMBER):
        return Q(**{column: word}) | Q(**{column: word.upper()})
    empty: dict[str, str] = getattr(model, "SEARCHED_WITHOUT", {})
    counts = Q(**{empty[column]: None}) if column in empty else Q()
    return Q(**{f"{column}__has": word}) & counts
