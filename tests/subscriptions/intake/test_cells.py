"""What each kind of cell takes, what it refuses, and that writing gives back what was read."""

# ruff: noqa: DTZ001  # spreadsheets know no time zones

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agency.month import Month as MonthValue
from subscriptions.intake.cells import (
    Amount,
    Hours,
    Kind,
    OneOfNumbers,
    Percent,
    RefusedError,
    Whole,
)
from subscriptions.intake.texts import (
    Code,
    Country,
    Digits,
    Email,
    Iban,
    Names,
    OneOf,
    Text,
    VatId,
    YesNo,
)
from subscriptions.intake.times import Date, LocalTime, Month

READ = [
    (Amount(), 1250, 125000),
    (Amount(), 1195.55, 119555),
    (Amount(), 0.1 + 0.2, 30),  # what a spreadsheet shows as 0.3
    (Amount(), "1250.5", 125050),  # a number stored as text
    (Amount(), 0, 0),
    (Hours(), 1.75, 7),
    (Hours(), 0, 0),
    (Percent(), 12.5, 1250),
    (Percent(), 100, 10000),
    (Whole(), 3.0, 3),
    (OneOfNumbers([1, 3, 12]), 12, 12),
    (Text(20), "Café", "Cafe\u0301".replace("e\u0301", "é")),
    (Text(20), "Cafe\u0301", "Café"),  # one way to write an accent
    (Text(20), 1000, "1000"),
    (Text(20), 1000.0, "1000"),
    (Names(100), "nl, en ,tr", "nl,en,tr"),
    (Code(), "ORG-1.a_B", "ORG-1.a_B"),
    (Digits(8), 81234567, "81234567"),
    (Digits(8), "8123 4567", "81234567"),
    (Email(), "Robin@Example.NL", "robin@example.nl"),
    (Country(), "be", "BE"),
    (VatId(), "nl 1162.63.684.B86", "NL116263684B86"),
    (VatId(from_eu=False), "CHE-123.456.788", "CHE123456788"),
    (Iban(), "NL91 ABNA 0417 1643 00", "NL91ABNA0417164300"),
    (OneOf(["basic", "extended"]), "Basic", "basic"),
    (YesNo(), "Yes", True),
    (YesNo(), False, False),
    (Month(), "2026-03", MonthValue.of(2026, 3)),
    (Month(), dt.datetime(2026, 3, 1), MonthValue.of(2026, 3)),
    (Date(), dt.datetime(2026, 3, 14), dt.date(2026, 3, 14)),
    (LocalTime(), dt.datetime(2026, 1, 5, 9, 30), dt.datetime(2026, 1, 5, 8, 30, tzinfo=dt.UTC)),
    (LocalTime(), dt.datetime(2026, 7, 5, 9, 30), dt.datetime(2026, 7, 5, 7, 30, tzinfo=dt.UTC)),
    (
        LocalTime(),
        dt.datetime(2026, 1, 5, 9, 29, 59, 999000),  # a fraction of a day
        dt.datetime(2026, 1, 5, 8, 30, tzinfo=dt.UTC),
    ),
]

