"""A client's page for its employees has a link that nobody guesses, and every deed is noted."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import IntegrityError, transaction

from agency.models import AuditEvent, Organisation, User
from subscriptions import employee_pages
from subscriptions.models import EmployeePage
from tests import factories as make

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 4, 8)


@pytest.fixture
def organisation() -> Organisation:
    return make.organisation()


@pytest.fixture
def owner(organisation: Organisation) -> User:
    return make.contact(organisation, role="owner").user


def token() -> str:
    return EmployeePage.objects.get().token


def noted() -> list[str]:
    return sorted(AuditEvent.objects.values_list("action", flat=True))


def test_a_link_has_128_random_bits_or_more() -> None:
    tokens = {make.employee_page(make.organisation(f"C{number}")).token for number in range(20)}
    assert len(tokens) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", one) for one in tokens)  # 6 bits each


@pytest.mark.parametrize("short", ["", "a" * 31, "../" + "a" * 29])
def test_the_database_takes_no_other_link(organisation: Organisation, short: str) -> None:
    page = EmployeePage(organisation=organisation, token=short)
    with pytest.raises(IntegrityError), transaction.atomic():
        page.save()


def test_opening_twice_keeps_the_link_and_is_noted_once(
    organisation: Organisation, owner: User
) -> None:
    employee_pages.switch_on(organisation, by=owner, on=TODAY)
    first = token()
    employee_pages.switch_on(organisation, by=owner, on=TODAY)

    assert token() == first
    (event,) = AuditEvent.objects.all()
    assert (event.on, event.actor, event.action) == (TODAY, owner, "page_opened")
    assert (event.subject_model, event.subject_id) == ("agency.organisation", organisation.pk)
    assert first not in repr(vars(event))


def test_another_link_and_a_page_opened_anew_never_bring_a_former_link_back(
    organisation: Organisation, owner: User
) -> None:
    employee_pages.switch_on(organisation, by=owner, on=TODAY)
    tokens = [token()]
    assert employee_pages.renew(organisation, by=owner, on=TODAY)
    tokens.append(token())
    employee_pages.switch_off(organisation, by=owner, on=TODAY)
    assert not EmployeePage.objects.exists()
    employee_pages.switch_on(organisation, by=owner, on=TODAY)
    tokens.append(token())

    assert len(set(tokens)) == 3
    assert noted() == ["link_renewed", "page_closed", "page_opened", "page_opened"]


def test_a_page_that_is_closed_is_neither_renewed_nor_closed_again(
    organisation: Organisation, owner: User
) -> None:
    assert not employee_pages.renew(organisation, by=owner, on=TODAY)
    employee_pages.switch_off(organisation, by=owner, on=TODAY)

    assert not EmployeePage.objects.exists()
    assert noted() == []
