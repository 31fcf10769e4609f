"""Machines learn whether all is well, and nothing else."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Schedule

pytestmark = [pytest.mark.django_db, pytest.mark.logs_errors]  # Django logs each 503


def minutes_ago(minutes: int) -> dt.datetime:
    """Ask when the test runs: the suite may take longer than the queue's patience."""
    return timezone.now() - dt.timedelta(minutes=minutes)


def ready(client: Client) -> tuple[int, str]:
    response = client.get("/readyz")
    return response.status_code, response.content.decode()


@pytest.mark.attack(48)
def test_a_living_process_says_ok_without_asking_the_database(client: Client) -> None:
    with connection.execute_wrapper(_refuse):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def _refuse(*_args: object) -> None:
    raise DatabaseError


def test_ready_when_all_is_there(client: Client) -> None:
    OrmQ.objects.create(key="discreet", payload="", lock=minutes_ago(4))
    Schedule.objects.create(name="push", func="f", next_run=minutes_ago(4))
    assert ready(client) == (200, "ready\n")


def test_not_ready_without_the_database(client: Client) -> None:
    with connection.execute_wrapper(_refuse):
        assert ready(client) == (503, "not ready\n")


def test_not_ready_while_a_migration_is_missing(client: Client) -> None:
    recorder = MigrationRecorder(connection)
    app, name = max(key for key in recorder.applied_migrations() if key[0] == "subscriptions")
    recorder.record_unapplied(app, name)
    assert ready(client) == (503, "not ready\n")


def test_not_ready_while_a_task_waits_for_too_long(client: Client) -> None:
    OrmQ.objects.create(key="discreet", payload="", lock=minutes_ago(6))
    assert ready(client) == (503, "not ready\n")


def test_not_ready_while_no_queue_looks_at_the_schedules(client: Client) -> None:
    Schedule.objects.create(name="push", func="f", next_run=minutes_ago(6))
    assert ready(client) == (503, "not ready\n")


def test_nothing_can_be_sent_to_them(client: Client) -> None:
    assert client.post("/readyz").status_code == 405
