"""Odd values stop the start with one clear sentence, which never repeats the value."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from agency.environment import Environment

ROOT = Path(__file__).resolve().parents[2]


def env(**variables: str) -> Environment:
    return Environment(variables)


class TestValues:
    def test_an_empty_variable_counts_as_not_set(self) -> None:
        assert env(NAME="  ").text("NAME", "default") == "default"

    @pytest.mark.parametrize(
        ("value", "expected"),
        [("true", True), ("1", True), ("Yes", True), ("false", False), ("0", False), ("NO", False)],
    )
    def test_a_flag_is_read(self, value: str, *, expected: bool) -> None:
        assert env(DEBUG=value).flag("DEBUG", default=not expected) is expected

    @pytest.mark.parametrize("value", ["on", "flase", "2", "true!"])
    def test_an_odd_flag_is_refused(self, value: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"^DEBUG must be true or false\.$"):
            env(DEBUG=value).flag("DEBUG", default=False)

    def test_an_unknown_choice_is_refused(self) -> None:
        with pytest.raises(
            ImproperlyConfigured, match=r"^ENVIRONMENT must be one of demo, live\.$"
        ):
            env(ENVIRONMENT="Live").choice("ENVIRONMENT", ["demo", "live"], default="demo")

    @pytest.mark.parametrize("value", ["0", "33", "-1", "2.0", "two", "٣"])
    def test_a_number_out_of_bounds_is_refused(self, value: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"^Q_WORKERS must be a whole number from 1"):
            env(Q_WORKERS=value).whole_number("Q_WORKERS", default=2, at_least=1, at_most=32)

    def test_names_are_parted_by_commas(self) -> None:
        assert env(HOSTS="a.example, b.example").names("HOSTS", default=[]) == [
            "a.example",
            "b.example",
        ]
        with pytest.raises(ImproperlyConfigured, match="single commas"):
            env(HOSTS="a.example,,b.example").names("HOSTS", default=[])

    def test_a_date_is_read_or_refused(self) -> None:
        assert env(TODAY="2026-04-14").date("TODAY") == dt.date(2026, 4, 14)
        assert env().date("TODAY") is None
        with pytest.raises(ImproperlyConfigured, match="TODAY must be a date"):
            env(TODAY="14-04-2026").date("TODAY")

    @pytest.mark.parametrize(
        "value",
        [
            "http://api.example.com",
            "ftp://localhost",
            "api.example.com",
            "https://",
            "https://a?b=c",
        ],
    )
    def test_an_address_without_encryption_is_only_for_this_machine(self, value: str) -> None:
        assert env(BASE="http://127.0.0.1:12111/").web_address("BASE") == "http://127.0.0.1:12111"
        assert env(BASE="https://api.example.com").web_address("BASE") == "https://api.example.com"
        with pytest.raises(ImproperlyConfigured, match=r"^BASE must"):
            env(BASE=value).web_address("BASE")


class TestSecrets:
    def test_a_secret_may_stand_in_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("sk_test_1\n")
        assert env(KEY_FILE=str(tmp_path / "key")).secret("KEY") == "sk_test_1"

    def test_a_secret_set_twice_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ImproperlyConfigured, match="KEY and KEY_FILE are both set"):
            env(KEY="a", KEY_FILE=str(tmp_path / "key")).secret("KEY")

    @pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
    def test_a_missing_empty_or_unreadable_file_is_refused(
        self, tmp_path: Path, content: bytes | None
    ) -> None:
        if content is not None:
            (tmp_path / "key").write_bytes(content)
        with pytest.raises(ImproperlyConfigured, match=r"^KEY_FILE names "):
            env(KEY_FILE=str(tmp_path / "key")).secret("KEY")

    @pytest.mark.parametrize("value", ["secret", "é", "A" * 43, f"{'A' * 43}=A", f"{'A' * 47}="])
    def test_a_key_is_32_bytes_in_base64(self, value: str) -> None:
        assert env(KEY=f"{'A' * 43}=").key("KEY") == bytes(32)
        assert env().key("KEY") == b""
        with pytest.raises(ImproperlyConfigured, match=r"^KEY must be 32 random bytes") as refusal:
            env(KEY=value).key("KEY")
        assert value not in str(refusal.value).removeprefix("KEY")


def database(url: str) -> dict[str, Any]:
    return env(DATABASE_URL=url).database("DATABASE_URL", default="", relative_to=Path("/base"))


class TestDatabase:
    def test_sqlite_paths_are_relative_to_the_project_or_absolute(self) -> None:
        assert database("sqlite:///var/a.sqlite3")["NAME"] == Path("/base/var/a.sqlite3")
        assert database("sqlite:////srv/a.sqlite3")["NAME"] == Path("/srv/a.sqlite3")

    def test_postgresql_takes_an_account_and_options(self) -> None:
        assert database("postgresql://me:p%40ss@db.example:5433/agency?sslmode=verify-full") == {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "agency",
            "OPTIONS": {"sslmode": "verify-full"},
            "USER": "me",
            "PASSWORD": "p@ss",
            "HOST": "db.example",
            "PORT": "5433",
        }

    @pytest.mark.parametrize(
        "url",
        [
            "mysql://root@localhost/agency",
            "sqlite://var/a.sqlite3",
            "sqlite:///a.sqlite3?mode=memory",
            "postgresql://db.example",
            "postgresql://db.example:port/agency",
            "nonsense",
        ],
    )
    def test_anything_else_is_refused_without_repeating_it(self, url: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL ") as refusal:
            database(url)
        assert url not in str(refusal.value)


def mail(url: str) -> dict[str, Any]:
    return env(EMAIL_URL=url).mail("EMAIL_URL", default="", relative_to=Path("/base"))


class TestMail:
    def test_smtp_is_encrypted_unless_it_stays_on_this_machine(self) -> None:
        away = mail("smtp://me:secret@mail.example?from=billing@agency.example")
        assert (away["EMAIL_PORT"], away["EMAIL_USE_TLS"], away["EMAIL_USE_SSL"]) == (
            587,
            True,
            False,
        )
        assert away["DEFAULT_FROM_EMAIL"] == "billing@agency.example"
        assert mail("smtps://mail.example")["EMAIL_USE_SSL"]
        assert not mail("smtp://localhost:1025")["EMAIL_USE_TLS"]

    @pytest.mark.parametrize(
        "url", ["", "smtp://", "http://mail.example", "smtp://mail.example?tls=no", "file://"]
    )
    def test_anything_else_is_refused(self, url: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_URL must be such as"):
            mail(url)


LIVE = {
    "ENVIRONMENT": "live",
    "SECRET_KEY": "x" * 50,
    "ALLOWED_HOSTS": "backoffice.agency.example",
    "STRIPE_API_KEY": "rk_live_1",
    "EMAIL_URL": "smtp://mail.example?from=billing@agency.example",
}


def start(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    variables = {"DATABASE_URL": f"sqlite:///{tmp_path}/a.sqlite3", **variables}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


class TestStart:
    def test_a_live_place_starts(self, tmp_path: Path) -> None:
        assert start(tmp_path, **LIVE).returncode == 0

    @pytest.mark.parametrize(
        ("variables", "sentence"),
        [
            (LIVE | {"DEBUG": "true"}, "DEBUG must be off where ENVIRONMENT is live."),
            (
                LIVE | {"STRIPE_API_KEY": "sk_test_1"},
                "STRIPE_API_KEY is a test key, but ENVIRONMENT is live.",
            ),
            (
                {"STRIPE_API_KEY": "sk_live_1"},
                "STRIPE_API_KEY is a live key, but ENVIRONMENT is not live.",
            ),
            (
                {"STRIPE_API_KEY": "rk_live_1", "ENVIRONMENT": "test"},
                "STRIPE_API_KEY is a live key, but ENVIRONMENT is not live.",
            ),
            (
                LIVE | {"STRIPE_API_BASE": "http://127.0.0.1:12111"},
                "STRIPE_API_BASE must be empty where ENVIRONMENT is live.",
            ),
            (
                LIVE | {"TODAY": "2026-04-14"},
                "TODAY can be fixed only where ENVIRONMENT is demo.",
            ),
            (
                {"ALLOWED_HOSTS": "localhost,backoffice.agency.example"},
                "ALLOWED_HOSTS can name only this machine where ENVIRONMENT is demo.",
            ),
            (
                {"ALLOWED_HOSTS": "*"},
                "ALLOWED_HOSTS can name only this machine where ENVIRONMENT is demo.",
            ),
            (
                LIVE | {"SECRET_KEY": "short"},
                "SECRET_KEY must be set to at least 50 random characters.",
            ),
        ],
        ids=lambda value: value[:24] if isinstance(value, str) else "",
    )
    def test_a_dangerous_mix_is_one_sentence_and_status_2(
        self, tmp_path: Path, variables: dict[str, str], sentence: str
    ) -> None:
        result = start(tmp_path, **variables)
        assert (result.returncode, result.stderr) == (2, f"{sentence}\n")
