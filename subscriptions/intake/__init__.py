"""Bring an agency in from its workbook, all or nothing, and take it out again (design 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from advisors.models import Advisor
from agency.models import Organisation, User
from agency.month import Month
from subscriptions import statements
from subscriptions.intake import form, held, rows, workbook
from subscriptions.intake.checks import check
from subscriptions.intake.findings import Finding, Findings
from subscriptions.intake.rows import Book
from subscriptions.intake.sheets import SHEETS
from subscriptions.intake.workbook import NoFileError, UnreadableError
from subscriptions.intake.write import Writer
from workshops.models import Offering

__all__ = [
    "BEFORE_CLIENTS",
    "NoFileError",
    "Outcome",
    "bring_in",
    "empty_workbook",
    "is_empty",
    "left_out",
    "take_out",
    "write_file",
]

# `setup` may have written these before any client is there.
BEFORE_CLIENTS = frozenset({"agency", "price_book"})

Sheets = Iterable[tuple[str, workbook.Rows]]
Shown = Callable[[Sheets], Sheets]

left_out = held.left_out
write_file = workbook.write_file


@dataclass(frozen=True)
class Outcome:
    """What was written, in rows of each sheet, and what was found; problems mean nothing was."""

    written: dict[str, int]
    problems: list[Finding]
    warnings: list[Finding]

    @property
    def changed(self) -> bool:
        return any(self.written.values())


def is_empty() -> bool:
    """Tell whether no client, advisor or offering is here yet; the hours are not looked at."""
    return not any(model.objects.exists() for model in (Organisation, Advisor, Offering))


def bring_in(source: Path | bytes, *, dry_run: bool = False, shown: Shown = iter) -> Outcome:
    """Write an agency workbook, a file or what one holds, if nothing is wrong with it.

    A workbook whose content the database holds already changes nothing and has no problem; any
    other agency there is one. A dry run finds the same and counts what would be
    written. ``shown`` passes the sheets on, so that progress can be shown. Raises NoFileError.
    """
    try:
        data = source if isinstance(source, bytes) else workbook.read_file(source)
        with workbook.opened(data) as sheets:
            book = rows.read(shown(sheets))
    except UnreadableError as error:
        return _outcome(Findings([Finding(None, None, None, str(error))]))
    if book.complete:
        check(book)
    if book.findings.problems:
        return _outcome(book.findings)
    with transaction.atomic():
        written = _write_missing(book)
        transaction.set_rollback(dry_run)
    return _outcome(book.findings, written)


def _write_missing(book: Book) -> dict[str, int]:
    there = held.sheets()
    different = {sheet for sheet in SHEETS if not held.same(sheet, book[sheet], there[sheet])}
    filled = {sheet for sheet in SHEETS if there[sheet]}
    if not different:
        return {}
    if filled <= BEFORE_CLIENTS and filled & different:
        for sheet in filled & different:
            message = _("What was set up here says something else: change one of the two.")
            book.findings.problem(message, sheet)
        return {}
    if not filled <= BEFORE_CLIENTS:
        message = _("The database holds another agency: an import needs an empty database.")
        book.findings.problem(message)
        return {}
    _check_users(book)
    if book.findings.problems:
        return {}
    written = Writer(book).write(different)
    statements.state_history()
    return written


def _check_users(book: Book) -> None:
    """Find people who sign in here already; staff are neither advisors nor contacts."""
    people = [*book["advisors"], *book["contacts"]]
    known = set(
        User.objects.filter(email__in={row["email"] for row in people}).values_list(
            "email", flat=True
        )
    )
    for row in people:
        if row["email"] in known:
            message = _("This address belongs to somebody who signs in here already.")
            book.findings.refuse(row, "email", message)


def _outcome(findings: Findings, written: dict[str, int] | None = None) -> Outcome:
    return Outcome(
        written=dict.fromkeys(SHEETS, 0) | (written or {}),
        problems=sorted(findings.problems, key=_place),
        warnings=sorted(findings.warnings, key=_place),
    )


def _place(finding: Finding) -> tuple[int, int, int]:
    """Order findings as one meets them in the workbook."""
    names = list(SHEETS)
    columns = [column.name for column in SHEETS.get(finding.sheet or "", ())]
    return (
        names.index(finding.sheet) if finding.sheet in names else -1,
        finding.row or 0,
        columns.index(finding.column) if finding.column in columns else len(columns),
    )


def take_out(now: Month | None = None) -> bytes:
    """Give everything in the database that the workbook has a place for, as a workbook.

    ``now`` is the month of which it tells what holds; without it, what has no end.
    """
    sheets = held.sheets(now)
    for values in sheets["subscriptions"]:
        if values["first_run"] == values["start_month"] - 1:
            values["first_run"] = None
        if values["reported_until"] == values["start_month"]:
            values["reported_until"] = None
    return form.workbook(sheets)


def empty_workbook() -> bytes:
    """Give an agency workbook with its headings only."""
    return form.workbook({})
