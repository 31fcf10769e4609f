"""The demo: which database it may take, what it shows, and to whom."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.translation import override
from openpyxl import load_workbook

from advisors.hours import first_open_month
from agency.models import Agency, Contact, Organisation, Role, User
from agency.month import Month
from subscriptions.admin.queue import queue
from subscriptions.demo import coming, people, sample
from subscriptions.demo.processes import Processes
from subscriptions.models import TierChangeRequest
from tests import factories, workbooks
from workshops.models import Session

pytestmark = pytest.mark.django_db

MARCH = Month.of(2026, 3)
TODAY = dt.date(2026, 4, 14)


# The database


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ENVIRONMENT", "demo")


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("flags", [["--once"], ["--once", "--reset"]])
def test_a_database_of_another_agency_is_left_alone(flags: list[str]) -> None:
    factories.agency()
    factories.organisation("ORG1")
    with override("en"), pytest.raises(CommandError, match="holds something else") as refused:
        call_command("demo", *flags)
    assert refused.value.returncode == 2
    assert (Agency.objects.count(), Organisation.objects.count()) == (1, 1)


def test_people_without_an_agency_are_somebodys_work_too() -> None:
    assert sample.is_free()
    factories.user(role=Role.ADMINISTRATOR)
    assert not sample.is_free()


def test_the_sample_agency_may_be_thrown_away() -> None:
    row = next(load_workbook(sample.SAMPLE)["agency"].iter_rows(min_row=2, values_only=True))
    assert {"name": row[0], "legal_name": row[1]} == sample.NAMES
    agency = factories.agency()
    Agency.objects.update(name=row[0], legal_name=row[1])
    factories.organisation("ORG1")
    assert sample.is_free()
    Agency.objects.filter(pk=agency.pk).update(name="Our agency")
    assert not sample.is_free()


def test_tables_of_another_program_are_left_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE ledger_of_others (id integer)")
    assert not sample.is_free()


@pytest.mark.parametrize("kept", [b"not a database at all, but somebody's file" * 100, None])
def test_a_file_is_taken_only_where_nothing_is_in_it(tmp_path: Path, kept: bytes | None) -> None:
    file = tmp_path / "kept.sqlite3"
    if kept:
        file.write_bytes(kept)
    code = "import django; django.setup()\nfrom subscriptions.demo import sample\n"
    answer = subprocess.run(
        [sys.executable, "-c", f"{code}print(sample.is_free())"],
        cwd=settings.BASE_DIR,
        env={
            "DATABASE_URL": f"sqlite:///{file}",
            "SECRET_KEY": "k" * 50,
            "DJANGO_SETTINGS_MODULE": "agency.settings",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == str(kept is None)


# The commands it runs


@pytest.mark.parametrize(("command", "accepted"), [("bill", True), ("close_month", False)])
def test_bad_news_ends_the_demo_unless_it_is_of_bill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, *, accepted: bool
) -> None:
    (tmp_path / "manage.py").write_text("import sys; sys.exit(int(sys.argv[2]))")
    monkeypatch.setattr(settings, "BASE_DIR", tmp_path)
    processes = Processes(tmp_path, {})
    processes.run(command, "0")
    if accepted:
        processes.run(command, "1")
    else:
        with pytest.raises(subprocess.CalledProcessError):
            processes.run(command, "1")
    with pytest.raises(subprocess.CalledProcessError):
        processes.run(command, "2")


# What it shows


@pytest.fixture
def clients() -> list[Organisation]:
    """Make a client of each display, and one that keeps within its hours."""
    shown = (("A", "exact", 60), ("B", "exact", 0), ("C", "band", 0), ("D", "withheld", 0))
    made = {}
    for code, display, overage in (*shown, ("E", "all_in", 0)):
        contract = workbooks.client(code, organisation={"legal_name": f"Client {code}"})
        factories.statement(contract, display=display, overage_quarters=overage)
        made[code] = contract
    for code, failed_on in (("F", None), ("G", dt.date(2026, 3, 9))):
        late = factories.organisation(code, legal_name=f"Client {code}")
        factories.invoice(
            late,
            state="open",
            number=code,
            stripe_id=code,
            due_on=dt.date(2026, 3, 2),
            debit_failed_on=failed_on,
        )
    return people.give_clients(people.make_people("a password of many words"), MARCH, on=TODAY)


def test_the_contact_opens_on_a_client_within_its_hours_and_can_see_every_display(
    clients: list[Organisation],
) -> None:
    with override("en"):
        shown = [(row.legal_name, people.shown_of(row, MARCH, on=TODAY)) for row in clients]
    assert shown == [
        ("Client B", "figures"),
        ("Client C", "a band instead of figures"),
        ("Client D", "no figures: withheld"),
        ("Client E", "no figures: an all-in price"),
        ("Client F", "nothing published, an invoice overdue"),
        ("Client G", "nothing published, a debit that failed"),
    ]


def test_there_is_a_sign_in_for_each_role() -> None:
    factories.advisor("ADV1")
    people.make_people("a password of many words")
    ours = User.objects.filter(email__endswith=f"@{people.DOMAIN}")
    assert set(ours.values_list("role", flat=True)) == set(Role.values)
    assert all(user.check_password("a password of many words") for user in ours)


def tasks() -> set[str]:
    reader = User.objects.get(email=f"admin@{people.DOMAIN}")
    return {
        task.what for section in queue(TODAY, reader, first_open_month()) for task in section.tasks
    }


def test_the_queue_has_every_task_that_planning_can_bring(clients: list[Organisation]) -> None:
    factories.offering("WS-1")
    factories.qualification(factories.advisor("ADV1"), valid_until=dt.date(2026, 1, 15))
    contact = Contact.objects.all()[0].user
    before = tasks()
    coming.make_coming(clients, contact, TODAY)
    assert len(tasks() - before) == 3  # a session without a trainer, a request, a certificate
    for organisation in clients:
        assert Session.objects.filter(organisation=organisation, starts_at__date__gt=TODAY).exists()


def test_taking_the_demo_up_again_adds_nothing(clients: list[Organisation]) -> None:
    factories.offering("WS-1")
    factories.qualification(factories.advisor("ADV1"), valid_until=dt.date(2026, 1, 15))
    contact = Contact.objects.all()[0].user
    counts = []
    for _time in range(2):
        people.make_people("a password of many words")
        people.give_clients(contact, MARCH, on=TODAY)
        coming.make_coming(clients, contact, TODAY)
        counts.append(
            [model.objects.count() for model in (User, Contact, Session, TierChangeRequest)]
        )
    assert counts[0] == counts[1]
