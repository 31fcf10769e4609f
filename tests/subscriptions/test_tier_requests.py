"""A client asks, staff confirm, and only then the terms change."""

from __future__ import annotations

import datetime as dt

import pytest

from agency.models import User
from agency.month import Month
from subscriptions import tier_requests
from subscriptions.models import Subscription, Terms, TierChangeRequest
from tests import factories

pytestmark = pytest.mark.django_db

ON = dt.date(2026, 4, 8)
JULY = Month.of(2026, 7)


@pytest.fixture
def subscription() -> Subscription:
    return factories.subscription(
        factories.organisation(), "2026-01", tier="basic", overage="cap", release="year"
    )


@pytest.fixture
def owner(subscription: Subscription) -> User:
    return factories.contact(subscription.organisation).user


def ask(subscription: Subscription, owner: User, month: Month = JULY) -> TierChangeRequest:
    return tier_requests.ask(subscription, tier="extended", from_month=month, by=owner, on=ON)


@pytest.mark.attack(32)
def test_asking_changes_no_terms(subscription: Subscription, owner: User) -> None:
    request = ask(subscription, owner)

    assert request.state == "open"
    assert Terms.objects.count() == 1


def test_one_request_waits_at_a_time(subscription: Subscription, owner: User) -> None:
    ask(subscription, owner)

    with pytest.raises(tier_requests.RequestRefusedError):
        ask(subscription, owner, JULY + 1)

    assert TierChangeRequest.objects.count() == 1


@pytest.mark.parametrize("month", ["2026-04", "2026-03", "2027-01"])
def test_a_month_that_has_begun_or_lies_outside_the_contract_is_refused(
    subscription: Subscription, owner: User, month: str
) -> None:
    subscription.until_month = Month.of(2027, 1)
    subscription.save()

    with pytest.raises(tier_requests.RequestRefusedError):
        ask(subscription, owner, Month.parse(month))


def test_confirming_writes_the_terms_once_and_keeps_the_other_choices(
    subscription: Subscription, owner: User
) -> None:
    request = ask(subscription, owner)

    first = tier_requests.confirm(request)
    again = tier_requests.confirm(request)

    assert first == again
    assert (first.tier, first.from_month, first.reason) == ("extended", JULY, "tier_change")
    assert (first.overage, first.release) == ("cap", "year")
    assert Terms.objects.filter(subscription=subscription).count() == 2


def test_what_is_settled_stays_settled(subscription: Subscription, owner: User) -> None:
    declined = ask(subscription, owner)
    tier_requests.decline(declined)
    with pytest.raises(tier_requests.RequestRefusedError):
        tier_requests.confirm(declined)

    confirmed = ask(subscription, owner)
    tier_requests.confirm(confirmed)
    with pytest.raises(tier_requests.RequestRefusedError):
        tier_requests.decline(confirmed)


def test_a_change_is_not_confirmed_into_a_month_that_is_closed(
    subscription: Subscription, owner: User
) -> None:
    request = ask(subscription, owner)
    factories.closed_month(JULY)

    with pytest.raises(tier_requests.RequestRefusedError, match="2026-07"):
        tier_requests.confirm(request)

    assert Terms.objects.count() == 1
    request.refresh_from_db()
    assert request.state == "open"


def test_what_was_confirmed_before_its_month_closed_is_still_the_same(
    subscription: Subscription, owner: User
) -> None:
    request = ask(subscription, owner)
    factories.closed_month(JULY - 1)
    terms = tier_requests.confirm(request)
    factories.closed_month(JULY)

    assert tier_requests.confirm(request) == terms


def test_another_change_in_the_same_month_is_not_overwritten(
    subscription: Subscription, owner: User
) -> None:
    factories.terms(subscription, JULY, "basic")
    request = ask(subscription, owner)

    with pytest.raises(tier_requests.RequestRefusedError):
        tier_requests.confirm(request)

    request.refresh_from_db()
    assert request.state == "open"


def test_after_an_answer_a_client_may_ask_again(subscription: Subscription, owner: User) -> None:
    tier_requests.decline(ask(subscription, owner))

    assert ask(subscription, owner).state == "open"
