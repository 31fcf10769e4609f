"""Two addresses for machines: does the process live, and is everything it needs there."""

from __future__ import annotations

from datetime import timedelta

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from agency.schema import pending_migrations

# The queue looks at its schedules every half minute; this long means that no queue runs.
QUEUE_PATIENCE = timedelta(minutes=5)


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers, is migrated and the queue keeps up, else 503.

    Says no more than that: anybody may ask.
    """
    try:
        is_ready = not pending_migrations(connection) and not _queue_is_late()
    except DatabaseError:
        is_ready = False
    text, status = ("ready\n", 200) if is_ready else ("not ready\n", 503)
    return HttpResponse(text, content_type="text/plain", status=status)


def _queue_is_late() -> bool:
    """Tell whether a schedule or a task, which is locked while it runs, waits for too long."""
    before = timezone.now() - QUEUE_PATIENCE
    late_schedules = Schedule.objects.exclude(repeats=0).filter(next_run__lt=before)
    late_tasks = OrmQ.objects.filter(lock__lt=before)
    return any(late.exists() for late in (late_schedules, late_tasks))
