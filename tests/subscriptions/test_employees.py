"""Employees read whom they can turn to, and nothing is noted of who reads it."""

from __future__ import annotations

import logging
import re
import uuid
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from agency.models import AuditEvent, Organisation, User
from subscriptions.models import EmployeePage
from tests import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]

LANGUAGES = pytest.mark.parametrize(
    ("language", "title", "confidential", "unseen", "deputy", "stands"),
    [
        (
            "nl",
            "Er is iemand met wie u in vertrouwen kunt praten",
            "Uw werkgever hoort van ons niet wie belt, wanneer of waarover.",
            "Gebruik een privételefoon of een eigen netwerk",
            "Waarnemer",
            "Stand van april 2026",
        ),
        (
            "en",
            "There is somebody you can talk to in confidence",
            "Your employer does not hear from us who calls, when or about what.",
            "Use a private phone or network",
            "Deputy",
            "As it stands in April 2026",
        ),
    ],
)


@pytest.fixture
def organisation() -> Organisation:
    """A client with a counsellor and a deputy, one that was, one to come, and a trainer."""
    organisation = make.organisation("OWN", legal_name="Our Own B.V.")
    _assign(organisation, "Hanneke Drost", "counsellor", phone="06 5550 1142")
    _assign(organisation, "Reinier Aalders", "deputy")
    _assign(organisation, "Former Person", "counsellor", until_month="2026-04")
    _assign(organisation, "Coming Person", "deputy", from_month="2026-05")
    _assign(organisation, "Training Person", "trainer")
    return organisation


def _assign(organisation: Organisation, name: str, role: str, **fields: Any) -> None:
    first = name.split(maxsplit=1)[0]
    email = f"{first.lower()}@counsellors.example"
    user = make.user("advisor", name=name, email=email)
    advisor = make.advisor(first, user=user, phone=fields.pop("phone", ""))
    make.assignment(advisor, organisation, role=role, **{"from_month": "2025-01"} | fields)


@pytest.fixture
def owner(organisation: Organisation) -> User:
    return make.contact(organisation, role="owner").user


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def address_of(organisation: Organisation, more: str = "") -> str:
    return f"/portal/{organisation.pk}/employees/{more}"


def opened(organisation: Organisation) -> str:
    return f"/info/{make.employee_page(organisation).token}/"


def text_of(content: bytes) -> str:
    plain = unescape(strip_tags(content.decode())).replace("\N{NO-BREAK SPACE}", " ")
    return " ".join(plain.split())


def printed(content: bytes) -> tuple[str, Any]:
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(content))
    text = " ".join(page.extract_text() for page in reader.pages)
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split()), reader


def assert_tells_who_is_there(text: str, *told: str) -> None:
    named = ("Hanneke Drost", "06 5550 1142", "hanneke@counsellors.example", "Reinier Aalders")
    for words in (*named, "reinier@counsellors.example", *told):
        assert words.lower() in text.lower(), words
    for nobody in ("Former", "Coming", "Training"):
        assert nobody not in text


# The poster and the text


@LANGUAGES
@pytest.mark.parametrize("role", ["owner", "billing", "reader"])
def test_every_contact_reads_what_employees_are_told(
    organisation: Organisation, role: str, language: str, title: str, confidential: str,
    unseen: str, deputy: str, stands: str,
) -> None:  # fmt: skip
    browser = browser_of(make.contact(organisation, role=role).user)
    browser.cookies["django_language"] = language

    page = browser.get(address_of(organisation))

    assert_tells_who_is_there(text_of(page.content), title, confidential, unseen, deputy, stands)
    for code in ("nl", "en"):
        for kind in ("poster", "intranet"):
            assert f'href="{address_of(organisation, f"{kind}/{code}/")}"' in page.content.decode()


@LANGUAGES
def test_the_poster_says_it_on_one_tagged_sheet(
    organisation: Organisation, owner: User, language: str, title: str, confidential: str,
    unseen: str, deputy: str, stands: str,
) -> None:  # fmt: skip
    answer = browser_of(owner).get(address_of(organisation, f"poster/{language}/"))
    again = browser_of(owner).get(address_of(organisation, f"poster/{language}/"))

    said, reader = printed(answer.content)
    assert_tells_who_is_there(said, title, confidential, unseen, deputy, stands, "Our Own B.V.")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="poster-{language}.pdf"'
    assert answer.content == again.content
    (sheet,) = reader.pages
    assert (round(sheet.mediabox.width), round(sheet.mediabox.height)) == (595, 842)
    assert reader.trailer["/Root"]["/Lang"] == language
    assert b"<pdfuaid:part>1</pdfuaid:part>" in reader.trailer["/Root"]["/Metadata"].get_data()


