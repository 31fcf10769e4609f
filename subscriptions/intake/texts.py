"""The kinds of cells with text: names, codes, ids that can be checked, choices."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

from agency import particulars
from subscriptions.intake.cells import DIGITS_KEPT, Kind, RefusedError, one_of


def _text(raw: object) -> str:
    """Read text; a number counts as the text that was typed, if no digit was lost."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        raw = format(Decimal(f"{raw:.{DIGITS_KEPT}g}"), "f") if isinstance(raw, float) else str(raw)
        if len(raw) > DIGITS_KEPT:
            raise RefusedError(_("This number has lost digits: type it as text."))
    if not isinstance(raw, str):
        raise RefusedError(_("This is a date or a time, where text is asked: type it as text."))
    text = unicodedata.normalize("NFC", raw)
    if any(_cannot_be_shown(char) for char in text):
        raise RefusedError(_("This text holds a line break or a character that cannot be shown."))
    return text


def _cannot_be_shown(char: str) -> bool:
    """Tell control characters, line breaks and those that turn the direction of writing."""
    return unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} or (
        "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069"
    )


@dataclass(frozen=True)
class Text(Kind):
    longest: int

    def read(self, raw: object) -> str:
        text = _text(raw)
        if len(text) > self.longest:
            raise RefusedError(
                _("This is longer than %(longest)d characters.") % {"longest": self.longest}
            )
        return text


@dataclass(frozen=True)
class Names(Text):
    """A list of words with commas between them."""

    def read(self, raw: object) -> str:
        words = [word.strip() for word in _text(raw).split(",")]
        if not all(words):
            raise RefusedError(_("Give words with one comma between them."))
        return super().read(",".join(words))


@dataclass(frozen=True)
class Code(Kind):
    """A short name for a row; it also becomes part of the names of files."""

    longest: ClassVar[int] = 20

    def read(self, raw: object) -> str:
        code = _text(raw)
        if len(code) > self.longest or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", code):
            raise RefusedError(
                _(
                    "A code has at most 20 letters, digits, hyphens, dots and underscores, "
                    "and begins with a letter or digit."
                )
            )
        return code


@dataclass(frozen=True)
class Digits(Kind):
    count: int

    def read(self, raw: object) -> str:
        try:
            return particulars.digits(_text(raw), count=self.count)
        except ValidationError as error:
            raise RefusedError(
                _("This needs exactly %(count)d digits; type it as text to keep a leading zero.")
                % {"count": self.count}
            ) from error


@dataclass(frozen=True)
class Email(Kind):
    """An e-mail address, kept in lower case."""

    longest: ClassVar[int] = 254

    def read(self, raw: object) -> str:
        address = _text(raw).lower()
        try:
            EmailValidator()(address)
        except ValidationError as error:
            raise RefusedError(_("This is not an e-mail address.")) from error
        return Text(self.longest).read(address)


@dataclass(frozen=True)
class Country(Kind):
    """Two letters of ISO 3166."""

    def read(self, raw: object) -> str:
        return _checked(particulars.country, _text(raw))


@dataclass(frozen=True)
class VatId(Kind):
    """A VAT id with its country letters; those of the EU must have the right check digits."""

    from_eu: bool = True
    longest: ClassVar[int] = 20

    def read(self, raw: object) -> str:
        check = particulars.eu_vat_id if self.from_eu else particulars.vat_id
        return Text(self.longest).read(_checked(check, _text(raw)))


@dataclass(frozen=True)
class Iban(Kind):
    longest: ClassVar[int] = 34

    def read(self, raw: object) -> str:
        return _checked(particulars.iban, _text(raw))


def _checked(check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except ValidationError as error:
        raise RefusedError(*error.messages) from error


@dataclass(frozen=True)
class OneOf(Kind):
    choices: Sequence[str]

    def read(self, raw: object) -> str:
        if isinstance(raw, str) and raw.lower() in self.choices:
            return raw.lower()
        raise RefusedError(one_of(self.choices))


@dataclass(frozen=True)
class YesNo(Kind):
    choices: ClassVar[Sequence[str]] = ("yes", "no")

    def read(self, raw: object) -> bool:
        if isinstance(raw, bool):
            return raw
        return OneOf(self.choices).read(raw) == "yes"

    def write(self, value: bool) -> object:  # noqa: FBT001  # the value of the cell
        return "yes" if value else "no"
