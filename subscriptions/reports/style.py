"""The look of workbooks: the serif speaks, the sans counts; every colour is a design token.

What a cell holds is said by its `Kind`, why it stands out by a tone. Both together with the place
in the sheet make a `Look`, which the workbook keeps once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Any

from agency.money import plain_decimal, plain_hours
from agency.tokens import light

SERIF, SANS = "Cambria", "Calibri"

_FIRST_DAY = dt.date(1899, 12, 30)  # day 0 of the serial dates that spreadsheets count in
_MINUTES_OF_A_DAY = 24 * 60
ROW_HEIGHT = 19.2  # points


@dataclass(frozen=True, slots=True)
class Kind:
    """What a cell holds: its number format and how the stored value is written, exactly.

    ``write`` gives the number as text; without it the cell is text.
    """

    number_format: str = "General"
    write: Callable[[Any], str] | None = None
    across: str = "right"


def _serial(date: dt.date) -> str:
    return str((date - _FIRST_DAY).days)


def _time(time: dt.time) -> str:
    return format((time.hour * 60 + time.minute) / _MINUTES_OF_A_DAY, ".15g")


TEXT = Kind(across="left")
WORD = Kind(across="center")
RIGHT_TEXT = Kind()
COUNT = Kind("#,##0", str)
LEFT_COUNT = Kind("#,##0", str, across="left")
# In a column that also holds hours, so that the units stand under each other.
COUNT_AMONG_HOURS = Kind("#,##0_._0", str)
HOURS = Kind("#,##0.0", plain_hours)
QUARTERS = Kind("#,##0.00", plain_hours)
EUROS = Kind("#,##0.00", plain_decimal)
QUANTITY = Kind("#,##0.0#", plain_decimal)
PERCENT = Kind("0%", lambda basis_points: _shifted(basis_points, 4))
DATE = Kind("dd-mm-yyyy", _serial)
MONTH = Kind("mm-yyyy", lambda month: _serial(month.first_day))
TIME = Kind("hh:mm", _time)
MORE_OR_LESS = {
    COUNT: Kind("+#,##0;-#,##0;#,##0", str),
    HOURS: Kind("+#,##0.0;-#,##0.0;#,##0.0", plain_hours),
    EUROS: Kind("+#,##0.00;-#,##0.00;#,##0.00", plain_decimal),
}


def _shifted(number: int, places: int) -> str:
    """Write a whole number divided by a power of ten."""
    sign, digits = ("-", str(-number)) if number < 0 else ("", str(number))
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Everything that is drawn of a cell. Colours are names of `colour`."""

    face: str = SANS
    size: float = 10
    bold: bool = False
    ink: str = "ink"
    fill: str = ""
    line_below: str = ""
    line_above: str = ""
    edge: str = ""
    across: str = "left"
    down: str = "center"
    wraps: bool = False
    number_format: str = "General"


@dataclass(frozen=True, slots=True)
class Tone:
    ink: str = "ink"
    bold: bool = False
    fill: str = ""


TONES = {
    "": Tone(),
    "strong": Tone(bold=True),
    "quiet": Tone("ink-2"),
    "group": Tone("accent", bold=True),
    # The lining of an envelope: no figure is shown here. The word stands in another column.
    "lined": Tone(fill="lining"),
    "lined word": Tone("accent-deep", bold=True, fill="lining"),
    "kept": Tone("accent", bold=True),
    "calm": Tone("ink-2", fill="still-tint"),
    "good": Tone("good"),
    "wait": Tone("wait", bold=True, fill="wait-tint"),
    "wait word": Tone("wait"),
    "bad": Tone("bad", bold=True, fill="bad-tint"),
    "pass": Tone("good", bold=True, fill="good-tint"),
}


@cache
def colour(name: str) -> str:
    """Give a token's light value as RRGGBB; ``lining`` and ``chart-3`` are tints of tokens."""
    tokens = light()
    if name == "lining":
        return _tint(tokens["lining-ink"], 0.45)
    if name == "chart-3":
        return _tint(tokens["line-strong"], 0.8)
    return tokens[name].lstrip("#").upper()


