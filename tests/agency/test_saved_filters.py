"""Filters get a name, for one colleague or for all, and never hold what was searched for."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.test import Client

from agency import saved_filters
from agency.models import SavedFilter
from tests import factories
from tests.browsers import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]
LIST = "/admin/subscriptions/invoice/"
LATE = "overdue=yes&state__exact=open"


def save(browser: Client, name: str = "Late", query: str = LATE, **more: str) -> str:
    sent = {"listed": "subscriptions.invoice", "query": query, "name": name, **more}
    return browser.post("/admin/filters/", sent, follow=True).content.decode()


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("state__exact=open&overdue=yes", LATE),
        ("q=Jansen&p=3&e=1&overdue=yes", "overdue=yes"),
        ("buyer_name=Jan+de+Vries", ""),
        ("kind=a%26b%3Dc", ""),
        ("kind=" + "x" * 300, ""),
        ("", ""),
    ],
)
def test_filters_are_kept_and_words_are_not(asked: str, kept: str) -> None:
    assert saved_filters.query_of(QueryDict(asked)) == kept


@pytest.mark.parametrize("query", ["q=Jan de Vries", "q=%4A%61%6E", ""])
def test_the_database_refuses_words(query: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedFilter.objects.create(
            owner=factories.user(), listed="subscriptions.invoice", name="x", query=query
        )


def test_a_planner_saves_what_is_on_the_list_and_finds_it_there() -> None:
    planner = as_("planner")

    assert f'href="?{LATE.replace("&", "&amp;")}" aria-current="true">Late<' in save(planner)
    assert ">Late<" in planner.get(LIST).content.decode()
    assert ">Late<" not in planner.get("/admin/agency/organisation/").content.decode()
    assert ">Late<" not in as_("controller").get(LIST).content.decode()


def test_filters_that_are_saved_already_are_named_instead_of_offered() -> None:
    planner, controller = as_("planner"), as_("controller")
    assert "Save these filters" in planner.get(f"{LIST}?{LATE}").content.decode()

    said = save(planner, "Not paid")

    assert "These filters are saved as “Not paid”" in said
    assert "Save these filters" not in said
    assert "Save these filters" in planner.get(f"{LIST}?overdue=yes").content.decode()
    assert "Save these filters" in controller.get(f"{LIST}?{LATE}").content.decode()


def test_what_is_for_all_is_seen_by_all_and_forgotten_by_its_owner() -> None:
    planner, controller = as_("planner"), as_("controller")
    save(planner, is_shared="on")
    assert ">Late<" in controller.get(LIST).content.decode()

    save(controller, forget="1")
    assert SavedFilter.objects.count() == 1
    save(planner, forget="1")
    assert SavedFilter.objects.count() == 0


def test_the_same_name_is_saved_once() -> None:
    planner = as_("planner")
    save(planner)
    save(planner, query="state__exact=paid")

    assert SavedFilter.objects.get().query == "state__exact=paid"


@pytest.mark.parametrize(("name", "query"), [("", LATE), ("x" * 41, LATE), ("Late", "q=Jansen")])
def test_what_cannot_be_saved_is_told_in_one_sentence(name: str, query: str) -> None:
    assert "Give these filters a name of at most 40 letters." in save(as_("planner"), name, query)
    assert not SavedFilter.objects.exists()


def test_a_list_that_one_may_not_read_has_no_filters() -> None:
    sent = {"listed": "subscriptions.stripeevent", "query": "state=failed", "name": "x"}

    assert as_("planner").post("/admin/filters/", sent).status_code == 403
    assert as_("planner").post("/admin/filters/", sent | {"listed": "x"}).status_code == 400
