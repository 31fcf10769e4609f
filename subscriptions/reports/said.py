"""Figures, months and days as a workbook's sentences say them, in the language that is active."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.translation import pgettext

from agency.month import Month, MonthRange

_QUARTERS_OF_HALF_HOUR = 2
_DASH = "\N{EN DASH}"


def hours(quarters: int) -> str:
    """Write quarter-hours with one decimal, a single quarter with two: ``6,0``, ``0,25``."""
    decimals = 2 if quarters % _QUARTERS_OF_HALF_HOUR else 1
    return number_format(Decimal(quarters) / 4, decimal_pos=decimals, force_grouping=True)


def short_month(month: Month) -> str:
    return format_date(month.first_day, pgettext("month in a table", "M Y"))


def long_month(month: Month) -> str:
    return format_date(month.first_day, "F Y")


def long_day(date: dt.date) -> str:
    return format_date(date, "j F Y")


def days(months: MonthRange) -> str:
    """Write the first and last day of a range: ``01-01-2026 – 31-12-2026``."""
    first, last = months.from_month.first_day, months.last_month.last_day
    return f"{first:%d-%m-%Y} {_DASH} {last:%d-%m-%Y}"


def span(months: MonthRange) -> str:
    """Write a range of months as a table does: ``jan – mrt 2026``."""
    with_year = pgettext("month in a table", "M Y")
    return _span(months, pgettext("month without year", "M"), with_year)


def long_span(months: MonthRange) -> str:
    return _span(months, "F", "F Y")


def _span(months: MonthRange, form: str, with_year: str) -> str:
    first, last = months.from_month, months.last_month
    until = format_date(last.first_day, with_year)
    if first == last:
        return until
    since = format_date(first.first_day, form if first.year == last.year else with_year)
    return f"{since} {_DASH} {until}"
