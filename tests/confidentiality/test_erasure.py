"""Who is erased leaves no byte, and a restored backup learns of it."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection

from advisors.models import Advisor, MonthHours
from agency import retention
from agency.models import User
from agency.processing import Table, tables
from agency.retention import InUseError, erase_again, erase_person
from agency.schema import live_columns
from subscriptions import tasks
from subscriptions.retention import erase_expired
from tests import factories as make
from tests.backups import restored_afterwards
from tests.confidentiality.persons import People, client_of_old
from tests.factories import at
from tests.raw_bytes import bytes_kept

TODAY = dt.date(2026, 3, 15)
NIGHT = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def erasures(tmp_path: Path, settings: Any) -> Path:
    settings.ERASURES = tmp_path / "beside/erasures.txt"
    return Path(settings.ERASURES)


# On request


@pytest.mark.django_db
def test_an_erased_advisor_leaves_hours_under_a_random_key() -> None:
    people, contract = People(), client_of_old()
    email = people.advisor("Wilhelmina", contract.organisation, is_active=False)
    done, staying = erase_person(email, on=TODAY)
    assert done["agency.User"] == done["advisors.Advisor"] == done["advisors.Qualification"] == 1
    assert {entry.name for entry, _ in staying} == {
        entry.name
        for entry in tables()
        if entry.erasure == "keep" and entry.name in people.rows[email]
    }
    advisor = Advisor.objects.values().get()
    assert advisor["code"] == f"erased-{advisor['id'].hex[:12]}"
    assert {advisor[name] for name in ("phone", "provinces", "iban")} == {""}
    user = User.objects.get(advisor__pk=advisor["id"])
    assert (user.name, user.is_active) == ("erased", False)
    assert not user.check_password("x")
    assert MonthHours.objects.count() == 1
    assert erase_person(email, on=TODAY) == ({}, [])


@pytest.mark.parametrize("entry", tables(), ids=lambda entry: entry.name)
def test_an_erased_row_is_one_that_an_export_reads_back(entry: Table) -> None:
    if isinstance(entry.erasure, Mapping):
        for name, value in entry.erasure.items():
            field = apps.get_model(entry.model)._meta.get_field(name)
            assert value != "" or field.blank


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["planner", "advisor", "administrator"])
def test_who_works_here_is_not_erased(role: str, erasures: Path) -> None:
    user = make.user(role)
    with pytest.raises(InUseError):
        erase_person(user.email, on=TODAY)
    with pytest.raises(CommandError) as refused:
        call_command("erase_person", user.email)
    assert refused.value.returncode == 2
    assert not erasures.exists()


@pytest.mark.django_db
def test_who_is_enrolled_is_erased_after_the_session_only() -> None:
    seat = make.enrolment(make.session(None, starts_at=at("2026-03-15 10:00")))
    with pytest.raises(InUseError):
        erase_person(seat.email, on=TODAY)
    done, _ = erase_person(seat.email.upper(), on=TODAY + NIGHT)
    assert done == {"workshops.Enrolment": 1}


# Backups


@pytest.mark.attack(41)
@pytest.mark.django_db
def test_an_erasure_is_repeated_after_a_backup_was_restored(erasures: Path) -> None:
    people, contract = People(), client_of_old("OLD", until=None)
    email = people.contact("Wilhelmina", contract)
    seat = people.participant("Wilhelmina")
    with restored_afterwards():
        erase_person(email, on=TODAY)
        erase_person(seat, on=TODAY)
        assert found("Wilhelmina") <= {"subscriptions_invoice", "agency_organisation"}
    assert {"agency_user", "workshops_enrolment"} <= found("Wilhelmina")

    erased = erase_expired(TODAY)

    assert found("Wilhelmina") <= {
        "subscriptions_invoice",
        "agency_organisation",
    }  # the law's seven years
    assert erased["agency.User"] == erased["workshops.Enrolment"] == 1
    assert erase_again() == {}
    listed = erasures.read_text()
    assert len(listed.splitlines()) == 3  # the account, the seat and an invitation
    assert "wilhelmina" not in listed.lower()


@pytest.mark.django_db
def test_an_erasure_of_what_the_backup_does_not_have_is_no_error(erasures: Path) -> None:
    erasures.parent.mkdir()
    erasures.write_text(f"2026-03-01 agency.User {make.user().pk.hex[::-1]}\n")
    assert erase_again() == {}


def found(text: str) -> set[str]:
    """Give the tables of the database in which a text stands, in any column and spelling."""
    with connection.cursor() as cursor:
        hits = set()
        for table in live_columns(connection):
            cursor.execute(f'SELECT * FROM "{table}"')
            if any(text.lower() in str(row).lower() for row in cursor.fetchall()):
                hits.add(table)
        return hits


# Bytes


NAME = "Hildegonda Quispel"  # in no other test: PostgreSQL keeps what those took back


@pytest.fixture
def scanned(transactional_db: None) -> User:
    """Make a person whose name is in no other text, and let the log of the database fill."""
    contract = make.subscription(make.organisation(), "2020-01")
    user = make.user("contact", name=NAME, email="hildegonda.quispel@client.example")
    make.contact(contract.organisation, user)
    for number in range(50):
        User.objects.filter(pk=user.pk).update(name=f"{NAME} {number}")
    User.objects.filter(pk=user.pk).update(name=NAME)
    return user


@pytest.mark.attack(41)
def test_no_byte_of_an_erased_name_is_left(
    scanned: User, capsys: pytest.CaptureFixture[str]
) -> None:
    assert b"quispel" in bytes_kept()  # the scan finds what is there
    call_command("erase_person", scanned.email)
    assert b"quispel" not in bytes_kept()
    assert b"hildegonda" not in bytes_kept()
    assert "gewist" in capsys.readouterr().err


@pytest.mark.attack(41)
def test_no_byte_of_an_expired_name_is_left(
    scanned: User, capsys: pytest.CaptureFixture[str]
) -> None:
    User.objects.filter(pk=scanned.pk).update(is_active=False)
    apps.get_model("subscriptions.Subscription").objects.update(until_month="2021-01")
    cache.set("quispel", "seen", timeout=-1)
    assert b"quispel" in bytes_kept()
    call_command("erase_expired", "--json")
    assert b"quispel" not in bytes_kept()
    answer = json.loads(capsys.readouterr().out)
    assert answer["erased"]["agency.User"] == 1


@pytest.mark.attack(41)
def test_the_task_of_the_night_leaves_no_byte_either(scanned: User) -> None:
    User.objects.update(is_active=False)
    apps.get_model("subscriptions.Subscription").objects.update(until_month="2021-01")
    tasks.erase_expired()
    assert b"quispel" not in bytes_kept()


@contextmanager
def somebody_at_work() -> Iterator[None]:
    """Hold on to the table of users as another process would."""
    if connection.vendor == "sqlite":
        with (
            connection.cursor() as cursor,
            closing(sqlite3.connect(settings.DATABASES["default"]["NAME"])) as other,
        ):
            cursor.execute("PRAGMA busy_timeout = 0")
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM agency_user").fetchone()
            yield
            cursor.execute("PRAGMA busy_timeout = 5000")
        return
    elsewhere = connection.copy()
    with closing(elsewhere), elsewhere.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT count(*) FROM agency_user")
        yield


@pytest.mark.attack(41)
def test_who_is_at_work_in_the_file_is_told_of(
    scanned: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MOST_MILLISECONDS_TO_WAIT", 50)
    with somebody_at_work(), pytest.raises(SystemExit) as ended:
        call_command("erase_person", scanned.email)
    assert ended.value.code == 1
    assert "erase_expired" in capsys.readouterr().err
    call_command("erase_expired")
    assert b"quispel" not in bytes_kept()


@pytest.mark.attack(41)
def test_without_the_overwriting_bytes_would_be_left(
    scanned: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "agency.management.commands.erase_person.overwrite_what_is_free", lambda _: True
    )
    call_command("erase_person", scanned.email)
    assert b"quispel" in bytes_kept()
