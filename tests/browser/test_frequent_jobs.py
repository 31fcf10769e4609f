"""What staff do most often, each in no more steps from the start page than it states.

Beside these: a call about a client (`test_phone_call`) and the close of a month (`test_months`).
A step is a page that is opened or a field that is chosen; typing a name counts with its Enter.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django_q.models import OrmQ
from playwright.sync_api import Locator, Page, expect
from pytest_django.fixtures import Settings

from agency.models import User
from subscriptions.models import Invoice
from tests import factories
from tests.browser.conftest import Open
from tests.browser.scene import Sample, Steps, sign_in

DESK = {"width": 1360, "height": 900}
VIEWS = [
    pytest.param("nl", "light", id="Dutch, light"),
    pytest.param("en", "dark", id="English, dark"),
]
OPENED = pytest.mark.parametrize(("language", "theme"), VIEWS)


def start_page(open_page: Open, who: str, language: str, theme: str) -> Page:
    User.objects.update(language=language)
    page = open_page(viewport=DESK, color_scheme=theme, locale=language)
    sign_in(page, who, language)
    return page


def line(page: Page, words: dict[str, str], language: str) -> Locator:
    return page.locator(".queue").get_by_role("link", name=words[language])


@OPENED
def test_what_waits_is_on_the_first_page_and_one_step_away(
    open_page: Open, sample: Sample, language: str, theme: str
) -> None:
    page, steps = start_page(open_page, "controller", language, theme), Steps(1)

    counts = [int(said) for said in page.locator(".queue .count").all_inner_texts()]
    assert len(counts) >= 4
    assert all(counts)
    blocked = {"nl": "factuur geblokkeerd", "en": "invoice blocked"}
    steps.take(line(page, blocked, language).click)

    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text({"nl": "Inkooporder ontbreekt", "en": "Purchase order"}[language])


@OPENED
def test_a_session_gets_its_trainer_in_five_steps(
    open_page: Open, sample: Sample, language: str, theme: str
) -> None:
    page, steps = start_page(open_page, "planner", language, theme), Steps(5)

    without = {"nl": "bijeenkomst zonder trainer", "en": "session without a trainer"}
    steps.take(line(page, without, language).click)
    steps.take(page.locator("#result_list tbody th a").click)
    steps.take(page.locator(".field-trainer .select2-selection").click)
    page.locator(".select2-search__field").fill("Reinier")
    steps.take(page.locator(".select2-results__option", has_text="Reinier Aalders").click)
    steps.take(page.locator("input[name=_save], button[name=_save]").click)

    expect(page.get_by_role("status")).to_be_visible()
    sample.session.refresh_from_db()
    assert sample.session.trainer is not None


@OPENED
def test_who_has_not_submitted_is_asked_in_two_steps(
    open_page: Open, sample: Sample, settings: Settings, language: str, theme: str
) -> None:
    factories.closed_month("2026-03")
    settings.TODAY = dt.date(2026, 5, 8)
    page, steps = start_page(open_page, "planner", language, theme), Steps(2)

    missing = {"nl": "diende april nog niet in", "en": "has not submitted April yet"}
    steps.take(line(page, missing, language).click)
    ask = {"nl": "Vraag het per mail", "en": "Ask them by mail"}
    steps.take(page.get_by_role("button", name=ask[language]).click)

    expect(page.get_by_role("status")).to_be_visible()
    assert [row.task["func"] for row in OrmQ.objects.all()] == ["advisors.tasks.mail_missing"]


@OPENED
def test_drafts_are_approved_in_two_steps(
    open_page: Open, sample: Sample, language: str, theme: str
) -> None:
    page, steps = start_page(open_page, "controller", language, theme), Steps(2)

    drafts = {"nl": "conceptfactuur goed te keuren", "en": "draft invoice to approve"}
    steps.take(line(page, drafts, language).click)
    steps.take(
        page.get_by_role("button", name={"nl": "Goedkeuren", "en": "Approve"}[language]).click
    )

    said = {"nl": "Er is nog niets verstuurd", "en": "Nothing is sent yet"}
    expect(page.get_by_role("status")).to_contain_text(said[language])
    assert Invoice.objects.filter(state="approved").count() == 1


def test_nothing_is_done_by_a_wrong_click(open_page: Open, sample: Sample) -> None:
    """The step before the deed leads back, and the list is as it was."""
    page = start_page(open_page, "controller", "nl", "light")
    page.goto("/admin/subscriptions/invoice/?state__exact=draft")
    before = page.locator("#result_list tbody").inner_text()

    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("approve")
    page.locator(".actions button").click()
    page.get_by_role("link", name="Terug, er gebeurt niets").click()

    assert page.locator("#result_list tbody").inner_text() == before
