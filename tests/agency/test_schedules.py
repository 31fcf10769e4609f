"""Schedules are data: the table equals what the apps declare."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override
from django_q.models import Schedule

from agency import schedules
from agency.month import AMSTERDAM
from agency.schedules import Every, declared, sync

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 3, 28, 12, tzinfo=AMSTERDAM)  # the clock goes forward in the night after
PUSH = Every("push", "agency.today.today", minutes=10)
MAIL = Every("mail", "agency.today.today", daily_at=dt.time(7, 30))


def rows() -> list[tuple[object, ...]]:
    return list(
        Schedule.objects.order_by("name").values_list(
            "name", "schedule_type", "minutes", "next_run"
        )
    )


def test_a_declared_schedule_is_written() -> None:
    assert sync([PUSH, MAIL], now=NOON) == Counter({"added": 2})
    assert rows() == [
        ("mail", Schedule.DAILY, None, dt.datetime(2026, 3, 29, 7, 30, tzinfo=AMSTERDAM)),
        ("push", Schedule.MINUTES, 10, NOON),
    ]


def test_a_second_time_changes_nothing_and_keeps_the_next_run() -> None:
    sync([PUSH, MAIL], now=NOON)
    before = rows()
    assert sync([PUSH, MAIL], now=NOON + dt.timedelta(days=40)) == Counter({"unchanged": 2})
    assert rows() == before


@pytest.mark.parametrize(
    "changed",
    [
        Every("mail", "agency.today.today", daily_at=dt.time(8)),
        Every("mail", "agency.today.today", minutes=5),
        Every("mail", "agency.schedules.declared", daily_at=dt.time(7, 30)),
    ],
)
def test_a_changed_schedule_is_changed_and_one_no_longer_declared_removed(changed: Every) -> None:
    sync([PUSH, MAIL], now=NOON)
    assert sync([changed], now=NOON) == Counter({"changed": 1, "removed": 1})
    assert sync([changed], now=NOON) == Counter({"unchanged": 1})


def test_a_task_that_is_not_there_is_refused_before_anything_is_written() -> None:
    with pytest.raises(ImportError):
        sync([PUSH, Every("typo", "agency.today.tomorow", minutes=5)], now=NOON)
    assert rows() == []


def test_a_schedule_has_one_kind_of_timing() -> None:
    with pytest.raises(ValueError, match="either minutes or daily_at"):
        Every("both", "agency.today.today", minutes=1, daily_at=dt.time(7))


def test_the_command_writes_all_that_apps_declare_and_says_so() -> None:
    out = StringIO()
    with override("en"):
        call_command("sync_schedules", stderr=out)
    assert out.getvalue().strip().endswith("0 changed, 0 removed, 0 as they were.")
    assert {name for name, *_ in rows()} == {schedule.name for schedule in declared()}


def test_the_command_names_a_missing_task_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "agency.management.commands.sync_schedules.declared",
        lambda: [Every("typo", "agency.today.tomorow", minutes=5)],
    )
    with override("en"), pytest.raises(CommandError, match="names a task that is not there"):
        call_command("sync_schedules")


def test_names_are_unique_over_all_apps() -> None:
    names = [schedule.name for schedule in schedules.declared()]
    assert len(names) == len(set(names))
