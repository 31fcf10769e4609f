"""Form fields: people type euros, hours and percentages for stored integers, and choose rows."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from agency.month import Month, MonthRange
from agency.templatetags import figures

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db import models

# No more digits than the databases hold of the smaller unit.
_NUMBER = re.compile(r"-?[0-9]{1,8}(\.[0-9]{1,2})?")
_CLOCK = re.compile(r"([0-9]{1,8}):([0-5][0-9])")


class _WholeNumberField(forms.Field):
    """A whole number in the database that is typed as a number of something larger."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "size": 12, "autocomplete": "off"})
    per_unit = 100
    unit: Any = "€"
    expected: Any = ""

    def __init__(
        self, *, min_value: int | None = None, max_value: int | None = None, **kwargs: Any
    ):
        for unused in ("localize", "max_length"):
            kwargs.pop(unused, None)
        self.min_value, self.max_value = min_value, max_value
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        if isinstance(value, int):
            return value
        number = self.read(
            str(value).replace("\N{NO-BREAK SPACE}", "").replace(" ", "").lstrip("€")
        )
        if number is None or number != int(number):
            raise ValidationError(self.expected, code="invalid")
        return int(number)

    def read(self, text: str) -> Decimal | None:
        """Read ``1.234,50``, ``1,234.50``, ``1234,5`` or ``1234.5``; None for anything else."""
        if "," in text and "." in text:
            text = text.replace("." if text.rindex(",") > text.rindex(".") else ",", "")
        text = text.replace(",", ".").replace("\N{MINUS SIGN}", "-")
        return Decimal(text) * self.per_unit if _NUMBER.fullmatch(text) else None

    def validate(self, value: Any) -> None:
        super().validate(value)
        low, high = self.min_value, self.max_value
        if value is not None and ((low is not None and value < low) or (high and value > high)):
            raise ValidationError(self.expected, code="range")


class EuroField(_WholeNumberField):
    """Cents, typed as euros."""

    expected = _("Give an amount in euros, such as 1250 or 1.250,50.")

    def prepare_value(self, value: Any) -> Any:
        return figures.amount(value) if isinstance(value, int) else value


class HoursField(_WholeNumberField):
    """Quarter-hours, typed as hours: ``7,25``, ``7.25`` or ``7:15``."""

    per_unit = 4
    unit = _("hours")
    expected = _("Give quarters of an hour, such as 7.25 or 7:15.")

    def prepare_value(self, value: Any) -> Any:
        return figures.decimal_hours(value) if isinstance(value, int) else value

    def read(self, text: str) -> Decimal | None:
        clock = _CLOCK.fullmatch(text)
        if clock:
            return Decimal(clock[1]) * self.per_unit + Decimal(clock[2]) / 15
        return super().read(text)


class PercentField(_WholeNumberField):
    """Basis points, typed as a percentage."""

    unit = "%"
    expected = _("Give a percentage, such as 21 or 2.5.")

    def prepare_value(self, value: Any) -> Any:
        return figures.percent(value) if isinstance(value, int) else value


class IndexField(_WholeNumberField):
    """Thousandths, typed as an index value is published."""

    per_unit = 1000
    unit = ""
    expected = _("Give an index value, such as 131.2.")

    def prepare_value(self, value: Any) -> Any:
        return figures.index_value(value) if isinstance(value, int) else value


# What a column holds follows from its name: units come last.
FIELDS: dict[str, type[_WholeNumberField]] = {
    "_cents": EuroField,
    "_quarters": HoursField,
    "_basis_points": PercentField,
    "_thousandths": IndexField,
}
WRITERS: dict[str, Callable[[Any], str]] = {
    "_cents": figures.euro,
    "_quarters": figures.hours,
    "_basis_points": lambda value: f"{figures.percent(value)}{figures.SPACE}%",
    "_thousandths": figures.index_value,
}


# Columns that carry no label of their own, by their name.
LABELS: dict[str, Any] = {
    "action": _("What"),
    "actor": _("who"),
    "advisor": _("advisor"),
    "answer_id": _("answer of Stripe"),
    "attempted_at": _("attempted at"),
    "book": _("price book"),
    "buyer_city": _("city"),
    "buyer_country": _("country"),
    "buyer_email": _("e-mail address"),
    "buyer_kvk_number": _("KVK number"),
    "buyer_postcode": _("postcode"),
    "buyer_street": _("street"),
    "buyer_vat_id": _("VAT id"),
    "card": _("top-up card"),
    "credit_of": _("credit of"),
    "error_code": _("error"),
    "fields": _("Fields"),
    "generation": _("attempt"),
    "invoice": _("invoice"),
    "kind": _("kind"),
    "offering": _("offering"),
    "organisation": _("organisation"),
    "qualification": _("qualification"),
    "on": _("day"),
    "requested_by": _("requested by"),
    "session": _("session"),
    "state": _("state"),
    "subject_id": _("Reference"),
    "subject_model": _("Of what"),
    "subscription": _("subscription"),
    "trainer": _("trainer"),
    "user": _("user"),
}


def label_of(field: models.Field[Any, Any]) -> Any:
    """Give a label for a column whose name is all it has."""
    is_named = str(field.verbose_name) != field.name.replace("_", " ")
    return None if is_named else LABELS.get(field.name)


def form_field_class(name: str) -> type[_WholeNumberField] | None:
    return next((field for unit, field in FIELDS.items() if name.endswith(unit)), None)


def shown(instance: models.Model, name: str) -> str | None:
    """Write a column as people read it; None where Django's own way will do."""
    value = getattr(instance, name, None)
    if isinstance(value, Month):
        return figures.month(value)
    if isinstance(value, MonthRange):
        return figures.period(value) if value.until_month else figures.month(value.from_month)
    write = next((write for unit, write in WRITERS.items() if name.endswith(unit)), None)
    return write(value) if write and isinstance(value, int) else None


class ChosenRow(AutocompleteSelect):
    """Django's field with suggestions; what is no key of a row is shown as nothing chosen.

    Django looks it up as it came, and fails on it, where the form has found it wrong before.
    """

    known: Any = None  # the row that is chosen, where it was read with the row around it

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        keys = [key for key in value if is_key(key)]
        if self.known is None or [str(key) for key in keys] != [str(self.known.pk)]:
            return super().optgroups(name, keys, attr)
        choices: Any = self.choices
        label = choices.field.label_from_instance(self.known)
        chosen = self.create_option(name, self.known.pk, label, True, 0)
        nothing = (
            [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        )  # the same
        return [(None, [*nothing, chosen], 0)]


def is_key(text: object) -> bool:
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True
