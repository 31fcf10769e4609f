"""What `manage.py check` says: of addresses without a line, and of a live place not finished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver

from agency import access
from agency.environment import LOOPBACK


@register(Tags.urls)
def every_address_is_in_the_role_matrix(**_kwargs: Any) -> list[CheckMessage]:
    """Name each address that is open to nobody for lack of a line, and each line without one."""
    known = {name for name, _route in addresses()}
    lines = {name for name in access.ADDRESSES if not _is_of_an_inline(name)}
    return [
        *(
            Error(f"agency/access.py does not say who may use {name}.", id="agency.E007")
            for name in sorted(known - set(access.ADDRESSES))
        ),
        *(
            Error(f"agency/access.py says who may use {name}, which is nowhere.", id="agency.E008")
            for name in sorted(lines - known)
        ),
    ]


def addresses(
    patterns: list[URLPattern | URLResolver] | None = None, space: str = "", prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield the name and the route of each address; ``None`` stands for a missing name."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from addresses(pattern.url_patterns, inner, route)
        else:
            yield f"{space}{pattern.name}", route


def _is_of_an_inline(name: str) -> bool:
    """Tell whether an address is of a table that is shown only on the pages of another."""
    app, _, rest = name.removeprefix("admin:").partition("_")
    model = rest.rpartition("_")[0]
    if f"{app}.{model}" not in access.ROWS:
        return False
    from django.contrib import admin

    return not admin.site.is_registered(apps.get_model(app, model))


@register(Tags.security, deploy=True)
def live_place_is_finished(**_kwargs: Any) -> list[CheckMessage]:
    if settings.ENVIRONMENT != "live":
        return []
    return [*_stripe(), *_mail(), *_database(settings.DATABASES["default"]), *_backups()]


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


def _backups() -> Iterator[CheckMessage]:
    if not settings.BACKUP_KEY:
        yield checks.Warning("BACKUP_KEY is empty: no backup can be made.", id="agency.W010")


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


# A row that a constraint refuses is written whole into the log of PostgreSQL, with its statement;
# and who copies the database could read when each row was written.
QUIET_SERVER = {
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "track_commit_timestamp": "off",
}


@register(Tags.database)
def the_servers_log_holds_no_rows(
    databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Name what a live PostgreSQL writes of rows; asked by `migrate` and `check --database`."""
    if settings.ENVIRONMENT != "live" or not databases or connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(QUIET_SERVER)]
        )
        now = dict(cursor.fetchall())
    return [
        checks.Warning(f"PostgreSQL keeps too much: set {name} = {wanted}.", id="agency.W009")
        for name, wanted in QUIET_SERVER.items()
        if now[name] != wanted
    ]
