"""Recurring tasks of the house itself."""

from __future__ import annotations

import datetime as dt

from django.core.management import call_command

from agency.schedules import Every


def clear_sessions() -> None:
    """Forget sessions that have ended."""
    call_command("clearsessions")


SCHEDULES = [Every("clear sessions", "agency.tasks.clear_sessions", daily_at=dt.time(4, 10))]
