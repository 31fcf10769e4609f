"""A client calls: when can they give notice, and what is open? Two steps from the start page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from agency.models import User
from tests.browser.conftest import Open
from tests.browser.scene import PHONE, Sample, Steps, sign_in

DESK_OF_STAFF = {"width": 1360, "height": 900}
MOST_STEPS = 2
ANSWERS = {
    "nl": ("Opzeggen kan tot en met", "31 mei 2026", "Openstaand", "1 factuur, vervalt"),
    "en": ("Notice can be given until", "31 May 2026", "Outstanding", "1 invoice, due on"),
}


def type_and_enter(page: Page, field: str, name: str) -> None:
    page.locator(field).fill(name)
    page.locator(field).press("Enter")


def by_the_list(page: Page, steps: Steps) -> None:
    steps.take(page.locator(".mast nav a[href='/admin/agency/organisation/']").click)
    steps.take(lambda: type_and_enter(page, "#searchbar", "speeldoos"))


def by_the_head(page: Page, steps: Steps) -> None:
    steps.take(lambda: page.keyboard.type("/speeldoos"))
    expect(page.locator(".found a").first).to_contain_text("Speeldoos")
    steps.take(lambda: page.keyboard.press("Enter"))


@pytest.mark.parametrize(
    ("language", "viewport", "look_for"),
    [
        pytest.param("nl", DESK_OF_STAFF, by_the_list, id="Dutch, by the list"),
        pytest.param("en", DESK_OF_STAFF, by_the_head, id="English, by the search of the head"),
        pytest.param("nl", PHONE, by_the_list, id="Dutch, on a phone"),
    ],
)
def test_a_call_about_notice_and_open_invoices_is_answered_in_two_steps(
    open_page: Open,
    sample: Sample,
    language: str,
    viewport: dict[str, int],
    look_for: Callable[[Page, Steps], None],
) -> None:
    User.objects.filter(role="planner").update(language=language)
    page = open_page(viewport=viewport)
    sign_in(page, "planner")

    look_for(page, Steps(MOST_STEPS))

    expect(page.get_by_role("heading", level=1)).to_have_text("Kinderopvang De Speeldoos")
    for said in ANSWERS[language]:
        expect(page.locator(".answers")).to_contain_text(said)
        expect(page.locator(".answers").get_by_text(said).first).to_be_in_viewport()


def test_the_form_is_one_step_behind_the_page_and_leads_back(
    open_page: Open, sample: Sample
) -> None:
    page = open_page(viewport=DESK_OF_STAFF)
    sign_in(page, "controller")
    page.goto(f"/admin/agency/organisation/{sample.small.pk}/")

    page.locator("summary", has_text="Meer").click()
    page.get_by_role("link", name="Gegevens wijzigen").click()
    page.get_by_label("Sector").select_option("culture")
    page.get_by_role("button", name="Opslaan", exact=True).click()

    expect(page).to_have_url(f"/admin/agency/organisation/{sample.small.pk}/")
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.locator(".head")).to_contain_text("cultuur en media")
    expect(page.locator("aside")).to_contain_text("kijk in de cao")
