"""`check --deploy` names what a live place still lacks."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from agency.checks import live_place_is_finished

FINISHED = {
    "ENVIRONMENT": "live",
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
    ],
)
def test_what_is_missing_is_named(changes: dict[str, object], expected: str) -> None:
    assert ids(**changes) == [expected]


def test_a_database_on_this_machine_needs_no_certificate() -> None:
    assert ids(DATABASES=database(HOST="")) == []
