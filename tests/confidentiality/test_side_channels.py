"""What leaves by the back door: logs, reports of errors, the queue, mails, browsers, packages."""

from __future__ import annotations

import ast
import datetime as dt
import inspect
import io
import logging
import queue
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from importlib import import_module
from multiprocessing import Value
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import login
from django.core import mail
from django.db import connection, models
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone
from django.utils.log import AdminEmailHandler
from django.views.debug import ExceptionReporter, get_exception_reporter_class
from django_q.models import OrmQ, Task
from django_q.monitor import save_task
from django_q.worker import worker
from pytest_django import Settings

from advisors.models import DraftHours, HoursAdjustment, MonthHours
from agency import access, notices
from agency.admin_base import StaffAdmin
from agency.checks import addresses
from agency.logs import LineFormatter
from agency.models import Contact, User
from subscriptions import announcements, billing, bodies, push, reminders
from subscriptions.models import (
    Invoice,
    Publication,
    PublicationMail,
    StripeStep,
    TierChangeRequest,
)
from subscriptions.sandbox.server import Sandbox
from tests import clients
from tests import factories as make
from tests.confidentiality import world
from tests.stripe.control import listed

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
OURS = ("agency", "advisors", "workshops", "subscriptions")
CANARY = "canary-of-nobody"
# Neither pages nor lines of a log are other ones on the second database: there one walk is enough.
WALKERS = ["contact", "planner", "advisor", access.ANONYMOUS]
READERS = ["contact", "advisor", *access.STAFF]
if connection.vendor != "sqlite":
    WALKERS, READERS = WALKERS[:1], READERS[:1]
TOLD_BY_DJANGO: Any = ExceptionReporter


@pytest.fixture
def own(settings: Settings) -> world.Client:
    settings.TODAY = world.TODAY
    return world.two_clients()[0]


# Texts of rows


@pytest.mark.attack(18)
@pytest.mark.parametrize("model", [DraftHours, MonthHours, HoursAdjustment])
def test_the_text_of_a_row_of_hours_is_its_key(model: type[models.Model]) -> None:
    row = model(quarters=77)
    assert str(row) == str(row.pk)
    assert "77" not in repr(row).replace(str(row.pk), "")


# What the text of a row may be made of: names of who is served and of what is sold, months, kinds,
# and what Stripe calls things. It appears in titles, choices and messages.
TEXTS = frozenset(
    """
    action bought_month card category code days_before description effective_month event_id
    from_month
    due_on from_on generation get_kind_display get_reason_display get_reminded_by_display
    get_role_display get_step_display get_tier_display headcount id invoice kind legal_name
    max_headcount min_headcount month name number object_id on organisation payer percent pk
    plan publication rate_basis_points received_on reference reference_year run_month series
    session start_month statement stripe_id subject_model title_nl until_month user valid_from
    version year_month
    """.split()
)


@pytest.mark.attack(18)
def test_the_text_of_no_row_holds_money_or_hours() -> None:
    used = {
        f"{model._meta.label}.{node.attr}"
        for app in OURS
        for model in apps.get_app_config(app).get_models()
        for node in ast.walk(ast.parse(dedent(inspect.getsource(model.__str__))))
        if isinstance(node, ast.Attribute)
    }
    assert {name for name in used if name.rpartition(".")[2] not in TEXTS} == set()
    assert {word for word in TEXTS if re.search("cents|quarters|hours|iban|email", word)} == set()


@pytest.mark.attack(18)
def test_every_page_of_the_admin_notes_deeds_our_way() -> None:
    for shown in admin.site._registry.values():
        assert isinstance(shown, StaffAdmin)
        for name in ("log_addition", "log_change", "log_deletions"):
            assert getattr(type(shown), name) is getattr(StaffAdmin, name), shown


# Logs


