"""What a cell of the agency workbook may hold, and the kinds of cells with a number.

The ``read`` of a kind takes what the spreadsheet holds and gives the value as the database keeps
it: amounts in cents, hours in quarters, months as `Month`, moments in UTC. It raises
`RefusedError` with the sentence to show. ``write`` turns a value back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

from django.utils.translation import gettext as _

# Amounts and hours that no agency reaches: a number above them is a slip of the keyboard. They
# also keep every value inside the database's integers.
MOST_CENTS = 999_999_999
MOST_HOURS = 100_000
ALL_OF_IT = 10_000  # basis points

# Spreadsheets keep 15 digits of a number; longer ones were rounded before we see them.
DIGITS_KEPT = 15


class RefusedError(ValueError):
    """The cell does not hold what its column asks for; the text is the sentence to show."""


class Oddity(Enum):
    """What a cell may hold instead of a value."""

    FORMULA = "formula"
    ERROR = "error"


class Kind:
    """A kind of cell: what may stand in it, and how a spreadsheet shows it."""

    number_format: ClassVar[str] = "@"

    def read(self, raw: object) -> Any:
        raise NotImplementedError

    def write(self, value: Any) -> object:
        return value


def number(raw: object) -> Decimal | None:
    """Read a number exactly as the spreadsheet shows it; None for anything else.

    A number stored as text counts when it is plain: 1250 or 1250.5. More decimals could be
    thousands: in Dutch 1.250 is a thousand and more.
    """
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return Decimal(raw)
    if isinstance(raw, float):
        shown = Decimal(f"{raw:.{DIGITS_KEPT}g}")
        return shown if shown.is_finite() else None
    if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,2})?", raw):
        return Decimal(raw)
    return None


@dataclass(frozen=True)
class Whole(Kind):
    least: int = 0
    most: int = 1_000_000
    number_format: ClassVar[str] = "0"

    def read(self, raw: object) -> int:
        whole = number(raw)
        if whole is None or whole != int(whole):
            raise RefusedError(_("This is not a whole number."))
        if whole < self.least:
            raise RefusedError(_("This must be at least %(least)d.") % {"least": self.least})
        if whole > self.most:
            raise RefusedError(_("This must be at most %(most)d.") % {"most": self.most})
        return int(whole)


@dataclass(frozen=True)
class Amount(Kind):
    """Euros in the workbook, cents in the database; below 0 only where it is ``signed``."""

    signed: bool = False
    number_format: ClassVar[str] = "#,##0.00"

    def read(self, raw: object) -> int:
        euros = number(raw)
        if euros is None:
            raise RefusedError(_("This is not an amount: give a number, such as 1250.50."))
        if euros < 0 and not self.signed:
            raise RefusedError(_("An amount cannot be negative."))
        cents = euros * 100
        if cents != int(cents):
            raise RefusedError(_("An amount has at most two decimals."))
        if abs(cents) > MOST_CENTS:
            raise RefusedError(_("This amount is too large."))
        return int(cents)

    def write(self, value: int) -> object:
        return Decimal(value) / 100


@dataclass(frozen=True)
class Hours(Kind):
    """Hours in the workbook, quarters of an hour in the database."""

    least_quarters: int = 0
    number_format: ClassVar[str] = "#,##0.00"

    def read(self, raw: object) -> int:
        hours = number(raw)
        if hours is None:
            raise RefusedError(_("This is not a number of hours: give a number, such as 1.75."))
        if hours < 0:
            raise RefusedError(_("Hours cannot be negative."))
        quarters = hours * 4
        if quarters != int(quarters):
            raise RefusedError(_("Give whole quarters of an hour, such as 1.75."))
        if hours > MOST_HOURS:
            raise RefusedError(_("These are too many hours."))
        if quarters < self.least_quarters:
            raise RefusedError(_("Give at least a quarter of an hour."))
        return int(quarters)

    def write(self, value: int) -> object:
        return Decimal(value) / 4


@dataclass(frozen=True)
class Percent(Kind):
    """A percentage in the workbook, basis points in the database."""

    number_format: ClassVar[str] = "0.00"

    def read(self, raw: object) -> int:
        percent = number(raw)
        if percent is None or percent * 100 != int(percent * 100):
            raise RefusedError(_("This is not a percentage of at most two decimals."))
        basis_points = int(percent * 100)
        if not 0 <= basis_points <= ALL_OF_IT:
            raise RefusedError(_("A percentage lies between 0 and 100."))
        return basis_points

    def write(self, value: int) -> object:
        return Decimal(value) / 100


@dataclass(frozen=True)
class OneOfNumbers(Kind):
    choices: Sequence[int]
    number_format: ClassVar[str] = "0"

    def read(self, raw: object) -> int:
        chosen = number(raw)
        if chosen is None or chosen not in self.choices:
            raise RefusedError(one_of(self.choices))
        return int(chosen)


def one_of(choices: Sequence[object]) -> str:
    return _("Give one of: %(choices)s.") % {"choices": ", ".join(map(str, choices))}
