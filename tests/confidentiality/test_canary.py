"""Whatever people type, it stays in the columns that are listed for it, and nowhere near the hours.

Every input that the product offers is filled: with a name where a listed column takes words, with a
sentence where none should, and every text of an agency workbook. After months of work all that is
written anywhere is searched: every column, where what is sealed or queued is opened first, the raw
bytes of the database, and what left it.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import logging
import random
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.core.signing import BadSignature
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage
from openpyxl import Workbook
from pytest_django.fixtures import Settings

import workshops.models
from advisors.models import Advisor
from agency import access, backups
from agency.logs import LineFormatter
from agency.models import Contact, Organisation, User
from agency.processing import tables
from agency.sessions import SessionStore
from subscriptions import intake
from subscriptions.models import Invoice
from subscriptions.sandbox.state import State
from tests import factories as make
from tests.agency_workbook import save, small_agency
from tests.backups import opened as opened_backup
from tests.confidentiality import forms, worlds
from tests.confidentiality.forms import Page, Writer, has_canary
from tests.confidentiality.hands import Typed, into_a_workbook, into_the_admin
from tests.confidentiality.test_side_channels import run_in_worker
from tests.confidentiality.test_surfaces import names
from tests.raw_bytes import bytes_kept
from tests.stripe.in_process import Line, line_to

pytestmark = [pytest.mark.django_db, pytest.mark.logs_errors]

SENTENCE = "Mijn leidinggevende schreeuwt elke dag tegen mij"
OF_THE_NAME = ("kanarietje", "zangvogel")
OF_THE_SENTENCE = ("leidinggevende", "schreeuwt")
STRANGE_HEADERS = {"User-Agent": SENTENCE, "Referer": f"http://testserver/?q={SENTENCE}"}


@pytest.fixture(autouse=True)
def key_of_backups(settings: Settings) -> None:
    settings.BACKUP_KEY = bytes(32)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Give what production would write to its log."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(LineFormatter())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def fill_everything(people: Mapping[str, User]) -> Typed:
    """Type the canary wherever the product lets anybody type, and where it does not."""
    contact = Contact.objects.get(organisation__code="QUARTER")
    advisor = Advisor.objects.get(code=worlds.ADVISORS[0])
    typed = into_the_admin(people, rows_to_choose(), STRANGE_HEADERS)
    every = dict(addresses(contact.organisation))
    by_staff: set[str] = set()  # who share their pages
    for person in (None, contact.user, advisor.user, *people.values()):
        names = every.keys() - by_staff if person and person.is_staff else every.keys()
        browser = Client(raise_request_exception=False, headers=STRANGE_HEADERS)
        if person:
            browser.force_login(person)
            names = {name for name in names if person.role in _who_may(name)}
            by_staff |= names if person.is_staff else set()
        for name in sorted(names):
            page = browser.get(every[name], {"q": SENTENCE, SENTENCE: SENTENCE})
            type_into(browser, every[name], page, typed)
    return typed


def _who_may(name: str) -> frozenset[str]:
    """Give who gets past the gate, which answers all others in the place of a view."""
    return access.ADDRESSES[name].readers | access.ADDRESSES[name].writers


def rows_to_choose() -> dict[str, dict[str, str]]:
    """Make what a form can be about, where any row would not do."""
    client = make.organisation("FREE")
    make.headcount(client)
    stated = Organisation.objects.get(code="QUARTER")
    chosen = {
        "subscriptions.booksopening organisation": stated.pk,
        "subscriptions.booksopening month": "2026-02",
        "subscriptions.interestrate valid_from": "2031-01-01",
        "subscriptions.subscription organisation": client.pk,
        "advisors.advisor organisation": client.pk,
        "advisors.advisor user": make.user("advisor", email="new@advisors.example").pk,
        "agency.organisation user": make.user("contact", email="new@clients.example").pk,
        "workshops.enrolment session": make.session(None, "OPEN").pk,
        "workshops.session trainer": make.advisor("FREE").pk,
        "workshops.session organisation": "",  # of open enrolment, so that it has seats
    }
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for place, row in chosen.items():
        table, name = place.split()
        found[table][name] = str(row)
    return found


@pytest.fixture
def people() -> dict[str, User]:
    return {role: make.user(role, email=f"{role}@staff.example") for role in access.STAFF}


def addresses(client: Organisation) -> Iterator[tuple[str, str]]:
    given: dict[str, Any] = {
        "organisation_id": client.pk,
        "invoice_id": Invoice.objects.filter(organisation=client).earliest("run_month").pk,
        "month": "2026-05",
        "pk": client.pk,
        "app_label": "agency",
    }
    for name, arguments in names():
        if name.endswith("logout"):
            continue
        try:
            where = reverse(name, kwargs={each: given[each] for each in arguments if each in given})
        except NoReverseMatch:  # of the admin, which is filled by its own forms
            continue
        yield name, where


def type_into(browser: Client, address: str, page: Any, typed: Typed) -> None:
    """Send a page's form with the canary in it, and once with inputs that it does not have."""
    extra = {"notes": SENTENCE, "remarks": SENTENCE, "hours": SENTENCE, "email": SENTENCE}
    browser.post(address, extra)
    browser.post(address, json.dumps(extra), content_type="application/json")
    if page.status_code == 200 and page["Content-Type"].startswith("text/html"):
        inputs = Page(page.content.decode()).inputs.values()
        sent = Writer(browser, {}).fill(inputs)
        for each in inputs:
            if each.takes_words:
                typed.offered.add(f"{address} {each.name}")
                if has_canary(sent[each.name]):
                    typed.accepted.add(f"{address} {each.name}")
        typed.forms += bool(inputs)
        browser.post(address, sent | {"notes": SENTENCE})
        browser.post(address, sent | {"password": SENTENCE, "code": SENTENCE, "q": SENTENCE})
        browser.post(address, sent | {"confirm": "yes"})


