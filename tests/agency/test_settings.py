"""What settings follow from the environment, and what the database is told."""

from __future__ import annotations

import os
import runpy
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from tests.agency.test_environment import LIVE, ROOT


@pytest.fixture
def settings_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def read(**variables: str) -> dict[str, Any]:
        for name in set(os.environ) - {"PATH", "HOME"}:
            monkeypatch.delenv(name)
        variables = {"DATABASE_URL": f"sqlite:///{tmp_path}/a.sqlite3", **variables}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "agency/settings.py"))

    return read


def test_a_live_place_binds_cookies_to_the_host_and_to_encryption(settings_in: Any) -> None:
    live = settings_in(**LIVE)
    for cookie in ("SESSION", "CSRF", "LANGUAGE"):
        assert live[f"{cookie}_COOKIE_NAME"].startswith("__Host-")
        assert live[f"{cookie}_COOKIE_SECURE"]
        assert f"{cookie}_COOKIE_DOMAIN" not in live
    assert live["SECURE_SSL_REDIRECT"]
    assert live["SECURE_HSTS_SECONDS"] >= 31_536_000


@pytest.mark.parametrize(
    ("variables", "required"),
    [(LIVE, True), ({"ENVIRONMENT": "test"}, True), ({"ENVIRONMENT": "demo"}, False), ({}, False)],
)
def test_two_steps_are_required_except_in_a_demo(
    settings_in: Any, variables: dict[str, str], *, required: bool
) -> None:
    assert settings_in(**variables)["TWO_STEP_REQUIRED"] is required


def test_outside_live_mail_stays_on_the_machine(settings_in: Any) -> None:
    demo = settings_in(ENVIRONMENT="demo")
    assert demo["EMAIL_BACKEND"] == "agency.mail.FileBackend"
    assert demo["EMAIL_FILE_PATH"] == ROOT / "var/mail"


def test_no_error_mail_is_sent(settings_in: Any) -> None:
    assert settings_in(**LIVE)["ADMINS"] == []


def test_a_task_is_fetched_again_only_after_it_has_timed_out(settings_in: Any) -> None:
    queue = settings_in()["Q_CLUSTER"]
    assert queue["retry"] > queue["timeout"] + queue["poll"]
    assert queue["max_attempts"] == 3
    assert not queue["ack_failures"]


def ask(question: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(question)
        (answer,) = cursor.fetchone()
        return answer


PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 1,  # NORMAL
    "cache_size": -65536,
    "secure_delete": 1,
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "busy_timeout": 5000,
}


@pytest.mark.django_db
def test_the_database_is_told_what_it_needs() -> None:
    if connection.vendor == "sqlite":
        assert {name: ask(f"PRAGMA {name}") for name in PRAGMAS} == PRAGMAS
        assert connection.transaction_mode == "IMMEDIATE"  # type: ignore[attr-defined]
    else:
        assert int(str(ask("SHOW server_version_num"))) >= 180_000
        assert ask("SHOW timezone") == "UTC"


def test_nobody_else_on_the_machine_reads_a_new_database(settings_in: Any) -> None:
    database = settings_in()["DATABASES"]["default"]
    with closing(sqlite3.connect(database["NAME"])) as made:
        made.executescript(database["OPTIONS"]["init_command"])
        made.execute("CREATE TABLE hours (quarters)")
        files = [*database["NAME"].parent.iterdir()]
        assert [stat.filemode(file.stat().st_mode) for file in files] == ["-rw-------"] * 3


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({"ENVIRONMENT": "demo"}, ""),
        (LIVE, "https://ec.europa.eu/taxation_customs/vies/rest-api"),
        (LIVE | {"VIES_API_BASE": "https://vies.example/api/"}, "https://vies.example/api"),
    ],
)
def test_vies_is_asked_in_a_live_place_only_unless_it_is_named(
    settings_in: Any, variables: dict[str, str], asked: str
) -> None:
    assert settings_in(**variables)["VIES_API_BASE"] == asked


def test_vies_is_never_asked_without_encryption_in_a_live_place(settings_in: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="VIES_API_BASE must begin with https://"):
        settings_in(**LIVE, VIES_API_BASE="http://127.0.0.1:12112")
