"""Erasing by the record of processing: persons, rows past their term, and what is left of them.

An erased person's row stays where other rows lean on it, without a name; what says whose it was is
deleted or overwritten, as `agency.processing` lists for each table.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection, models, transaction
from django.db.models import Q
from django.db.models.constants import LOOKUP_SEP

from agency.fields import MonthField
from agency.guards import retention_may_delete
from agency.models import Role, User
from agency.month import Month, midnight
from agency.processing import Table, tables

Rows = models.QuerySet[models.Model]
Picked = dict[type[models.Model], list[Any]]
ERASED = "erased.invalid"  # no mail can ever go there
AT_ONCE = 500  # keys in one statement
MOST_MILLISECONDS_TO_WAIT = 10_000

# What is about the account itself is under the key of the user; other rows have an address.
USER = "agency.User"


def rows_of(entry: Table) -> Rows:
    model: type[models.Model] = apps.get_model(entry.model)
    return model._default_manager.all()


def rows_about(entry: Table, user: User | None, email: str) -> Rows:
    """Give the rows of a table about a person, who may be a user, an address, or both."""
    ways = [Q(**{way: user.pk}) for way in entry.person if user]
    ways += [Q(**{f"{way}__iexact": email}) for way in entry.email]
    return rows_of(entry).filter(reduce(or_, ways)) if ways else rows_of(entry).none()


# Erasing


def erase(label: str, key: Any) -> Counter[str]:
    """Erase a user and all that hangs on the account, or one row that has an address.

    Gives the number of rows erased by table; erasing again finds nothing. A key that is not there
    is no error: a backup may be older than the row.
    """
    done: Counter[str] = Counter()
    leaving: Picked = {}
    for entry in tables():
        if label == USER and entry.person:
            rows = rows_of(entry).filter(reduce(or_, (Q(**{way: key}) for way in entry.person)))
        elif entry.model == label:
            rows = rows_of(entry).filter(pk=key)
        else:
            continue
        if isinstance(entry.erasure, Mapping):
            done[entry.model] += overwrite(rows, entry.erasure)
        elif entry.erasure == "delete":
            leaving[rows.model] = list(rows.values_list("pk", flat=True))
    return done + delete(leaving)


def overwrite(rows: Rows, values: Mapping[str, Any]) -> int:
    """Overwrite columns; ``{id}`` and ``{short}`` in a value stand for the row's random key."""
    changed = 0
    for key in rows.values_list("pk", flat=True):
        row = rows.model._default_manager.filter(pk=key)
        new = {name: _value(rows.model, name, value, key) for name, value in values.items()}
        changed += row.exclude(**new).update(**new)
    return changed


def _value(model: type[models.Model], name: str, value: Any, key: Any) -> Any:
    if value == "" and model._meta.get_field(name).null:
        return None
    return value.format(id=key, short=key.hex[:12]) if isinstance(value, str) else value


def delete(leaving: Picked) -> Counter[str]:
    """Delete rows in one transaction, in any order: what still leans on one refuses at its end."""
    done: Counter[str] = Counter()
    with retention_may_delete():
        for model, keys in leaving.items():
            for start in range(0, len(keys), AT_ONCE):
                part = model._default_manager.filter(pk__in=keys[start : start + AT_ONCE])
                # Django's own delete() forbids what leans on each other, also where both go.
                done[model._meta.label] += part._raw_delete(part.db)  # noqa: SLF001
    return +done


class InUseError(Exception):
    """A person who cannot be erased yet: staff and advisors first leave, a seat is first taken."""


def erase_person(email: str, *, on: dt.date) -> tuple[Counter[str], list[tuple[Table, int]]]:
    """Erase who has an address: the account with all that hangs on it, and rows by that address.

    Gives the numbers of rows that were erased and, by table, of those that have to stay. Raises
    InUseError, and erases nothing, while the person is needed. The list outside the database is
    written first: what dies in between is made up for by `erase_again`.
    """
    user = User.objects.filter(email=email.lower()).first()
    if user and user.is_active and user.role != Role.CONTACT:
        raise InUseError
    found = [(USER, user.pk)] if user else []
    for entry in tables():
        if entry.email and entry.erasure != "keep":
            rows = rows_about(entry, None, email)
            is_seat = isinstance(entry.erasure, Mapping)
            if is_seat and rows.filter(**{f"{entry.after}__gte": _bound(entry, on)}).exists():
                raise InUseError
            found += [(entry.model, key) for key in rows.values_list("pk", flat=True)]
    staying = [
        (entry, number)
        for entry in tables()
        if entry.erasure == "keep" and (number := rows_about(entry, user, email).count())
    ]
    remember(found, on=on)
    with transaction.atomic():
        done = sum((erase(label, key) for label, key in found), Counter[str]())
    return done, staying


