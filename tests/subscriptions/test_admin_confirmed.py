"""Before many rows are handled a page says how many and how much; what is harmless is undone."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from agency import confirmation
from agency.admin_base import StaffAdmin
from agency.models import AuditEvent
from subscriptions.models import Invoice, InvoiceState
from tests import factories
from tests.browsers import as_
from tests.confidentiality import world

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]
SENT = ("open", "paid", "uncollectible")
LIST = "/admin/subscriptions/invoice/"


def invoices(*states: str) -> list[Invoice]:
    return [
        factories.invoice(
            factories.organisation(f"ORG{number}", legal_name=f"Client {number}"),
            state=state,
            blocked_reason="po_missing" if state == "blocked" else "",
            **sent(state, number),
        )
        for number, state in enumerate(states)
    ]


def sent(state: str, number: int) -> dict[str, Any]:
    return {"number": f"N-{number}", "stripe_id": f"in_{number}"} if state in SENT else {}


def ask(browser: Client, action: str, rows: list[Invoice], **more: str) -> str:
    asked = {"action": action, "_selected_action": [str(row.pk) for row in rows], "index": "0"}
    content = browser.post(LIST, {**asked, "ask": "1", **more}, follow=True).content.decode()
    plain = re.sub(r"<[^>]+>", " ", content.replace("\xa0", " "))
    return re.sub(r"\s+", " ", plain)


def offered(page: Any) -> list[str]:
    form = page.context_data["action_form"]
    return [name for name, _word in form.fields["action"].choices if name] if form else []


def states() -> list[str]:
    return sorted(Invoice.objects.values_list("state", flat=True))


def test_a_bulk_action_says_how_many_and_how_much_and_does_nothing_yet() -> None:
    rows = invoices("draft", "draft", "blocked")

    said = ask(as_("controller"), "approve", rows)

    assert "Approve: nothing is sent yet" in said
    assert "2 invoices, € 2,000.00 without VAT" in said
    assert "Client 0, Mar 2026 1,000.00" in said
    assert "Client 1, Mar 2026 1,000.00" in said
    assert "1 chosen row does not take part as it stands." in said
    assert "Client 2, Mar 2026 Purchase order missing" in said
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


def test_all_of_a_list_are_weighed_in_as_many_statements_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(confirmation, "MOST_SHOWN", 10)
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


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("", ["approve", "push", "take_back", "draft_anew"]),
        ("?state__exact=draft", ["approve"]),
        ("?state__exact=approved", ["push", "take_back"]),
        ("?blocked_reason__exact=po_missing", ["draft_anew"]),
        ("?state__exact=paid", []),
    ],
)
def test_a_list_offers_what_one_of_its_rows_can_take_part_in(
    query: str, actions: list[str]
) -> None:
    invoices("draft", "approved", "blocked", "paid")

    page: Any = as_("controller").get(LIST + query)

    assert offered(page) == actions
    assert (b"action-select" in page.content) == bool(actions)


def test_a_row_takes_part_in_what_it_says_it_does(settings: Settings) -> None:
    """What the page of a row offers, and what is done with it among many, are the same."""
    settings.TODAY = world.TODAY
    world.two_clients()
    invoices(*InvoiceState.unsent, "open", "paid", "uncollectible")
    client = factories.organisation("Q1")
    factories.quote(client)
    for day in (world.TODAY, dt.date(2026, 1, 1)):
        factories.quote(client, offered_on=day, valid_until=day)
    seen = Counter[tuple[str, bool]]()
    for model, page in admin.site._registry.items():
        assert isinstance(page, StaffAdmin)
        for row in page.get_queryset(RequestFactory().get("/")):
            deeds = page.deeds(row)
            if deeds is None:
                continue
            for action in map(str, page.actions or ()):
                part = page.part(action, model._default_manager.filter(pk=row.pk))
                assert part.exists() == (action in deeds), (row, action)
                seen[model._meta.label_lower, action in deeds] += 1
    assert {label for label, takes_part in seen if takes_part} >= {
        *("subscriptions.invoice", "subscriptions.quote", "subscriptions.mandate"),
        *("workshops.session", "subscriptions.contest", "subscriptions.indexationrun"),
    }


def test_the_page_of_none_in_sight_says_why(settings: Settings) -> None:
    said = ask(as_("controller"), "throw_away", invoices("draft", "approved"))

    assert "None of the chosen rows can take part as it stands." in said
    assert "Client 0, Mar 2026 Not a credit that staff gave" in said
    assert "Client 1, Mar 2026 Approved" in said


def statements(browser: Client, action: str, chosen: list[Invoice], of: str = "") -> int:
    """Count the statements of a deed, or those of them that name a table."""
    asked = {"action": action, "_selected_action": [str(row.pk) for row in chosen], "index": "0"}
    with CaptureQueriesContext(connection) as sent:
        assert browser.post(LIST, asked).status_code == 302
    return sum(of in each["sql"] for each in sent)


def test_many_are_approved_in_as_many_statements_as_two() -> None:
    rows, browser = invoices(*["draft"] * 14), as_("controller")
    statements(browser, "approve", rows[:2])

    of_two = statements(browser, "approve", rows[2:4])

    assert statements(browser, "approve", rows[4:]) == of_two
    assert states() == ["approved"] * 14
    assert AuditEvent.objects.filter(subject_id__in=[row.pk for row in rows]).count() == 14


def test_the_blocked_ones_of_a_run_are_drafted_anew_together() -> None:
    """What a run reads would be read again for every one of them."""
    factories.agency()
    factories.price_book()
    factories.closed_month("2026-03")
    rows, browser = invoices(*["blocked"] * 9), as_("controller")
    books = "subscriptions_priceband"

    assert statements(browser, "draft_anew", rows[:1], books) > 0
    of_two = statements(browser, "draft_anew", rows[2:4], books)

    assert statements(browser, "draft_anew", rows[4:], books) == of_two
