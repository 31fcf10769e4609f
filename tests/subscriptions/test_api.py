"""The API reads what a person may see, and finds nothing else."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agency.models import Organisation
from tests import factories
from tests.browsers import as_

pytestmark = pytest.mark.django_db

RESOURCES = ["organisations", "statements", "invoices", "sessions"]


@pytest.fixture
def own() -> Organisation:
    return full("OWN", "1")


@pytest.fixture
def other() -> Organisation:
    return full("OTHER", "2")


def full(code: str, number: str) -> Organisation:
    """A client with one of everything that the API shows."""
    organisation = factories.organisation(code)
    factories.contact(organisation)
    subscription = factories.subscription(organisation)
    factories.statement(subscription, used_quarters=14)
    factories.session(organisation, f"S{number}")
    factories.invoice(organisation, state="open", number=number, stripe_id=f"in_{number}")
    return organisation


def as_contact(organisation: Organisation) -> Client:
    client = Client()
    client.force_login(organisation.contacts.get().user)
    return client


def test_a_contact_reads_what_is_of_the_own_organisation(
    own: Organisation, other: Organisation
) -> None:
    client = as_contact(own)

    for resource in RESOURCES:
        found = client.get(f"/api/v1/{resource}/").json()["results"]
        assert [row.get("organisation", row.get("code")) for row in found] == ["OWN"]


@pytest.mark.attack(33, 45)
@pytest.mark.parametrize("resource", RESOURCES)
def test_foreign_and_missing_are_the_same_answer(
    own: Organisation, other: Organisation, resource: str
) -> None:
    theirs = as_contact(other).get(f"/api/v1/{resource}/").json()["results"][0]["id"]
    client = as_contact(own)

    foreign = client.get(f"/api/v1/{resource}/{theirs}/")
    missing = client.get(f"/api/v1/{resource}/{uuid.UUID(int=7)}/")

    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


def test_a_statement_is_told_as_it_was_published(own: Organisation) -> None:
    statement = own.statements.get()

    told = as_contact(own).get(f"/api/v1/statements/{statement.pk}/").json()

    assert told == {
        "id": str(statement.pk),
        "organisation": "OWN",
        "from_month": "2026-01",
        "until_month": "2026-04",
        "version": 1,
        "display": "exact",
        "used_hours": "3.5",
        "allowance_hours": "20",
        "overage_hours": "0",
        "published_on": "2026-04-01",
    }


def test_a_statement_without_figures_tells_none() -> None:
    organisation = factories.organisation()
    factories.contact(organisation)
    factories.statement(factories.subscription(organisation), display="withheld")

    told = as_contact(organisation).get("/api/v1/statements/").json()["results"]

    assert [(row["display"], row["used_hours"]) for row in told] == [("withheld", None)]


def test_drafts_are_for_staff_only(own: Organisation) -> None:
    draft = factories.invoice(own, "2026-02")

    assert as_contact(own).get(f"/api/v1/invoices/{draft.pk}/").status_code == 404
    assert as_("controller").get(f"/api/v1/invoices/{draft.pk}/").json()["state"] == "draft"


def test_staff_may_ask_for_one_organisation(own: Organisation, other: Organisation) -> None:
    client = as_("planner")

    for resource in RESOURCES:
        every = client.get(f"/api/v1/{resource}/").json()["results"]
        one = client.get(f"/api/v1/{resource}/?organisation=OTHER").json()["results"]
        assert len(every) == 2
        assert [row.get("organisation", row.get("code")) for row in one] == ["OTHER"]


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(own: Organisation, resource: str, method: str) -> None:
    client = as_("administrator")
    row = client.get(f"/api/v1/{resource}/").json()["results"][0]["id"]

    for address in (f"/api/v1/{resource}/", f"/api/v1/{resource}/{row}/"):
        answer = getattr(client, method)(address, {}, content_type="application/json")
        assert answer.status_code == 405


@pytest.mark.parametrize("address", [*(f"v1/{resource}/" for resource in RESOURCES), "schema/"])
def test_who_is_not_signed_in_reads_nothing(own: Organisation, address: str) -> None:
    assert Client().get(f"/api/{address}").status_code == 403


def test_the_api_takes_as_many_queries_for_much_as_for_little(own: Organisation) -> None:
    client = as_("controller")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            for resource in RESOURCES:
                assert client.get(f"/api/v1/{resource}/").status_code == 200
        return len(captured)

    queries()
    few = queries()
    full("A", "7")
    full("B", "8")

    assert queries() == few


@pytest.mark.filterwarnings("error")
def test_the_schema_names_every_resource_and_no_hours_table(own: Organisation) -> None:
    schema = as_contact(own).get("/api/schema/?format=json").json()

    assert set(schema["paths"]) == {
        *(f"/api/v1/{resource}/" for resource in RESOURCES),
        *(f"/api/v1/{resource}/{{id}}/" for resource in RESOURCES),
    }
    assert not {name for name in schema["components"]["schemas"] if "Hours" in name}
