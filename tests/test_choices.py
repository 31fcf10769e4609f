"""The database itself holds every column with choices to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import CheckConstraint, Model, Q

# What each choice asks of the other columns holds it: a class of release what it shows, a receipt
# its sign. A value that is no choice fits none of the parts.
HELD_IN_PARTS = {"subscriptions.Statement.display", "subscriptions.Receipt.kind"}


def models() -> list[type[Model]]:
    apps_of_ours = ("agency", "advisors", "workshops", "subscriptions")
    return [model for app in apps_of_ours for model in apps.get_app_config(app).get_models()]


def leaves(condition: Q) -> Iterator[tuple[str, Any]]:
    for part in condition.children:
        if isinstance(part, Q):
            yield from leaves(part)
        elif isinstance(part, tuple):
            yield part


def constraints_of(model: type[Model], column: str, choices: set[Any]) -> list[str]:
    return [
        constraint.name
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint) and isinstance(constraint.condition, Q)
        if any(
            name == f"{column}__in" and choices | {""} == set(values) | {""}
            for name, values in leaves(constraint.condition)
        )
    ]


def in_the_database() -> set[str]:
    names = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'table'",
        "postgresql": "SELECT conname FROM pg_constraint",
    }
    with connection.cursor() as cursor:
        cursor.execute(names[connection.vendor])
        return set(re.findall(r"\w+", " ".join(text for (text,) in cursor.fetchall())))


@pytest.mark.django_db
def test_every_column_with_choices_has_its_constraint_in_the_database() -> None:
    found, free, there = 0, set(), in_the_database()
    for model in models():
        for field in model._meta.concrete_fields:
            if field.choices:
                names = constraints_of(model, field.name, {value for value, _ in field.flatchoices})
                found += len(names)
                if not set(names) & there:
                    free.add(f"{model._meta.label}.{field.name}")
    assert found > 25
    assert free == HELD_IN_PARTS
