"""The search of the lists finds what people type: parts of names and numbers, Stripe ids whole."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agency import legal_names, paging, search
from agency.models import LegalName, User
from subscriptions.models import EInvoiceMail, Invoice, StripeEvent, StripeStep
from tests import factories as make
from tests.browsers import as_

pytestmark = pytest.mark.django_db
ADDRESS = "/admin/subscriptions/invoice/"
either_way = pytest.mark.parametrize("most", [1000, 0], ids=["by keys", "by rows"])


@pytest.fixture
def invoices() -> dict[str, Invoice]:
    """Make a document of a renamed theatre, one that another pays, and one of a one-off buyer."""
    theatre = make.organisation("ORG7", legal_name="Schouwburg Amstelkade")
    named = LegalName(
        organisation=theatre, from_on=dt.date(2025, 1, 1), legal_name="Toneelhuis De Speeldoos"
    )
    legal_names.rename(named, on=dt.date(2026, 1, 1))
    payer = make.organisation("ORG8", legal_name="Gemeente Amstelkade")
    served = make.organisation("OR10", legal_name="Wijkhuis")
    make.payer(served, payer)
    other = make.organisation("ORG9", legal_name="Fanfare 100% Muziek")
    return {
        "theatre": make.invoice(theatre, state="open", number="DISC-0042", stripe_id="in_1aB42"),
        "paid for": make.invoice(
            served,
            payer=payer,
            buyer_name="Gemeente Amstelkade",
            served_name="Wijkhuis",
            po_number="INK-77/a",
        ),
        "fanfare": make.invoice(other, po_number="4500012345"),
        "one-off": make.invoice(
            organisation=None, payer=None, buyer_name="Jansen Amstelkade", number="DISC-0099",
            state="open", stripe_id="in_9",
        ),
    }  # fmt: skip


def found(text: str, model: Any = Invoice) -> set[Any]:
    page, request = admin.site._registry[model], RequestFactory().get("/")
    request.user = User.objects.filter(role="controller").first() or make.user("controller")
    rows, may_repeat = page.get_search_results(request, model.objects.all(), text)
    listed = list(rows)
    assert len(set(listed)) == len(listed)
    assert not may_repeat
    return set(listed)


@either_way
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("speeldoos", ["theatre"]),
        ("doos toneel", ["theatre"]),
        ("doos gemeente", []),
        ("Schouwburg", ["theatre"]),
        ("org7", ["theatre"]),
        ("amstelkade", ["theatre", "paid for", "one-off"]),
        ("wijk", ["paid for"]),
        ("jansen", ["one-off"]),
        ("0042", ["theatre"]),
        ("disc-00", ["theatre", "one-off"]),
        ("ink-77", ["paid for"]),
        ("00123", ["fanfare"]),
        ("in_1aB42", ["theatre"]),
        (" in_1aB42 ", ["theatre"]),
        ("in_1aB4", []),
        ("100%", ["fanfare"]),
        ("1_0%", []),
        ('"De Speeldoos"', ["theatre"]),
        ('"Speeldoos De"', []),
        ("'", []),
        ("  ", ["theatre", "paid for", "fanfare", "one-off"]),
    ],
)
def test_a_document_is_found_by_its_clients_and_its_numbers(
    invoices: dict[str, Invoice],
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    text: str,
    names: list[str],
) -> None:
    monkeypatch.setattr(search, "MOST_FOUND", most)
    assert found(text) == {invoices[name] for name in names}


@either_way
def test_a_text_of_many_words_is_searched_for_the_first_of_them(
    invoices: dict[str, Invoice], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(search, "MOST_FOUND", most)
    assert found("speeldoos " * 5000) == {invoices["theatre"]}
    assert found("speeldoos " * 9 + "fanfare " * 5000) == set()


@either_way
def test_what_hangs_on_a_document_is_found_as_it_is(
    invoices: dict[str, Invoice], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(search, "MOST_FOUND", most)
    mails = {
        name: EInvoiceMail.objects.create(invoice=row, sent_on=dt.date(2026, 4, 1))
        for name, row in invoices.items()
    }
    for text, names in (
        ("speeldoos", ["theatre"]),
        ("gemeente", ["paid for"]),
        ("jansen", ["one-off"]),
        ("disc-00", ["theatre", "one-off"]),
        ("amstelkade", ["theatre", "paid for", "one-off"]),
    ):
        assert found(text, EInvoiceMail) == {mails[name] for name in names}
    step = make.stripe_step(invoices["theatre"], answer_id="in_1aB42")
    make.stripe_step(invoices["one-off"], answer_id="in_9")
    assert found("0042", StripeStep) == found("in_1aB42", StripeStep) == {step}
    event = make.stripe_event(object_id="in_1aB42")
    assert found("in_1aB42", StripeEvent) == found(event.event_id, StripeEvent) == {event}
    assert found("in_1", StripeEvent) == set()


def listed(client: Client, **asked: str) -> Any:
    """Give the list as it answered; its statements are nine."""
    with CaptureQueriesContext(connection) as sent:
        answer: Any = client.get(ADDRESS, asked)
    assert len(sent) == 9
    return answer.context_data["cl"]


def test_what_a_search_finds_is_counted_once_and_no_further_than_anybody_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The keys of the pages tell the number; beyond them a page is read as in any list."""
    monkeypatch.setattr(paging, "MOST_FOUND", 4)
    monkeypatch.setattr(admin.site._registry[Invoice], "list_per_page", 2)
    client, rows = as_("controller"), []
    client.get(ADDRESS)
    for number in range(1, 8):
        rows.append(
            make.invoice(make.organisation(f"ORG{number}", legal_name=f"Harmonie {number}"))
        )
        said = listed(client, q="harmonie").paginator.said
        assert said == (f"{number}" if number < 5 else "more than 4")
    seen = [row for page in "12" for row in listed(client, q="harmonie", p=page).result_list]
    for page in "34":
        answer: Any = client.get(ADDRESS, {"q": "harmonie", "p": page})
        seen += answer.context_data["cl"].result_list
    assert seen == rows
    assert client.get(ADDRESS, {"q": "harmonie", "p": "5"}).status_code == 302


def test_the_palette_asks_as_often_for_one_client_as_for_many() -> None:
    client, address, counts = as_("controller"), reverse("admin:find"), set()
    client.get(address)
    for number in range(4):
        make.invoice(make.organisation(f"ORG{number}", legal_name=f"Harmonie {number}"))
        with CaptureQueriesContext(connection) as sent:
            answer = client.get(address, {"part": "1", "q": "harmonie"})
        assert answer.content.decode().count("Harmonie") >= number + 1
        counts.add(len(sent))
    assert counts == {10}
