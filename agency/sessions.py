"""Sessions, and keys of the cache, that tell a reader of the database nothing.

What is in a session, such as when somebody signed in and was last seen, is sealed with a key that
the database does not hold; a row's end is the same for all sessions of a day. Advisors record
hours soon after they worked them, so the times of their visits are nearly those of their work.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils.crypto import salted_hmac

from agency.month import AMSTERDAM, day_of, midnight

DAYS_UNTIL_THE_ROW_ENDS = 2  # always past the twelve hours that a session lives


def _seal() -> MultiFernet:
    """Seal by SECRET_KEY, and open what it or a former key of SECRET_KEY_FALLBACKS sealed."""
    keys = (
        salted_hmac("agency.sessions", "seal", secret=secret, algorithm="sha256").digest()
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


def seal(text: str) -> str:
    """Seal a text; a seal says when it was made, and ours all say the same."""
    return _seal().encrypt_at_time(text.encode(), 0).decode()


def unseal(sealed: bytes | str) -> str:
    """Open what was sealed; raises InvalidToken where the seal is not ours."""
    return _seal().decrypt(sealed).decode()


def sealed_key(key: str, key_prefix: str, version: int) -> str:
    """Give a digest in the place of a key of the cache, with a key that the database lacks."""
    return salted_hmac(
        "agency.cache", f"{key_prefix}:{version}:{key}", algorithm="sha256"
    ).hexdigest()


class SessionStore(db.SessionStore):
    def encode(self, session_dict: dict[str, Any]) -> str:
        return seal(json.dumps(session_dict))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Give what is in a session; nothing where the seal is not ours."""
        try:
            opened: dict[str, Any] = json.loads(unseal(session_data))
        except InvalidToken:
            return {}
        return opened

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)
        today = midnight(day_of(dt.datetime.now(dt.UTC)))
        row.expire_date = today + dt.timedelta(days=DAYS_UNTIL_THE_ROW_ENDS)
        return row


# What a person is shown of the own sessions

BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A place where a person is signed in; ``mark`` names it without being its key."""

    mark: str
    browser: str
    began_at: dt.datetime
    seen_at: dt.datetime


def browser_of(user_agent: str) -> str:
    """Name the browser and the system of a request, such as "Firefox, Windows", as far as known."""
    named = [word for part, word in BROWSERS if part in user_agent][:1]
    if not named and "Safari" in user_agent:
        named = ["Safari"]
    return ", ".join(named + [word for part, word in SYSTEMS if part in user_agent][:1])


def mark_of(key: str) -> str:
    return salted_hmac("agency.sessions.mark", key, algorithm="sha256").hexdigest()


def sessions_of(person: Any) -> list[OwnSession]:
    """Give where a person is signed in, the one seen last first. Opens every session's seal."""
    found = []
    for row in Session.objects.all():
        opened = SessionStore().decode(row.session_data)
        if opened.get("_auth_user_id") == str(person.pk) and "began_seconds" in opened:
            began_at, seen_at = (
                dt.datetime.fromtimestamp(opened[name], AMSTERDAM)
                for name in ("began_seconds", "seen_seconds")
            )
            mark = mark_of(row.session_key)
            found.append(OwnSession(mark, opened.get("browser", ""), began_at, seen_at))
    return sorted(found, key=lambda session: session.seen_at, reverse=True)


def end(person: Any, marks: Collection[str]) -> int:
    """Sign a person out where it was marked; give at how many places."""
    own = {session.mark for session in sessions_of(person)} & set(marks)
    keys = [key for key in Session.objects.values_list("pk", flat=True) if mark_of(key) in own]
    return Session.objects.filter(pk__in=keys).delete()[0]