# Terms


def past_their_term(entry: Table, today: dt.date) -> Rows:
    """Give the rows of a table with a date of its own that are kept no longer."""
    before = entry.keep.before(today)
    if not entry.after or before is None:
        return rows_of(entry).none()
    return rows_of(entry).filter(**{f"{entry.after}__lt": _bound(entry, before)})


def _bound(entry: Table, day: dt.date) -> dt.date | Month:
    """Give a day as the column of the table's date compares it."""
    model: Any = apps.get_model(entry.model)
    *way, name = entry.after.split(LOOKUP_SEP)
    for step in way:
        model = model._meta.get_field(step).related_model
    field = model._meta.get_field(name)
    if isinstance(field, MonthField):
        return Month.containing(day)
    is_moment = isinstance(field, models.DateTimeField)
    return midnight(day) if is_moment else day


def erase_by_date(today: dt.date) -> Counter[str]:
    """Erase or delete what is past a term that runs from a date of the row itself."""
    done: Counter[str] = Counter()
    leaving: Picked = {}
    for entry in tables():
        if not entry.model:
            continue
        rows = past_their_term(entry, today)
        if isinstance(entry.erasure, Mapping):
            done[entry.model] += overwrite(rows, entry.erasure)
        else:
            leaving[rows.model] = list(rows.values_list("pk", flat=True))
    return +done + delete(leaving)


def forget_cached(now: dt.datetime) -> None:
    """Delete what the cache holds past its time; the cache itself only does so when it is full."""
    table = connection.ops.quote_name(settings.CACHES["default"]["LOCATION"])
    with connection.cursor() as cursor:
        moment = connection.ops.adapt_datetimefield_value(now)
        cursor.execute(f"DELETE FROM {table} WHERE expires < %s", [moment])  # noqa: S608  our own name


# The list of erasures, outside the database: a restored backup does not know of them.


def remember(rows: Iterable[tuple[str, Any]], *, on: dt.date) -> None:
    """Add erasures to the list, by random key, and have them on the disk before they are made."""
    path = Path(settings.ERASURES)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as listed:
        listed.writelines(f"{on} {label} {key}\n" for label, key in rows)
        listed.flush()
        os.fsync(listed.fileno())


def remembered() -> list[str]:
    """Give the lines of the list: day, table and key of every erasure."""
    path = Path(settings.ERASURES)
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def take_over(lines: Iterable[str]) -> bool:
    """Add what a backup knows and the list does not; tell whether the list was all there."""
    was_there = Path(settings.ERASURES).exists()
    known = set(remembered())
    missing = [line.split() for line in lines if line not in known]
    for on, label, key in missing:
        remember([(label, key)], on=dt.date.fromisoformat(on))
    return was_there and not missing


def erase_again() -> Counter[str]:
    """Repeat the erasures on the list, which finds nothing but after a backup was restored."""
    done: Counter[str] = Counter()
    for line in dict.fromkeys(remembered()):
        _day, label, key = line.split()
        done += erase(label, key)
    return done


def overwrite_what_is_free(erased: Iterable[str]) -> bool:
    """Overwrite in the files what was deleted, and tell whether that was possible.

    SQLite writes its log back and the file anew, unless somebody is at work in it. PostgreSQL
    writes the tables anew in which persons are erased, and those, by label, from which rows were
    ``erased``, and waits a little for who is at work in one; its log of writes keeps the bytes
    until it comes round. Not inside a transaction.
    """
    with connection.cursor() as cursor:
        try:
            if connection.vendor == "postgresql":
                _rewrite(cursor, erased)
                return True
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except OperationalError:
            return False
        is_busy, *_ = cursor.fetchone()
        return not is_busy


def _rewrite(cursor: Any, erased: Iterable[str]) -> None:
    """Write tables anew: a plain VACUUM frees the place of a row and leaves its bytes there."""
    of_persons = {entry.model for entry in tables() if entry.erasure not in ("", "keep")}
    cursor.execute("VACUUM")
    cursor.execute(f"SET lock_timeout = {MOST_MILLISECONDS_TO_WAIT:d}")
    try:
        for label in sorted(of_persons.union(erased)):
            table = connection.ops.quote_name(apps.get_model(label)._meta.db_table)
            cursor.execute(f"VACUUM (FULL) {table}")
    finally:
        cursor.execute("RESET lock_timeout")
