"""Nothing but the hours themselves is left by recording, and no moment by an advisor's visit."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.signing import BadSignature, Signer
from django.db import connection, models
from django.test import Client as Browser
from django_q.models import OrmQ
from pytest_django import Settings

from advisors import views
from advisors.models import DraftHours
from agency.checks import addresses
from agency.models import AuditEvent
from agency.month import AMSTERDAM
from agency.schedules import declared
from agency.sessions import SessionStore, unseal
from agency.tasks import forget_cached
from tests import factories as make
from tests.confidentiality import world
from tests.confidentiality.test_side_channels import log_lines

pytestmark = pytest.mark.django_db

MORNING = dt.datetime(2026, 4, 8, 8, 12, 34, tzinfo=dt.UTC)


@pytest.fixture
def own(settings: Settings) -> world.Client:
    settings.TODAY = world.TODAY
    return world.two_clients()[0]


def all_rows() -> dict[str, list[tuple[Any, ...]]]:
    """Give every row of every table, those of packages and of the queue too."""
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found[table] = sorted(cursor.fetchall(), key=repr)
        return found


@pytest.mark.attack(19, 20, 21, 29, 48)
def test_recording_changes_one_row_and_leaves_nothing_else_anywhere(own: world.Client) -> None:
    browser = Browser()
    browser.force_login(own.counsellor)
    browser.get("/hours/")  # the visit itself is noted once, sealed
    before, status = all_rows(), statuses()

    press = {"organisation": str(own.organisation.pk), "from_quarters": "77", "to_quarters": "2900"}
    assert browser.post("/hours/2026-04/", press).status_code == 200

    after = all_rows()
    assert [table for table in after if after[table] != before[table]] == ["advisors_drafthours"]
    assert len(after["advisors_drafthours"]) == len(before["advisors_drafthours"])
    assert sorted(DraftHours.objects.values_list("quarters", flat=True)) == [77, 2900]
    assert mail.outbox == []  # 725 of 20 hours, and nobody is warned
    assert not OrmQ.objects.exists()
    assert statuses() == status


def statuses() -> list[tuple[int, bytes]]:
    answers = [Browser().get(address) for address in ("/healthz", "/readyz")]
    return [(answer.status_code, answer.content) for answer in answers]


@pytest.mark.attack(19)
def test_audit_events_have_a_day_and_the_names_of_fields_and_no_room_for_values() -> None:
    fields = {field.name: type(field) for field in AuditEvent._meta.concrete_fields}
    assert fields["on"] is models.DateField
    assert set(fields) == {"id", "on", "actor", "action", "subject_model", "subject_id", "fields"}
    assert not issubclass(models.DateField, models.DateTimeField)


@pytest.mark.attack(18, 19)
def test_what_staff_type_stays_in_its_own_column(own: world.Client) -> None:
    """Whatever is added, changed and deleted, the traces of it name fields and hold no value."""
    browser = Browser()
    browser.force_login(make.user("controller"))
    offering = {
        "code": "WS-2", "kind": "workshop", "title_nl": "Canary of nobody", "title_en": "Two",
        "minutes": "180", "capacity": "16", "price_cents": "9876,54",
    }  # fmt: skip
    before = all_rows()

    added = browser.post("/admin/workshops/offering/add/", offering)
    key = AuditEvent.objects.get(action="added").subject_id
    changed = browser.post(
        f"/admin/workshops/offering/{key}/change/", offering | {"title_en": "Canary of nobody"}
    )
    rung = own.key("workshops.cancellationrung")
    deleted = browser.post(f"/admin/workshops/cancellationrung/{rung}/delete/", {"post": "yes"})

    assert [answer.status_code for answer in (added, changed, deleted)] == [302, 302, 302]
    after = all_rows()
    holding = {
        table for table in after if "Canary" in repr(after[table]) or "987654" in repr(after[table])
    }
    assert holding == {"workshops_offering"}
    assert {table for table in after if after[table] != before[table]} <= {
        "workshops_offering", "workshops_cancellationrung", "agency_auditevent", "django_session",
    }  # fmt: skip
    told = AuditEvent.objects.exclude(subject_model="agency.organisation").order_by("action")
    assert [(event.action, event.fields) for event in told] == [
        ("added", ""),
        ("changed", "Title in English"),
        ("deleted", ""),
    ]
    assert after["django_admin_log"] == []


# Visits


def session_row(user: Any, at: dt.datetime) -> Session:
    Session.objects.all().delete()
    browser = Browser()
    with time_machine.travel(at, tick=False):
        browser.force_login(user)
        browser.get("/hours/")
    return Session.objects.get()


@pytest.mark.attack(20, 40)
def test_a_session_tells_the_day_and_no_moment_and_nobody(own: world.Client) -> None:
    early = session_row(own.counsellor, MORNING)
    late = session_row(own.counsellor, MORNING + dt.timedelta(hours=9))

    assert early.expire_date == late.expire_date
    sealed = base64.urlsafe_b64decode(late.session_data)
    assert sealed[1:9] == bytes(8)  # where a seal says when it was made
    assert str(own.counsellor.pk).encode() not in sealed
    with pytest.raises(BadSignature):
        Signer().unsign_object(late.session_data)
    assert SessionStore(late.session_key).decode(late.session_data)["began_seconds"]


def test_a_session_of_a_later_key_or_another_hand_is_none(settings: Settings) -> None:
    sealed = SessionStore().encode({"a": 1})
    assert SessionStore().decode(sealed) == {"a": 1}
    assert SessionStore().decode(sealed[:-4] + "AAA=") == {}
    settings.SECRET_KEY = "another key, for tests only"
    assert SessionStore().decode(sealed) == {}


def code_of(secret: str) -> str:
    counter = next(iter(totp.yield_hotp_counters_from_time()))
    return str(totp.format_hotp_value(totp.hotp_value(secret, counter)))


def authenticator(person: Any) -> totp.TOTP:
    return totp.TOTP(Authenticator.objects.get(user=person, type="totp"))


@pytest.mark.attack(40)
def test_a_copy_of_the_database_holds_no_second_step(own: world.Client) -> None:
    person = own.counsellor
    totp.TOTP.activate(person, secret := totp.generate_totp_secret())
    codes = RecoveryCodes.activate(person)
    known = codes.generate_codes()

    kept = repr(all_rows()["mfa_authenticator"])
    assert not any(word in kept for word in (secret, unseal(codes.instance.data["seed"]), *known))
    assert codes.validate_code(known[3])
    assert not codes.validate_code(known[3])
    assert authenticator(person).validate_code(code_of(secret))


@pytest.mark.attack(40)
def test_second_steps_outlive_a_key_that_is_kept_as_a_former_one(
    own: world.Client, settings: Settings
) -> None:
    totp.TOTP.activate(own.counsellor, secret := totp.generate_totp_secret())
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another key, for tests only"
    with pytest.raises(InvalidToken):
        authenticator(own.counsellor).validate_code(code_of(secret))
    settings.SECRET_KEY_FALLBACKS = [former]
    assert authenticator(own.counsellor).validate_code(code_of(secret))


@pytest.mark.attack(40)
def test_second_steps_of_before_are_sealed_by_the_migration(own: world.Client) -> None:
    sealing = import_module("agency.migrations.0004_sealed_second_steps")
    secret, open_codes = totp.generate_totp_secret(), ["12345678", "23456789"]
    rows = {"totp": {"secret": secret}, "recovery_codes": {"migrated_codes": open_codes}}
    for kind, data in rows.items():
        Authenticator.objects.create(user=own.counsellor, type=kind, data=data)

    sealing.seal_all(apps, None)

    kept = repr(all_rows()["mfa_authenticator"])
    assert not any(word in kept for word in (secret, *open_codes))
    assert authenticator(own.counsellor).validate_code(code_of(secret))
    codes = RecoveryCodes(Authenticator.objects.get(type="recovery_codes"))
    assert codes.get_unused_codes() == open_codes
    sealing.open_all(apps, None)
    assert {row.type: row.data for row in Authenticator.objects.all()} == rows


def sign_in(person: Any, browser: Browser) -> str:
    """Sign in with password and second step; give the code that was used."""
    person.set_password("long enough for anybody")
    person.save()
    totp.TOTP.activate(person, secret := totp.generate_totp_secret())
    signing = {"login": person.email, "password": "long enough for anybody"}
    assert browser.post("/account/login/", signing)["Location"] == "/account/2fa/authenticate/"
    step = {"code": code_of(secret)}
    assert browser.post("/account/2fa/authenticate/", step)["Location"] == "/"
    return step["code"]


@pytest.mark.attack(20)
def test_signing_in_with_two_steps_leaves_no_moment(own: world.Client) -> None:
    person, browser = own.counsellor, Browser()
    code = sign_in(person, browser)

    assert browser.get("/hours/").status_code == 200
    assert [row.last_used_at for row in Authenticator.objects.all()] == [None]
    attempts = all_rows()["cache"]  # that the code was used is kept for minutes
    assert attempts
    for told in (str(person.pk), person.email, code, "127.0.0.1", "totp"):
        assert told not in repr([(key, _opened(value)) for key, value, _ends in attempts])
    assert "last_login" not in {field.name for field in type(person)._meta.get_fields()}


@pytest.mark.attack(20, 40)
def test_a_second_step_tells_the_day_of_its_setting_up_and_no_moment(own: world.Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        totp.TOTP.activate(own.counsellor, totp.generate_totp_secret())
        codes = RecoveryCodes.activate(own.counsellor)
        codes.mark_as_viewed()

    kept = Authenticator.objects.all()
    day = MORNING.astimezone(AMSTERDAM).date()
    assert [row.created_at for row in kept] == [dt.datetime.combine(day, dt.time(), AMSTERDAM)] * 2
    assert RecoveryCodes(kept.get(type="recovery_codes")).did_view
    assert str(int(MORNING.timestamp())) not in repr(all_rows()["mfa_authenticator"])


def _opened(value: str) -> bytes:
    return base64.b64decode(value)


@pytest.mark.attack(21)
def test_no_line_is_written_of_a_visit_from_its_first_page_to_signing_out(
    own: world.Client,
) -> None:
    browser = Browser()
    with log_lines() as written:
        browser.get("/")
        browser.get("/hours/")
        browser.post("/account/login/", {"login": own.counsellor.email, "password": "wrong"})
        sign_in(own.counsellor, browser)
        browser.get("/")
        browser.get("/hours/2026-04/")
        browser.post("/language/", {"language": "nl"})
        browser.post("/account/logout/")
        Browser(enforce_csrf_checks=True).post("/account/login/", {})
        Browser().get("/portal/")  # a line, so that there is somewhere to write
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    lines = [line for line in told if line["level"] != "DEBUG"]  # as everywhere but here
    assert [line.get("route") for line in lines] == ["portal/"], lines


@pytest.mark.attack(20, 40)
def test_when_a_code_ends_is_forgotten_within_minutes(own: world.Client) -> None:
    with time_machine.travel(MORNING, tick=False):
        sign_in(own.counsellor, Browser())
    with time_machine.travel(MORNING + dt.timedelta(minutes=5), tick=False):
        over = dt.datetime.now(dt.UTC)
        assert ends_of_cached(over)
        forget_cached()
        assert not ends_of_cached(over)
    every = {one.function: one.minutes for one in declared()}
    assert every["agency.tasks.forget_cached"] == 5


def ends_of_cached(before: dt.datetime) -> list[Any]:
    with connection.cursor() as cursor:
        moment = connection.ops.adapt_datetimefield_value(before)
        cursor.execute("SELECT expires FROM cache WHERE expires < %s", [moment])
        return list(cursor.fetchall())


@pytest.mark.attack(39)
def test_a_code_to_sign_in_is_kept_nowhere_in_the_open_and_works_once(own: world.Client) -> None:
    browser = Browser()
    browser.post("/account/login/code/", {"email": own.contact.email})
    (message,) = mail.outbox
    (code,) = re.findall(r"\b\d{6}\b", str(message.body))
    assert "://" not in str(message.body)  # a code, and no link that signs in
    assert code not in repr(all_rows())

    assert browser.post("/account/login/code/confirm/", {"code": code})["Location"] == "/"
    assert browser.get("/portal/").status_code == 302

    other = Browser()
    other.post("/account/login/code/confirm/", {"code": code})
    assert other.get("/portal/")["Location"].startswith("/account/login/code/?next=")


# Where a moment may stand, and why. Tables of packages that are not in use are empty.
MOMENTS = {
    "account.EmailConfirmation": "not in use: a code by mail proves the address",
    "admin.LogEntry": "not in use: audit events stand in its place",
    "django_q.OrmQ": "when a task was taken up; none comes from hours",
    "django_q.Schedule": "when a schedule is due next",
    "django_q.Task": "when a task ran; forgotten after a month",
    "mfa.Authenticator": "the day on which a second step was set up; its use is not noted",
    "sessions.Session": "the same for all sessions of a day",
    "subscriptions.StripeEvent": "when Stripe told of an invoice",
    "subscriptions.StripeStep": "when an invoice was sent to Stripe",
    "workshops.Session": "when a workshop begins: the client ordered it",
}


@pytest.mark.attack(20)
def test_moments_stand_in_these_tables_and_in_no_other() -> None:
    found = {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if isinstance(field, models.DateTimeField | models.TimeField) and not model._meta.proxy
    }
    assert found == set(MOMENTS)


def test_there_is_no_token_of_the_api_whose_use_could_be_noted() -> None:
    assert not apps.is_installed("rest_framework.authtoken")


@pytest.mark.attack(37)
def test_the_addresses_of_hours_name_a_month_and_no_client() -> None:
    routes = {route for name, route in addresses() if name.startswith("hours:")}
    assert routes == {
        "hours/",
        "hours/<str:month>/",
        "hours/<str:month>/submit/",
        "hours/<str:month>/take-back/",
    }
    assert "request.GET" not in Path(views.__file__).read_text(encoding="utf-8")
