"""Columns and filters of the lists of staff: units, states, titles, and what a role may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.utils.translation import gettext_lazy as _

from agency import access
from agency.accounts import signed_in
from agency.templatetags.figures import badge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django.db.models import QuerySet
    from django.http import HttpRequest


def column(
    name: str, description: Any, write: Callable[[Any], Any], *, ordering: str | None = None
) -> Callable[[models.Model], Any]:
    """Make a column of a list that shows an attribute in writing; empty where there is none."""

    def show(row: Any) -> Any:
        value: Any = row
        for part in name.split("__"):
            value = getattr(value, part, None)
        return "" if value is None else write(value)

    show.__name__ = name
    return admin.display(description=description, ordering=ordering or name)(show)


def state(choices: type[models.TextChoices], tones: Mapping[str, str]) -> Callable[[Any], Any]:
    """Make the column of a list that shows where a row stands, with the tone of each state."""
    return column(
        "state", _("state"), lambda value: badge(choices(value).label, tones.get(value, ""))
    )


def titled(title: Any) -> type[admin.FieldListFilter]:
    """Make a filter by choices with a title, for a column that has no label of its own."""

    class Titled(admin.ChoicesFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

    return Titled


def asked_as(**by_value: models.Q) -> type[admin.FieldListFilter]:
    """Make a filter by choices that asks the database otherwise, by what an index finds.

    Each condition holds for the same rows as its choice does: a constraint says so.
    """

    class AskedAs(admin.ChoicesFieldListFilter):
        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            condition = by_value.get(str(self.lookup_val))
            found: Any = super().queryset(request, queryset)
            return found if condition is None else queryset.filter(condition)

    return AskedAs


def worded(title: Any, word: Callable[[str], str]) -> type[admin.FieldListFilter]:
    """Make a filter by the values of a column, each shown by the word that it stands for."""

    class Worded(admin.AllValuesFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

        def choices(self, changelist: Any) -> Any:
            every, *values = super().choices(changelist)
            return [every, *(value | {"display": word(str(value["display"]))} for value in values)]

    return Worded


def name_of(shown: Any) -> str:
    """Give the column, in words of a lookup, of a part of a list."""
    if isinstance(shown, tuple):  # a filter with a class of its own
        return str(shown[0])
    return str(getattr(shown, "parameter_name", getattr(shown, "__name__", shown)))


def readable(request: HttpRequest, model: type[Any], names: Iterable[Any]) -> list[Any]:
    """Leave out of a list what the person behind a request may not read."""
    role = signed_in(request).role
    return [name for name in names if may_read(role, model, name_of(name))]


def may_read(role: str, model: type[Any], path: str) -> bool:
    """Tell whether a role reads all tables and columns on the way of a lookup.

    What is no column, such as a method of ours, is shown to all who read the row.
    """
    for part in path.split(LOOKUP_SEP):
        if not access.reads(role, model._meta.label_lower, part):
            return False
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:
            return True
        model = field.related_model or model
    return access.may(role, f"{model._meta.app_label}.view_{model._meta.model_name}")