@contextmanager
def log_lines() -> Iterator[io.StringIO]:
    """Collect what every logger would write, at every level, in the form of our lines."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def walk(somebody: world.Person, own: world.Client) -> str:
    """Ask and type a canary at every address; give the lines of the log."""
    typed = dict.fromkeys(("email", "login", "password", "q", "name", "location"), CANARY)
    with log_lines() as written:
        for name, route in addresses():
            address = world.fill_in(name, route, own)
            asked = f"{address}{'&' if '?' in address else '?'}q={CANARY}"
            for method in ("GET", "POST"):
                somebody.ask(method, asked, typed)
        somebody.ask("GET", f"/{CANARY}/")
    return written.getvalue()


@pytest.mark.attack(21)
@pytest.mark.parametrize("role", WALKERS)
def test_no_line_of_a_log_holds_what_was_asked_or_typed(own: world.Client, role: str) -> None:
    lines = walk(world.person(role, own), own)
    assert lines.count("\n") > 300
    assert CANARY not in lines
    keys = [str(own.organisation.pk), *(str(row.pk) for row in own.rows.values())]
    assert [key for key in keys if key in lines] == []
    assert "hours/" not in lines


@pytest.mark.attack(21)
def test_a_line_that_holds_what_was_typed_is_found(
    monkeypatch: pytest.MonkeyPatch, own: world.Client
) -> None:
    def talkative(request: Any) -> str:
        logging.getLogger("agency.gate").info(f"{request.POST.get('name')} was typed")  # noqa: G004
        return access.ANONYMOUS

    monkeypatch.setattr("agency.gate.role_of", talkative)
    assert CANARY in walk(world.person(access.ANONYMOUS, own), own)


def test_the_queue_logs_through_the_same_lines() -> None:
    logger = logging.getLogger("django-q")
    assert logger.handlers == []
    assert logger.propagate


# Errors


class CarelessError(RuntimeError):
    """Raised with a secret in its text."""


def careless(request: Any) -> None:
    """A view that fails with secrets in its variables, its message and its cause."""
    secret = f"{CANARY} {request.POST.get('q', '')}"
    try:
        int(secret)
    except ValueError as error:
        raise CarelessError(secret) from error


def _request() -> Any:
    given = {"q": CANARY, "password": CANARY}
    request = RequestFactory().post(f"/?q={CANARY}", given, headers={"x-secret": CANARY})
    request.COOKIES["sessionid"] = request.COOKIES["other"] = CANARY
    return request


def failure() -> tuple[Any, Any, Any]:
    try:
        careless(_request())
    except CarelessError:
        return sys.exc_info()
    raise AssertionError


@pytest.mark.attack(22)
@pytest.mark.parametrize("form", ["html", "text"])
def test_a_report_of_an_error_holds_places_and_nothing_that_was_met(form: str) -> None:
    request = _request()
    tells: Any = get_exception_reporter_class(request)
    told = getattr(tells(request, *failure()), f"get_traceback_{form}")()
    assert "test_side_channels.py" in told
    assert "CarelessError" in told
    assert "ValueError" in told
    assert CANARY not in told

    of_django: Any = TOLD_BY_DJANGO(request, *failure())
    careless_report = getattr(of_django, f"get_traceback_{form}")()
    assert CANARY in careless_report  # what Django tells by itself


@pytest.mark.attack(22)
def test_a_mail_about_an_error_would_hold_none_either(settings: Settings) -> None:
    settings.ADMINS = [("Somebody", "somebody@agency.example")]
    record = logging.makeLogRecord(
        {"msg": "failed", "levelno": 40, "exc_info": failure(), "request": _request()}
    )
    AdminEmailHandler(include_html=True).emit(record)
    (message,) = mail.outbox
    assert CANARY not in message.message().as_string()


@pytest.mark.attack(22)
@pytest.mark.logs_errors
@pytest.mark.parametrize("debug", [False, True])
def test_a_page_that_fails_says_nothing(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, own: world.Client, *, debug: bool
) -> None:
    settings.DEBUG = debug
    monkeypatch.setattr("subscriptions.portal.views.counsellors", lambda *_: careless(_request()))
    browser = Browser(raise_request_exception=False)
    browser.force_login(own.contact)
    with log_lines() as written:
        answer = browser.get(f"/portal/{own.organisation.pk}/?q={CANARY}")
    assert answer.status_code == 500
    assert CANARY not in answer.content.decode() + written.getvalue()
    assert "CarelessError" in written.getvalue()
    assert mail.outbox == []


# The queue


def fail_in_the_queue(secret: str) -> None:
    raise CarelessError(secret)


def run_in_worker(monkeypatch: pytest.MonkeyPatch, function: Any, *args: Any) -> Task:
    """Run a task as the queue's worker does, and store it as its monitor does."""
    for module in ("worker", "monitor"):  # they would close the connection of the test
        monkeypatch.setattr(f"django_q.{module}.close_old_django_connections", lambda: None)
    tasks: queue.Queue[Any] = queue.Queue()
    results: queue.Queue[Any] = queue.Queue()
    key = uuid4().hex
    task = {"id": key, "name": "one", "func": function, "args": args, "kwargs": {}, "started": None}
    tasks.put(task)
    tasks.put("STOP")
    worker(tasks, results, Value("f", -1), timeout=30)
    done = results.get_nowait()
    done["started"] = done["stopped"]
    save_task(done, None)
    return Task.objects.get(id=key)


