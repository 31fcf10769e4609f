"""Sessions, and keys of the cache, that tell a reader of the database nothing.

What is in a session, such as when somebody signed in and was last seen, is sealed with a key that
the database does not hold; a row's end is the same for all sessions of a day. Advisors record
hours soon after they worked them, so the times of their visits are nearly those of their work.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.sessions.backends import db
from django.utils.crypto import salted_hmac

from agency.month import day_of, midnight

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