@LANGUAGES
def test_the_text_for_an_intranet_is_a_file_without_looks_of_ours(
    organisation: Organisation, owner: User, language: str, title: str, confidential: str,
    unseen: str, deputy: str, stands: str,
) -> None:  # fmt: skip
    answer = browser_of(owner).get(address_of(organisation, f"intranet/{language}/"))

    page = answer.content.decode()
    assert_tells_who_is_there(text_of(answer.content), title, confidential, unseen, deputy, stands)
    assert answer["Content-Disposition"] == f'attachment; filename="intranet-{language}.html"'
    assert f'<html lang="{language}">' in page
    assert not re.search(r"<(script|style|link|img|iframe)|class=|src=", page)


def test_what_somebody_typed_is_text_in_each_of_them(owner: User) -> None:
    organisation = Organisation.objects.get()
    User.objects.filter(name="Hanneke Drost").update(name="#evil[*] <b>")
    browser = browser_of(owner)

    said, _reader = printed(browser.get(address_of(organisation, "poster/en/")).content)
    assert "#evil[*] <b>" in said
    for address in (address_of(organisation, "intranet/en/"), opened(organisation)):
        page = browser.get(address).content.decode()
        assert "#evil[*] &lt;b&gt;" in page
        assert "<b>" not in page


def test_they_follow_who_is_assigned_in_the_month(
    organisation: Organisation, owner: User, settings: Any
) -> None:
    settings.TODAY = settings.TODAY.replace(month=5)
    address = opened(organisation)

    for one in (address, address_of(organisation), address_of(organisation, "intranet/en/")):
        text = text_of(browser_of(owner).get(one).content)
        assert "Coming Person" in text
        assert "Former Person" not in text


def test_without_anybody_there_is_nothing_to_hand_out(owner: User) -> None:
    empty = make.organisation("EMPTY")
    make.contact(empty, owner)
    browser = browser_of(owner)
    browser.cookies["django_language"] = "en"

    assert "No counsellor is assigned to you this month." in text_of(
        browser.get(address_of(empty)).content
    )
    for more in ("poster/nl/", "poster/en/", "intranet/nl/", "intranet/en/"):
        assert browser.get(address_of(empty, more)).status_code == 404
    assert "At this moment nobody is named here." in text_of(
        Client().get(f"{opened(empty)}en/").content
    )


@pytest.mark.parametrize(
    "language", ["de", "NL", "nl-NL", "nl%00", "%3Cscript%3E", "=1+1", "\u202enl", "n" * 5000]
)
@pytest.mark.parametrize("kind", ["poster", "intranet"])
def test_in_another_language_there_is_none(
    organisation: Organisation, owner: User, kind: str, language: str
) -> None:
    answer = browser_of(owner).get(address_of(organisation, f"{kind}/{language}/"))
    assert answer.status_code == 404


@pytest.mark.attack(45)
@pytest.mark.parametrize("more", ["", "poster/nl/", "intranet/en/"])
def test_foreign_and_missing_are_the_same_page(owner: User, more: str) -> None:
    other = make.organisation("OTHER")
    _assign(other, "Other Person", "counsellor")
    browser = browser_of(owner)

    foreign = browser.get(address_of(other, more))
    missing = browser.get(f"/portal/{uuid.UUID(int=7)}/employees/{more}")

    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.content == missing.content
    post = browser.post(address_of(other), {"deed": "on"})
    assert (post.status_code, EmployeePage.objects.count()) == (404, 0)


# Opening, closing, another link


def events(organisation: Organisation) -> list[str]:
    rows = AuditEvent.objects.filter(
        subject_id=organisation.pk, subject_model="agency.organisation"
    )
    return sorted(rows.values_list("action", flat=True))


