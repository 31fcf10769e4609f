"""What holds for every page."""

from __future__ import annotations

import datetime as dt
import logging

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client, RequestFactory
from django.urls import URLResolver, get_resolver
from pytest_django.fixtures import Settings

from agency.middleware import tells_no_hours
from agency.models import Role, User
from tests.factories import user

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 4, 14, 9, tzinfo=dt.UTC)


@pytest.fixture
def planner() -> User:
    return user(role=Role.PLANNER)


def minutes(number: int) -> dt.datetime:
    return START + dt.timedelta(minutes=number)


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 302 and client.get("/")["Location"] == "/admin/"


@pytest.mark.attack(36, 37)
class TestHeaders:
    def test_every_page_forbids_scripts_styles_and_frames_of_others(self, client: Client) -> None:
        policy = client.get("/account/login/code/")["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self'" in policy

    @pytest.mark.parametrize(
        ("header", "value"),
        [
            ("Referrer-Policy", "same-origin"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cache-Control", "no-store"),
        ],
    )
    def test_every_page_carries_the_safe_header(
        self, client: Client, planner: User, header: str, value: str
    ) -> None:
        assert value in client.get("/account/login/code/")[header]
        client.force_login(planner)
        assert client.get("/admin/")[header] == value

    def test_signing_out_empties_the_browsers_cache(self, client: Client, planner: User) -> None:
        client.force_login(planner)
        assert "Clear-Site-Data" not in client.get("/admin/")
        assert client.post("/account/logout/")["Clear-Site-Data"] == '"cache", "storage"'


class TestSessions:
    def test_an_idle_hour_ends_a_session(self, client: Client, planner: User) -> None:
        with time_machine.travel(START, tick=False):
            client.force_login(planner)
            assert is_signed_in(client)
        with time_machine.travel(minutes(59), tick=False):
            assert is_signed_in(client)
        with time_machine.travel(minutes(59 + 61), tick=False):
            assert not is_signed_in(client)

    def test_twelve_hours_end_a_busy_session_too(self, client: Client, planner: User) -> None:
        with time_machine.travel(START, tick=False):
            client.force_login(planner)
        for moment in range(0, 12 * 60, 30):
            with time_machine.travel(minutes(moment), tick=False):
                assert is_signed_in(client)
        with time_machine.travel(minutes(12 * 60 + 1), tick=False):
            assert not is_signed_in(client)

    def test_a_session_is_written_at_most_every_five_minutes(
        self, client: Client, planner: User
    ) -> None:
        with time_machine.travel(START, tick=False):
            client.force_login(planner)
            client.get("/")
        for moment, written in ((4, False), (6, True), (7, False)):
            with time_machine.travel(minutes(moment), tick=False):
                assert ("sessionid" in client.get("/").cookies) is written


class TestTwoSteps:
    @pytest.fixture(autouse=True)
    def required(self, settings: Settings) -> None:
        settings.TWO_STEP_REQUIRED = True

    @pytest.mark.parametrize("role", sorted(set(Role.values) - {"contact"}))
    def test_staff_and_advisors_set_up_a_second_step_first(self, client: Client, role: str) -> None:
        client.force_login(user(role=role))
        for path in ("/", "/admin/", "/hours/", "/api/v1/"):
            assert client.get(path)["Location"].endswith("/account/2fa/")

    def test_with_a_second_step_they_pass(self, client: Client, planner: User) -> None:
        Authenticator.objects.create(user=planner, type=Authenticator.Type.TOTP, data={})
        client.force_login(planner)
        assert client.get("/admin/").status_code == 200

    def test_recovery_codes_alone_are_no_second_step(self, client: Client, planner: User) -> None:
        Authenticator.objects.create(user=planner, type=Authenticator.Type.RECOVERY_CODES, data={})
        client.force_login(planner)
        assert client.get("/admin/").status_code == 302

    def test_contacts_whose_code_came_by_mail_pass(self, client: Client) -> None:
        client.force_login(user(role=Role.CONTACT))
        assert client.get("/")["Location"] == "/portal/"


class TestLanguage:
    @pytest.mark.parametrize("language", ["nl", "en"])
    def test_pages_speak_the_language_of_the_user(self, client: Client, language: str) -> None:
        client.force_login(user(role=Role.PLANNER, language=language))
        assert client.get("/admin/")["Content-Language"] == language

    def test_a_choice_made_in_this_browser_wins(self, client: Client) -> None:
        client.force_login(user(role=Role.PLANNER, language="nl"))
        client.cookies["django_language"] = "en"
        assert client.get("/admin/")["Content-Language"] == "en"


@pytest.mark.attack(21)
def test_a_request_is_logged_by_its_route_without_what_was_asked(
    client: Client, planner: User, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(planner)
    with caplog.at_level(logging.INFO, "agency.middleware"):
        client.get("/admin/", {"q": "a word typed"})
    (record,) = [record for record in caplog.records if record.name == "agency.middleware"]
    fields = vars(record)
    assert (fields["route"], fields["status"], fields["role"]) == (
        "admin/",
        200,
        "planner",
    )
    assert "a word typed" not in repr(fields)


@pytest.mark.attack(21)
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["/hours/", "/hours/2026-03/", "/hours/2026-03/submit/"])
def test_no_line_tells_when_hours_were_recorded_also_when_they_were_refused(
    client: Client, caplog: pytest.LogCaptureFixture, path: str, method: str
) -> None:
    client.force_login(user(role=Role.PLANNER))  # who is refused, which Django would log
    with caplog.at_level(logging.INFO):
        assert getattr(client, method)(path).status_code >= 400
        assert client.get("/portal/nowhere/").status_code >= 400  # something to leak

    told = [
        record
        for record in caplog.records
        if record.name in {"agency.middleware", "django.request"}
    ]
    assert {record.name for record in told} == {"agency.middleware", "django.request"}
    assert not [record for record in told if "hours" in repr(vars(record))]


def test_an_error_of_the_hours_pages_is_still_told() -> None:
    request = RequestFactory().post("/hours/2026-03/")
    record = logging.makeLogRecord({"levelno": logging.ERROR, "request": request})
    assert tells_no_hours(record)


def test_only_the_pages_of_signing_in_that_are_in_use_exist() -> None:
    def names(resolver: URLResolver) -> list[str]:
        found: list[str] = []
        for pattern in resolver.url_patterns:
            found += names(pattern) if isinstance(pattern, URLResolver) else [str(pattern.name)]
        return found

    (account,) = [
        pattern
        for pattern in get_resolver().url_patterns
        if isinstance(pattern, URLResolver) and str(pattern.pattern) == "account/"
    ]

    assert sorted(names(account)) == [
        "account_change_password",
        "account_confirm_login_code",
        "account_go_on",
        "account_inactive",
        "account_login",
        "account_logout",
        "account_reauthenticate",
        "account_request_login_code",
        "account_sessions",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_authenticate",
        "mfa_deactivate_totp",
        "mfa_download_recovery_codes",
        "mfa_edit_webauthn",
        "mfa_generate_recovery_codes",
        "mfa_index",
        "mfa_list_webauthn",
        "mfa_login_webauthn",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "mfa_remove_webauthn",
        "mfa_view_recovery_codes",
    ]


@pytest.mark.parametrize("role", ["contact", "advisor", "planner"])
def test_nobody_changes_the_own_address(client: Client, role: str) -> None:
    person = user(role=role)
    client.force_login(person)

    client.post("/account/email/", {"action_add": "", "email": "new@elsewhere.example"})
    client.post("/account/email/", {"action_primary": "", "email": "new@elsewhere.example"})

    person.refresh_from_db()
    assert person.email == f"{role}@people.example"
    assert not EmailAddress.objects.filter(email="new@elsewhere.example").exists()
