"""The palette finds what a person may read, by a few letters, and leads to the only one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agency.models import Organisation
from tests import factories
from tests.browsers import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]
FIND = "/admin/find/"


@pytest.fixture
def theatre() -> Organisation:
    factories.agency()
    made = factories.organisation("ORG1", legal_name="Theater De Zandloper", city="Meppel")
    factories.organisation("ORG2", legal_name="Museum Oud Lemmerdam", city="Meppel")
    factories.invoice(made, "2026-03", state="open", number="2026-0231", stripe_id="in_1")
    return made


def found(role: str, asked: str) -> list[str]:
    lines = as_(role).get(FIND, {"q": asked, "part": "1"}).context["found"]
    return [line.label for line in lines]


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("zandloper", "Theater De Zandloper"),
        ("DE ZAND", "Theater De Zandloper"),
        ("theater zandloper", "Theater De Zandloper"),
        ("0231", "Theater De Zandloper, 2026-0231"),
        ("in_1", "Theater De Zandloper, 2026-0231"),
        ("lemmerdam", "Museum Oud Lemmerdam"),
        ("price books", "Price books"),
        ("add legal", "Add legal name"),
        ("%", None),
        ("\0", "Today"),
        ("nobody is called so", None),
    ],
)
def test_a_few_letters_find_it(theatre: Organisation, asked: str, first: str | None) -> None:
    assert next(iter(found("controller", asked)), None) == first


def test_it_shows_what_the_role_reads_and_adds_and_nothing_else(theatre: Organisation) -> None:
    assert "Add invoice" not in found("controller", "invoice")
    assert "Add price book" in found("controller", "price book")
    assert "Add price book" not in found("planner", "price book")
    assert found("planner", "stripe") == []
    assert found("auditor", "stripe") != []
    assert found("controller", "hours") == []


def test_a_planner_does_not_find_by_what_only_the_office_reads(theatre: Organisation) -> None:
    assert found("planner", "in_1") == []


def test_the_only_one_is_opened_at_once(theatre: Organisation) -> None:
    answer = as_("controller").get(FIND, {"q": "0231"})

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/subscriptions/invoice/")
    several = as_("controller").get(FIND, {"q": "meppel"})
    assert several.status_code == 200
    assert b"Museum Oud Lemmerdam" in several.content


def test_what_is_found_is_text(theatre: Organisation) -> None:
    Organisation.objects.filter(pk=theatre.pk).update(legal_name="<b>Zand</b>loper")

    assert b"&lt;b&gt;Zand" in as_("controller").get(FIND, {"q": "zand", "part": "1"}).content


@pytest.mark.parametrize(("others", "lists"), [(3, 0), (4, 1)])
def test_more_than_five_of_a_kind_lead_to_the_list_with_that_search(
    theatre: Organisation, others: int, lists: int
) -> None:
    for number in range(others):
        factories.organisation(f"M{number}", legal_name=f"Mid & Co {number}", city="Meppel")
    browser = as_("controller")

    lines = browser.get(FIND, {"q": "MEP pel", "part": "1"}).context["found"]

    assert [line.kind for line in lines].count("organisation") == 5
    more = [line for line in lines if line.label == "More organisations with “mep pel”"]
    assert len(more) == lists
    for line in more:
        found: Any = browser.get(line.address)
        assert found.context_data["cl"].result_count == 6


def test_many_rows_cost_as_many_statements_as_few(theatre: Organisation) -> None:
    browser = as_("controller")
    browser.get("/admin/")

    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            browser.get(FIND, {"q": "meppel", "part": "1"})
        return len(asked)

    few = statements()
    for number in range(20):
        factories.organisation(f"M{number}", city="Meppel")

    assert statements() == few
