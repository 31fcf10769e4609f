"""An administrator reads an agency in: three steps, the file chosen once, nothing out of place."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from agency.models import Organisation
from tests import factories as make
from tests.agency_workbook import BROKEN, save, small_agency
from tests.browser.conftest import DESK, Open
from tests.browser.scene import PASSWORD, PHONE, sign_in
from tests.browser.test_pages_for_all import findings


@pytest.fixture
def sample(transactional_db: None) -> None:
    """Put one administrator into an installation that is empty otherwise."""
    make.release_policy()  # other stories emptied the tables that migrations fill
    make.user("administrator", password=PASSWORD, email="admin@discreet.example", language="nl")


def look_at(page: Page, workbook: Path) -> None:
    page.set_input_files("input[type=file]", workbook)
    page.get_by_role("button", name="Bekijken").click()
    page.wait_for_selector("#seen section")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_from_the_start_page_an_agency_is_read_in_by_three_presses(
    open_page: Open, tmp_path: Path, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport)
    sign_in(page, "admin")
    page.get_by_role("link", name="Naar de eerste start").click()
    assert findings(page) == []
    page.get_by_role("link", name="Werkmap inlezen").click()
    assert findings(page) == []

    look_at(page, BROKEN)
    assert findings(page) == []
    assert page.locator("#seen h2").first.evaluate("title => title === document.activeElement")

    look_at(page, save(tmp_path / "small.xlsx", small_agency()))
    assert findings(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not Organisation.objects.exists()

    page.get_by_role("button", name="rijen inlezen").click()
    page.wait_for_selector(".messages")
    assert Organisation.objects.count() == 3


def test_without_scripts_the_file_is_chosen_twice(open_page: Open, tmp_path: Path) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page, "admin")
    page.goto("/admin/moving-in/")
    workbook = save(tmp_path / "small.xlsx", small_agency())

    look_at(page, workbook)
    assert page.get_by_text("Kies hierboven hetzelfde bestand nog een keer").is_visible()
    page.set_input_files("input[type=file]", workbook)
    page.get_by_role("button", name="rijen inlezen").click()

    page.wait_for_selector(".messages")
    assert Organisation.objects.count() == 3
