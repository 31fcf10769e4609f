"""Recurring tasks, declared as data beside the tasks and written to the queue's own table.

An app's ``tasks.py`` has a list ``SCHEDULES``; ``manage.py sync_schedules`` makes the table equal
to all lists together.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from django.apps import apps
from django.db import transaction
from django.utils.module_loading import import_string, module_has_submodule
from django_q.models import Schedule

from agency.month import AMSTERDAM


@dataclass(frozen=True)
class Every:
    """A task that is due again and again: each so many minutes, or each day at a local time.

    ``function`` is the dotted path of a task that takes no arguments. The queue looks at its
    schedules twice a minute, so none is exact.
    """

    name: str
    function: str
    minutes: int | None = None
    daily_at: dt.time | None = None

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.daily_at is None):
            message = f"{self.name}: give either minutes or daily_at"
            raise ValueError(message)

    def first_run(self, now: dt.datetime) -> dt.datetime:
        """Give the first moment at or after ``now``."""
        if self.daily_at is None:
            return now
        local = now.astimezone(AMSTERDAM)
        moment = dt.datetime.combine(local.date(), self.daily_at, AMSTERDAM)
        return moment if moment >= now else moment + dt.timedelta(days=1)


def declared() -> Iterator[Every]:
    """Yield the schedules of all apps."""
    for app in apps.get_app_configs():
        if module_has_submodule(app.module, "tasks"):
            yield from getattr(import_module(f"{app.name}.tasks"), "SCHEDULES", ())


@transaction.atomic
def sync(schedules: list[Every], *, now: dt.datetime) -> Counter[str]:
    """Make the queue's table equal to the declared schedules, and count what was done.

    A schedule that did not change keeps its next run. Raises ImportError for a function that is
    not there, before anything is written.
    """
    for schedule in schedules:
        import_string(schedule.function)
    names = [schedule.name for schedule in schedules]
    removed, _ = Schedule.objects.exclude(name__in=names).delete()
    done = Counter(removed=removed)
    for schedule in schedules:
        done[_write(schedule, now)] += 1
    return done


def _write(schedule: Every, now: dt.datetime) -> str:
    timing = {
        "func": schedule.function,
        "schedule_type": Schedule.MINUTES if schedule.minutes else Schedule.DAILY,
        "minutes": schedule.minutes,
    }
    row = Schedule.objects.filter(name=schedule.name).first()
    if row and _same(row, timing, schedule):
        return "unchanged"
    Schedule.objects.update_or_create(
        name=schedule.name, defaults={**timing, "next_run": schedule.first_run(now), "repeats": -1}
    )
    return "changed" if row else "added"


def _same(row: Schedule, timing: dict[str, object], schedule: Every) -> bool:
    local = row.next_run.astimezone(AMSTERDAM).time()
    return all(getattr(row, name) == value for name, value in timing.items()) and (
        schedule.daily_at in {None, local}
    )