def test_the_owner_opens_renews_and_closes_the_page(
    organisation: Organisation, owner: User
) -> None:
    browser, address = browser_of(owner), address_of(organisation)
    assert "/info/" not in browser.get(address).content.decode()

    for _twice in range(2):
        assert browser.post(address, {"deed": "on"}).status_code == 302
    first = organisation.employee_page.token
    shown = browser.get(address).content.decode()
    assert f"http://127.0.0.1:8000/info/{first}/en/" in shown
    assert Client().get(f"/info/{first}/").status_code == 200

    assert browser.post(address, {"deed": "renew"}).status_code == 302
    second = EmployeePage.objects.get().token
    assert second != first
    assert Client().get(f"/info/{first}/").status_code == 404
    assert Client().get(f"/info/{second}/").status_code == 200

    for _twice in range(2):
        assert browser.post(address, {"deed": "off"}).status_code == 302
    assert Client().get(f"/info/{second}/").status_code == 404

    browser.post(address, {"deed": "on"})
    assert EmployeePage.objects.get().token not in {first, second}
    noted = ["link_renewed", "page_closed", "page_opened", "page_opened"]
    assert events(organisation) == noted
    assert set(AuditEvent.objects.values_list("actor", flat=True)) == {owner.pk}
    history = f"/admin/agency/organisation/{organisation.pk}/history/"
    told = browser_of(make.user("controller", language="en")).get(history).content
    assert "page opened" in text_of(told)
    assert first not in told.decode()


@pytest.mark.parametrize("role", ["billing", "reader"])
@pytest.mark.parametrize("deed", ["on", "off", "renew", ""])
def test_who_is_no_owner_may_not(organisation: Organisation, role: str, deed: str) -> None:
    before = make.employee_page(organisation).token
    browser = browser_of(make.contact(organisation, role=role).user)

    assert browser.post(address_of(organisation), {"deed": deed}).status_code == 403
    assert 'name="deed"' not in browser.get(address_of(organisation)).content.decode()
    assert EmployeePage.objects.get().token == before
    assert events(organisation) == []


BAD: list[Any] = [
    {}, {"deed": ""}, {"deed": "ON"}, {"deed": "open"}, {"deed": "x" * 100_000}, {"deed": "1"},
    {"deed": str(uuid.UUID(int=7))}, {"deed": "\u202eon\u0007"}, {"deed": "=1+1"},
    {"deed": "<script>alert(1)</script>"}, {"deed": "\x00"}, {"token": "a" * 32},
    {"deed": ["on", "gone"]}, {"deed": "renew"},
]  # fmt: skip


@pytest.mark.parametrize("sent", BAD)
def test_what_is_no_deed_changes_nothing_and_says_so_at_the_buttons(
    organisation: Organisation, owner: User, sent: dict[str, Any]
) -> None:
    """The last one was sent from a page that somebody has closed since."""
    browser = browser_of(owner)
    browser.cookies["django_language"] = "en"

    answer = browser.post(address_of(organisation), sent)

    assert answer.status_code == 400
    said = text_of(answer.content)
    closed = sent.get("deed") == "renew"
    wanted = "The page is closed: open it first." if closed else "Choose what is to happen"
    assert wanted in said
    assert "alert(1)" not in said
    assert not EmployeePage.objects.exists()
    assert events(organisation) == []


def test_a_lost_session_or_another_sites_form_writes_nothing(
    organisation: Organisation, owner: User
) -> None:
    lost = Client().post(address_of(organisation), {"deed": "on"})
    assert lost["Location"].startswith("/account/login/code/")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.post(address_of(organisation), {"deed": "on"}).status_code == 403
    assert not EmployeePage.objects.exists()


# The page


@LANGUAGES
def test_the_page_tells_whoever_has_its_link(
    organisation: Organisation, language: str, title: str, confidential: str, unseen: str,
    deputy: str, stands: str,
) -> None:  # fmt: skip
    address = opened(organisation) + ("en/" if language == "en" else "")

    answer = Client().get(address, headers={"accept-language": "de"})

    page = answer.content.decode()
    assert_tells_who_is_there(text_of(answer.content), title, confidential, unseen, deputy, stands)
    assert f'<html lang="{language}">' in page
    assert answer["Content-Language"] == language
    assert 'href="tel:0655501142"' in page


