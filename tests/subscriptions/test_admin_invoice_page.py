"""The page of an invoice: one next step, the rest at hand, what cannot be undone apart."""

from __future__ import annotations

import re
from typing import Any

import pytest

from agency.models import Organisation
from subscriptions.models import Invoice
from tests import factories as make
from tests.browsers import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]


@pytest.fixture
def client() -> Organisation:
    make.agency()
    return make.organisation("ORG1", legal_name="Client")


def page(invoice: Invoice, role: str = "controller") -> str:
    return as_(role).get(f"/admin/subscriptions/invoice/{invoice.pk}/change/").content.decode()


def words(pattern: str, content: str) -> list[str]:
    """Give the words of each button or link whose tag fits."""
    found = re.findall(rf"<(?:a|button)[^>]*{pattern}[^>]*>(.*?)</", content)
    return [word.strip() for word in found]


@pytest.mark.parametrize(
    ("state", "more", "first"),
    [
        ("draft", {}, ["Approve: nothing is sent yet"]),
        ("approved", {}, ["Send by Stripe"]),
        ("blocked", {"blocked_reason": "po_missing"}, ["Add purchase order"]),
        ("blocked", {"blocked_reason": "incomplete"}, ["Draft blocked ones anew"]),
        ("blocked", {"blocked_reason": "bound"}, ["Looked at: the amount is right"]),
        ("parked", {"parked_because": "amounts differ"}, ["Try parked ones again"]),
        ("open", {"number": "N-1", "stripe_id": "in_1"}, ["Note a payment"]),
        ("paid", {"number": "N-1", "stripe_id": "in_1"}, []),
    ],
)
def test_the_one_filled_button_is_the_next_step(
    client: Organisation, state: str, more: dict[str, Any], first: list[str]
) -> None:
    invoice = make.invoice(client, state=state, **more)

    assert words(r'class="btn first"', page(invoice)) == first
    assert words(r'class="btn first"', page(invoice, "auditor")) == []


def test_the_rest_stands_under_more_and_danger_apart(client: Organisation) -> None:
    invoice = make.invoice(
        client, state="open", number="N-1", stripe_id="in_1", pdf_url="https://pay.example/1.pdf"
    )

    content = page(invoice)

    tools, form_and_foot = content.split('<div class="form">')
    more = tools.split('<summary class="btn">More</summary>')[1]
    for word in ("PDF", "E-invoice", "Credit", "Contested", "Payment plan", "History"):
        assert f">{word}</a>" in more
    assert len(words(r'class="btn', tools)) == 2
    assert words(r'class="btn danger"', tools) == []
    assert words(r'class="btn danger"', form_and_foot) == ["Write off"]
    assert "btn danger" not in page(invoice, "auditor")


def test_where_it_stands_is_said_once(client: Organisation) -> None:
    invoice = make.invoice(client, state="blocked", blocked_reason="po_missing")

    content = page(invoice)

    assert content.count('class="badge') == 1
    assert '<span class="label">State</span>' not in content
    assert "€\xa01,210.00" in content.split('<div class="form">')[0]


def test_a_credit_that_is_a_draft_can_be_thrown_away_from_its_page(client: Organisation) -> None:
    sent = make.invoice(client, state="open", number="N-1", stripe_id="in_1")
    credit = make.invoice(
        client, kind="credit", credit_of=sent, credit_reason="twice",
        lines=[{"net_cents": -100, "vat_cents": -21}],
    )  # fmt: skip

    content = page(credit)

    assert words(r'class="btn first"', content) == ["Approve: nothing is sent yet"]
    assert words(r'class="btn danger"', content) == ["Throw drafts of credits away"]


def test_noting_a_payment_begins_with_the_number_of_the_invoice(client: Organisation) -> None:
    make.invoice(client, state="open", number="N/1 A", stripe_id="in_1")
    invoice = Invoice.objects.get()
    (address,) = re.findall(r'href="([^"]*received/[^"]*)"', page(invoice))

    assert 'value="N/1 A"' in as_("controller").get(address).content.decode()
