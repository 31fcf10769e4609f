"""Figures as people read them, in both languages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import translation

from agency.month import AMSTERDAM, Month, MonthRange
from agency.templatetags import figures
from agency.templatetags.people import initials

JANUARY, MARCH = Month.of(2026, 1), Month.of(2026, 3)
QUARTER = MonthRange(JANUARY, MARCH + 1)
OVER_NEW_YEAR = MonthRange(JANUARY - 3, MARCH + 1)


@pytest.mark.parametrize(
    ("write", "value", "dutch", "english"),
    [
        (figures.amount, 123450, "1.234,50", "1,234.50"),
        (figures.amount, -19950, "−199,50", "−199.50"),
        (figures.amount, 5, "0,05", "0.05"),
        (figures.euro, 123456789, "€ 1.234.567,89", "€ 1,234,567.89"),
        (figures.euro, -100, "−€ 1,00", "−€ 1.00"),
        (figures.whole_euro, 2880099, "€ 28.800", "€ 28,800"),
        (figures.hours, 14, "3,5 uur", "3.5 hours"),
        (figures.hours, 4, "1 uur", "1 hour"),
        (figures.hours, 0, "0 uur", "0 hours"),
        (figures.half_hours, 16, "4,0 uur", "4.0 hours"),
        (figures.decimal_hours, 93, "23,25", "23.25"),
        (figures.decimal_hours, -2, "−0,5", "−0.5"),
        (figures.clock, 9, "2 u 15", "2 h 15"),
        (figures.clock, 3, "0 u 45", "0 h 45"),
        (figures.spell, 1, "15 min", "15 min"),
        (figures.spell, 4, "1 uur", "1 hour"),
        (figures.signed_spell, -2, "−30 min", "−30 min"),
        (figures.day, dt.date(2026, 4, 14), "14 apr 2026", "14 Apr 2026"),
        (figures.day, None, "", ""),
        (figures.long_day, dt.date(2026, 6, 30), "30 juni 2026", "30 June 2026"),
        (figures.weekday, dt.date(2026, 4, 15), "woensdag 15 april", "Wednesday 15 April"),
        (figures.month, MARCH, "mrt 2026", "Mar 2026"),
        (figures.month_name, MARCH, "maart", "March"),
        (figures.long_month, MARCH, "maart 2026", "March 2026"),
        (figures.period, QUARTER, "jan t/m mrt 2026", "Jan to Mar 2026"),
        (figures.period, OVER_NEW_YEAR, "okt 2025 t/m mrt 2026", "Oct 2025 to Mar 2026"),
        (figures.period, MonthRange(MARCH, MARCH + 1), "mrt 2026", "Mar 2026"),
        (figures.long_period, QUARTER, "januari t/m maart 2026", "January to March 2026"),
        (
            figures.moment,
            dt.datetime(2026, 5, 12, 13, 30, tzinfo=AMSTERDAM),
            "di 12 mei 2026, 13:30",
            "Tue 12 May 2026, 13:30",
        ),
    ],
)
def test_figures_are_written_as_the_language_writes_them(
    write: Callable[[object], str], value: object, dutch: str, english: str
) -> None:
    with translation.override("nl"):
        assert write(value).replace("\xa0", " ") == dutch
    with translation.override("en"):
        assert write(value).replace("\xa0", " ") == english


def test_an_amount_and_its_sign_never_part() -> None:
    assert "\xa0" in figures.euro(100)
    assert " " not in figures.euro(100)


def test_the_lining_stands_with_its_reason() -> None:
    shown = figures.lining("follows in <July>")

    assert "veil lining" in shown
    assert "follows in &lt;July&gt;" in shown


@pytest.mark.parametrize(
    ("name", "expected"), [("Maaike van Rosier", "MR"), ("Prince", "P"), ("", "")]
)
def test_initials(name: str, expected: str) -> None:
    assert initials(name) == expected
