"""What `manage.py check --deploy` says about a live place that is not finished."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from agency.environment import LOOPBACK


@register(Tags.security, deploy=True)
def live_place_is_finished(**_kwargs: Any) -> list[CheckMessage]:
    if settings.ENVIRONMENT != "live":
        return []
    return [*_stripe(), *_mail(), *_database(settings.DATABASES["default"])]


def _stripe() -> Iterator[CheckMessage]:
    if not settings.STRIPE_API_KEY:
        yield Error("STRIPE_API_KEY is empty: no invoice can be sent.", id="agency.E001")
    if not settings.STRIPE_WEBHOOK_SECRET:
        yield Error("STRIPE_WEBHOOK_SECRET is empty: no payment is heard of.", id="agency.E002")


def _mail() -> Iterator[CheckMessage]:
    if settings.EMAIL_BACKEND == "agency.mail.FileBackend":
        yield Error("EMAIL_URL writes mail to files: nobody can sign in.", id="agency.E003")
    if "discreet.example" in settings.DEFAULT_FROM_EMAIL:
        yield Error("EMAIL_URL names no sender: add ?from=...", id="agency.E004")


def _database(database: dict[str, Any]) -> Iterator[CheckMessage]:
    if "sqlite3" in database["ENGINE"]:
        yield checks.Warning(
            "DATABASE_URL names SQLite, which is for one machine: use PostgreSQL.",
            id="agency.W005",
        )
        return
    is_elsewhere = database["HOST"] and database["HOST"] not in LOOPBACK
    if is_elsewhere and database["OPTIONS"].get("sslmode") != "verify-full":
        yield checks.Warning(
            "DATABASE_URL crosses a network unverified: add ?sslmode=verify-full.",
            id="agency.W006",
        )