@pytest.mark.attack(37)
def test_its_title_and_its_address_tell_nothing(organisation: Organisation) -> None:
    page = Client().get(address := opened(organisation)).content.decode()

    assert re.findall("<title>(.*?)</title>", page) == ["Informatie"]
    assert re.fullmatch(r"/info/[A-Za-z0-9_-]{32}/", address)
    assert "Our Own" not in page
    assert "OWN" not in page
    assert str(organisation.pk) not in page


def test_it_asks_nobody_else_and_needs_no_script(organisation: Organisation) -> None:
    page = Client().get(opened(organisation)).content.decode()

    asked = re.findall(r'(?:src|href|action|srcset)="([^"]*)"', page)
    ways = r"#content|about:blank|data:,|tel:\d+|mailto:[\w.@]+|/info/[\w-]+/(en/)?|/static/[\w./]+"
    assert [address for address in asked if not re.fullmatch(ways, address)] == []
    assert not re.search(r"<(script|form|iframe|img|style)", page)
    for sheet in re.findall(r'href="/static/([^"]*)"', page):
        assert finders.find(sheet)


def test_it_keeps_out_of_caches_lists_and_other_sites(organisation: Organisation) -> None:
    answer = Client().get(opened(organisation))

    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not {"ETag", "Last-Modified"} & set(answer.headers)


def test_it_knows_nobody_also_who_is_signed_in(organisation: Organisation, owner: User) -> None:
    address, browser = opened(organisation), browser_of(owner)
    browser.cookies["django_language"] = "en"
    browser.cookies["csrftoken"] = "x" * 32

    with CaptureQueriesContext(connection) as asked:
        answer = browser.get(address)
    tables = {name for query in asked for name in re.findall(r'FROM "(\w+)"', query["sql"])}
    stranger = Client().get(address)

    assert tables == {"subscriptions_employeepage", "advisors_assignment"}
    assert not answer.cookies
    assert answer.content == stranger.content
    assert answer.headers == stranger.headers
    with CaptureQueriesContext(connection) as asked:  # what another page does
        browser.get(address_of(organisation))
    assert any("django_session" in query["sql"] for query in asked)


@pytest.mark.attack(21)
@pytest.mark.parametrize("method", ["get", "head", "post", "put"])
def test_no_line_is_written_of_it_whatever_becomes_of_it(
    organisation: Organisation, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    address = opened(organisation)
    with caplog.at_level(logging.DEBUG):
        for one in (address, f"{address}en/", "/info/nothing/", f"/info/{'x' * 32}/", address[:-1]):
            getattr(Client(), method)(one)
        lines = [record for record in caplog.records if record.name != "django.db.backends"]
        assert lines == []

        Client().get("/nowhere/")  # what another page does
    assert {record.name for record in caplog.records} >= {"agency.middleware", "django.request"}


@pytest.mark.attack(45)
def test_off_renewed_and_never_there_are_the_same_404(
    organisation: Organisation, owner: User
) -> None:
    browser, deeds = browser_of(owner), address_of(organisation)
    renewed = opened(organisation)
    browser.post(deeds, {"deed": "renew"})
    closed = f"/info/{EmployeePage.objects.get().token}/"
    browser.post(deeds, {"deed": "off"})
    odd = ("/info/%00/", "/info/a.b/", f"/info/{'a' * 5000}/", "/info/", "/nowhere/")

    answers = [
        Client().get(address)
        for address in (closed, f"{closed}en/", renewed, f"/info/{'a' * 32}/", *odd)
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({repr(sorted(answer.headers.items())) for answer in answers}) == 1


def test_it_follows_from_nothing_but_who_is_assigned_and_how_they_are_reached(
    organisation: Organisation,
) -> None:
    address = opened(organisation)
    before = Client().get(address).content
    make.price_book()
    make.headcount(organisation)
    make.statement(make.subscription(organisation), "2026-01", "2026-04", used_quarters=26)
    advisor = organisation.assignments.get(advisor__code="Hanneke").advisor
    make.month_hours(advisor, organisation, "2026-03", 77)
    make.absence(advisor)

    assert Client().get(address).content == before
    advisor.phone = "06 5550 7777"
    advisor.save()
    assert Client().get(address).content == before.replace(
        b"06 5550 1142", b"06 5550 7777"
    ).replace(b"0655501142", b"0655507777")
