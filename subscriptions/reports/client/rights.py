"""What the contract gives in its year, and what was taken of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from subscriptions.models import Display
from subscriptions.reports import said
from subscriptions.reports.client import figures, sentences
from subscriptions.reports.client.position import Position
from subscriptions.reports.sheet import LINED, Cell
from subscriptions.reports.style import HOURS
from workshops.models import CancelledBy, OfferingKind, Session, SessionStatus

_INFORMATION = (OfferingKind.INFORMATION_SESSION,)
_TRAINING = (OfferingKind.WORKSHOP, OfferingKind.MASTERCLASS, OfferingKind.AGGRESSION_TRAINING)
_ADVICE = (OfferingKind.ADVICE, OfferingKind.SERVICE)


def rights(position: Position) -> list[Sequence[Any]]:
    """Give the five rows: hours, three groups of sessions, the annual report.

    Included sessions stand in the first group of which an offering can be included.
    """
    rows: list[Sequence[Any]] = [_hours(position)]
    left = figures.included_sessions(position)
    for name, kinds in (
        (_("Information sessions"), _INFORMATION),
        (_("Workshops and training"), _TRAINING),
        (_("Advice and meetings"), _ADVICE),
    ):
        eligible = not position.shared.eligible_kinds.isdisjoint(kinds)
        rows.append(_sessions(position, name, kinds, left if eligible else 0))
        left = 0 if eligible else left
    report = _("Follows after the contract year")
    rows.append((_("Annual report"), _("report"), 1, 0, 1, None, report))
    return rows


def _hours(position: Position) -> Sequence[Any]:
    shown = [
        LINED if quarters is None else Cell(quarters, kind=HOURS)
        for quarters in (
            figures.allowance(position),
            figures.used(position),
            figures.remaining(position),
            figures.overage(position),
        )
    ]
    return (_("Contracted hours"), pgettext("unit", "hours"), *shown, _note_on_hours(position))


def _note_on_hours(position: Position) -> str:
    if figures.is_all_in(position):
        return _("Fixed fee, no figures of use")
    if not position.of_year:
        return _("Not published yet")
    last = position.of_year[-1]
    if last.display == Display.WITHHELD:
        return _("Not stated; nothing counts and nothing is charged")
    if last.display == Display.BAND:
        return sentences.note(last)
    if position.reported_before:
        return _("%(months)s was reported by a former system, so what remains is not shown") % {
            "months": said.span(position.reported_before)
        }
    return sentences.stated_part(position)


def _sessions(
    position: Position, name: str, kinds: Collection[str], included: int
) -> Sequence[Any]:
    sessions = figures.of_kinds(position.sessions_of_year, kinds)
    free = figures.free_sessions(position)
    held = [row for row in sessions if row.status == SessionStatus.HELD]
    beyond = len(held) - len(figures.of_kinds([row for row in held if row in free], kinds))
    left = max(0, included - len(free))
    note = _note_on_sessions(sessions, included)
    return (name, _("session"), included, len(held), left, beyond or None, note)


def _note_on_sessions(sessions: Sequence[Session], included: int) -> str:
    by_status = Counter(row.status for row in sessions)
    planned = [row for row in sessions if row.status == SessionStatus.SCHEDULED]
    by_agency = sum(row.cancelled_by == CancelledBy.AGENCY for row in sessions)
    parts = [
        (by_status[SessionStatus.HELD], _("%(count)d held")),
        (len(planned), _planned(planned)),
        (by_status[SessionStatus.REQUESTED], _("%(count)d requested")),
        (by_status[SessionStatus.CANCELLED] - by_agency, _("%(count)d cancelled")),
        (by_agency, _("%(count)d cancelled by us")),
    ]
    said_of = [text % {"count": count} for count, text in parts if count]
    if said_of:
        return ", ".join(said_of)
    return _("None held yet") if included else _("Not ordered")


def _planned(planned: Sequence[Session]) -> str:
    if not planned:
        return ""
    day = said.long_day(planned[0].starts_on)
    return ngettext(
        "%(count)d planned on %(day)s", "%(count)d planned, the first on %(day)s", len(planned)
    ) % {"count": len(planned), "day": day}
