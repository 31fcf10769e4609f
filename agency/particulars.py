"""Particulars of a party that can be checked: country, KVK number, OIN, VAT id and IBAN.

Each function takes what was typed and gives it as it is kept, or raises ``ValidationError`` with
the sentence to show. Forms and the agency workbook ask the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import stdnum.eu.vat
import stdnum.iban
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

# Regions in the list of territories that are groups, exceptional reservations or not known.
_NO_COUNTRIES = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())


@cache
def countries() -> frozenset[str]:
    """Give the codes of ISO 3166, as Babel's list of territories has them."""
    from babel import Locale

    territories = map(str, Locale("en").territories)
    return frozenset(code for code in territories if re.fullmatch("[A-Z]{2}", code)) - _NO_COUNTRIES


def is_in_eu(country: str) -> bool:
    """Tell whether VAT ids of a country, or with these first letters, can be checked."""
    return country.lower() in stdnum.eu.vat.MEMBER_STATES or country == "EL"


def country(typed: str) -> str:
    code = typed.strip().upper()
    if code not in countries():
        raise ValidationError(_("No country has this code: give two letters, such as NL or BE."))
    return code


def digits(typed: str, *, count: int) -> str:
    number = re.sub(r"[ .]", "", typed)
    if not re.fullmatch(rf"[0-9]{{{count}}}", number):
        raise ValidationError(_("This needs exactly %(count)d digits."), params={"count": count})
    return number


kvk_number = partial(digits, count=8)
oin = partial(digits, count=20)


def eu_vat_id(typed: str) -> str:
    """Read a VAT id of the EU, whose check digits must fit."""
    written = _without_marks(typed)
    if not stdnum.eu.vat.is_valid(written):
        raise ValidationError(
            _("This VAT id is not valid: country letters, number and check digits must fit.")
        )
    return str(stdnum.eu.vat.compact(written))


def vat_id(typed: str) -> str:
    """Read a VAT id with its country letters; those of the EU must have the right check digits."""
    written = _without_marks(typed)
    if is_in_eu(written[:2]):
        return eu_vat_id(written)
    if written[:2] not in countries() or not re.search("[0-9]", written):
        raise ValidationError(_("A VAT id is the two letters of its country and a number."))
    return written


def _without_marks(typed: str) -> str:
    return re.sub(r"[\s.\-/]", "", typed).upper()


def iban(typed: str) -> str:
    if not stdnum.iban.is_valid(typed):
        raise ValidationError(_("This IBAN is not valid: its check digits do not fit."))
    return str(stdnum.iban.compact(typed))


class ParticularField(models.CharField):  # type: ignore[type-arg]  # as a CharField
    """A particular, kept as ``read`` gives it; to migrations and the database a `CharField`."""

    def __init__(self, *args: Any, read: Callable[[str], str] = str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.read = read

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def clean(self, value: Any, model_instance: models.Model | None) -> str:
        text = str(super().clean(value, model_instance))
        return self.read(text) if text else text
