"""Everything that is held about one person, for that person (AVG, article 15)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models

from agency.models import User
from agency.processing import ALL, Table, tables
from agency.retention import rows_about


@dataclass(frozen=True, slots=True)
class Held:
    """The rows of one table about a person, each as what its columns say."""

    entry: Table
    rows: list[dict[str, str | int | bool | None]]


def held_about(email: str) -> list[Held]:
    """Give all that is held about who has an e-mail address, and of nobody else."""
    user = User.objects.filter(email=email.lower()).first()
    found = (Held(entry, _written(entry, user, email)) for entry in tables() if entry.personal)
    return [held for held in found if held.rows]


def _written(entry: Table, user: User | None, email: str) -> list[dict[str, Any]]:
    rows = rows_about(entry, user, email)
    shown = [
        field
        for field in rows.model._meta.concrete_fields
        if field.name not in entry.secret
        and (ALL in entry.personal or field.name in entry.personal or field.primary_key)
    ]
    related = [field.name for field in shown if field.is_relation]
    return [
        {field.name: _plain(getattr(row, field.name)) for field in shown}
        for row in rows.order_by("pk").select_related(*related)
    ]


def _plain(value: Any) -> str | int | bool | None:
    """Write a value; a row that it points at goes by its code, or else by its key."""
    if isinstance(value, models.Model):
        return str(getattr(value, "code", value.pk))
    return value if value is None or isinstance(value, bool | int) else str(value)
