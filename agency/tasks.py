"""What the queue and the cache keep, and what they are made to forget."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import UUID

from django.utils import timezone

from agency import contacts, legal_names, notices, retention
from agency.models import User
from agency.schedules import Every
from agency.today import today

SCHEDULES = [
    Every("forget cached", "agency.tasks.forget_cached", minutes=5),
    Every("mail invitations", "agency.tasks.mail_invitations", minutes=1),
    Every("names take effect", "agency.tasks.names_take_effect", daily_at=dt.time(0, 10)),
]
_PLACE = re.compile(r'^ *File "([^"]+)", line (\d+), in (\w+)$', re.MULTILINE)


def keep_places_only(sender: Any, *, task: dict[str, Any], **_more: Any) -> None:
    """Leave of a failed task where it failed: the text of an exception quotes what it met.

    Called by the queue's worker before the result is stored and logged.
    """
    if task.get("success") is False:
        places = _PLACE.findall(str(task["result"]))
        task["result"] = "\n".join(f"{file}:{line} {name}" for file, line, name in places)


def mail_invitations() -> None:
    contacts.mail_waiting()


def mail_notice(kind: str, contact_id: str) -> None:
    notices.send(kind, UUID(contact_id))


def accept_invitations(user: User, **_more: Any) -> None:
    """Give who signs in the places they were invited to since."""
    contacts.accept(user, on=today())


def names_take_effect() -> None:
    legal_names.take_effect(today())


def forget_cached() -> None:
    """Forget attempts and codes once they are over: when they end tells when somebody signed in."""
    retention.forget_cached(timezone.now())
