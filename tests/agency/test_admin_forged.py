"""What no page of the admin sends: keys that are none. They are bad input, and no error of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin import site
from django.test import Client
from django.urls import reverse

from agency.models import Organisation
from tests import factories as make

pytestmark = pytest.mark.django_db

MODELS = [model._meta for model in site._registry]
NO_KEY = "nonsense"


def as_(role: str) -> Client:
    make.agency()
    browser = Client()
    browser.force_login(make.user(role))
    return browser


def address(model: Any, page: str, *args: str) -> str:
    return reverse(f"admin:{model.app_label}_{model.model_name}_{page}", args=args)


def filled_with(text: str, page: Any) -> dict[str, str]:
    """Give a form, and one row of each table on its page, with the same text in every field."""
    data = dict.fromkeys(page.context["adminform"].form.fields, text)
    for rows in page.context.get("inline_admin_formsets") or []:
        prefix = rows.formset.prefix
        data |= {f"{prefix}-TOTAL_FORMS": "1", f"{prefix}-INITIAL_FORMS": "0"}
        data |= {f"{prefix}-0-{name}": text for name in rows.formset.empty_form.fields}
    return data


@pytest.mark.parametrize("role", ["planner", "controller"])
def test_each_form_says_what_is_wrong_with_it(role: str) -> None:
    browser = as_(role)
    found = set()
    for model in MODELS:
        page = browser.get(address(model, "add"))
        if page.status_code == 200:
            answer = browser.post(address(model, "add"), filled_with(NO_KEY, page))
            assert (model, answer.status_code) == (model, 200)
            found |= set(answer.context["adminform"].form.errors)
    assert "organisation" in found


@pytest.mark.parametrize("role", ["planner", "controller"])
def test_a_list_runs_no_action_on_it(role: str) -> None:
    browser = as_(role)
    answers = set()
    for model in MODELS:
        page = browser.get(address(model, "changelist"))
        form = page.context.get("action_form") if page.status_code == 200 else None
        for action, _label in form.fields["action"].choices if form else []:
            data = {"action": action, "_selected_action": [NO_KEY], "index": "0"}
            answers.add(browser.post(address(model, "changelist"), data).status_code)
    assert answers == {400}


def test_it_has_no_history() -> None:
    browser = as_("controller")
    answers = {browser.get(address(model, "history", NO_KEY)).status_code for model in MODELS}
    assert answers <= {403, 404}
    assert browser.get(address(Organisation._meta, "history", NO_KEY)).status_code == 404


def test_a_search_may_hold_any_character() -> None:
    query = {"app_label": "agency", "model_name": "organisation", "field_name": "parent"}
    answer = as_("controller").get("/admin/autocomplete/", query | {"term": "x\0"})
    assert answer.json()["results"] == []
