"""The record of processing: each table, its columns for words, who reads them, and for how long.

The list itself is ``processing.toml``. Checks hold the models and the live database to it
(`agency.schema`), retention and exports follow it, and ``python -m agency.processing`` prints it as
the page ``docs/data.md``.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from agency.month import Month

LIST = Path(__file__).with_name("processing.toml")
ALL = "all"
IN_BACKUPS = {
    "nowhere": "nowhere",
    "newest": "in the newest copy only",
    "newest while open": "in the newest copy only, while the month is open",
}
LISTS = ("readers", "person", "email", "personal", "secret")


@dataclass(frozen=True, slots=True)
class Keep:
    """A term: months from a date on, or whole calendar years after the year of that date."""

    text: str
    months: int | None = None
    years: int | None = None

    def before(self, today: dt.date) -> dt.date | None:
        """Give the first date that is still kept; what is dated before it is past its term."""
        if self.years is not None:
            return dt.date(today.year - self.years, 1, 1)
        if self.months is None:
            return None
        month = Month.containing(today) - self.months
        return min(month.first_day + dt.timedelta(today.day - 1), (month + 1).first_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table's entry; the head of ``processing.toml`` tells what each part means."""

    model: str = ""
    table: str = ""
    purpose: str
    readers: tuple[str, ...]
    keep: Keep
    after: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    sealed: Mapping[str, str] = field(default_factory=dict)
    person: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    erasure: str | Mapping[str, Any] = ""
    organisation: str = ""
    backups: str = ""

    @property
    def name(self) -> str:
        return self.model or self.table


@cache
def tables() -> tuple[Table, ...]:
    """Read the list. Raises TypeError or KeyError for an entry with a part missing or too many."""
    data = tomllib.loads(LIST.read_text(encoding="utf-8"))
    terms = {name: Keep(**term) for name, term in data["keep"].items()}
    return tuple(
        Table(
            **entry
            | {
                "keep": terms[entry["keep"]],
                "columns": dict(_each(entry.get("columns", {}))),
                **{part: _listed(entry.get(part, ())) for part in LISTS},
            }
        )
        for entry in data["table"]
    )


def _listed(names: str | list[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _each(columns: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for names, purpose in columns.items():
        for name in names.split():
            yield name, purpose


def by_model() -> dict[str, Table]:
    """Give the entries of tables that a model describes, by its label."""
    return {entry.model: entry for entry in tables() if entry.model}


# The page

HEAD = """\
# What is kept, of whom, and for how long

The record of processing (AVG, article 30). Every table of the database stands here, and every
column in which words fit, with its purpose; `python manage.py check` fails on one that does not.
There is no other place: no uploads are kept, no full texts, no history of values. Nothing is about
the people who talk to a counsellor: no table has a place for them.

`python manage.py erase_expired` runs every night and keeps the terms.
`python manage.py export_person EMAIL OUT.json` gives everything that is held about one person, and
`python manage.py erase_person EMAIL` erases it; what the law makes us keep stays, and is named.
An erasure is also written to a list of random keys outside the database, so that
a backup that is restored, and `python manage.py erase_expired`, repeat it.

A file of a series of backups holds every row but those for which another place is named here; the
newest copy is one file beside the series that each backup overwrites, so that no two of them can be
compared.

This page is made from `agency/processing.toml` by `python -m agency.processing`.
"""
GROUPS = {
    "agency": "People and organisations",
    "advisors": "Advisors and hours",
    "workshops": "Sessions",
    "subscriptions": "Contracts, statements and invoices",
    "": "What the packages keep",
}


def document() -> str:
    """Write the list as the page ``docs/data.md``."""
    parts = [HEAD]
    for app, title in GROUPS.items():
        parts.append(f"\n## {title}\n")
        parts += [_section(entry) for entry in tables() if _app(entry) == app]
    return "".join(parts)


def _app(entry: Table) -> str:
    app = entry.model.partition(".")[0]
    return app if app in GROUPS else ""


def _section(entry: Table) -> str:
    lines = [
        f"\n### {entry.name}\n\n{entry.purpose}.\n",
        f"* Read by: {', '.join(map(_reader, entry.readers)) or 'nobody, through any page'}.",
        f"* Kept: {entry.keep.text}.",
        f"* About a person: {_personal(entry)}.",
    ]
    if entry.backups:
        lines.append(f"* In backups: {IN_BACKUPS[entry.backups]}.")
    if entry.sealed:
        lines.append(f"* Its columns are these and no others: {_names(entry.sealed)}.")
    if entry.columns:
        lines += ["", "| column | purpose |", "| --- | --- |"]
        for purpose, names in groupby(entry.columns, key=entry.columns.__getitem__):
            lines.append(f"| {_names(names)} | {purpose} |")
    return "\n".join(lines) + "\n"


def _reader(role: str) -> str:
    return "each person the own" if role == "own" else role


def _personal(entry: Table) -> str:
    if not entry.personal:
        return "no"
    which = "the whole row" if ALL in entry.personal else _names(entry.personal)
    at_erasure = {
        "keep": "stays at an erasure, under a random key or because the law asks",
        "delete": "is deleted at an erasure",
    }
    deed = at_erasure.get(str(entry.erasure), "is overwritten at an erasure")
    return f"{which}; {deed}"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in columns)


if __name__ == "__main__":
    ArgumentParser(description=__doc__).parse_args()
    print(document(), end="")  # noqa: T201  the page is what this is for