SECRET = "gesprek met J. over pesten"
REFUSED = [
    *((kind, SECRET) for kind in (Amount(), Hours(), Percent(), Whole(), OneOfNumbers([1]))),
    *((kind, SECRET) for kind in (Code(), Digits(8), Email(), Country(), VatId(), Iban())),
    *((kind, SECRET) for kind in (OneOf(["a"]), YesNo(), Month(), Date(), LocalTime())),
    (Text(10), SECRET),
    (Names(10), SECRET),
    *((kind, True) for kind in (Amount(), Hours(), Percent(), Whole(), Text(20), Month())),
    *((kind, dt.time(1, 30)) for kind in (Amount(), Hours(), Whole(), Text(20), Date(), Month())),
    *((kind, float("nan")) for kind in (Amount(), Hours(), Whole())),
    *((kind, float("inf")) for kind in (Amount(), Hours(), Whole())),
    *((kind, -0.01) for kind in (Amount(), Hours(), Percent(), Whole())),
    (Amount(), 135.005),
    (Amount(), "1.250,50"),
    (Amount(), "1.250"),  # in Dutch a thousand and more
    (Amount(), 10_000_000),
    (Hours(), 4.3),
    (Hours(), "1:30"),
    (Hours(), 1e12),
    (Hours(least_quarters=1), 0),
    (Percent(), 12.345),
    (Percent(), 100.01),
    (Whole(1), 0),
    (Whole(0, 365), 366),
    (Whole(), 12.5),
    (Text(20), "two\nlines"),
    (Text(20), "turned \u202e round"),
    (Text(20), 12345678901234567890),  # a spreadsheet keeps 15 digits
    (Text(20), dt.datetime(2026, 3, 1)),
    (Names(20), "nl,,en"),
    (Code(), "../ONE"),
    (Code(), "ONE TWO"),
    (Code(), "X" * 21),
    (Digits(8), 1234567),
    (Email(), "pay(at)example"),
    (Country(), "XX"),
    (Country(), "EU"),
    (Country(), "NLD"),
    (VatId(), "NL123456789B01"),
    (VatId(), "116263684B86"),
    (VatId(from_eu=False), "NL123456789B01"),
    (Iban(), "NL91ABNA0417164301"),
    (Month(), "2026-13"),
    (Month(), "2026-00"),
    (Month(), "2026-3"),
    (Month(), "2206-01"),
    (Month(), "2026-03-01"),
    (Month(), 202603),
    (Month(), dt.datetime(2026, 3, 2)),
    (Date(), dt.datetime(2026, 3, 14, 10)),
    (Date(), "14-03-2026"),
    (Date(), dt.datetime(1926, 3, 14)),
    (LocalTime(), "2026-03-14 10:00"),
    (LocalTime(), dt.datetime(2026, 3, 29, 2, 30)),  # summer time began at two
]


@pytest.mark.parametrize(("kind", "raw", "value"), READ)
def test_a_cell_is_read_as_the_database_keeps_it(kind: Kind, raw: object, value: Any) -> None:
    read = kind.read(raw)

    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(("kind", "raw", "value"), READ)
def test_what_was_written_is_read_again_without_a_difference(
    kind: Kind, raw: object, value: Any
) -> None:
    assert kind.read(kept(kind.write(value))) == value


def kept(written: object) -> object:
    """Give a written value as a spreadsheet gives it back."""
    if isinstance(written, Decimal):
        return float(written)
    return dt.datetime.combine(written, dt.time()) if type(written) is dt.date else written


@pytest.mark.parametrize(("kind", "raw"), REFUSED)
def test_a_refused_cell_is_told_in_one_sentence_that_does_not_repeat_it(
    kind: Kind, raw: object
) -> None:
    with pytest.raises(RefusedError) as refused:
        kind.read(raw)

    sentence = str(refused.value)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert str(raw) not in sentence


@given(cents=st.integers(0, 999_999_999))
def test_every_amount_survives_the_binary_numbers_of_a_spreadsheet(cents: int) -> None:
    assert Amount().read(cents / 100) == cents


@given(number=st.floats() | st.integers() | st.text(max_size=30) | st.booleans() | st.none())
@pytest.mark.parametrize("kind", [Amount(), Hours(), Percent(), Whole(), Text(20), Month()])
def test_no_content_of_a_cell_is_worse_than_refused(kind: Kind, number: object) -> None:
    try:
        read = kind.read(number)
    except RefusedError:
        return
    assert kind.read(kept(kind.write(read))) == read


def test_of_a_time_that_comes_twice_the_first_counts() -> None:
    twice = dt.datetime(2026, 10, 25, 2, 30)

    assert LocalTime().read(twice) == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
