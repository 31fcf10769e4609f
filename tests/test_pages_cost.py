"""The benchmark of the admin's pages: it asks for all of them, and a page that is slow fails it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pytest_django import Settings

from agency.models import Organisation
from subscriptions.models import CollectionPolicy
from tests import factories as make
from tests.benchmarks import pages
from tests.benchmarks.pages import Cost
from tests.confidentiality import world

CREDITOR = "NL12ZZZ123456780000"


@pytest.mark.parametrize(
    ("cost", "misses"),
    [
        (Cost("invoice", 6.0, 10, 10), ""),
        (Cost("invoice", 6.1, 10, 10), "slow"),
        (Cost("client", 3.1, 10, 10), "slow"),
        (Cost("invoice", 1.0, 11, 11), "statements"),
        (Cost("invoice", 1.0, 9, 8), "grows"),
        (Cost("invoice", 1.0, 8, 9), ""),
        (Cost("invoice", 1.0, 9, None), ""),
    ],
)
def test_a_page_that_misses_a_bar_fails_the_benchmark(cost: Cost, misses: str) -> None:
    assert cost.misses == misses
    if misses:
        with pytest.raises(SystemExit, match=r"1 of 2 pages"):
            pages.judge([cost, Cost("start", 1.0, 1, 1)])
    else:
        pages.judge([cost])


@pytest.mark.django_db
def test_the_benchmark_asks_for_every_page(settings: Settings) -> None:
    settings.TODAY = world.TODAY
    world.two_clients()
    client = pages.signed_in()
    shown = list(pages.pages(client))
    names = {page.name for page in shown}
    assert {"start", "client", "invoice ?state__exact=paid", "organisation: form"} <= names
    few = [page for page in shown if page.name in {"client", "organisation"}]
    found = pages.costs(client, few, {"client": -1}, rounds=1)
    assert [cost.name for cost in found] == [page.name for page in few]
    assert all(0 < cost.statements <= 10 for cost in found)
    assert ["grows" in cost.misses for cost in found] == [cost.name == "client" for cost in found]
    assert Organisation.objects.count() > 1


@pytest.mark.django_db
def test_a_list_without_rows_tells_nothing_of_what_rows_cost(settings: Settings) -> None:
    settings.TODAY = world.TODAY
    world.two_clients()
    client, address = pages.signed_in(), "/admin/agency/organisation/"
    shown = [pages.Page("all", address), pages.Page("none", f"{address}?q=nobody")]
    found = pages.costs(client, shown, {"all": 1, "none": 1}, rounds=1)
    assert [cost.statements_small for cost in found] == [1, None]
    assert ["grows" in cost.misses for cost in found] == [True, False]


@pytest.mark.django_db
def test_the_page_of_a_row_asks_at_most_ten_times(settings: Settings) -> None:
    settings.TODAY = world.TODAY
    world.two_clients()
    client = pages.signed_in()
    of_rows = (": form", "invoice: explain", "invoice: credit", "invoice: late")
    shown = [page for page in pages.pages(client) if page.name.endswith(of_rows)]
    found = {
        cost.name: cost.statements
        for cost in pages.costs(client, shown, {}, rounds=1)
        if cost.statements > pages.STATEMENTS
    }
    assert found == {}
    assert len(shown) > 30


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/admin/", "/admin/subscriptions/reminder/plan/"])
def test_a_page_asks_the_same_for_one_row_as_for_a_full_page(
    settings: Settings, address: str
) -> None:
    settings.TODAY = world.TODAY
    world.two_clients()
    CollectionPolicy.objects.update_or_create(
        defaults={"reminded_by": "agency", "announced_by": "agency", "creditor_id": CREDITOR}
    )
    client = pages.signed_in()
    _late(1)
    client.get(address)
    few, is_empty = pages._statements(client, address)
    for number in range(2, 8):
        _late(number)
    assert pages._statements(client, address) == (few, is_empty)
    assert few <= pages.STATEMENTS


def _late(number: int) -> None:
    """Make an invoice to remind of and one to announce, each of a client of its own."""
    for collection in ("invoice", "sepa"):
        name = f"{collection}-{number}"
        organisation = make.organisation(name[-8:], invoice_email="books@client.example")
        named: dict[str, Any] = {"number": name, "stripe_id": f"in_{name}"}
        day = world.TODAY - dt.timedelta(days=number)
        invoice = make.invoice(
            organisation, state="open", due_on=day, collection=collection, **named
        )
        make.stripe_step(invoice, "finalize", state="done", body={"auto_advance": False})
