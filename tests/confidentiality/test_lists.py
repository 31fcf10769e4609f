"""What a list may be asked for: nobody finds, filters or sorts by what they may not read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils.http import urlencode
from pytest_django import Settings

from agency import access
from agency.admin_base import StaffAdmin
from agency.admin_columns import may_read
from tests import factories as make
from tests.confidentiality import world

pytestmark = [pytest.mark.django_db, pytest.mark.attack(17, 43)]

SUFFIXES = ("", "__exact", "__isnull", "__gt", "__startswith", "__in", "__pk__in", "__id__exact")
FROM_ALL = {"agency.user.password", "agency.user.authenticator", "advisors.advisor.+"}
FROM_PLANNERS = {
    "advisors.advisor.iban",
    "subscriptions.invoice.stripe_id",
    "subscriptions.statement.card_uses",
    "subscriptions.topupcard.uses",
}
HIDDEN = {**dict.fromkeys(access.STAFF, FROM_ALL), "planner": FROM_ALL | FROM_PLANNERS}
each_role = pytest.mark.parametrize("role", access.STAFF)


@pytest.fixture
def own(settings: Settings) -> world.Client:
    settings.TODAY = world.TODAY
    return world.two_clients()[0]


def lists(role: str) -> dict[type[Any], StaffAdmin]:
    found = {}
    for model, page in admin.site._registry.items():
        assert isinstance(page, StaffAdmin)
        if "r" in access.ROWS[model._meta.label_lower][role]:
            found[model] = page
    return found


def request_of(role: str) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = make.user(role)
    return request


def is_hidden(role: str, model: type[Any], field: Any) -> bool:
    """Tell by the tables alone whether a role reads neither a column nor what it leads to."""
    name, leads_to = f"{model._meta.label_lower}.{field.name}", field.related_model
    if leads_to and "r" not in access.ROWS.get(leads_to._meta.label_lower, {}).get(role, ""):
        return True
    return name in access.FIELDS and role not in access.FIELDS[name][0]


@each_role
def test_no_list_is_filtered_by_what_the_role_does_not_read(role: str) -> None:
    request, hidden = request_of(role), set()
    for model, page in lists(role).items():
        for field in model._meta.get_fields(include_hidden=True):
            if is_hidden(role, model, field):
                hidden.add(f"{model._meta.label_lower}.{field.name}")
                lookups = {f"{field.name}{suffix}" for suffix in SUFFIXES}
                allowed = {name for name in lookups if page.lookup_allowed(name, "1", request)}
                assert allowed == set(), model
    assert hidden >= HIDDEN[role], hidden


@each_role
def test_no_list_is_filtered_by_more_than_its_filters(role: str) -> None:
    request = request_of(role)
    for model, page in lists(role).items():
        for field in model._meta.get_fields():
            for suffix in ("__gt", "__startswith", "__in", "__range"):
                assert not page.lookup_allowed(f"{field.name}{suffix}", "1", request), field
    assert len(lists(role)) > 20


ASKED = {
    "/admin/agency/user/": ("password__startswith", "authenticator__isnull", "password"),
    "/admin/advisors/advisor/": ("iban__startswith", "cost_rates__gt", "month_hours__isnull"),
    "/admin/subscriptions/invoice/": ("stripe_id__exact", "steps__isnull"),
    "/admin/subscriptions/statement/": ("card_uses__isnull", "books_openings__isnull"),
    "/admin/subscriptions/topupcard/": ("uses__isnull",),
}


@pytest.mark.logs_errors
def test_a_planner_who_asks_for_them_is_refused_whatever_is_asked(own: world.Client) -> None:
    browser = Browser()
    browser.force_login(make.user("planner"))
    secret = {"iban__startswith": "NL20INGB", "stripe_id__exact": "in_secret_1"}
    for address, lookups in ASKED.items():
        for lookup in lookups:
            values = (secret.get(lookup, "0"), "1")
            answers = [browser.get(f"{address}?{urlencode({lookup: value})}") for value in values]
            assert [answer.status_code for answer in answers] == [400, 400], lookup
            assert answers[0].content == answers[1].content


@each_role
def test_no_list_is_searched_or_sorted_by_what_the_role_does_not_read(role: str) -> None:
    request = request_of(role)
    compared = 0
    for model, page in lists(role).items():
        orders = [*(page.get_ordering(request) or ()), *model._meta.ordering]
        for column in page.get_list_display(request):
            shown = getattr(page, column, column) if isinstance(column, str) else column
            orders.append(getattr(shown, "admin_order_field", None) or "pk")
        for path in [*page.get_search_fields(request), *orders]:
            assert may_read(role, model, str(path).lstrip("-^=@")), (model, path)
            compared += 1
    assert compared > 100


def test_our_own_links_into_lists_are_allowed(own: world.Client) -> None:
    browser = Browser()
    browser.force_login(make.user("controller"))
    organisation = f"/admin/agency/organisation/{own.organisation.pk}/"
    start = [
        address
        for page in ("/admin/", organisation)
        for address in re.findall(
            r'href="(/admin/[^"]+\?[^"]+)"', browser.get(page).content.decode()
        )
    ]
    assert len(start) >= 6
    filters: list[str] = []
    for model in lists("controller"):
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        links = re.findall(r'href="(\?[^"]+)"', browser.get(address).content.decode())
        by_name = {link.partition("=")[0]: f"{address}{link}" for link in links}
        filters += by_name.values()
    assert len(filters) > 20
    for address in [*start, *filters]:
        assert browser.get(address.replace("&amp;", "&")).status_code == 200, address


def test_rules_of_columns_name_columns_and_readers_of_their_rows() -> None:
    for name, (readers, writers) in access.FIELDS.items():
        label, _, column = name.rpartition(".")
        assert apps.get_model(label)._meta.get_field(column)
        for role in access.STAFF:
            letters = access.ROWS[label][role]
            assert role not in readers or "r" in letters, name
            assert role not in writers or "c" in letters, name
        assert writers <= readers, name


def test_pay_and_names_at_stripe_are_read_by_those_who_read_their_tables() -> None:
    def readers(label: str) -> set[str]:
        return {role for role in access.STAFF if "r" in access.ROWS[label][role]}

    assert access.FIELDS["advisors.advisor.iban"][0] == readers("advisors.costrate")
    assert access.FIELDS["subscriptions.invoice.stripe_id"][0] == readers(
        "subscriptions.stripestep"
    )
