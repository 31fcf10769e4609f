"""Sessions: cancelled with a date, not larger than the room, one trainer at a time."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from django.utils.translation import gettext as _

from agency.month import AMSTERDAM
from subscriptions.intake.rows import Book, Row
from workshops.models import OfferingKind, SessionStatus


def check(book: Book) -> None:
    for row in book["sessions"]:
        _check_cancellation(book, row)
        _check_group(book, row)
        _warn_open_enrolment(book, row)
        _warn_midnight(book, row)
    _check_trainers(book)


def _check_cancellation(book: Book, row: Row) -> None:
    if not row.knows("status", "cancelled_on"):
        return
    if row["status"] == SessionStatus.CANCELLED:
        if row["cancelled_on"] is None:
            message = _("A cancelled session needs the day of cancelling.")
            book.findings.refuse(row, "cancelled_on", message)
        elif row.knows("starts_at") and row["cancelled_on"] > _local(row["starts_at"]).date():
            message = _("This session was cancelled after its date.")
            book.findings.warn(row, "cancelled_on", message)
        return
    for column in ("cancelled_on", "cancelled_by"):
        if row.knows(column) and row[column]:
            book.findings.refuse(row, column, _("This session is not cancelled."))


def _local(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(AMSTERDAM)


def _check_group(book: Book, row: Row) -> None:
    if not row.knows("offering", "group_size") or row["group_size"] is None:
        return
    offering = book.offerings[row["offering"]]
    if offering.knows("capacity") and row["group_size"] > offering["capacity"]:
        message = _("The offering has room for %(capacity)d people.")
        book.findings.refuse(row, "group_size", message % {"capacity": offering["capacity"]})


def _warn_open_enrolment(book: Book, row: Row) -> None:
    if not row.knows("offering", "organisation") or row["organisation"]:
        return
    offering = book.offerings[row["offering"]]
    if offering.knows("kind") and offering["kind"] != OfferingKind.MASTERCLASS:
        message = _("Without an organisation nobody is invoiced for this session.")
        book.findings.warn(row, "organisation", message)


def _warn_midnight(book: Book, row: Row) -> None:
    if row.knows("starts_at") and _local(row["starts_at"]).time() == dt.time():
        book.findings.warn(row, "starts_at", _("This session starts at midnight."))


def _check_trainers(book: Book) -> None:
    """Find trainers who would be in two places: sessions last as long as their offering."""
    planned: dict[str, list[tuple[dt.datetime, dt.datetime, Row]]] = defaultdict(list)
    for row in book.knowing("sessions", "offering", "trainer", "starts_at", "status"):
        offering = book.offerings[row["offering"]]
        takes_the_trainer = row["status"] in SessionStatus.takes_the_trainer
        if row["trainer"] and takes_the_trainer and offering.knows("minutes"):
            ends_at = row["starts_at"] + dt.timedelta(minutes=offering["minutes"])
            planned[row["trainer"]].append((row["starts_at"], ends_at, row))
    for sessions in planned.values():
        sessions.sort(key=lambda session: (session[0], session[2].number))
        _check_days_of_trainer(book, sessions)


def _check_days_of_trainer(
    book: Book, sessions: list[tuple[dt.datetime, dt.datetime, Row]]
) -> None:
    busy_until, busy_with = sessions[0][1:]
    for starts_at, ends_at, row in sessions[1:]:
        if starts_at < busy_until:
            other, later = sorted((busy_with, row), key=lambda session: session.number)
            message = _("This trainer has another session at that time, in row %(row)d.")
            book.findings.refuse(later, "trainer", message % {"row": other.number})
        if ends_at > busy_until:
            busy_until, busy_with = ends_at, row