def columns_with(traces: tuple[str, ...]) -> set[str]:
    """Search every column of every table of the live database."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description or ()]
            for row in cursor.fetchall():
                found |= {
                    f"{table}.{column}"
                    for column, value in zip(columns, row, strict=True)
                    if has(traces, opened(f"{table}.{column}", value))
                }
    return found


def opened(column: str, value: Any) -> str:
    """Write a value as it is read; what is sealed, packed or signed is opened."""
    match column:
        case "django_session.session_data":
            return str(SessionStore().decode(value))
        case "django_q_ormq.payload":
            return signed(value)
        case "cache.value":
            return str(base64.b64decode(value))
        case "django_q_task.args" | "django_q_task.kwargs" | "django_q_task.result":
            return str(Task._meta.get_field(column.rpartition(".")[2]).to_python(value))
        case _:
            return str(value)


def signed(payload: str) -> str:
    try:
        return str(SignedPackage.loads(payload))
    except BadSignature:
        return payload


def has(traces: tuple[str, ...], text: str) -> bool:
    return any(trace in text.lower() for trace in traces)


def listed_columns() -> set[str]:
    """Give the columns for words of the record of processing, as the database names them."""
    from django.apps import apps

    return {
        f"{apps.get_model(entry.model)._meta.db_table}.{column}"
        for entry in tables()
        if entry.model
        for column in entry.columns
    }


def places_with(traces: tuple[str, ...], left: Mapping[str, str]) -> set[str]:
    """Give the columns and the other places in which a trace of the canary stands."""
    elsewhere = {place for place, text in left.items() if has(traces, text)}
    return columns_with(traces) | elsewhere


def backed_up(directory: Path) -> dict[str, str]:
    """Make a backup, and give it as it lies there and as who has the key can read it."""
    series = directory / f"{uuid.uuid4()}.backup"
    beside = backups.back_up(series, on=timezone.localdate())
    sealed = [file.read_bytes() for file in (series, beside)]
    texts = {
        "backups": b"".join(sealed),
        "opened backups": b"".join(part for content in sealed for part in opened_backup(content)),
    }
    return {name: content.decode("utf-8", "replace") for name, content in texts.items()}


def left_behind(
    log: io.StringIO, line: Line, books: Iterable[Path], directory: Path
) -> dict[str, str]:
    """Give all that is outside of the columns.

    Raw bytes, log, mails, backups, workbooks, Stripe and its stand-in.
    """
    texts = {
        **backed_up(directory),
        "raw bytes": bytes_kept().decode("utf-8", "replace"),
        "log": log.getvalue(),
        "mails": "\n".join(
            f"{m.subject} {m.body} {getattr(m, 'alternatives', '')}" for m in mail.outbox
        ),
        "stripe": "\n".join(" ".join(call) for call in line.said),
        "sandbox": "\n".join(line.state.connection.iterdump()),
    }
    for path in books:
        with zipfile.ZipFile(path) as book:
            texts[path.name] = "\n".join(
                book.read(part).decode("utf-8", "replace") for part in book.namelist()
            )
    return texts


def workbooks(directory: Path) -> list[Path]:
    call_command("export_utilisation", "2026-03", out=directory)
    call_command("export_agency", directory / "agency.xlsx")
    return sorted(directory.rglob("*.xlsx"))


def work_off_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each kind of task that waits, so that its arguments and its result are kept."""
    waiting = {row.task["func"]: row.task["args"] for row in OrmQ.objects.all()}
    assert waiting
    for function, arguments in waiting.items():
        run_in_worker(monkeypatch, function, *arguments)