@pytest.mark.attack(25)
def test_a_failed_task_keeps_where_it_failed_and_not_why(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = run_in_worker(monkeypatch, fail_in_the_queue, CANARY)
    assert kept.success is False
    assert "test_side_channels.py" in kept.result
    assert "fail_in_the_queue" in kept.result
    assert CANARY not in kept.result


RECEIVERS = {"keep_places_only", "accept_invitations"}  # of signals, in the process that sends


@pytest.mark.attack(25)
def test_a_task_takes_keys_only() -> None:
    found = {}
    for app in ("agency", "subscriptions"):
        module = import_module(f"{app}.tasks")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and name not in RECEIVERS:
                found[f"{app}.{name}"] = [*inspect.signature(function).parameters]
    assert found.pop("agency.mail_notice") == ["kind", "contact_id"]
    assert found.pop("subscriptions.run_job") == ["job_id"]
    assert found.pop("subscriptions.push_invoice") == ["invoice_id"]
    assert found.pop("subscriptions.announce") == ["publication_id"]
    assert found.pop("subscriptions.mail_contact") == ["mail_id"]
    assert found.pop("subscriptions.mail_indexation") == ["row_id"]
    assert found.pop("subscriptions.mail_reminder") == ["reminder_id"]
    assert found.pop("subscriptions.mail_debit_notice") == ["notice_id"]
    assert [name for name, parameters in found.items() if parameters] == []


# Mails


@pytest.mark.attack(28, 29)
def test_these_modules_write_mails_and_no_other() -> None:
    writers = {
        str(file.relative_to(ROOT))
        for app in OURS
        for file in (ROOT / app).rglob("*.py")
        if re.search(
            r"EmailM|send_mail|mail_admins|email_user|render_mail|compose\(", file.read_text()
        )
    }
    assert writers == {
        *("agency/accounts.py", "agency/contacts.py", "agency/mail.py", "agency/notices.py"),
        *("subscriptions/announcements.py", "subscriptions/indexation_letters.py"),
        "subscriptions/einvoice/mail.py",
        *("subscriptions/collection_letters.py", "advisors/submissions.py"),
        *("subscriptions/mails.py", "subscriptions/admin/mails.py"),  # samples, to oneself
    }


@pytest.mark.attack(28)
@pytest.mark.parametrize(
    ("language", "subjects"),
    [
        (
            "en",
            {
                *("Your statement of hours is ready", "Your code to sign in"),
                *("An invoice is not paid yet", "There is a new invoice"),
                "A payment did not come through",
                "A session was planned, moved or cancelled",
            },
        ),
        (
            "nl",
            {
                *("Uw urenopgave staat klaar", "Uw code om aan te melden"),
                *("Een factuur is nog niet betaald", "Er is een nieuwe factuur"),
                "Een betaling is niet gelukt",
                "Een bijeenkomst is gepland, verplaatst of geannuleerd",
            },
        ),
    ],
)
def test_subjects_are_fixed_and_name_nobody(
    own: world.Client, language: str, subjects: set[str]
) -> None:
    own.contact.language = language
    own.contact.save()
    chosen = dict.fromkeys(notices.WANTS.values(), True)
    place = Contact.objects.get(user=own.contact, organisation=own.organisation)
    Contact.objects.filter(pk=place.pk).update(**chosen)
    for kind in notices.SUBJECTS:
        notices.send(kind, place.pk)
    publication = Publication.objects.get()
    announcements.announce(publication.pk)
    for row in PublicationMail.objects.filter(contact__user=own.contact):
        announcements.mail_contact(row.pk)
    Browser().post("/account/login/code/", {"email": own.contact.email})
    make.invoice(own.organisation, "2026-02", state="open", language=language)
    for reminder in reminders.ask(on=dt.date(2026, 8, 1)):
        reminders.send(reminder.pk, on=dt.date(2026, 8, 1))
    assert {message.subject for message in mail.outbox} == subjects


@pytest.mark.attack(30)
def test_mails_of_a_batch_leave_in_an_order_that_tells_nothing(own: world.Client) -> None:
    for number in range(20):
        organisation = make.organisation(f"C{number:02}")
        make.contact(organisation)
        make.statement(make.subscription(organisation))
    OrmQ.objects.all().delete()
    announcements.announce(Publication.objects.get().pk)
    queued = [task.task["args"][0] for task in OrmQ.objects.order_by("id")]
    assert queued == sorted(queued)  # by random key
    assert len(queued) == 22
    of_clients = [
        str(row.pk) for row in PublicationMail.objects.order_by("contact__organisation__code")
    ]
    assert queued != of_clients


# Browsers


class Forms(HTMLParser):
    """Collects the forms of a page: attributes, and whether a browser could fill something in."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str | None]] = []
        self.keeps: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append(given)
            self.keeps.append(False)
        if tag in {"input", "select", "textarea"} and self.forms:
            fixed = given.get("type") == "submit" or given.get("name") in {
                "csrfmiddlewaretoken", "post",
            }  # fmt: skip
            self.keeps[-1] |= not fixed


@pytest.mark.attack(38)
@pytest.mark.parametrize("role", READERS)
def test_no_form_but_those_of_signing_in_is_filled_in_by_the_browser(
    own: world.Client, role: str
) -> None:
    somebody = world.person(role, own)
    TierChangeRequest.objects.all().delete()  # while one waits, its form is not shown
    found: set[str | None] = set()
    for name, route in addresses():
        if role not in access.ADDRESSES[name].readers or name.startswith(("account_", "mfa_")):
            continue
        forms = Forms()
        answer = somebody.ask("GET", world.fill_in(name, route, own))
        if not answer["Content-Type"].startswith("text/html"):
            continue
        forms.feed(answer.content.decode())
        for form, keeps in zip(forms.forms, forms.keeps, strict=True):
            assert not keeps or form.get("autocomplete") == "off", (name, form)
            found |= {name} if keeps else set()
    wanted = {"contact": "portal:subscription", "advisor": "hours:month"}
    assert wanted.get(role, "admin:agency_organisation_changelist") in found


# Packages


ABSENT = {
    "sentry-sdk": 23,
    "raven": 23,
    "newrelic": 23,
    "ddtrace": 23,
    "opentelemetry-api": 23,
    "django-simple-history": 19,
    "django-auditlog": 19,
    "django-pghistory": 19,
    "django-reversion": 19,
    "django-hijack": 44,
    "django-su": 44,
    "django-import-export": 17,
    "django-debug-toolbar": 22,
}


@pytest.mark.attack(19, 23, 44)
def test_no_package_is_locked_that_copies_rows_or_sends_errors_away() -> None:
    locked = set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    )
    assert len(locked) > 30
    assert locked & set(ABSENT) == set()
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.split(r"[\[~]", name)[0] for name in asked} <= locked
    assert not any("history" in app for app in apps.app_configs)
    assert not [name for name in locked if re.search("hijack|impersonat|masquerad|loginas", name)]


# Somebody else's account


@pytest.mark.attack(44)
def test_a_page_that_signs_in_as_somebody_else_fails_every_walk(
    monkeypatch: pytest.MonkeyPatch, own: world.Client
) -> None:
    def helpful(request: Any) -> User:
        login(request, own.contact, "agency.accounts.ByPassword")
        return own.contact

    administrator = world.person("administrator", own)
    administrator.ask("GET", "/")
    monkeypatch.setattr("agency.views.signed_in", helpful)
    with pytest.raises(world.SomebodyElseError):
        administrator.ask("GET", "/")


@pytest.mark.attack(44)
def test_no_code_of_ours_signs_anybody_in() -> None:
    """Only allauth does, behind a password or code of the person's own."""
    called = {
        getattr(node.func, "attr", getattr(node.func, "id", ""))
        for app in OURS
        for file in (ROOT / app).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
    }
    assert "signed_in" in called
    assert called & {"login", "alogin", "perform_login", "resume_login", "force_login"} == set()
    assert "SESSION_KEY" not in "".join(
        file.read_text() for file in (ROOT / "agency").rglob("*.py")
    )


# Stripe


KEYS = {"organisation", "document", "run", "line"}
PERIOD = r"[A-Z][a-z]{2}( to [A-Z][a-z]{2})? 20\d\d"
TEXTS_OF_LINES = re.compile(
    rf"((Subscription|Change to) (basic|extended), {PERIOD}|Set-up of the subscription"
    rf"|Hours of overage, {PERIOD}|Top-up card, {PERIOD}|Travel, kilometres, {PERIOD}"
    rf"|(Cancellation of )?Workshop WS1 \(English\), {PERIOD})( \([\d.,]+ × € [\d.,]+\))?"
)


def flat(body: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the parameters of a request by their path, without places in lists."""
    if isinstance(body, dict):
        for key, value in body.items():
            yield from flat(value, f"{name}.{key}" if name else key)
    elif isinstance(body, list):
        for value in body:
            yield from flat(value, name)
    else:
        yield name, body


@pytest.mark.attack(9, 26)
def test_stripe_is_told_the_buyer_texts_of_templates_amounts_and_our_keys(
    sandbox: Sandbox,
) -> None:
    contract = clients.client(hours={"2026-01": 30, "2026-02": 9}, headcount=300)
    trainer = make.advisor("TRAINER")
    make.session(
        contract.organisation, "S1", offering=make.offering("WS1"), trainer=trainer,
        status="held", starts_at=make.at("2026-01-17 10:00"), on_site_km=40, location=CANARY,
    )  # fmt: skip
    billing.approve(clients.close_and_bill("2025-12", "2026-01", "2026-02"))
    documents = list(Invoice.objects.all())
    for invoice in documents:
        assert push.push(invoice.pk, at=timezone.now()) == push.Outcome.PUSHED

    told = [bodies.customer(documents[0])]
    told += StripeStep.objects.exclude(body=None).values_list("body", flat=True)
    sent = [pair for body in told for pair in flat(body)]
    assert {name.partition("metadata.")[2] for name, _ in sent if "metadata" in name} <= KEYS
    texts = {str(value) for name, value in sent if name == "lines.description"}
    assert {text for text in texts if not TEXTS_OF_LINES.fullmatch(text)} == set()
    assert any("overage" in text for text in texts)
    assert {name for name, _ in sent if "metadata" not in name} <= {
        "name", "email", "address.line1", "address.postal_code", "address.city", "address.country",
        "preferred_locales", "customer", "auto_advance", "currency", "collection_method",
        "pending_invoice_items_behavior", "days_until_due", "lines.description", "lines.amount",
        "lines.tax_amounts.amount", "lines.tax_amounts.taxable_amount",
        "lines.tax_amounts.taxability_reason", "lines.tax_amounts.tax_rate_data.display_name",
        "lines.tax_amounts.tax_rate_data.inclusive", "lines.tax_amounts.tax_rate_data.percentage",
        "lines.tax_amounts.tax_rate_data.country", "lines.tax_amounts.tax_rate_data.tax_type",
    }  # fmt: skip
    kept = str([listed(sandbox), listed(sandbox, "customers"), told])
    for secret in (CANARY, "TRAINER", "A-ORG1", "17 Jan", "2026-01-17"):
        assert secret not in kept


@pytest.mark.attack(27)
def test_nothing_of_stripe_that_counts_use_is_ever_called() -> None:
    """No meter, usage record, subscription, coming invoice or customer portal at Stripe."""
    called = {
        node.attr
        for node in ast.walk(ast.parse((ROOT / "subscriptions/gateway.py").read_text()))
        if isinstance(node, ast.Attribute)
    }
    assert {"invoices", "customers"} <= called
    counting = "meter|usage|subscription|upcoming|create_preview|billing_portal"
    assert {name for name in called if re.search(counting, name)} == set()
