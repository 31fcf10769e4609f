"""A backup tells a thief nothing, tells nobody when hours were noted, and comes back whole."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from advisors.models import DraftHours, HoursAdjustment, MonthSubmission
from agency import backups, sealed_files
from agency.files import put_whole
from agency.models import Organisation
from agency.retention import erase_person
from agency.schema import pending_migrations
from agency.sealed_files import Label, SpoiltError
from subscriptions import billing, push, reconcile
from subscriptions.audit import audit
from subscriptions.models import Invoice
from subscriptions.sandbox.state import State
from tests import factories as make
from tests.backups import empty_database, opened
from tests.clients import client, close_and_bill, counsellor
from tests.raw_bytes import bytes_kept
from tests.stripe.in_process import line_to

ROOT = Path(__file__).resolve().parents[2]
KEY = bytes(range(32))
NAME = "Hildegonda Quispel"
MONDAY = dt.date(2026, 4, 6)
OF_OPEN_MONTHS = (DraftHours, HoursAdjustment, MonthSubmission)
LEFT_OUT = {"cache", "django_session"}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Any) -> Path:
    settings.BACKUP_KEY = KEY
    settings.ERASURES = tmp_path / "elsewhere/erasures.txt"
    return tmp_path


def rows() -> dict[str, list[str]]:
    """Give the rows of every table but those that backups leave out."""
    found = {}
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - LEFT_OUT:
            cursor.execute(f'SELECT * FROM "{table}"')
            found[table] = sorted(map(str, cursor.fetchall()))
    return found


def differing(before: dict[str, list[str]]) -> set[str]:
    return {table for table, found in rows().items() if found != before[table]}


def keys(row: Any) -> list[bytes]:
    """Give a row's key in each way in which it may be written."""
    return [row.pk.bytes, row.pk.hex.encode(), str(row.pk).encode()]


GUARDS = {
    "sqlite": ["SELECT type, name, sql FROM sqlite_master"],
    "postgresql": [
        "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
        "SELECT conname, contype, convalidated FROM pg_constraint",
        "SELECT indexname, tablename FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT tablename, policyname, roles::text, cmd, permissive FROM pg_policies",
        "SELECT grantee, table_name, privilege_type FROM information_schema.table_privileges",
        "SELECT grantee, column_name, privilege_type FROM information_schema.column_privileges",
    ],
}


def guards() -> list[set[tuple[str, ...]]]:
    """Give everything of the database that is no row: guards, constraints, rights of roles."""
    with connection.cursor() as cursor:
        found = []
        for query in GUARDS[connection.vendor]:
            cursor.execute(query)
            found.append({tuple(map(str, row)) for row in cursor.fetchall()})
    assert all(found)
    return found


@pytest.fixture
def role_of_clients(transactional_db: None) -> Iterator[None]:
    """Give PostgreSQL the role that serves clients, with its rights, for the test."""
    if connection.vendor == "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute((ROOT / "agency/client_role.sql").read_text().replace("%", "%%"))
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP OWNED BY discreet_client")
        for table in ("agency_user", "mfa_authenticator"):
            cursor.execute(f"DROP POLICY open_to_others ON {table}")
            cursor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


@pytest.fixture
def elsewhere(transactional_db: None) -> Iterator[Callable[[str], None]]:
    """Write on another connection, in a transaction that is open already."""
    other = connection.copy()
    with closing(other), other.cursor() as cursor:
        cursor.execute("BEGIN")
        yield cursor.execute


def agency_at_work() -> Invoice:
    """Make a client with closed months, a document to be sent, and hours of an open month."""
    organisation = client("ORG1", "2026-01", hours={"2026-01": 3, "2026-02": 4}).organisation
    make.contact(organisation, make.user("contact", name=NAME, email="h.quispel@client.example"))
    close_and_bill("2025-12", "2026-01", "2026-02")
    advisor = counsellor(organisation)
    make.hours_adjustment(advisor, organisation, "2026-03", 2)
    make.draft_hours(advisor, organisation, "2026-03", 7)
    make.month_submission(advisor, "2026-03")
    billing.approve(Invoice.objects.filter(state="draft"))
    return Invoice.objects.filter(state="approved").latest("run_month")


# The rehearsal