@pytest.mark.attack(14, 17, 18, 19, 21, 25, 26, 28, 40, 42)
@pytest.mark.django_db(transaction=True)  # raw bytes are those of what was committed
def test_what_is_typed_stays_where_it_belongs(
    log: io.StringIO,
    tmp_path: Path,
    people: dict[str, User],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.TODAY = dt.date(2026, 5, 6)
    codes = ["QUARTER", "MONTHLY"]
    worlds.open_world(codes)
    ledger = worlds.random_ledger(random.Random(1), codes)  # noqa: S311
    with line_to(State()) as line:
        worlds.play(ledger, line, worlds.MONTHS[:3])
        typed = fill_everything(people)
        worlds.play(ledger, line, worlds.MONTHS[3:5])
        work_off_the_queue(monkeypatch)
        left = left_behind(log, line, workbooks(tmp_path), tmp_path)

    assert typed.offered - typed.accepted == set()
    assert typed.forms > 60
    assert len(left) > 9  # with workbooks of the agency, of staff and of clients
    assert left["log"].count("\n") > 100
    assert places_with(OF_THE_SENTENCE, left) == set()
    named = places_with(OF_THE_NAME, left)
    assert len(named) > 35  # the canary did get in where words may stand
    assert named - listed_columns() <= left.keys() - {"log", "mails", "backups"}


@pytest.mark.attack(14, 17)
def test_an_input_that_was_not_filled_is_missed(
    people: dict[str, User], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TODAY = dt.date(2026, 5, 6)
    worlds.open_world(["QUARTER"])
    filled = forms.words

    def forgetful(each: forms.Input, number: int) -> str:
        return "" if each.name == "location" else filled(each, number)

    monkeypatch.setattr(forms, "words", forgetful)
    typed = into_the_admin(people, rows_to_choose(), models=[workshops.models.Session])

    assert typed.offered - typed.accepted == {"workshops.session location"}


@pytest.mark.attack(14, 40)
def test_what_stands_in_an_agency_workbook_stays_where_it_belongs(
    log: io.StringIO, tmp_path: Path
) -> None:
    sheets, typed = into_a_workbook(small_agency())
    book = save(tmp_path / "agency.xlsx", sheets)
    spoilt = {name: [*rows, dict.fromkeys(rows[0], SENTENCE)] for name, rows in sheets.items()}

    refused = intake.bring_in(save(tmp_path / "spoilt.xlsx", spoilt))
    assert refused.problems
    assert columns_with(OF_THE_NAME + OF_THE_SENTENCE) == set()
    assert intake.bring_in(book).problems == []

    assert typed.offered - typed.accepted == set()
    named = columns_with(("kanarietje",))
    assert len(named) > 20
    assert named <= listed_columns()
    assert not has(("kanarietje", *OF_THE_SENTENCE), log.getvalue())


@pytest.mark.attack(14, 40)
@pytest.mark.django_db(transaction=True)
def test_a_canary_that_got_out_is_heard_wherever_it_is(log: io.StringIO, tmp_path: Path) -> None:
    def heard() -> set[str]:
        return places_with(OF_THE_SENTENCE, left_behind(log, line, [book], tmp_path))

    book = tmp_path / "book.xlsx"
    Workbook().save(book)
    with line_to(State()) as line:
        assert heard() == set()
        make.user(name=SENTENCE).delete()
        assert heard() == {"raw bytes"}

        logging.getLogger("agency").warning(f"refused {SENTENCE}")  # noqa: G004 - the leak
        mail.send_mail("Bericht", SENTENCE, None, ["somebody@clients.example"])
        line.said.append(("POST", "/v1/invoices", SENTENCE))
        line.state.connection.execute("INSERT INTO setting VALUES (?, 1)", [SENTENCE])
        told = Workbook()
        told.create_sheet()["A1"] = SENTENCE
        told.save(book)
        cache.set("key", SENTENCE)
        session = SessionStore()
        session["typed"] = SENTENCE
        session.save()
        make.audit_event(make.organisation(), fields=SENTENCE)
        OrmQ.objects.create(key="discreet", payload=SignedPackage.dumps({"args": (SENTENCE,)}))
        now = timezone.now()
        Task.objects.create(id="1", name="", func="", args=(SENTENCE,), started=now, stopped=now)
        assert heard() == {
            *("raw bytes", "log", "mails", "stripe", "sandbox", "book.xlsx", "opened backups"),
            *("cache.value", "django_session.session_data", "agency_auditevent.fields"),
            *("django_q_ormq.payload", "django_q_task.args"),
        }
