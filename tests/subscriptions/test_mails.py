"""Every mail has both parts in both languages and one look, and is shown with nobody's data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.test.signals import template_rendered
from pytest_django import Settings

from subscriptions.mails import KINDS
from tests import factories as make

ROOT = Path(__file__).resolve().parents[2]
PAGE = "/admin/mails/"
OWN_LINKS = ("{site}/portal/", "{site}/hours/2026-03/", "https://invoice.stripe.com/")

each = pytest.mark.parametrize("kind", KINDS)
in_each_language = pytest.mark.parametrize("language", ["nl", "en"])


def parts(kind: str, language: str) -> tuple[str, str, str]:
    """Give subject, text and HTML of a sample; nothing is asked of a database here."""
    message: Any = KINDS[kind].sample(language)
    ((html, mimetype),) = message.alternatives
    assert mimetype == "text/html"
    return message.subject, message.body, html


@each
@in_each_language
def test_a_mail_has_both_parts_that_say_the_same(kind: str, language: str) -> None:
    subject, body, html = parts(kind, language)
    assert subject
    assert f'<html lang="{language}">' in html
    assert re.findall(r"<h1[^>]*>([^<]+)</h1>", html) == [subject]
    assert body.startswith(subject)
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.split("<body")[1]))
    why = body.strip().rsplit("Discreet\n", maxsplit=1)[1]
    assert why in said.replace("&#x27;", "'")


@each
@in_each_language
def test_a_mail_loads_nothing_and_leads_only_to_us_and_to_the_invoice(
    kind: str, language: str
) -> None:
    _subject, _body, html = parts(kind, language)
    assert not re.search(r"<(?:img|link|script|style|iframe|form)\b|\ssrc=|url\(|@import", html)
    allowed = {link.format(site=settings.SITE_URL) for link in OWN_LINKS}
    assert set(re.findall(r'href="([^"]*)"', html)) <= allowed


@each
@in_each_language
def test_a_mail_holds_no_hours_and_its_sample_nothing_of_a_client(kind: str, language: str) -> None:
    """The sample is made without a database: a test without one would fail to ask it."""
    told = " ".join(parts(kind, language))
    assert not re.search(r"\d\s*(?:uur|uren|hours?|u|h)\b", re.sub(r"<[^>]+>", " ", told))
    assert set(re.findall(r"[\w.]+@[\w.]+", told)) == set()


@each
def test_a_mail_is_translated(kind: str) -> None:
    dutch, english = parts(kind, "nl"), parts(kind, "en")
    assert dutch[0] != english[0]
    assert not set(filter(None, dutch[1].splitlines()[1:])) & {
        line for line in english[1].splitlines() if len(line.split()) > 3
    }


def test_every_template_of_a_mail_is_shown() -> None:
    rendered: set[str] = set()

    def note(template: Any, **_more: Any) -> None:
        rendered.add(str(template.name))

    template_rendered.connect(note)
    for kind in KINDS.values():
        kind.sample("nl")
    template_rendered.disconnect(note)

    folders = [ROOT / app / "templates" for app in ("agency", "subscriptions")]
    written = {
        str(path.relative_to(folder))
        for folder in folders
        for pattern in ("mail/*.*", "account/email/*.*")
        for path in folder.glob(pattern)
    }
    assert written - rendered == set()


@pytest.fixture
def planner(client: Client) -> Client:
    client.force_login(make.user("planner", email="own@staff.example", language="en"))
    return client


@pytest.mark.django_db
def test_the_page_shows_each_mail_and_sends_a_test_to_oneself_only(planner: Client) -> None:
    listed = planner.get(PAGE).content.decode()
    assert set(re.findall(r'href="\?mail=(\w+)"', listed)) == set(KINDS)
    shown = planner.get(f"{PAGE}?mail=debit&language=nl")
    assert "Wij incasseren van uw rekening" in shown.content.decode()

    query = "?mail=debit&language=nl"
    after = planner.post(f"{PAGE}send/{query}", {"to": "other@client.example"}, follow=True)

    (message,) = mail.outbox
    assert (message.to, message.cc, message.bcc) == (["own@staff.example"], [], [])
    assert message.subject == "[Test] Wij incasseren van uw rekening"
    assert "A test is on its way to own@staff.example." in after.content.decode()


@pytest.mark.django_db
def test_the_body_is_framed_without_scripts_and_loads_nothing(planner: Client) -> None:
    body = planner.get(f"{PAGE}body/?mail=statement&language=en")
    policy = body["Content-Security-Policy"]
    rules = {rule.strip() for rule in policy.split(";")}
    assert rules == {
        *("default-src 'none'", "style-src-attr 'unsafe-inline'"),
        *("frame-ancestors 'self'", "sandbox"),
    }
    assert "unsafe" not in planner.get(PAGE)["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["mail=nothing", "mail=debit&language=de", "mail="])
def test_a_mail_that_does_not_exist_is_not_found(planner: Client, query: str) -> None:
    assert planner.get(f"{PAGE}?{query}").status_code == 404


@pytest.mark.django_db
def test_a_mail_server_that_does_not_answer_is_told(planner: Client, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    after = planner.post(f"{PAGE}send/?mail=debit&language=nl", follow=True)
    assert "The mail server did not take it." in after.content.decode()