@pytest.mark.attack(41, 42)
@pytest.mark.usefixtures("role_of_clients")
def test_a_backup_of_a_busy_database_comes_back_as_of_one_moment(
    place: Path, elsewhere: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    divided = backups._divided

    def others_go_on(*arguments: Any) -> Any:
        elsewhere("COMMIT")
        elsewhere("UPDATE advisors_drafthours SET quarters = 99")
        return divided(*arguments)

    monkeypatch.setattr(backups, "_divided", others_go_on)
    with line_to(State()) as line:
        invoice = agency_at_work()
        before, guarded = rows(), guards()
        elsewhere("UPDATE agency_organisation SET city = 'half written'")
        call_command("backup", place / "monday.backup")
        assert NAME.encode() in b"".join(opened((place / "monday.backup").read_bytes()))
        assert Organisation.objects.get().city == "half written"
        assert DraftHours.objects.get().quarters == 99
        push.push(invoice.pk, at=timezone.now())
        erase_person("h.quispel@client.example", on=dt.date(2026, 4, 1))

        with empty_database(place):
            call_command("restore", place / "monday.backup")

            assert differing(before) == {"agency_user", "agency_contact"}
            assert guards() == guarded
            assert b"quispel" not in bytes_kept()
            done = reconcile.reconcile(at=timezone.now())
            assert (len(done.repaired), done.found) == (1, [])
            assert [call[:2] for call in line.said].count(("POST", "/v1/invoices")) == 1
            assert Invoice.objects.get(pk=invoice.pk).state == "open"
            assert audit().violations == []


# A series


@pytest.mark.attack(42)
@pytest.mark.django_db(transaction=True)
def test_a_series_holds_no_hours_of_open_months_not_even_in_free_pages(
    place: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    agency_at_work()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = OFF")
    client = Organisation.objects.get()
    taken_back = make.draft_hours(counsellor(client, "B"), client, "2026-03", 5)
    of_open_months = [
        taken_back,
        *(model.objects.exclude(pk=taken_back.pk).get() for model in OF_OPEN_MONTHS),
    ]
    DraftHours.objects.filter(pk=taken_back.pk).delete()
    erase_person("h.quispel@client.example", on=MONDAY)
    listed, before = settings.ERASURES.read_text(), rows()
    backups.back_up(place / "monday.backup", on=MONDAY)
    backups.back_up(place / "tuesday.backup", on=MONDAY)
    live = bytes_kept()
    monday, tuesday = (
        b"".join(opened((place / f"{day}.backup").read_bytes())) for day in ("monday", "tuesday")
    )
    (beside,) = opened((place / backups.BESIDE).read_bytes())
    for row in of_open_months:
        if row is not taken_back or connection.vendor == "sqlite":  # PostgreSQL may have cleaned up
            assert any(key.lower() in live for key in keys(row))
        assert not any(key in monday + tuesday for key in keys(row))
        assert any(key in beside for key in keys(row)) == (row is not taken_back)
    assert sorted(file.name for file in place.glob("*.backup")) == [
        "monday.backup",
        "open-months.backup",
        "tuesday.backup",
    ]

    with empty_database(place):
        assert backups.restore(place / "tuesday.backup").has_open_months
        assert differing(before) == set()
        call_command("migrate", "account", "0008", verbosity=0)  # as an older version has it
        backups.back_up(place / "older.backup", on=MONDAY)
        backups.back_up(place / "newest.backup", on=MONDAY)
    with empty_database(place):
        settings.ERASURES = place / "new/erasures.txt"  # the list was lost with the machine
        call_command("restore", place / "older.backup")
        assert settings.ERASURES.read_text() == listed
        said = capsys.readouterr().err
        assert f"{settings.ERASURES}" in said
        assert "reconcile_stripe --since 2026-04-06" in said
        assert [model.objects.count() for model in OF_OPEN_MONTHS] == [0, 0, 0]
        gone = {model._meta.db_table for model in OF_OPEN_MONTHS}
        assert differing(before) == gone | {"django_migrations"}
        assert not pending_migrations(connection)
        assert audit().violations == []


# Spoilt files


PARTS = [b"first" * 20, b"other" * 20, b"third" * 20]


def sealed(
    path: Path, *parts: bytes, kind: str = "series", database: str = "", key: bytes = KEY
) -> Path:
    with path.open("wb") as file:
        sealed_files.write(file, Label(kind, database or connection.vendor, "0f" * 16), key, parts)
    return path


def is_refused(content: bytes) -> bool:
    try:
        opened(content)
    except SpoiltError:
        return True
    return False


@pytest.mark.attack(42)
def test_a_byte_that_is_missing_changed_or_moved_is_noticed(place: Path) -> None:
    whole = sealed(place / "file", *PARTS).read_bytes()
    assert opened(whole) == PARTS
    assert not any(part in whole for part in PARTS)
    assert all(is_refused(whole[:length]) for length in range(len(whole)))
    for at in range(len(whole)):
        assert is_refused(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert is_refused(whole + b"x")
    head, *sizes = places(whole)
    a, b, c, end = sizes
    for order in ([b, a, c, end], [a, c, end], [a, a, b, c, end], [a, b, end], [end]):
        assert is_refused(head + b"".join(order))
    assert not is_refused(head + a + b + c + end)
    _, d, *_ = places(sealed(place / "later", *PARTS, kind="beside").read_bytes())
    assert is_refused(head + d + b + c + end)


def places(content: bytes) -> list[bytes]:
    """Take a file apart: its line, and each part with its length."""
    at = content.index(b"\n") + 1
    found = [content[:at]]
    while at < len(content):
        until = at + 4 + int.from_bytes(content[at : at + 4], "big")
        found.append(content[at:until])
        at = until
    return found


MANIFEST = {"made_on": "2026-04-06", "migrations": [], "roles": [], "erasures": ["x"], "rows": {}}


def refusal(*words: Any) -> str:
    with pytest.raises(CommandError) as refused:
        call_command(*words)
    assert refused.value.returncode == 2
    return str(refused.value)


@pytest.mark.attack(42)
@pytest.mark.django_db
def test_what_cannot_be_restored_is_told_in_a_sentence_and_changes_nothing(
    place: Path, settings: Any
) -> None:
    other = "postgresql" if connection.vendor == "sqlite" else "sqlite"
    later = json.dumps({**MANIFEST, "migrations": ["agency.9999_to_come"]}).encode()
    good = json.dumps(MANIFEST).encode()
    before = rows()
    told = {
        "lost": refusal("restore", place / "nowhere"),
        "a folder": refusal("restore", place),
        "no backup": refusal("restore", Path(__file__)),
        "another kind": refusal("restore", sealed(place / "k", good, kind="beside")),
        "nothing in it": refusal("restore", sealed(place / "n")),
        "another key": refusal("restore", sealed(place / "y", good, key=KEY[::-1])),
        "another database": refusal("restore", sealed(place / "d", good, database=other)),
        "later": refusal("restore", sealed(place / "l", later)),
        "not empty": refusal("restore", sealed(place / "e", good)),
    }
    (place / backups.BESIDE).write_bytes(sealed(place / "b", good, kind="beside").read_bytes()[:-1])
    told["open months spoilt"] = refusal("restore", place / "e")
    settings.BACKUP_KEY = b""
    told["no key"] = refusal("restore", place / "e")
    assert len(set(told.values())) == len(told)
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in told.values())
    assert rows() == before
    assert not settings.ERASURES.exists()


@pytest.mark.django_db
def test_a_backup_that_cannot_be_made_leaves_what_is_there(place: Path, settings: Any) -> None:
    there = place / "monday.backup"
    there.write_bytes(b"of last week")
    told = {
        refusal("backup", there),
        refusal("backup", place / backups.BESIDE),
        refusal("backup", place / "nowhere/monday.backup"),
    }
    settings.BACKUP_KEY = b""
    told.add(refusal("backup", place / "new.backup"))
    assert len(told) == 4
    with suppress(RuntimeError), put_whole(there) as draft:
        draft.write(b"half")
        raise RuntimeError
    assert [(file.name, file.read_bytes()) for file in place.iterdir()] == [
        ("monday.backup", b"of last week")
    ]


@pytest.fixture
def on_postgresql(transactional_db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is copied without programs, and has no roles")


@pytest.mark.usefixtures("on_postgresql")
def test_what_programs_and_roles_lack_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agency_at_work()
    backups.back_up(place / "monday.backup", on=MONDAY)
    spoilt = [*opened((place / "monday.backup").read_bytes())[:1], b"no archive"]
    with empty_database(place):
        assert "archive" in refusal("restore", sealed(place / "odd", *spoilt))
        assert connection.introspection.table_names() == []
    with transaction.atomic():
        backups._make_roles(["probe"])
        backups._make_roles(["probe"])
        transaction.set_rollback(True)
    monkeypatch.setenv("PATH", "")
    assert "pg_dump" in refusal("backup", place / "new.backup")
    assert not (place / "new.backup").exists()
