"""Model fields for months and ranges of months."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from agency.month import Month, MonthRange

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable


class MonthFormField(forms.CharField):
    """A month typed as ``YYYY-MM``; browsers that know ``type=month`` show a picker."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"type": "month", "maxlength": 7}))
        for unused in ("min_value", "max_value"):
            kwargs.pop(unused, None)
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Month | None:  # type: ignore[override]  # a value type
        if isinstance(value, Month):
            return value
        text = super().to_python(value)
        if not text:
            return None
        try:
            return Month.parse(text)
        except ValueError as error:
            raise ValidationError(_("Give a month as YYYY-MM, for example 2026-03.")) from error

    def prepare_value(self, value: Any) -> Any:
        return str(value) if isinstance(value, Month) else value


class MonthField(models.Field):  # type: ignore[type-arg]  # typed below
    """A `Month`, kept as the number of months since the year 0: no day fits into the column."""

    description = "a calendar month"

    if TYPE_CHECKING:
        _pyi_private_set_type: Month
        _pyi_private_get_type: Month
        _pyi_lookup_exact_type: Month | str | int | Combinable | None

    def get_internal_type(self) -> str:
        return "PositiveSmallIntegerField"

    def from_db_value(self, value: int | None, *_args: object) -> Month | None:
        return None if value is None else Month(value)

    def to_python(self, value: Any) -> Month | None:
        if value is None or isinstance(value, Month):
            return value
        try:
            return Month.parse(value) if isinstance(value, str) else Month(int(value))
        except (TypeError, ValueError) as error:
            raise ValidationError(_("Give a month as YYYY-MM, for example 2026-03.")) from error

    def get_prep_value(self, value: Any) -> Any:
        if hasattr(value, "resolve_expression"):
            return value
        month = self.to_python(value)
        return None if month is None else month.index

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**{"form_class": MonthFormField, **kwargs})


class MonthRangeField:
    """A `MonthRange` over two `MonthField` columns of the same model.

    It adds no column of its own, as Django's GenericForeignKey does not: queries and constraints
    name ``from_month`` and ``until_month``.
    """

    def __init__(self, start: str = "from_month", until: str = "until_month") -> None:
        self.start = start
        self.until = until

    def contribute_to_class(self, cls: type[models.Model], name: str) -> None:
        setattr(cls, name, self)

    @overload
    def __get__(self, instance: None, owner: type[models.Model]) -> MonthRangeField: ...
    @overload
    def __get__(self, instance: models.Model, owner: type[models.Model]) -> MonthRange: ...
    def __get__(
        self, instance: models.Model | None, owner: type[models.Model]
    ) -> MonthRange | MonthRangeField:
        if instance is None:
            return self
        return MonthRange(getattr(instance, self.start), getattr(instance, self.until))

    def __set__(self, instance: models.Model, value: MonthRange) -> None:
        setattr(instance, self.start, value.from_month)
        setattr(instance, self.until, value.until_month)
