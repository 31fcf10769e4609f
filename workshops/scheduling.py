"""The one door for a session's state: planned, held, cancelled."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from advisors.models import Advisor
from agency import notices
from agency.models import Organisation
from agency.month import Month
from workshops.models import CancelledBy, Session, SessionStatus


class SchedulingError(ValidationError):
    """A session that cannot be moved so; its message is the sentence to show."""


def trainer_is_taken(session: Session, trainer: Advisor, starts_at: dt.datetime) -> bool:
    """Tell whether a trainer gives another session at a time that overlaps this one's."""
    ends_at = starts_at + dt.timedelta(minutes=session.offering.minutes)
    around = Session.objects.filter(
        trainer=trainer,
        status__in=SessionStatus.takes_the_trainer,
        starts_at__lt=ends_at,
        starts_at__gt=starts_at - dt.timedelta(days=1),
    ).exclude(pk=session.pk)
    return any(
        starts_at < other.starts_at + dt.timedelta(minutes=other.offering.minutes)
        for other in around.select_related("offering")
    )


@transaction.atomic
def schedule(session: Session, *, trainer: Advisor | None, starts_at: dt.datetime) -> None:
    """Plan a requested session, or move a scheduled one. Raises SchedulingError."""
    locked = _locked(session, SessionStatus.REQUESTED, SessionStatus.SCHEDULED)
    if trainer and trainer_is_taken(locked, trainer, starts_at):
        raise SchedulingError(_("The trainer has another session at that time."))
    locked.trainer, locked.starts_at = trainer, starts_at
    locked.status = SessionStatus.SCHEDULED
    locked.save(update_fields=["trainer", "starts_at", "status"])


def pass_on(organisation: Organisation, to: Organisation, *, since: Month) -> int:
    """Make another organisation the client of what is planned from a month on; count it."""
    planned = Session.objects.filter(organisation=organisation, starts_at__gte=since.starts_at)
    states = [SessionStatus.REQUESTED, SessionStatus.SCHEDULED]
    return planned.filter(status__in=states).update(organisation=to)


@transaction.atomic
def mark_held(session: Session, *, on: dt.date, group_size: int | None = None) -> None:
    """Write down that a session took place; not before its day. Raises SchedulingError."""
    locked = _locked(session, SessionStatus.SCHEDULED)
    if locked.starts_on > on:
        raise SchedulingError(_("This session has not taken place yet."))
    if group_size is not None and group_size > locked.offering.capacity:
        raise SchedulingError(_("The group is larger than the session has room for."))
    locked.status = SessionStatus.HELD
    locked.group_size = locked.group_size if group_size is None else group_size
    locked.save(update_fields=["status", "group_size"])


@transaction.atomic
def cancel(session: Session, *, on: dt.date, by: CancelledBy) -> None:
    """Cancel a session; what it costs follows from the day and who did it (design 5.7)."""
    locked = _locked(session, SessionStatus.REQUESTED, SessionStatus.SCHEDULED)
    locked.status = SessionStatus.CANCELLED
    locked.cancelled_on, locked.cancelled_by = on, by
    locked.save(update_fields=["status", "cancelled_on", "cancelled_by"])
    notices.tell(notices.SESSION, locked.organisation_id)


def _locked(session: Session, *states: SessionStatus) -> Session:
    """Give the row as it is now, locked where the database locks rows, if it is in a state."""
    now = Session.objects.select_for_update(of=("self",)).select_related("offering")
    locked = now.get(pk=session.pk)
    if locked.status not in states:
        raise SchedulingError(
            _("This session is %(state)s."), params={"state": locked.get_status_display()}
        )
    return locked
