"""Recurring tasks of the house itself."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from agency.tasks import clear_sessions


@pytest.mark.django_db
def test_sessions_that_have_ended_are_forgotten() -> None:
    now = timezone.now()
    for key, hours in (("ended", -1), ("running", 1)):
        expires = now + dt.timedelta(hours=hours)
        Session.objects.create(session_key=key, session_data="", expire_date=expires)

    clear_sessions()

    assert [session.session_key for session in Session.objects.all()] == ["running"]
