"""Somebody whose hands stay on the keys goes anywhere by the search of the head."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.scene import DESK, PHONE, Sample, sign_in
from tests.browser.test_pages_for_all import findings


def test_a_slash_three_letters_and_enter_lead_to_a_client(open_page: Open, sample: Sample) -> None:
    page = open_page()
    sign_in(page, "planner")

    page.keyboard.press("/")
    page.keyboard.type("zand")
    expect(page.locator(".found a").first).to_contain_text("Theater De Zandloper")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Theater De Zandloper")


def test_arrows_choose_and_escape_leaves(open_page: Open, sample: Sample) -> None:
    page = open_page()
    sign_in(page, "controller")

    page.keyboard.press("Control+k")
    expect(page.locator(".found a").first).to_have_text("Vandaag pagina")
    page.keyboard.type("bijeenk")
    expect(page.locator(".found a").first).to_have_text("Bijeenkomsten lijst")
    page.keyboard.press("Escape")
    expect(page.locator(".found")).to_be_hidden()

    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "Bijeenkomsten lijst"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bijeenkomsten")


def test_a_slash_within_a_field_is_a_slash(open_page: Open, sample: Sample) -> None:
    page = open_page()
    sign_in(page, "controller")
    page.goto("/admin/subscriptions/invoice/")

    page.locator("#searchbar").press("/")

    assert page.locator("#searchbar").input_value() == "/"


def test_without_script_the_search_is_a_page(open_page: Open, sample: Sample) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page, "controller")

    page.locator(".find input").fill("zandloper")
    page.locator(".find input").press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Theater De Zandloper")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_open_palette_is_as_good(
    open_page: Open, sample: Sample, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport)
    sign_in(page, "controller")
    page.locator(".find input").fill("de")
    expect(page.locator(".found a").first).to_be_visible()

    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
