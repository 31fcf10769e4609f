"""The look comes from the tokens, and pages carry no style or script of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from agency.models import User
from agency.tokens import light
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "agency/static/agency"
SHEETS = sorted(path for path in STATIC.glob("*.css") if path.name != "tokens.css")
TEMPLATES = sorted(
    path
    for path in ROOT.glob("*/templates/**/*.html")
    if "mail" not in path.parts and "email" not in path.parts
)
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch|light-dark)\(", re.IGNORECASE)


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_only_the_tokens_hold_a_colour_or_a_size_of_text(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert COLOUR.findall(text) == []
    sizes = re.findall(r"font(?:-size)?:[^;}]*", text)
    assert [size for size in sizes if re.search(r"\d(?:px|rem|em)\b", size)] == []


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_every_token_that_is_used_exists(path: Path) -> None:
    tokens = (STATIC / "tokens.css").read_text(encoding="utf-8")
    own = path.read_text(encoding="utf-8")

    used = set(re.findall(r"var\((--[a-z0-9-]+)", own))

    assert {name for name in used if f"{name}:" not in tokens + own} == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_has_a_style_script_or_foreign_file_in_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r'(?:src|<link[^>]*href)="(?:https?:)?//', text)


def test_the_lining_never_stands_without_words() -> None:
    linings = [
        (path, after)
        for path in TEMPLATES
        for after in re.findall(r"{% lining %}(.{0,40})", path.read_text(encoding="utf-8"))
    ]
    assert linings
    assert [path for path, after in linings if not re.match(r"\s*{[{%]", after)] == []


def test_mails_and_workbooks_read_the_same_colours() -> None:
    assert light()["accent"] == "#6b2352"
    assert light()["inside"] == "#6b2352"
    assert {"ground", "sheet", "ink", "good", "wait", "bad", "line-strong"} <= set(light())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "subject"), [("nl", "Uw code om aan te melden"), ("en", "Your code to sign in")]
)
def test_the_mail_with_a_code_speaks_the_language_of_the_person(
    language: str, subject: str
) -> None:
    user = factories.user("contact", language=language)

    Client().post("/account/login/code/", {"email": user.email})

    sent = mail.outbox[0]
    assert isinstance(sent, EmailMultiAlternatives)
    assert (sent.subject, sent.to) == (subject, [user.email])
    html = str(sent.alternatives[0][0])
    code = re.search(r"\b\d{6}\b", str(sent.body))
    assert code
    assert code[0] in html
    assert not re.search(r"<img|<link|<script|https?://", html)


@pytest.mark.django_db
def test_nobody_makes_an_account_alone() -> None:
    form = {"email": "new@elsewhere.example", "password1": "x" * 20, "password2": "x" * 20}

    assert Client().post("/account/signup/", form).status_code == 404
    assert User.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "start"),
    [
        ("planner", "/admin/"),
        ("auditor", "/admin/"),
        ("advisor", "/hours/"),
        ("contact", "/portal/"),
    ],
)
def test_the_start_leads_each_person_to_their_own_pages(role: str, start: str) -> None:
    client = Client()
    client.force_login(factories.user(role))

    assert client.get("/")["Location"] == start


@pytest.mark.django_db
@pytest.mark.parametrize(("password", "status"), [(None, 404), ("long enough for all", 200)])
def test_only_who_has_a_password_changes_one(password: str | None, status: int) -> None:
    client = Client()
    client.force_login(factories.user("contact", password=password))

    assert client.get("/account/password/change/").status_code == status
