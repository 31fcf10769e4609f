"""Whatever people type, it stays in the columns that are listed for it, and nowhere near the hours.

Every input that the product offers is filled: with a name where a listed column takes words, with a
sentence where none should. After months of work all that is written anywhere is searched.
"""

from __future__ import annotations

import io
import json
import logging
import random
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core import mail
from django.core.management import call_command
from django.core.signing import BadSignature
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from advisors.models import Advisor
from agency.logs import LineFormatter
from agency.models import Contact, User
from agency.processing import tables
from subscriptions.models import Invoice
from subscriptions.sandbox.state import State
from tests import factories as make
from tests.confidentiality import worlds
from tests.confidentiality.test_surfaces import names
from tests.stripe.in_process import Line, line_to

pytestmark = [pytest.mark.django_db, pytest.mark.logs_errors]

NAME = "Kanarietje Zangvogel"
SENTENCE = "Mijn leidinggevende schreeuwt elke dag tegen mij"
EMAIL = "kanarietje@zangvogel.example"
OF_THE_NAME = ("kanarietje", "zangvogel")
OF_THE_SENTENCE = ("leidinggevende", "schreeuwt")
STRANGE_HEADERS = {"User-Agent": SENTENCE, "Referer": f"http://testserver/?q={SENTENCE}"}


# What a field wants that takes no name, by the end of its own name.
WANTED = {
    **dict.fromkeys(("month", "until"), "2026-09"),
    **dict.fromkeys(("cents", "quarters", "points", "percent", "thousandths"), "1"),
    **dict.fromkeys(("country", "provinces"), "NL"),
    **dict.fromkeys(("kvk_number", "vat_id", "iban", "oin", "headcount"), ""),
    "email": EMAIL,
    "languages": "nl",
    "days_before": "77",
}
OF_TYPE = {"date": "2026-09-01", "datetime-local": "2026-09-01T10:00", "number": "1"}


class Form(HTMLParser):
    """The inputs of a page's forms, filled as far as they can be, with a name where words fit."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self.select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "select":
            self.select = name
        elif tag == "option" and given.get("value"):
            self.sent.setdefault(self.select, given["value"])
        elif tag == "textarea" or (tag == "input" and kind in {"text", "email"}):
            self.sent[name] = given.get("value") or self.words(name, given)
        elif tag == "input" and kind not in {"submit", "checkbox", "file", "radio"}:
            self.sent[name] = given.get("value") or OF_TYPE.get(kind, "")

    def words(self, name: str, given: dict[str, str]) -> str:
        for ending, value in WANTED.items():
            if name.endswith(ending):
                return value
        return NAME[: int(given.get("maxlength", 200))]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Give what production would write to its log."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(LineFormatter())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def fill_everything() -> None:
    """Type the canary wherever the product lets anybody type, and where it does not."""
    people = [
        None,
        *(make.user(role, email=f"{role}@staff.example") for role in ("planner", "controller")),
        make.user("administrator", email="administrator@staff.example"),
        Contact.objects.earliest("pk").user,
        Advisor.objects.earliest("pk").user,
    ]
    for person in people:
        browser = Client(raise_request_exception=False, headers=STRANGE_HEADERS)
        if person:
            browser.force_login(person)
        for address in addresses(person):
            page = browser.get(address, {"q": SENTENCE, SENTENCE: SENTENCE})
            type_into(browser, address, page)
        if person and person.is_staff:
            for model in admin.site._registry:
                address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/add/"
                type_into(browser, address, browser.get(address))


def addresses(person: User | None) -> Iterator[str]:
    contact = Contact.objects.earliest("pk")
    given: dict[str, Any] = {
        "organisation_id": contact.organisation_id,
        "invoice_id": Invoice.objects.earliest("pk").pk,
        "month": "2026-05",
        "pk": contact.organisation_id,
        "app_label": "agency",
    }
    for name, arguments in names():
        if name.endswith("logout"):
            continue
        try:
            yield reverse(name, kwargs={each: given[each] for each in arguments if each in given})
        except NoReverseMatch:  # of the admin, which is filled by its own forms
            continue


def type_into(browser: Client, address: str, page: Any) -> None:
    """Send a page's form with the canary in it, and once with inputs that it does not have."""
    extra = {"notes": SENTENCE, "remarks": SENTENCE, "hours": SENTENCE, "email": SENTENCE}
    browser.post(address, extra)
    browser.post(address, json.dumps(extra), content_type="application/json")
    if page.status_code == 200 and page["Content-Type"].startswith("text/html"):
        sent = Form(page.content.decode()).sent
        browser.post(address, sent | {"notes": SENTENCE})
        browser.post(address, sent | {"password": SENTENCE, "code": SENTENCE, "q": SENTENCE})


def columns_with(traces: tuple[str, ...]) -> set[str]:
    """Search every column of every table of the live database; queued tasks are decoded."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description or ()]
            for row in cursor.fetchall():
                found |= {
                    f"{table}.{column}"
                    for column, value in zip(columns, row, strict=True)
                    if has(traces, str(value))
                }
    for task in OrmQ.objects.all():
        if has(traces, decoded(task.payload)):
            found.add("django_q_ormq.payload")
    return found


def decoded(payload: str) -> str:
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
        if entry.model and not entry.sealed
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
def test_what_is_typed_stays_where_it_belongs(log: io.StringIO, tmp_path: Path) -> None:
    codes = ["QUARTER", "MONTHLY"]
    worlds.open_world(codes)
    ledger = worlds.random_ledger(random.Random(1), codes)  # noqa: S311
    with line_to(State()) as line:
        worlds.play(ledger, line, worlds.MONTHS[:3])
        fill_everything()
        worlds.play(ledger, line, worlds.MONTHS[3:5])
        texts = written_by(line, tmp_path)

    named = columns_with(OF_THE_NAME)
    assert len(named) > 10  # the canary did get in where words may stand
    assert named <= listed_columns()
    assert columns_with(OF_THE_SENTENCE) == set()
    assert [name for name, text in texts.items() if has(OF_THE_SENTENCE, text)] == []
    assert not has(OF_THE_NAME + OF_THE_SENTENCE, log.getvalue())
    assert log.getvalue().count("\n") > 100


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
