"""Headcounts are declared in the admin for months to come; a finer figure waits for a second."""

from __future__ import annotations

import pytest
from django.test import Client

from agency.models import AuditEvent, Headcount, Organisation
from subscriptions.models import HeadcountDeclaration
from tests import factories as make
from tests.browsers import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]

LIST = "/admin/subscriptions/headcountdeclaration/"


@pytest.fixture
def organisation() -> Organisation:
    row = make.organisation()
    make.headcount(row, 20, "2025-01")
    return row


def enter(client: Client, organisation: Organisation, month: str, headcount: int) -> str:
    form = {"organisation": str(organisation.pk), "month": month, "headcount": str(headcount)}
    return client.post(f"{LIST}add/", form, follow=True).content.decode()


def confirm(client: Client) -> str:
    (row,) = HeadcountDeclaration.objects.all()
    form = {"action": "confirm", "_selected_action": str(row.pk)}
    return client.post(LIST, form, follow=True).content.decode()


def counted() -> list[tuple[str, int]]:
    return [(str(row.month), row.headcount) for row in Headcount.objects.order_by("month")]


@pytest.mark.parametrize("role", ["planner", "controller"])
def test_a_headcount_is_added_from_a_month_that_has_not_begun(
    organisation: Organisation, role: str
) -> None:
    enter(as_(role), organisation, "2026-05", 18)

    assert counted() == [("2025-01", 20), ("2026-05", 18)]


@pytest.mark.parametrize("month", ["2026-04", "2026-03", "2025-02"])
def test_a_headcount_of_a_month_that_has_begun_is_refused(
    organisation: Organisation, month: str
) -> None:
    said = enter(as_("planner"), organisation, month, 18)

    assert "A headcount counts from a month that has not begun." in said
    assert counted() == [("2025-01", 20)]


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_who_only_reads_declares_nothing(organisation: Organisation, role: str) -> None:
    enter(as_(role), organisation, "2026-05", 18)

    assert counted() == [("2025-01", 20)]


def test_finer_figures_wait_for_somebody_else(organisation: Organisation) -> None:
    planner = as_("planner")

    assert "Somebody else must confirm it too" in enter(planner, organisation, "2026-05", 30)
    assert "Somebody else must confirm it too" in confirm(planner)
    assert counted() == [("2025-01", 20)]

    assert "1 declaration counts now." in confirm(as_("controller"))
    assert counted() == [("2025-01", 20), ("2026-05", 30)]
    assert AuditEvent.objects.filter(action="confirmed").exists()


@pytest.mark.parametrize(
    ("month", "said", "counts"),
    [
        ("2026-05", "1 declaration counts now.", True),
        ("2026-04", "Its month has begun: decline it, and declare a later one.", False),
    ],
)
def test_what_a_client_declared_is_confirmed_before_its_month_begins(
    organisation: Organisation, month: str, said: str, *, counts: bool
) -> None:
    contact = make.contact(organisation).user
    make.headcount_declaration(organisation, contact, month=month, headcount=18)

    assert said in confirm(as_("planner"))
    assert ((month, 18) in counted()) is counts
