"""The controller makes a run of the index, reads what it does, and two people carry it out."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook
from pytest_django.fixtures import Settings

from agency.models import AuditEvent
from subscriptions.models import CpiValue, IndexationRun, IndexedContract, Terms
from subscriptions.tasks import mail_indexation
from tests import factories as make
from tests.browsers import as_
from tests.clients import client as served

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

LIST = "/admin/subscriptions/indexationrun/"


@pytest.fixture(autouse=True)
def on_10_november_2026(settings: Settings) -> None:
    settings.TODAY = dt.date(2026, 11, 10)


def enter(browser: Client, **fields: Any) -> str:
    """Add two index values and a run by hand, and give the page that answers."""
    for month, value in (("2025-10", "127.8"), ("2026-10", "131,2")):
        form = {"series": "CPI", "reference_year": "2015", "month": month, "source": "an example"}
        browser.post("/admin/subscriptions/cpivalue/add/", form | {"value_thousandths": value})
    first, last = CpiValue.objects.order_by("month")
    form = {"from_value": str(first.pk), "to_value": str(last.pk), "effective_month": "2027-01"}
    form |= {"announcement_months": "1", "cap_basis_points": "5", "floor_basis_points": "0"}
    return browser.post(f"{LIST}add/", form | fields, follow=True).content.decode()


def act(browser: Client, action: str) -> str:
    form = {"action": action, "_selected_action": str(IndexationRun.objects.get().pk)}
    return browser.post(LIST, form, follow=True).content.decode()


def test_a_run_from_two_values_to_new_terms() -> None:
    ada, bob = as_("controller"), Client()
    bob.force_login(make.user("controller", email="bob@staff.example"))
    subscription = served(own_annual_fee_cents=1_250_00, organisation={"legal_name": "Own & Co"})
    served("LIST")
    contact = make.contact(subscription.organisation).user
    enter(ada)
    run = IndexationRun.objects.get()
    assert (run.from_value.value_thousandths, run.cap_basis_points) == (127_800, 500)

    page = ada.get(f"{LIST}{run.pk}/dry_run/").content.decode()
    for said in ("Own &amp; Co", "1,250.00", "1,283.26", "33.26 more", "1 other contract"):
        assert said in page
    assert "Own & Co" in ada.get(f"{LIST}{run.pk}/letters/").content.decode()
    (sheet,) = load_workbook(BytesIO(ada.get(f"{LIST}{run.pk}/workbook/").content)).worksheets
    rows = [[cell.value for cell in row[:5]] for row in sheet.iter_rows(max_row=3)]
    assert rows[1][0::4] == ["ORG1", 1283.26]
    assert rows[2][0] == "LIST"

    assert "1 letter is on its way" in act(ada, "announce")
    mail_indexation(str(IndexedContract.objects.get(left_out="").pk))
    assert "Somebody else approves" in act(ada, "approve")
    assert "Approved." in act(bob, "approve")
    assert "indexation run to apply" in bob.get("/admin/").content.decode()
    browser = Client()
    browser.force_login(contact)
    told = browser.get("/portal/", follow=True).content.decode()
    assert "1,283.26 from January 2027, by the price index" in told
    assert "1 contract has new prices" in act(ada, "apply")

    assert Terms.objects.get(reason="indexation").own_annual_fee_cents == 1_283_26
    assert "1,283.26" in ada.get(f"{LIST}{run.pk}/dry_run/").content.decode()
    events = AuditEvent.objects.filter(subject_id=run.pk).exclude(action="added")
    assert sorted(events.values_list("action", flat=True)) == ["announced", "applied", "approved"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"announcement_months": "0"}, "at least one month before"),
        ({"cap_basis_points": "1", "floor_basis_points": "2"}, "not above the highest"),
        ({"from_value": "same"}, "of a later month"),
    ],
)
def test_a_run_that_cannot_be_is_refused_with_a_sentence(
    fields: dict[str, str], sentence: str
) -> None:
    browser = as_("controller")
    if "from_value" in fields:
        enter(browser, effective_month="")
        fields = {"from_value": str(CpiValue.objects.latest("month").pk)}

    assert sentence in enter(browser, **fields)
    assert not IndexationRun.objects.exists()


@pytest.mark.parametrize("role", ["planner", "administrator", "auditor"])
def test_only_a_controller_indexes(role: str) -> None:
    served(own_annual_fee_cents=1_250_00)
    enter(as_("controller"))
    browser = as_(role)

    assert browser.get(f"{LIST}add/").status_code == 403
    act(browser, "announce")
    assert IndexationRun.objects.get().state == "draft"


def test_terms_of_indexation_are_not_typed() -> None:
    subscription = served()
    address = f"/admin/subscriptions/subscription/{subscription.pk}/change/"
    browser = as_("controller")
    page = browser.get(address)
    form = {
        name: value
        for name, value in page.context["adminform"].form.initial.items()
        if value not in (None, False)
    }
    form |= {"terms-TOTAL_FORMS": "1", "terms-INITIAL_FORMS": "0"}
    form |= {"terms-0-subscription": str(subscription.pk), "terms-0-from_month": "2027-01"}
    form |= {"terms-0-reason": "indexation", "terms-0-tier": "basic", "terms-0-overage": "bill"}

    assert "by an indexation run" in browser.post(address, form).content.decode()
    assert not Terms.objects.filter(reason="indexation").exists()
