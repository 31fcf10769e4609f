"""The start page: use beyond what was contracted shows as such, and long lists are folded."""

from __future__ import annotations

import re
from typing import Any

import pytest

from subscriptions.admin.figures import figures
from subscriptions.admin_site import MOST_LISTED, OPENED
from tests import factories as make
from tests.browsers import as_
from tests.confidentiality import world

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]


@pytest.mark.parametrize(
    ("used", "percent", "contracted", "within"),
    [(0, 0, 100, 0), (30, 75, 100, 75), (40, 100, 100, 100), (50, 125, 80, 80), (200, 500, 20, 20)],
)
def test_the_bar_is_as_long_as_use_or_contract_whichever_is_more(
    used: int, percent: int, contracted: int, within: int
) -> None:
    row = make.subscription(make.organisation(), "2025-04")
    make.statement(row, "2025-04", "2026-04", used_quarters=used, allowance_quarters=40)

    found = figures(world.TODAY)

    assert found.used_percent == percent
    assert (found.contracted_width, found.within_width) == (contracted, within)
    page = as_("planner").get("/admin/").content.decode()
    assert ('class="c-mark"' in page) == ("beyond it" in page) == (percent > 100)


def test_of_many_lists_the_start_page_opens_some_and_folds_the_others() -> None:
    page: Any = as_("controller").get("/admin/")
    content = page.content.decode()

    for app in page.context_data["app_list"]:
        names = {model["object_name"].lower() for model in app["models"]}
        opened = {model["object_name"].lower() for model in app["opened"]}
        others = {model["object_name"].lower() for model in app["others"]}
        assert (opened | others, opened & others) == (names, set())
        assert len(opened) <= MOST_LISTED
        assert (f"All {len(names)}<" in content) == bool(others) == (len(names) > MOST_LISTED)
    assert len(re.findall(r'<details class="others">', content)) == 1
    known = {
        model["object_name"].lower()
        for app in page.context_data["app_list"]
        for model in app["models"]
    }
    assert known >= OPENED
