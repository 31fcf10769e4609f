"""Lists of any length: how many are counted, that all are reached, and what each page asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.core.paginator import EmptyPage
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from agency import paging
from agency.admin_base import StaffAdmin
from agency.models import Organisation
from agency.paging import CappedPaginator
from subscriptions.admin import invoice_groups
from subscriptions.models import Invoice
from tests import factories as make
from tests.browsers import as_
from tests.confidentiality import world

pytestmark = pytest.mark.django_db
CLIENTS = 7


@pytest.fixture
def seven() -> list[Organisation]:
    return [make.organisation(f"ORG{number}") for number in range(CLIENTS)]


def walked(paginator: CappedPaginator) -> Iterator[Any]:
    number = 1
    while number <= paginator.num_pages:
        yield from paginator.page(number)
        number += 1


@pytest.mark.parametrize(
    ("most", "said", "known_pages"), [(6, "meer dan 6", 3), (7, "7", 4), (8, "7", 4)]
)
def test_counts_up_to_a_number_and_reaches_every_row(
    seven: list[Organisation],
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    said: str,
    known_pages: int,
) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", most)
    paginator = CappedPaginator(Organisation.objects.order_by("code"), 2)
    assert (paginator.said, paginator.num_pages) == (said, known_pages)
    assert list(walked(paginator)) == seven
    assert paginator.num_pages == 4
    for beyond in (0, 5):
        with pytest.raises(EmptyPage):
            paginator.page(beyond)


def test_the_list_leads_beyond_what_it_counts(
    seven: list[Organisation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", 4)
    monkeypatch.setattr(admin.site._registry[Organisation], "list_per_page", 2)
    address, client = reverse("admin:agency_organisation_changelist"), as_("planner")
    seen, page = [], 1
    while page:
        answer = client.get(address, {"p": page})
        text = answer.content.decode()
        assert "more than 4 organisations" in text
        seen += [each.pk for each in seven if f"{each.pk}" in text]
        page = page + 1 if f'p={page + 1}"' in text else 0
    assert seen == [each.pk for each in seven]


def test_states_are_counted_and_added_up(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.TODAY = world.TODAY
    monkeypatch.setattr(invoice_groups, "MOST_ADDED_UP", 2)
    states = ["draft"] * 3 + ["approved", "paid", "paid"]
    rows = [document(number, state) for number, state in enumerate(states)]
    cents = rows[0].total_cents
    assert sums() == {
        "All": ("meer dan 2", None),
        "Draft": ("3", 3 * cents),
        "Approved": ("1", cents),
        "Blocked": ("0", 0),
        "Parked": ("0", 0),
        "Open": ("0", 0),
        "Overdue": ("0", 0),
        "Paid": ("2", 2 * cents),
    }
    document(9, "paid")
    assert sums()["Paid"] == ("meer dan 2", None)


def document(number: int, state: str) -> Invoice:
    names: dict[str, Any] = {"number": f"D-{number}", "stripe_id": f"in_{number}"}
    if state != "paid":
        names = {}
    return make.invoice(make.organisation(f"ORG{number}"), state=state, **names)


def sums() -> dict[str, tuple[str, int | None]]:
    shown = invoice_groups.groups(RequestFactory().get("/"))
    return {each.label._args[0]: (each.count, each.total_cents) for each in shown}


@pytest.fixture
def rows_of_all(settings: Settings) -> None:
    settings.TODAY = world.TODAY
    world.two_clients()


def statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as sent:
        assert client.get(address).status_code == 200
    return len(sent)


def test_a_list_asks_as_often_for_one_row_as_for_many(
    rows_of_all: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row a page against all: a question for each row is as many more."""
    client, costs, many = as_("controller"), {}, 0
    for model, page in admin.site._registry.items():
        assert isinstance(page, StaffAdmin)
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        if client.get(address).status_code != 200:
            continue  # of another role
        with monkeypatch.context() as patch:
            patch.setattr(page, "list_per_page", 1)
            of_one = statements(client, address)
        costs[model] = of_one, statements(client, address)
        many += model._default_manager.count() > 1
    assert {model: cost for model, cost in costs.items() if cost[0] != cost[1]} == {}
    assert many > 20


def test_filters_that_ask_otherwise_find_the_rows_of_their_choice() -> None:
    sent = document(1, "paid")
    invoices = [sent, make.invoice(make.organisation("O2"), state="open", number="D-2")]
    invoices += [
        make.invoice(make.organisation(reason), state="blocked", blocked_reason=reason)
        for reason in ("po_missing", "incomplete")
    ]
    credit = make.invoice(sent.organisation, kind="credit", credit_of=sent, number="C-1")
    client, address = as_("controller"), reverse("admin:subscriptions_invoice_changelist")
    for query, rows in (
        ({"kind__exact": "invoice"}, invoices),
        ({"kind__exact": "credit"}, [credit]),
        ({"blocked_reason__exact": "po_missing"}, invoices[2:3]),
        ({"blocked_reason__exact": "po_missing", "kind__exact": "credit"}, []),
    ):
        shown: Any = client.get(address, query)
        assert {row.pk for row in shown.context_data["cl"].result_list} == {r.pk for r in rows}
