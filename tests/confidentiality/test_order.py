"""Who was first does not show: neither in what the rows say nor in where they lie."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection

from advisors import hours
from advisors.models import AdjustmentReason, Advisor, DraftHours, HoursAdjustment, MonthHours
from agency.models import Organisation
from agency.month import Month, MonthRange
from tests import factories as make

MONTH = Month.of(2026, 1)
CLIENTS = 12
PLACE = {"sqlite": "rowid", "postgresql": "ctid"}

pytestmark = [pytest.mark.django_db, pytest.mark.attack(20)]


def record(order: list[int]) -> None:
    """Record hours for clients in an order, and some of them in two steps."""
    advisor = make.advisor()
    clients = [make.organisation(f"C{number:02}") for number in range(CLIENTS)]
    for client in clients:
        make.assignment(advisor, client)
    for number in order:
        hours.record(advisor, clients[number], MONTH, from_quarters=0, to_quarters=number + 1)
    for number in order[::3]:
        hours.record(
            advisor, clients[number], MONTH, from_quarters=number + 1, to_quarters=number + 5
        )
        hours.record(
            advisor, clients[number], MONTH, from_quarters=number + 5, to_quarters=number + 1
        )


def post() -> None:
    clients = DraftHours.objects.values_list("organisation", flat=True)
    hours.post(MONTH, {key: [MonthRange(MONTH, None)] for key in clients})


@pytest.mark.parametrize(
    "order",
    [list(range(CLIENTS)), list(range(CLIENTS))[::-1], [5, 0, 7, 11, 1, 9, 3, 2, 8, 4, 10, 6]],
)
def test_any_order_of_recording_gives_the_same_rows(order: list[int]) -> None:
    record(order)
    post()
    rows = MonthHours.objects.values_list("organisation__code", "month", "quarters")
    assert sorted(rows) == [(f"C{number:02}", MONTH, number + 1) for number in range(CLIENTS)]


def test_posted_rows_lie_in_the_order_of_random_keys() -> None:
    record(list(range(CLIENTS)))
    random = list(DraftHours.objects.order_by("pk").values_list("organisation__code", flat=True))
    post()
    client = dict(MonthHours.objects.values_list("pk", "organisation__code"))
    assert [client[key] for key in keys_as_they_lie("advisors_monthhours")] == random


def test_corrections_lie_in_the_order_of_random_keys_once_their_month_is_closed() -> None:
    """Those of an open month lie as they were first entered."""
    record(list(range(CLIENTS)))
    advisor = Advisor.objects.get()
    for client in Organisation.objects.order_by("code"):
        hours.adjust(advisor, client, MONTH, quarters=2, reason=AdjustmentReason.LATE_WORK)
    before = keys_as_they_lie("advisors_hoursadjustment")
    entered = HoursAdjustment.objects.order_by("organisation__code")
    assert before == list(entered.values_list("pk", flat=True))

    post()

    assert keys_as_they_lie("advisors_hoursadjustment") == sorted(before) != before
    assert list(entered.values_list("quarters", flat=True)) == [2] * CLIENTS


def keys_as_they_lie(table: str) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table} ORDER BY {PLACE[connection.vendor]}")
        return [UUID(str(key)) for (key,) in cursor.fetchall()]
