"""Whatever people type, it stays in the columns that are listed for it, and nowhere near the hours.

Every input that the product offers is filled: with a name where a listed column takes words, with a
sentence where none should, and every text of an agency workbook. After months of work all that is
written anywhere is searched; what is sealed or queued is opened first.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import logging
import random
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.core.signing import BadSignature
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django_q.signing import SignedPackage
from pytest_django.fixtures import Settings

import workshops.models
from advisors.models import Advisor
from agency import access
from agency.logs import LineFormatter
from agency.models import Contact, Organisation, User
from agency.processing import tables
from agency.sessions import SessionStore
from subscriptions import intake
from subscriptions.models import Invoice
from subscriptions.sandbox.state import State
from tests import factories as make
from tests.agency_workbook import save, small_agency
from tests.confidentiality import forms, worlds
from tests.confidentiality.forms import Page, Writer, has_canary
from tests.confidentiality.hands import Typed, into_a_workbook, into_the_admin
from tests.confidentiality.test_surfaces import names
from tests.stripe.in_process import Line, line_to

pytestmark = [pytest.mark.django_db, pytest.mark.logs_errors]

SENTENCE = "Mijn leidinggevende schreeuwt elke dag tegen mij"
OF_THE_NAME = ("kanarietje", "zangvogel")
OF_THE_SENTENCE = ("leidinggevende", "schreeuwt")
STRANGE_HEADERS = {"User-Agent": SENTENCE, "Referer": f"http://testserver/?q={SENTENCE}"}


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
    for person in (None, contact.user, advisor.user, *people.values()):
        browser = Client(raise_request_exception=False, headers=STRANGE_HEADERS)
        if person:
            browser.force_login(person)
        for address in addresses(contact.organisation):
            page = browser.get(address, {"q": SENTENCE, SENTENCE: SENTENCE})
            type_into(browser, address, page, typed)
    return typed


def rows_to_choose() -> dict[str, dict[str, str]]:
    """Make what a form can be about, where any row would not do."""
    client = make.organisation("FREE")
    make.headcount(client)
    stated = Organisation.objects.get(code="QUARTER")
    chosen = {
        "subscriptions.booksopening organisation": stated.pk,
        "subscriptions.booksopening month": "2026-02",
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


def addresses(client: Organisation) -> Iterator[str]:
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
            yield reverse(name, kwargs={each: given[each] for each in arguments if each in given})
        except NoReverseMatch:  # of the admin, which is filled by its own forms
            continue


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


def written_by(line: Line, tmp_path: Path) -> dict[str, str]:
    """Give all that left the database: mails, requests to Stripe, and files."""
    texts = {
        "mails": "\n".join(f"{m.subject} {m.body} {m.to}" for m in mail.outbox),
        "stripe": "\n".join(" ".join(call) for call in line.said),
    }
    call_command("export_utilisation", "2026-03", out=tmp_path)
    for path in tmp_path.rglob("*.xlsx"):
        with zipfile.ZipFile(path) as book:
            texts[path.name] = "\n".join(
                book.read(part).decode("utf-8", "replace") for part in book.namelist()
            )
    return texts


@pytest.mark.attack(14, 17, 18, 19, 21, 25, 26, 28, 40)
def test_what_is_typed_stays_where_it_belongs(
    log: io.StringIO, tmp_path: Path, people: dict[str, User], settings: Settings
) -> None:
    settings.TODAY = dt.date(2026, 5, 6)
    codes = ["QUARTER", "MONTHLY"]
    worlds.open_world(codes)
    ledger = worlds.random_ledger(random.Random(1), codes)  # noqa: S311
    with line_to(State()) as line:
        worlds.play(ledger, line, worlds.MONTHS[:3])
        typed = fill_everything(people)
        worlds.play(ledger, line, worlds.MONTHS[3:5])
        texts = written_by(line, tmp_path)

    assert typed.offered - typed.accepted == set()
    assert typed.forms > 90
    named = columns_with(OF_THE_NAME)
    assert len(named) > 35  # the canary did get in where words may stand
    assert named <= listed_columns()
    assert columns_with(OF_THE_SENTENCE) == set()
    assert [name for name, text in texts.items() if has(OF_THE_SENTENCE, text)] == []
    assert not has(OF_THE_NAME + OF_THE_SENTENCE, log.getvalue())
    assert log.getvalue().count("\n") > 100


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


@pytest.mark.parametrize("leak", ["log", "column"])
def test_a_canary_that_got_out_is_heard(log: io.StringIO, leak: str) -> None:
    worlds.open_world(["QUARTER"])
    if leak == "log":
        logging.getLogger("agency").warning(f"refused {SENTENCE}")  # noqa: G004 - the leak
        assert has(OF_THE_SENTENCE, log.getvalue())
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE remarks (text varchar(200))")
        cursor.execute("INSERT INTO remarks VALUES (%s)", [SENTENCE])
        try:
            assert columns_with(OF_THE_SENTENCE) == {"remarks.text"}
        finally:
            cursor.execute("DROP TABLE remarks")
