"""Until when a contract runs and notice can be given (design 5.11)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils.translation import override

from agency.month import Month
from subscriptions import ends, versions
from subscriptions.models import Subscription
from subscriptions.notice import Term, running_term
from tests.agreed import M
from tests.clients import client, close

JULY = Month.of(2025, 7)


@pytest.mark.parametrize(
    ("on", "notice", "until", "last_day"),
    [
        pytest.param("2025-07-01", 1, "2026-07", "2026-05-31", id="on the first day"),
        pytest.param("2026-05-31", 1, "2026-07", "2026-05-31", id="on the last day of notice"),
        pytest.param("2026-06-01", 1, "2027-07", "2027-05-31", id="a day late: renewed"),
        pytest.param("2026-04-08", 3, "2027-07", "2027-03-31", id="three months: renewed"),
        pytest.param("2028-01-15", 1, "2028-07", "2028-05-31", id="in the third term"),
        pytest.param("2026-06-30", 0, "2026-07", "2026-06-30", id="no notice: to the last day"),
    ],
)
def test_notice_ends_a_term_and_its_passing_renews_it(
    on: str, notice: int, until: str, last_day: str
) -> None:
    term = running_term(
        Subscription(
            start_month=JULY,
            term_months=12,
            renewal_months=12,
            notice_months=notice,
            until_month=None,
        ),
        on=dt.date.fromisoformat(on),
    )

    assert term == Term(Month.parse(until), dt.date.fromisoformat(last_day))


def test_a_long_first_term_renews_by_the_renewal() -> None:
    term = running_term(
        Subscription(
            start_month=JULY,
            term_months=24,
            renewal_months=6,
            notice_months=2,
            until_month=None,
        ),
        on=dt.date(2027, 6, 1),
    )

    assert term == Term(Month.of(2028, 1), dt.date(2027, 10, 31))


def test_an_agreed_end_leaves_no_day_of_notice() -> None:
    term = running_term(
        Subscription(
            start_month=JULY,
            term_months=12,
            renewal_months=12,
            notice_months=1,
            until_month=Month.of(2026, 10),
        ),
        on=dt.date(2026, 4, 8),
    )

    assert term == Term(Month.of(2026, 10), None)


def test_a_term_without_renewal_stays_as_it_is() -> None:
    term = running_term(
        Subscription(
            start_month=JULY,
            term_months=12,
            renewal_months=0,
            notice_months=1,
            until_month=None,
        ),
        on=dt.date(2029, 1, 1),
    )

    assert term.until_month == Month.of(2026, 7)


@pytest.mark.django_db
def test_what_is_closed_refuses_ends_and_terms_without_any_form() -> None:
    contract = client("ORG1", "2026-01", headcount=300)
    close("2026-01")

    with override("en"), pytest.raises(ends.EndRefusedError, match="still open"):
        ends.refuse(contract, M("2026-02"))
    with pytest.raises(versions.VersionRefusedError) as refused:
        versions.refuse(contract, M("2026-01"), "own_price")
    assert list(refused.value.message_dict) == ["from_month"]
    versions.refuse(contract, M("2026-02"), "own_price")
    with pytest.raises(versions.VersionRefusedError, match="indexering"):
        versions.refuse(contract, M("2026-02"), "indexation")