def _tint(token: str, part: float) -> str:
    """Mix a colour with white; ``part`` of it is the colour."""
    channels = bytes.fromhex(token.lstrip("#"))
    return "".join(f"{round(255 - (255 - channel) * part):02X}" for channel in channels)


@cache
def body(kind: Kind, tone: str = "", *, wraps: bool = False, serif: bool = False) -> Look:
    """Give the look of a cell in a table's rows."""
    told = TONES[tone]
    return Look(
        face=SERIF if serif else SANS,
        size=11 if serif else 10,
        bold=told.bold,
        ink=told.ink,
        fill=told.fill,
        line_below="line",
        across=kind.across,
        wraps=wraps,
        number_format=kind.number_format,
    )


@cache
def heading(kind: Kind) -> Look:
    return Look(
        bold=True,
        fill="well",
        line_below="accent",
        across=kind.across,
        down="top",
        wraps=True,
    )


@cache
def total(kind: Kind, *, leading: bool = True) -> Look:
    """Give the look below a table: the leading row bold under a thin line, those after it quiet."""
    return Look(
        bold=leading,
        ink="ink" if leading else "ink-2",
        line_above="ink" if leading else "",
        across=kind.across,
        number_format=kind.number_format,
    )


TITLE = Look(face=SERIF, size=22, bold=True)
SUBTITLE = Look(face=SERIF, size=12, ink="ink-2")
RULE = Look(line_below="accent")
SENTENCE = Look(face=SERIF, size=12, bold=True, fill="accent-tint", edge="accent")
BAND = Look(fill="accent-tint")
BAD_SENTENCE = Look(face=SERIF, size=12, bold=True, fill="bad-tint", edge="bad")
BAD_BAND = Look(fill="bad-tint")
FACT_LABEL = Look(size=9.5, ink="ink-2")
FACT = Look(size=11)
FIGURE_LABEL = Look(size=9.5, bold=True, ink="ink-2")
FIGURE = Look(size=24, bold=True, ink="accent", across="left", number_format="#,##0.0")
NO_FIGURE = Look(face=SERIF, size=11, ink="ink-2")
LINING = Look(fill="lining")
SIDE_HEAD = Look(face=SERIF, size=11, bold=True, ink="accent", down="bottom")
SIDE_TEXT = Look(down="top", wraps=True)
LONG_TEXT = Look(down="top")
REMARK = Look(face=SERIF, size=11, ink="ink-2")
STRONG_REMARK = Look(face=SERIF, size=11, bold=True)

_NARROW, _SLIM, _WIDE = frozenset("ijl.,:;'|·"), frozenset("tfrs()-I "), frozenset("mwMW@%—")


def lines_needed(text: str, width: float, look: Look) -> int:
    """Estimate the lines that a text takes in a column; ``width`` as the column states it."""
    room = width * 7 - 12  # of 7 pixels a character, less indent and padding
    pixels = look.size * 4 / 3 * (1.02 if look.bold else 1)
    lines, used = 1, 0.0
    for word in text.split():
        wide = _ems(word) * pixels
        if used and used + wide > room:
            lines, used = lines + 1, 0.0
        lines += ceil(wide / room) - 1 if wide > room else 0
        used += wide + 0.226 * pixels
    return lines


def _ems(word: str) -> float:
    return sum(
        0.24 if char in _NARROW
        else 0.35 if char in _SLIM
        else 0.81 if char in _WIDE
        else 0.6 if char.isupper()
        else 0.5
        for char in word
    )  # fmt: skip


def row_height(text: str, width: float, look: Look) -> float:
    """Give the height that a row needs for a wrapping text in a column; 0 if any will do."""
    lines = lines_needed(text, width, look)
    if look.face == SERIF:
        return lines * look.size * 1.32 + 14
    return 0 if lines == 1 else lines * look.size * 1.32 + 6


def heading_height(texts: Sequence[tuple[str, float, Look]]) -> float:
    """Give the height of a heading row; the strip of 13 points is for the filter button."""
    return max((lines_needed(*text) for text in texts), default=1) * 13.0 + 13
