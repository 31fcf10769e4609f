"""What a client types wrong gets one sentence at its field, and writes nothing; twice is once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from pytest_django.fixtures import Settings

from agency.models import AuditEvent, Contact, Invitation, Organisation
from subscriptions.models import PurchaseOrder
from tests import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]

HUGE = "9" * 5000
NOWHERE = "00000000-0000-0000-0000-000000000007"
UNSEEN = "Jo\N{RIGHT-TO-LEFT OVERRIDE}rien"
HIDDEN = {
    "a mark that turns text": UNSEEN,
    "a character of zero width": "Jo\N{ZERO WIDTH SPACE}rien",
    "a control character": "Jo\x07rien",
    "a null": "Jo\x00rien",
    "a formula": '=HYPERLINK("https://elsewhere.example")',
    "a script": "<script>alert(1)</script>",
    "huge": HUGE,
}
# By the page: what a person sends who makes no mistake.
GOOD: dict[str, dict[str, str]] = {
    "orders": {
        "number": "PO-4711",
        "from_month": "2026-06",
        "last_month": "2026-12",
        "budget_cents": "12.500,00",
    },
    "details": {
        "invoice_email": "crediteuren@own.example",
        "einvoice_email": "ubl@own.example",
        "einvoice_address": "0106:12345678",
        "street": "Kade 2",
        "postcode": "3511 AB",
        "city": "Utrecht",
    },
    "people": {
        "name": "Nora New",
        "email": "nora@own.example",
        "role": "reader",
        "language": "nl",
    },
    "person": {"role": "billing", "language": "nl"},
}
# Deeds that take nothing but a press, on a page that says what comes of it.
PRESSED = ("removal", "transfer", "uninvite")
OF_OWNERS = ("person", *PRESSED)
# By the page and field: the lines of text, and what is wrong with the others.
LINES = {"orders": ["number"], "details": ["street", "postcode", "city"], "people": ["name"]}
WRONG: dict[tuple[str, str], dict[str, str]] = {
    ("orders", "number"): {"empty": ""},
    ("orders", "from_month"): {
        "empty": "",
        "past": "2026-03",
        "begun": "2026-04",
        "wrong type": "soon",
        "huge": HUGE,
        "beyond the list": "2099-01",
    },
    ("orders", "last_month"): {
        "before the first": "2026-05",
        "wrong type": "2026-13",
        "a formula": "=1+1",
    },
    ("orders", "budget_cents"): {
        "wrong type": "much",
        "nothing": "0",
        "less than nothing": "-5",
        "huge": HUGE,
        "half a cent": "1,005",
    },
    ("details", "invoice_email"): {
        "empty": "",
        "wrong type": "no address",
        "a formula": "=cmd@own.example",
        "a mark that turns text": "jo\N{RIGHT-TO-LEFT OVERRIDE}@own.example",
        "two lines": "jo@own.example\r\nBcc: all@own.example",
        "huge": f"{HUGE}@own.example",
    },
    ("details", "einvoice_email"): {"wrong type": "no address"},
    ("details", "einvoice_address"): {
        "wrong type": "12345678",
        "a script": "0106:<script>",
        "huge": f"0106:{HUGE}",
    },
    ("details", "street"): {"empty": ""},
    ("details", "postcode"): {"empty": ""},
    ("details", "city"): {"empty": ""},
    ("people", "name"): {"empty": ""},
    ("people", "email"): {
        "empty": "",
        "wrong type": "no address",
        "a formula": "@own.example",
        "a mark that turns text": "jo\N{RIGHT-TO-LEFT OVERRIDE}@own.example",
        "a null": "jo\x00@own.example",
        "two lines": "jo@own.example\r\nBcc: all@own.example",
        "a script": "<script>@own.example",
        "huge": f"{HUGE}@own.example",
        "a colleague of ours": "jo@own.example",
    },
    ("people", "role"): {"empty": "", "wrong type": "planner", "huge": HUGE, "a formula": "=1"},
    ("people", "language"): {"empty": "", "wrong type": "xx"},
    ("person", "role"): {"empty": "", "wrong type": "planner", "huge": HUGE, "a formula": "=1"},
    ("person", "language"): {"empty": "", "wrong type": "xx"},
}
BAD = [
    *((page, name, kind, value) for page, names in LINES.items() for name in names
      for kind, value in HIDDEN.items()),
    *((page, name, kind, value) for (page, name), values in WRONG.items()
      for kind, value in values.items()),
]  # fmt: skip


@dataclass
class Desk:
    """The owner of a client before the own pages, with a colleague, and another client."""

    organisation: Organisation
    owner: Contact
    colleague: Contact
    stranger: Contact
    invitation: Invitation
    browser: Client = field(default_factory=Client)

    def address(self, form: str, contact: object = None, invitation: object = None) -> str:
        place, person = f"/portal/{self.organisation.pk}", contact or self.colleague.pk
        return {
            "person": f"{place}/people/{person}/",
            "removal": f"{place}/people/{person}/remove/",
            "transfer": f"{place}/people/{person}/transfer/",
            "uninvite": f"{place}/people/invited/{invitation or self.invitation.pk}/withdraw/",
        }.get(form, f"{place}/{form}/")

    def sent(self, form: str, **changed: str) -> dict[str, str]:
        """Give what is sent by somebody who has the page open."""
        if form in PRESSED:
            return {}
        shown = self.browser.get(self.address(form)).content.decode()
        hidden = re.findall(r'<input type="hidden" name="(seen)" value="([^"]*)"', shown)
        return {**GOOD[form], **dict(hidden), **changed}

    def send(self, form: str, **changed: str) -> Any:
        return self.browser.post(self.address(form), self.sent(form, **changed))


@pytest.fixture
def desk() -> Desk:
    organisation = make.organisation("OWN")
    owner = make.contact(organisation)
    colleague = make.contact(
        organisation, make.user("contact", email="jo@own.example", name="Jo Colleague"), "reader"
    )
    stranger = make.contact(make.organisation("OTHER"))
    waiting = make.invitation(organisation, "waits@own.example")
    made = Desk(organisation, owner, colleague, stranger, waiting)
    made.browser.force_login(owner.user)
    return made


def everything() -> dict[str, list[dict[str, Any]]]:
    """Give all rows of our own tables; a session is not one."""
    return {
        model._meta.label: sorted(model._default_manager.values(), key=str)
        for model in apps.get_models()
        if model._meta.app_label in {"agency", "subscriptions", "django_q"}
    }


@pytest.mark.parametrize(("form", "name", "kind", "value"), BAD)
def test_bad_input_gets_one_sentence_at_its_field_and_writes_nothing(
    desk: Desk, form: str, name: str, kind: str, value: str
) -> None:
    before = everything()

    answer = desk.send(form, **{name: value})

    told = answer.content.decode()
    assert answer.status_code == 400
    assert everything() == before
    wrong = re.findall(r'<div class="field bad">.*?</div>', told, re.DOTALL)
    assert len(wrong) == 1
    assert f'name="{name}"' in wrong[0]
    assert wrong[0].count('class="err"') == 1
    assert "<script>" not in told


@pytest.mark.parametrize("form", GOOD)
def test_sent_twice_is_done_once(desk: Desk, form: str) -> None:
    sent = desk.sent(form)

    first = desk.browser.post(desk.address(form), sent)
    once = everything()
    second = desk.browser.post(desk.address(form), sent)

    assert (first.status_code, second.status_code) == (302, 302)
    assert everything() == once
    assert AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("form", "second_status"), [("removal", 404), ("transfer", 403), ("uninvite", 404)]
)
def test_a_press_on_a_page_that_is_stale_does_nothing(
    desk: Desk, form: str, second_status: int
) -> None:
    first = desk.browser.post(desk.address(form))
    once = everything()
    second = desk.browser.post(desk.address(form))

    assert (first.status_code, second.status_code) == (302, second_status)
    assert everything() == once


@pytest.mark.parametrize("form", [*GOOD, *PRESSED])
def test_whose_session_is_over_signs_in_first_and_writes_nothing(desk: Desk, form: str) -> None:
    sent = desk.sent(form)
    desk.browser.logout()
    before = everything()

    answer = desk.browser.post(desk.address(form), sent)

    assert answer["Location"].startswith("/account/login/code/?next=")
    assert everything() == before


@pytest.mark.parametrize("form", [*GOOD, *PRESSED])
def test_what_another_site_replays_is_refused(desk: Desk, form: str) -> None:
    sent = desk.sent(form)
    elsewhere = Client(enforce_csrf_checks=True)
    elsewhere.force_login(desk.owner.user)
    before = everything()

    assert elsewhere.post(desk.address(form), sent).status_code == 403
    assert everything() == before


@pytest.mark.parametrize("form", [*GOOD, *PRESSED])
def test_a_form_of_another_client_is_not_found(desk: Desk, form: str) -> None:
    sent = desk.sent(form)
    desk.browser.force_login(desk.stranger.user)
    before = everything()

    assert desk.browser.post(desk.address(form), sent).status_code == 404
    assert everything() == before


@pytest.mark.parametrize("form", OF_OWNERS)
def test_a_row_of_another_client_is_as_one_that_is_not_there(desk: Desk, form: str) -> None:
    sent = desk.sent(form)
    theirs = make.invitation(desk.stranger.organisation, "theirs@other.example")
    foreign = desk.address(form, desk.stranger.pk, theirs.pk)
    missing = desk.address(form, NOWHERE, NOWHERE)
    before = everything()

    answers = [desk.browser.post(address, sent) for address in (foreign, missing)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert everything() == before


@pytest.mark.parametrize("form", [*GOOD, *PRESSED])
def test_a_reader_sends_nothing(desk: Desk, form: str) -> None:
    sent = desk.sent(form)
    desk.browser.force_login(desk.colleague.user)
    before = everything()

    shown = 403 if form in OF_OWNERS else 200
    if form != "uninvite":
        assert desk.browser.get(desk.address(form)).status_code == shown
    assert desk.browser.post(desk.address(form), sent).status_code == 403
    assert everything() == before


# Orders


def test_a_new_order_ends_the_one_without_an_end_and_is_shown(desk: Desk) -> None:
    make.purchase_order(desk.organisation, "PO-OLD")

    assert desk.send("orders").status_code == 302

    orders = PurchaseOrder.objects.filter(organisation=desk.organisation).order_by("from_month")
    assert [(order.number, str(order.until_month)) for order in orders] == [
        ("PO-OLD", "2026-06"),
        ("PO-4711", "2027-01"),
    ]
    shown = desk.browser.get(desk.address("orders")).content.decode()
    assert "PO-4711" in shown
    assert "12.500" in shown or "12,500" in shown


@pytest.mark.parametrize("last_month", ["2026-07", ""])
def test_an_order_for_months_of_another_one_is_refused(desk: Desk, last_month: str) -> None:
    make.purchase_order(desk.organisation, "PO-SUMMER", "2026-06", "2026-09")

    answer = desk.send("orders", from_month="2026-05", last_month=last_month)

    assert answer.status_code == 400
    assert b"Order PO-SUMMER holds in these months already" in answer.content
    assert PurchaseOrder.objects.count() == 1


def test_a_budget_below_what_was_billed_is_refused(desk: Desk) -> None:
    make.invoice(desk.organisation, "2026-03", state="open", po_number="PO-4711")

    answer = desk.send("orders", budget_cents="1")

    assert answer.status_code == 400
    assert b"was billed already" in answer.content


def test_who_sees_to_invoices_adds_an_order(desk: Desk) -> None:
    Contact.objects.filter(pk=desk.colleague.pk).update(role="billing")
    desk.browser.force_login(desk.colleague.user)

    assert desk.send("orders").status_code == 302
    event = AuditEvent.objects.get()
    assert (event.actor, event.action) == (desk.colleague.user, "added")


# Billing details


def test_changed_details_are_those_of_the_next_invoice(desk: Desk) -> None:
    assert desk.send("details").status_code == 302

    desk.organisation.refresh_from_db()
    assert desk.organisation.invoice_email == "crediteuren@own.example"
    assert desk.organisation.einvoice_address == "0106:12345678"
    event = AuditEvent.objects.get()
    assert event.fields.startswith("invoice_email, einvoice_email")
    assert "crediteuren" not in event.fields


def test_details_that_were_changed_meanwhile_are_not_overwritten(desk: Desk) -> None:
    form = desk.sent("details")
    Organisation.objects.filter(pk=desk.organisation.pk).update(city="Amersfoort")

    answer = desk.browser.post(desk.address("details"), form)

    assert answer.status_code == 400
    assert b"changed these details meanwhile" in answer.content
    desk.organisation.refresh_from_db()
    assert (desk.organisation.city, desk.organisation.street) == ("Amersfoort", "Dorpsstraat 1")


def test_what_decides_about_vat_is_shown_and_never_taken_from_the_form(
    desk: Desk, settings: Settings
) -> None:
    desk.send("details", legal_name="Else B.V.", vat_id="BE0123456749", country="BE")

    desk.organisation.refresh_from_db()
    assert desk.organisation.legal_name == "OWN B.V."
    assert (desk.organisation.vat_id, desk.organisation.country) == ("", "NL")
    assert b"Ask us" in desk.browser.get(desk.address("details")).content
