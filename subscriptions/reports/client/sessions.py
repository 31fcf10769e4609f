"""What the client ordered: sessions held, planned and cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from agency.month import AMSTERDAM
from subscriptions.reports import style
from subscriptions.reports.client import figures
from subscriptions.reports.client.position import Orders, Position
from subscriptions.reports.sheet import Cell, Column, Sheet, listing
from subscriptions.reports.style import COUNT, DATE, TIME
from workshops.models import CancelledBy, OfferingKind, Session, SessionStatus


def sessions(position: Orders) -> Sheet:
    columns = _columns()
    sheet = listing(_("Sessions"), columns, position.organisation.legal_name, frozen="B2")
    included = figures.free_sessions(position) if isinstance(position, Position) else []
    free = {session.pk for session in included}
    shown = [row for row in position.sessions if row.month >= position.since]
    sheet.table(columns, [_row(row, position, free=row.pk in free) for row in shown])
    if not shown and isinstance(position, Position):
        sheet.space(7)
        sheet.say(
            _("No sessions in this contract year. You can request one on your page."),
            style.REMARK,
            20,
        )
    return sheet


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Date"), 13, DATE),
        Column(pgettext("time of day", "Start"), 11, TIME),
        Column(_("Kind"), 20),
        Column(_("Title"), 44, wraps=True),
        Column(_("Place"), 16, wraps=True),
        Column(_("Duration (minutes)"), 13, COUNT),
        Column(_("Group (people)"), 13, COUNT),
        Column(_("Trainer"), 22, wraps=True),
        Column(_("Status"), 19),
        Column(_("Invoice"), 18),
    )


def _row(session: Session, position: Orders, *, free: bool) -> Sequence[Any]:
    local = session.starts_at.astimezone(AMSTERDAM)
    values = (
        local.date(),
        local.time(),
        kind_word(session.offering.kind),
        session.offering.title(position.organisation.language),
        _place(session),
        session.offering.minutes,
        session.group_size,
        session.trainer.user.name if session.trainer else None,
        status_word(session),
        position.invoice_of.get(session.pk) or (_("included") if free else None),
    )
    tone = "quiet" if session.status == SessionStatus.CANCELLED else ""
    return [Cell(value, tone) for value in values]


def _place(session: Session) -> str:
    return _("Online") if session.location.lower() == "online" else session.location


def kind_word(kind: str) -> str:
    return str(OfferingKind(kind).label).capitalize()


def status_word(session: Session) -> str:
    if session.status == SessionStatus.CANCELLED and session.cancelled_by == CancelledBy.AGENCY:
        return _("Cancelled by us")
    return {
        SessionStatus.REQUESTED: _("Requested"),
        SessionStatus.SCHEDULED: _("Planned"),
        SessionStatus.HELD: _("Held"),
        SessionStatus.CANCELLED: pgettext("session", "Cancelled"),
    }[SessionStatus(session.status)]
