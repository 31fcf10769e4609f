"""Who signed in a while ago proves it once more before money or rights change; nothing is lost."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client

from agency import access
from agency.models import Organisation, User
from subscriptions.models import Invoice
from tests import factories

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 4, 14, 9, tzinfo=dt.UTC)
LIST = "/admin/subscriptions/invoice/?state__exact=draft"
PASSWORD = "a password for nobody"


def later(minutes: int) -> time_machine.travel:
    return time_machine.travel(START + dt.timedelta(minutes=minutes), tick=False)


@pytest.fixture
def controller() -> Client:
    browser = Client()
    with later(0):
        browser.force_login(factories.user("controller", password=PASSWORD))
        browser.get("/admin/")
    return browser


@pytest.fixture
def draft() -> Invoice:
    return factories.invoice(factories.organisation())


def approve(browser: Client, draft: Invoice) -> str:
    sent = {"action": "approve", "_selected_action": str(draft.pk), "index": "0"}
    return str(browser.post(LIST, sent)["Location"])


def is_approved(draft: Invoice) -> bool:
    return Invoice.objects.get(pk=draft.pk).state == "approved"


def test_within_half_an_hour_nobody_is_asked(controller: Client, draft: Invoice) -> None:
    with later(29):
        approve(controller, draft)

    assert is_approved(draft)


def test_after_that_what_was_asked_is_kept_until_the_person_proved_it(
    controller: Client, draft: Invoice
) -> None:
    with later(31):
        leads_to = approve(controller, draft)
        assert leads_to == "/account/reauthenticate/?next=%2Faccount%2Fgo-on%2F"
        assert not is_approved(draft)

        assert controller.post(leads_to, {"password": "a wrong one"}).status_code == 200
        answer = controller.post(leads_to, {"password": PASSWORD})
        assert answer["Location"] == "/account/go-on/"
        page = controller.get("/account/go-on/").content.decode()
        assert not is_approved(draft)

        form = re.findall(r'name="(\w+)" value="([^"]*)"', page)
        kept = {name: value for name, value in form if name != "csrfmiddlewaretoken"}
        assert f'action="{LIST}"' in page
        controller.post(LIST, kept)
        assert is_approved(draft)
        assert controller.get("/account/go-on/")["Location"] == "/"  # kept once

    with later(60):
        other = factories.invoice(factories.organisation("ORG2"))
        approve(controller, other)
        assert is_approved(other)
    with later(62):
        assert approve(controller, draft).startswith("/account/reauthenticate/")


def test_rights_are_asked_for_and_everyday_work_is_not() -> None:
    factories.agency()
    browser = Client()
    with later(0):
        browser.force_login(factories.user("administrator", password=PASSWORD))
        browser.get("/admin/")
    with later(45):
        person = {"name": "A", "email": "a@b.example", "role": "controller", "language": "nl"}
        asked = browser.post("/admin/agency/user/add/", person)
        assert asked["Location"].startswith("/account/reauthenticate/")
        assert not User.objects.filter(name="A").exists()
        saved = {"listed": "agency.user", "query": "role__exact=planner", "name": "Planners"}
        assert browser.post("/admin/filters/", saved)["Location"].startswith("/admin/agency/user/")


def test_a_page_is_read_without_asking(controller: Client, draft: Invoice) -> None:
    with later(45):
        assert controller.get(LIST).status_code == 200
        assert controller.get("/admin/agency/user/").status_code == 200


def test_who_has_no_way_to_prove_it_is_not_locked_out(draft: Invoice) -> None:
    """Of staff that is a colleague in a demo: elsewhere all have a second step."""
    browser = Client()
    with later(0):
        browser.force_login(factories.user("controller"))
        browser.get("/admin/")
    with later(45):
        approve(browser, draft)

    assert is_approved(draft)
    assert Organisation.objects.count() == 1


def test_every_address_that_is_asked_for_exists() -> None:
    for begin in access.MONEY_AND_RIGHTS:
        assert any(name.startswith(begin) for name in access.ADDRESSES), begin
