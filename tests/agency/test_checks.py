"""`check --deploy` names what a live place still lacks."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from advisors.models import MonthHours
from agency.checks import QUIET_SERVER, live_place_is_finished, the_servers_log_holds_no_rows
from agency.logs import LineFormatter
from agency.month import Month
from tests import factories as make

FINISHED = {
    "ENVIRONMENT": "live",
    "BACKUP_KEY": bytes(32),
    "STRIPE_API_KEY": "rk_live_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_1",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "DEFAULT_FROM_EMAIL": "billing@agency.example",
    "DATABASES": {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": "db.example",
            "OPTIONS": {"sslmode": "verify-full"},
        }
    },
}


def database(**fields: object) -> dict[str, dict[str, object]]:
    return {"default": {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {}, **fields}}


def ids(**changes: object) -> list[str | None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agency.checks.settings", SimpleNamespace(**FINISHED | changes))
        return [message.id for message in live_place_is_finished()]


def test_a_finished_place_has_nothing_to_say() -> None:
    assert ids() == []


def test_only_a_live_place_is_looked_at() -> None:
    assert ids(ENVIRONMENT="demo", STRIPE_API_KEY="") == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"STRIPE_API_KEY": ""}, "agency.E001"),
        ({"STRIPE_WEBHOOK_SECRET": ""}, "agency.E002"),
        ({"EMAIL_BACKEND": "agency.mail.FileBackend"}, "agency.E003"),
        ({"DEFAULT_FROM_EMAIL": "Discreet <noreply@discreet.example>"}, "agency.E004"),
        ({"DATABASES": database(ENGINE="django.db.backends.sqlite3")}, "agency.W005"),
        ({"DATABASES": database(HOST="db.example")}, "agency.W006"),
        ({"BACKUP_KEY": b""}, "agency.W010"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, object], expected: str) -> None:
    assert ids(**changes) == [expected]


def test_a_database_on_this_machine_needs_no_certificate() -> None:
    assert ids(DATABASES=database(HOST="")) == []


@pytest.mark.attack(24)
@pytest.mark.django_db
def test_a_live_postgresql_is_asked_to_write_no_rows_into_its_log(settings: Settings) -> None:
    settings.ENVIRONMENT = "live"
    if connection.vendor == "sqlite":  # it has no server, and no log
        assert the_servers_log_holds_no_rows(databases=["default"]) == []
        return
    with connection.cursor() as cursor:
        found = [message.msg for message in the_servers_log_holds_no_rows(databases=["default"])]
        assert found == [
            "PostgreSQL keeps too much: set log_error_verbosity = terse.",
            "PostgreSQL keeps too much: set log_min_error_statement = panic.",
        ]
        for name in ("log_error_verbosity", "log_min_error_statement"):
            cursor.execute(f"SET LOCAL {name} = '{QUIET_SERVER[name]}'")
    assert the_servers_log_holds_no_rows(databases=["default"]) == []


@pytest.mark.attack(24)
@pytest.mark.django_db
@pytest.mark.logs_errors
def test_a_refused_row_reaches_no_line_of_ours() -> None:
    row = MonthHours(advisor=make.advisor(), organisation=make.organisation(), month=Month(24300))
    row.quarters = 29_767
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        row.save()
    error = (IntegrityError, refused.value, refused.tb)
    record = logging.makeLogRecord({"name": "agency", "msg": "failed", "exc_info": error})
    assert "29767" not in LineFormatter().format(record)
