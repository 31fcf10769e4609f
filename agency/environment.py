"""Read settings from environment variables, and refuse what is odd with a clear sentence.

Every refusal is an ``ImproperlyConfigured`` whose message names the variable and what it expects,
and never repeats the value: it may be a secret.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BYTES_OF_A_KEY = 32
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def refuse(sentence: str) -> NoReturn:
    raise ImproperlyConfigured(sentence)


@dataclass(frozen=True)
class Environment:
    """Reads one variable at a time; an empty variable counts as one that is not set."""

    variables: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        return self.variables.get(name, "").strip() or default

    def secret(self, name: str, default: str = "") -> str:
        """Read ``NAME``, or the file that ``NAME_FILE`` names; both at once is refused."""
        path = self.text(f"{name}_FILE")
        if not path:
            return self.text(name, default)
        if self.text(name):
            refuse(f"{name} and {name}_FILE are both set: set one of them.")
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            refuse(f"{name}_FILE names a file that cannot be read as text.")
        if not value:
            refuse(f"{name}_FILE names an empty file.")
        return value

    def key(self, name: str) -> bytes:
        """Read 32 random bytes in base64, as a secret; nothing where it is not set."""
        value = self.secret(name)
        try:
            key = b64decode(value, validate=True)
        except ValueError:
            key = b"?"
        if value and len(key) != BYTES_OF_A_KEY:
            refuse(f"{name} must be 32 random bytes in base64, as openssl rand -base64 32 gives.")
        return key

    def flag(self, name: str, *, default: bool) -> bool:
        known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        value = self.text(name).lower()
        if value and value not in known:
            refuse(f"{name} must be true or false.")
        return known.get(value, default)

    def choice(self, name: str, choices: Collection[str], *, default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            refuse(f"{name} must be one of {', '.join(choices)}.")
        return value

    def whole_number(self, name: str, *, default: int, at_least: int, at_most: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and at_least <= int(value) <= at_most):
            refuse(f"{name} must be a whole number from {at_least} to {at_most}.")
        return int(value)

    def names(self, name: str, *, default: Collection[str]) -> list[str]:
        value = self.text(name)
        found = [part.strip() for part in value.split(",")] if value else list(default)
        if not all(found):
            refuse(f"{name} must be names with single commas between them.")
        return found

    def date(self, name: str) -> dt.date | None:
        value = self.text(name)
        try:
            return dt.date.fromisoformat(value) if value else None
        except ValueError:
            refuse(f"{name} must be a date such as 2026-04-14.")

    def web_address(self, name: str) -> str:
        """Read the base address of a service: https, or http on this machine."""
        value = self.text(name).rstrip("/")
        if not value:
            return ""
        url = _split(name, value)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
            refuse(f"{name} must begin with https:// (http:// only for this machine itself).")
        if not url.hostname or url.query or url.fragment or url.username:
            refuse(f"{name} must be an address such as https://api.example.com.")
        return value

    def database(self, name: str, *, default: str, relative_to: Path) -> dict[str, Any]:
        """Read ``sqlite:///relative``, ``sqlite:////absolute`` or ``postgresql://...``."""
        url = _split(name, self.secret(name, default))
        if url.scheme == "sqlite" and not url.netloc and len(url.path) > 1 and not url.query:
            path = relative_to / unquote(url.path[1:])
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": path}
        if url.scheme in {"postgresql", "postgres"} and len(url.path) > 1:
            return {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": unquote(url.path[1:]),
                "OPTIONS": dict(parse_qsl(url.query)),
                **_account(url),
            }
        refuse(
            f"{name} must be such as sqlite:///var/discreet.sqlite3 or "
            "postgresql://user:password@host/database."
        )

    def mail(self, name: str, *, default: str, relative_to: Path) -> dict[str, Any]:
        """Read ``file:///directory``, ``smtp://`` (STARTTLS) or ``smtps://``, as Django settings.

        ``?from=`` names the sender. SMTP without encryption is only for this machine itself.
        """
        url = _split(name, self.secret(name, default))
        query = dict(parse_qsl(url.query))
        sender = query.pop("from", "Discreet <noreply@discreet.example>")
        known = {"DEFAULT_FROM_EMAIL": sender, "SERVER_EMAIL": sender}
        if url.scheme == "file" and not url.netloc and len(url.path) > 1 and not query:
            path = relative_to / unquote(url.path[1:])
            return {"EMAIL_BACKEND": "agency.mail.FileBackend", "EMAIL_FILE_PATH": path, **known}
        if url.scheme in {"smtp", "smtps"} and url.hostname and not query:
            return {**_smtp(url), **known}
        refuse(
            f"{name} must be such as file:///var/mail or "
            "smtp://user:password@host:587?from=billing@agency.example."
        )


def _split(name: str, value: str) -> SplitResult:
    try:
        url = urlsplit(value)
        _ = url.port
    except ValueError:
        refuse(f"{name} is no address.")
    return url


def _account(url: SplitResult) -> dict[str, str]:
    return {
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
    }


def _smtp(url: SplitResult) -> dict[str, Any]:
    implicit_tls = url.scheme == "smtps"
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": url.port or (465 if implicit_tls else 587),
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_SSL": implicit_tls,
        "EMAIL_USE_TLS": not implicit_tls and url.hostname not in LOOPBACK,
        "EMAIL_TIMEOUT": 20,
    }
