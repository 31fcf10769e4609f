"""An empty installation is claimed by a command, and led step by step until clients are here."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from contextlib import nullcontext
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from agency.models import AuditEvent, User
from subscriptions import first_start
from subscriptions.management.commands import setup as command
from subscriptions.sandbox.server import Sandbox
from tests import factories as make

PAGE, TEST = "/admin/first-start/", "/admin/first-start/test/"
TODAY = dt.date(2026, 4, 8)

pytestmark = pytest.mark.django_db


def setup(*words: str) -> dict[str, bool]:
    out = StringIO()
    call_command("setup", *words, "--no-input", "--json", stdout=out, stderr=StringIO())
    found: dict[str, bool] = json.loads(out.getvalue())
    return found


def done() -> set[str]:
    return {step.key for step in first_start.steps(TODAY) if step.is_done}


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(make.user("administrator", email="own@staff.example", language="en"))
    return client


def test_the_command_makes_one_administrator_and_says_what_is_left() -> None:
    left = setup("--email", "First@Agency.example", "--name", "First")

    assert set(left.values()) == {False}
    (first,) = User.objects.all()
    assert (first.email, first.role) == ("first@agency.example", "administrator")
    assert not first.has_usable_password()  # codes are mailed

    setup("--email", "second@agency.example", "--name", "Second")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "words", [[], ["--email", "a@b.example"], ["--email", "no address", "--name", "First"]]
)
def test_what_the_command_misses_it_asks_for_in_one_sentence(words: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        setup(*words)
    assert refused.value.returncode == 2
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("password", "is_made"), [("", True), ("long enough for anybody", True), ("short", False)]
)
def test_asked_at_a_terminal_a_password_is_a_good_one_or_none(
    monkeypatch: pytest.MonkeyPatch, password: str, *, is_made: bool
) -> None:
    answers = iter(["first@agency.example", "First"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _asked: next(answers))
    monkeypatch.setattr(f"{command.__name__}.getpass", lambda _asked: password)

    with nullcontext() if is_made else pytest.raises(CommandError):
        call_command("setup", stdout=StringIO(), stderr=StringIO())

    made = [user.has_usable_password() for user in User.objects.all()]
    assert made == ([bool(password)] if is_made else [])


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_cannot_claim_an_empty_installation(client: Client, method: str) -> None:
    for address in (PAGE, TEST, "/admin/moving-in/", "/admin/moving-in/read/"):
        answer = getattr(client, method)(address)
        assert answer["Location"].startswith("/account/login/code/?next="), address
    assert not User.objects.exists()


STEPS: dict[str, Callable[[], object]] = {
    "agency": make.agency,
    "people": lambda: [
        make.user(role, email=f"{role}@a.example") for role in ("planner", "controller")
    ],
    "webhook": make.stripe_event,
    "prices": make.price_book,
    "clients": make.organisation,
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_done_once_what_it_asks_for_is_there(settings: Settings, step: str) -> None:
    settings.STRIPE_WEBHOOK_SECRET = "whsec_set"
    before = done()
    STEPS[step]()
    assert done() - before == ({"agency", "vat"} if step == "agency" else {step})


def test_vat_says_whether_a_registration_with_crkbo_holds_today() -> None:
    agency = make.agency()
    (registered,) = [step for step in first_start.steps(TODAY) if step.key == "vat"]
    agency.crkbo_registrations.all().delete()
    (vat,) = [step for step in first_start.steps(TODAY) if step.key == "vat"]
    assert (registered.is_done, vat.is_done) == (True, True)
    assert vat.says != registered.says


def test_mail_and_the_key_of_stripe_are_tested_from_the_page(
    administrator: Client, sandbox: Sandbox
) -> None:
    assert sandbox.base_url
    assert done() == set()

    for what in ("mail", "stripe"):
        assert administrator.post(TEST, {"what": what})["Location"] == PAGE

    assert done() == {"mail", "stripe"}
    assert [message.to for message in mail.outbox] == [["own@staff.example"]]
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {
        *(first_start.MAIL_TESTED, first_start.STRIPE_TESTED)
    }


def test_what_is_wrong_with_the_key_is_told_and_the_step_stays(
    administrator: Client, settings: Settings
) -> None:
    settings.STRIPE_API_KEY = ""
    page = administrator.post(TEST, {"what": "stripe"}, follow=True).content.decode()
    assert "Stripe refuses the key, or it may not read all that we read (no_api_key)." in page
    assert "STRIPE_API_KEY is not set" in page
    assert done() == set()
    assert administrator.post(TEST, {"what": "nothing"}).status_code == 400


def test_the_start_page_leads_an_administrator_there_until_a_client_is_here(
    administrator: Client,
) -> None:
    button = f'<a class="btn first" href="{PAGE}">'
    assert button in administrator.get("/admin/").content.decode()
    make.organisation()
    assert button not in administrator.get("/admin/").content.decode()
