"""Who did what to which row, by day: names of fields, never values."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from agency.models import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db import models

    from agency.models import User

LONGEST_FIELDS = 500


def note(subject: models.Model, action: str, *, by: User, on: dt.date, fields: str = "") -> None:
    """Write an audit event of what a person did to a row."""
    note_all([subject], action, by=by, on=on, fields=fields)


def note_all(
    subjects: Iterable[models.Model], action: str, *, by: User, on: dt.date, fields: str = ""
) -> None:
    """Write one of each row, in one statement for as many as there are."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            on=on,
            actor=by,
            action=action,
            subject_model=subject._meta.label_lower,
            subject_id=subject.pk,
            fields=fields[:LONGEST_FIELDS],
        )
        for subject in subjects
    )
