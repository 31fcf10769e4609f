"""Every constraint that a form can break says so in a sentence, and none by its name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db.models import BaseConstraint, CheckConstraint, Field, Model, UniqueConstraint
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from agency import access
from tests import factories as make

# A form offers the known choices only, sees to capitals, or does not have the column at all.
NEVER_BROKEN = {
    *(
        "there_is_one_agency",
        "email_is_lower_case",
        "billing_interval_is_a_month_a_quarter_or_a_year",
    ),
    *("agency_has_a_country_of_two_letters", "organisation_has_a_country_of_two_letters"),
    *("announced_run_says_by_whom", "approved_run_says_by_whom", "applied_run_says_when"),
    "prices_are_raised_by_two_people",
    *("contest_that_ended_says_how", "invoice_is_contested_once_at_a_time"),
    *("invoices_are_collected_by_one_set_of_rules", "legal_name_is_given"),
    *("only_what_is_offered_is_signed", "quote_is_offered_with_its_prices"),
    "quote_holds_from_the_day_it_is_offered",
    *("books_take_two_people", "confirmed_declaration_says_by_whom", "two_people_are_not_one"),
    *("announced_run_says_by_whom", "approved_run_says_by_whom", "applied_run_says_when"),
}


def breakable() -> Iterator[BaseConstraint]:
    for label, letters in access.ROWS.items():
        if any(set("ac") & set(granted) for granted in letters.values()):
            for constraint in apps.get_model(label)._meta.constraints:
                is_of_columns = (
                    isinstance(constraint, UniqueConstraint) and not constraint.condition
                )
                if not (is_of_columns or "known" in constraint.name):
                    yield constraint


def test_every_constraint_of_a_form_has_a_sentence_in_both_languages() -> None:
    raw = CheckConstraint.default_violation_error_message
    silent = {each.name for each in breakable() if each.violation_error_message == raw}
    assert silent == NEVER_BROKEN
    for each in breakable():
        if each.name not in silent:
            said = set()
            for language in ("en", "nl"):
                with translation.override(language):
                    said.add(str(each.get_violation_error_message()))
            assert len(said) == 2, each.name


def test_columns_of_what_is_there_only_once_have_a_name_in_both_languages() -> None:
    for label, letters in access.ROWS.items():
        if any(set("ac") & set(granted) for granted in letters.values()):
            for field in _named_together(apps.get_model(label)):
                with translation.override("nl"):
                    assert str(field.verbose_name) != field.name.replace("_", " "), field


def _named_together(model: type[Model]) -> Iterator[Field[Any, Any]]:
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint) and not constraint.condition:
            for name in constraint.fields:
                field = model._meta.get_field(name)
                assert isinstance(field, Field)
                yield field


@pytest.mark.django_db
def test_a_form_says_it_in_dutch(settings: Settings) -> None:
    settings.TODAY = dt.date(2026, 4, 8)
    order = make.purchase_order(make.organisation(), "PO-1", "2026-01", "2026-04")
    client = Client()
    client.force_login(make.user("controller", language="nl"))
    data = {"organisation": str(order.organisation.pk), "number": "PO-2", "from_month": "2026-01"}
    card = {"bought_quarters": "10", "remaining_quarters": "11", "price_cents": "1"}
    months = {"bought_month": "2026-05", "expires_month": "2026-05"}

    twice = client.post("/admin/subscriptions/purchaseorder/add/", data).content.decode()
    wrong = client.post(
        "/admin/subscriptions/topupcard/add/", data | card | months
    ).content.decode()

    assert "met deze Organisatie en Vanaf maand bestaat al." in twice
    assert "Een strippenkaart verloopt na de maand waarin zij is gekocht." in wrong
    assert "Er zijn niet meer uren over dan er zijn gekocht." in wrong
