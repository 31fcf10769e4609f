"""Before many rows are handled a page says how many and how much; what is harmless is undone."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from subscriptions.models import Invoice
from tests import factories
from tests.browsers import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]
LIST = "/admin/subscriptions/invoice/"


def invoices(*states: str) -> list[Invoice]:
    return [
        factories.invoice(
            factories.organisation(f"ORG{number}", legal_name=f"Client {number}"),
            state=state,
            blocked_reason="po_missing" if state == "blocked" else "",
        )
        for number, state in enumerate(states)
    ]


def ask(browser: Client, action: str, rows: list[Invoice], **more: str) -> str:
    asked = {"action": action, "_selected_action": [str(row.pk) for row in rows], "index": "0"}
    content = browser.post(LIST, {**asked, "ask": "1", **more}, follow=True).content.decode()
    plain = re.sub(r"<[^>]+>", " ", content.replace("\xa0", " "))
    return re.sub(r"\s+", " ", plain)


def states() -> list[str]:
    return sorted(Invoice.objects.values_list("state", flat=True))


def test_a_bulk_action_says_how_many_and_how_much_and_does_nothing_yet() -> None:
    rows = invoices("draft", "draft", "blocked")

    said = ask(as_("controller"), "approve", rows)

    assert "Approve: nothing is sent yet" in said
    assert "2 invoices, € 2,000.00 without VAT" in said
    assert "1 chosen row does not take part as it stands." in said
    assert ("Client 0" in said, "Client 1" in said, "Client 2" in said) == (True, True, False)
    assert states() == ["blocked", "draft", "draft"]


def test_its_form_does_it_and_the_next_page_undoes_it() -> None:
    rows, browser = invoices("draft", "draft"), as_("controller")
    asked = {"action": "approve", "_selected_action": [str(row.pk) for row in rows], "index": "0"}
    page = browser.post(LIST, {**asked, "ask": "1"}).content.decode()
    sent = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)

    form = {name: [value for key, value in sent if key == name] for name, _value in sent}
    assert "ask" not in form
    done = browser.post(LIST, form, follow=True).content.decode()

    assert states() == ["approved", "approved"]
    undo = re.search(
        r'<form[^>]*action="([^"]+)"(?:(?!</form>).)*value="take_back"', done, re.DOTALL
    )
    assert undo is not None
    assert undo[1] == LIST
    browser.post(undo[1], {**asked, "action": "take_back"})
    assert states() == ["draft", "draft"]
    assert b"take_back" not in browser.get("/admin/").content


def test_none_that_can_take_part_leaves_the_way_back_only() -> None:
    browser = as_("controller")

    said = ask(browser, "push", invoices("draft"))

    assert "None of the chosen rows can take part as it stands." in said
    assert "Back, nothing is done" in said
    assert browser.session.get("undo") is None


def test_all_of_a_list_are_weighed_in_as_many_statements_as_one() -> None:
    rows, browser = invoices(*["draft"] * 12), as_("controller")
    ask(browser, "approve", rows[:1])

    with CaptureQueriesContext(connection) as of_one:
        ask(browser, "approve", rows[:1])
    with CaptureQueriesContext(connection) as of_all:
        said = ask(browser, "approve", rows[:1], select_across="1")

    assert "12 invoices, € 12,000.00 without VAT" in said
    assert "and 2 more" in said
    assert len(of_all) == len(of_one)


@pytest.mark.parametrize("action", ["", "no_such_action"])
def test_no_action_is_answered_by_the_list(action: str) -> None:
    assert "Select" in ask(as_("controller"), action, invoices("draft"))


def test_what_nothing_undoes_is_asked_for_one_row_too() -> None:
    (approved,) = invoices("approved")
    page = as_("controller").get(f"{LIST}{approved.pk}/change/").content.decode()

    forms = {
        name: "ask" in form
        for form in re.findall(r"<form.*?</form>", page, re.DOTALL)
        for name in re.findall(r'name="action" value="(\w+)"', form)
    }

    assert forms == {"push": True, "take_back": False}
