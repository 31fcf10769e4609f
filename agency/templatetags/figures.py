"""Figures, months and states as people read them, in the language of the page.

Stored values stay integers (cents, quarter-hours) and months; only here do they become text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext, pgettext

from agency.money import QUARTERS_PER_HOUR, plain_decimal, plain_hours

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from django.utils.safestring import SafeString

    from agency.month import Month, MonthRange

register = template.Library()

MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"
MINUTES_PER_QUARTER = 15


@register.filter
def amount(cents: int) -> str:
    """Write cents for a column of money: ``1.234,50``, ``−199,50``."""
    euros, rest = divmod(abs(cents), 100)
    digits = number_format(f"{euros}.{rest:02d}", decimal_pos=2, force_grouping=True)
    return f"{MINUS}{digits}" if cents < 0 else digits


@register.filter
def signed_amount(cents: int) -> str:
    """Write a difference for a column of money: ``+1.234,50``, ``−199,50``, ``0,00``."""
    return f"+{amount(cents)}" if cents > 0 else amount(cents)


@register.filter
def euro(cents: int) -> str:
    """Write cents within a sentence: ``€ 1.234,50``."""
    sign = MINUS if cents < 0 else ""
    return f"{sign}€{SPACE}{amount(abs(cents))}"


@register.filter
def whole_euro(cents: int) -> str:
    """Write cents as a leading figure, cut to whole euros: ``€ 28.800``."""
    sign = MINUS if cents < 0 else ""
    return f"{sign}€{SPACE}{number_format(abs(cents) // 100, force_grouping=True)}"


@register.filter
def percent(basis_points: int) -> str:
    """Write basis points as a percentage without its sign: ``21``, ``2,5``."""
    text = plain_decimal(basis_points)
    return number_format(text, decimal_pos=len(text.partition(".")[2]))


@register.filter
def index_value(thousandths: int) -> str:
    """Write an index value as it is published, ``131,20``; with a third decimal if it has one."""
    decimals = 3 if thousandths % 10 else 2
    digits = f"{thousandths // 1000}.{thousandths % 1000:03d}"
    return number_format(digits[: len(digits) - 3 + decimals], decimal_pos=decimals)


@register.filter
def decimal_hours(quarters: int) -> str:
    """Write quarter-hours as a decimal number without a unit: ``3,5``."""
    text = plain_hours(abs(quarters))
    digits = number_format(text, decimal_pos=len(text.partition(".")[2]))
    return f"{MINUS}{digits}" if quarters < 0 else digits


@register.filter
def hours(quarters: int) -> str:
    """Write quarter-hours as hours: ``3,5 uur``."""
    text = ngettext("%(hours)s hour", "%(hours)s hours", 1 if quarters == QUARTERS_PER_HOUR else 2)
    return (text % {"hours": decimal_hours(quarters)}).replace(" ", SPACE)


@register.filter
def half_hours(quarters: int) -> str:
    """Write half hours with their one decimal, for figures side by side: ``4,0 uur``."""
    text = ngettext("%(hours)s hour", "%(hours)s hours", 2)
    digits = number_format(plain_hours(quarters), decimal_pos=1)
    return (text % {"hours": digits}).replace(" ", SPACE)


@register.filter
def clock(quarters: int) -> str:
    """Write quarter-hours as hours and minutes: ``2 u 15``."""
    whole, quarter = divmod(quarters, QUARTERS_PER_HOUR)
    minutes = quarter * MINUTES_PER_QUARTER
    text = gettext("%(hours)s h %(minutes)02d") % {"hours": whole, "minutes": minutes}
    return text.replace(" ", SPACE)


@register.filter
def spell(quarters: int) -> str:
    """Write a step of the hours page: ``15 min``, ``1 uur``."""
    minutes = abs(quarters) * MINUTES_PER_QUARTER
    if quarters % QUARTERS_PER_HOUR == 0:
        return hours(abs(quarters))
    if abs(quarters) > QUARTERS_PER_HOUR:
        return clock(abs(quarters))
    return (gettext("%(minutes)s min") % {"minutes": minutes}).replace(" ", SPACE)


@register.filter
def signed_spell(quarters: int) -> str:
    return f"{MINUS if quarters < 0 else '+'}{spell(quarters)}"


@register.filter
def day(date: dt.date | None) -> str:
    """Write a date for a table: ``14 apr 2026``."""
    return format_date(date, pgettext("date in a table", "j M Y")) if date else ""


@register.filter
def long_day(date: dt.date) -> str:
    """Write a date with its year for a sentence: ``30 juni 2026``."""
    return format_date(date, pgettext("long date", "j F Y"))


@register.filter
def weekday(date: dt.date) -> str:
    """Write a date for a sentence: ``woensdag 15 april``."""
    return format_date(date, pgettext("date in a sentence", "l j F"))


@register.filter
def moment(at: dt.datetime) -> str:
    """Write a date and time as in Amsterdam: ``di 12 mei 2026, 13:30``."""
    local = timezone.localtime(at)
    return format_date(local, pgettext("moment in a table", "D j M Y, H:i")).replace(" ", SPACE)


def _short(month: Month, *, year: bool = True) -> str:
    form = pgettext("month in a table", "M Y") if year else pgettext("month without year", "M")
    return format_date(month.first_day, form)


def _long(month: Month, *, year: bool = True) -> str:
    return format_date(month.first_day, "F Y" if year else "F")


@register.filter
def month(value: Month) -> str:
    """Write a month for a table: ``mrt 2026``."""
    return _short(value).replace(" ", SPACE)


@register.filter
def month_name(value: Month) -> str:
    """Write a month without its year: ``maart``."""
    return _long(value, year=False)


@register.filter
def long_month(value: Month) -> str:
    """Write a month for a sentence: ``maart 2026``."""
    return _long(value)


@register.filter
def period(months: MonthRange) -> str:
    """Write a range of months for a table: ``jan t/m mrt 2026``."""
    return _range(months, _short)


@register.filter
def long_period(months: MonthRange) -> str:
    """Write a range of months for a sentence: ``januari t/m maart 2026``."""
    return _range(months, _long)


def _range(months: MonthRange, write: Callable[..., str]) -> str:
    first, last = months.from_month, months.last_month
    if first == last:
        return write(first)
    return gettext("%(first)s to %(last)s") % {
        "first": write(first, year=first.year != last.year),
        "last": write(last),
    }


@register.simple_tag
def badge(word: object, tone: str = "") -> SafeString:
    """Show a state that changes over time; ``tone`` is good, way, wait, bad or nothing (still)."""
    return format_html('<span class="badge {}">{}</span>', tone, capfirst(str(word)))


@register.simple_tag
def lining(reason: object = "") -> SafeString:
    """Show the lining: no figure stands here. Without ``reason`` the words must stand beside it."""
    veil = format_html('<span class="{}" aria-hidden="true"></span>', "veil lining")
    if not reason:
        return veil
    return format_html('<span class="nofig">{}<span>{}</span></span>', veil, reason)
