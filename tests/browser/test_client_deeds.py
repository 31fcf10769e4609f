"""What a client does itself: it invites a colleague, and adds an order number."""

from __future__ import annotations

import re

import pytest
from django.core import mail

from agency import contacts
from agency.models import Contact
from subscriptions.models import PurchaseOrder
from tests.browser.conftest import Open
from tests.browser.scene import PHONE, Sample, sign_in
from tests.browser.test_pages_for_all import findings

WIDE = {"width": 1360, "height": 900}
STORIES = [
    pytest.param({"viewport": WIDE}, "nl", id="desk-nl"),
    pytest.param({"viewport": PHONE, "locale": "en-GB"}, "en", id="phone-en"),
    pytest.param({"viewport": PHONE, "java_script_enabled": False}, "nl", id="without-script"),
]
WORDS = {
    "nl": ("Mensen", "Uitnodiging versturen", "Facturen", "Inkooporders", "Order toevoegen"),
    "en": ("People", "Send invitation", "Invoices", "Purchase orders", "Add order"),
}


def sideways(page: object) -> bool:
    wide = "document.documentElement.scrollWidth > innerWidth"
    return bool(page.evaluate(wide))  # type: ignore[attr-defined]  # a page of Playwright


@pytest.mark.parametrize(("window", "language"), STORIES)
def test_a_colleague_is_invited_and_signs_in_by_a_code(
    open_page: Open, sample: Sample, window: dict[str, object], language: str
) -> None:
    Contact.objects.update(role="owner")
    Contact.objects.get(organisation=sample.client).user.__class__.objects.filter(
        role="contact"
    ).update(language=language)
    people, send, *_ = WORDS[language]
    page = open_page(**window)
    sign_in(page, "contact", language)
    page.goto(f"/portal/{sample.client.pk}/")
    page.get_by_role("link", name=people, exact=True).click()

    page.get_by_role("button", name=send).click()  # nothing filled in yet
    assert page.locator(".field.bad").count() == 2
    page.fill("[name=name]", "Nora Nieuw")
    page.fill("[name=email]", "nora@speeldoos.example")
    page.get_by_role("button", name=send).click()
    page.wait_for_selector(".msg.success")
    assert page.locator(".badge.way").count() == 1
    if window.get("java_script_enabled", True):
        assert findings(page) == []
        assert not sideways(page)

    contacts.mail_waiting()
    assert mail.outbox[-1].to == ["nora@speeldoos.example"]
    theirs = open_page(**window)
    theirs.goto("/account/login/code/")
    theirs.fill("[name=email]", "nora@speeldoos.example")
    theirs.locator("main button, .letter button").first.click()
    theirs.wait_for_selector("[name=code]")
    (code,) = re.findall(r"\b\d{6}\b", str(mail.outbox[-1].body))
    theirs.fill("[name=code]", code)
    theirs.locator("[name=code]").press("Enter")
    theirs.wait_for_url(f"**/portal/{sample.client.pk}/")


@pytest.mark.parametrize(("window", "language"), STORIES)
def test_an_order_number_is_added_for_the_months_to_come(
    open_page: Open, sample: Sample, window: dict[str, object], language: str
) -> None:
    contact = Contact.objects.get(organisation=sample.client)
    contact.user.language = language
    contact.user.save()
    *_, invoices, orders, add = WORDS[language]
    page = open_page(**window)
    sign_in(page, "contact", language)
    page.goto(f"/portal/{sample.client.pk}/")
    page.get_by_role("navigation").get_by_role("link", name=invoices, exact=True).click()
    page.get_by_role("link", name=orders).click()

    page.fill("[name=number]", "PO-4711")
    page.fill("[name=budget_cents]", "veel")
    page.get_by_role("button", name=add).click()
    assert page.locator(".field.bad [name=budget_cents]").input_value() == "veel"
    page.fill("[name=budget_cents]", "12.500,00")
    page.get_by_role("button", name=add).click()
    page.wait_for_selector(".msg.success")

    assert page.get_by_role("rowheader", name="PO-4711").is_visible()
    if window.get("java_script_enabled", True):
        assert findings(page) == []
        assert not sideways(page)
    order = PurchaseOrder.objects.get(organisation=sample.client)
    assert (str(order.from_month), order.budget_cents) == ("2026-05", 1_250_000)
