"""Colleagues learn no more of hours than what was published, until a period is closed."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test import Client as Browser
from pytest_django import Settings

from advisors.models import DraftHours
from agency import access
from agency.checks import addresses
from agency.month import Month
from tests import clients
from tests import factories as make
from tests.confidentiality import world

pytestmark = [pytest.mark.django_db, pytest.mark.attack(43, 49)]


@pytest.fixture(autouse=True)
def on_8_april_2026(settings: Settings) -> None:
    settings.TODAY = world.TODAY


def work_more() -> None:
    """Change what is noted in open months, and note something where nothing was."""
    DraftHours.objects.update(quarters=F("quarters") + 40)
    for advisor, organisation in DraftHours.objects.values_list("advisor", "organisation"):
        for month in ("2026-01", "2026-02", "2026-03", "2026-04"):
            DraftHours.objects.get_or_create(
                advisor_id=advisor,
                organisation_id=organisation,
                month=Month.parse(month),
                defaults={"quarters": 9},
            )


def read(browser: Browser, address: str) -> str:
    page = browser.get(address).content.decode(errors="replace")
    return re.sub(r'name="(csrfmiddlewaretoken|key)" value="[\w-]+"', "", page)


# An auditor's pages are a controller's, and the same ones on the second database.
ROLES: tuple[str, ...] = ("controller", "planner", "administrator")
if connection.vendor != "sqlite":
    ROLES = ROLES[:1]


@pytest.mark.parametrize("role", ROLES)
def test_no_page_of_staff_changes_with_hours_of_open_months(role: str) -> None:
    own, _other = world.two_clients()
    browser = Browser()
    browser.force_login(make.user(role))
    pages = [
        world.fill_in(name, route, own)
        for name, route in sorted(addresses())
        if name.startswith(("admin:", "api:")) and role in access.ADDRESSES[name].readers
    ]
    searches = [
        "/admin/advisors/advisor/?submitted=no",
        "/admin/advisors/advisor/?submitted=yes",
        "/admin/autocomplete/?app_label=advisors&model_name=qualification&field_name=advisor&term=",
    ]
    before = {page: read(browser, page) for page in [*pages, *searches]}

    work_more()

    assert {page for page in before if read(browser, page) != before[page]} == set()
    assert len(before) > 70


def said(*words: str) -> Any:
    out = StringIO()
    call_command(*words, json=True, stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


@pytest.mark.parametrize("command", ["close_month", "bill"])
def test_a_dry_run_says_the_same_whatever_was_worked(command: str) -> None:
    clients.client(hours={"2026-01": 200, "2026-03": 5}, headcount=300)
    clients.close("2025-12")
    before = said(command, "2026-01", "--dry-run")

    work_more()

    assert said(command, "2026-01", "--dry-run") == before
    if command == "close_month":
        counts = {"closes": True, "statements": 1, "missing_submissions": 1}
        assert before == {"month": "2026-01", "dry_run": True} | counts


def test_capacity_is_what_an_advisor_offers_and_not_what_was_worked() -> None:
    """No rule works it out: it is a column that a planner fills in."""
    advisor = make.advisor(capacity_quarters=160)
    make.month_hours(advisor, make.organisation(), "2026-01", 12)
    browser = Browser()
    browser.force_login(make.user("planner"))
    page = browser.get(f"/admin/advisors/advisor/{advisor.pk}/change/").content.decode()
    assert re.search(r'name="capacity_quarters" value="40(?:[.,]0+)?"', page)
