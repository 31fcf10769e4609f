"""Exact money: integers outside, fractions inside, one rounding half away from zero."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agency.money import QUARTERS_PER_HOUR, plain_decimal, plain_hours, round_half_away


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        pytest.param(Fraction(1, 2), 1, id="half a cent goes up"),
        pytest.param(Fraction(-1, 2), -1, id="half a cent of credit goes down"),
        pytest.param(Fraction(5, 2), 3, id="no rounding to even"),
        pytest.param(Fraction(-5, 2), -3, id="no rounding to even below zero"),
        pytest.param(Fraction(249, 100), 2, id="less than half goes to zero"),
        pytest.param(Fraction(-249, 100), -2, id="less than half of credit goes to zero"),
        pytest.param(Fraction(1_000_00, 12), 83_33, id="a twelfth of 1,000.00"),
        pytest.param(Fraction(1_290_00 * 9, 12), 967_50, id="9/12 of 1,290.00 = 967.50"),
        pytest.param(7, 7, id="whole cents stay"),
    ],
)
def test_cents_are_rounded_half_away_from_zero(amount: Fraction | int, cents: int) -> None:
    assert round_half_away(amount) == cents


def test_one_of_equal_parts_is_rounded_once() -> None:
    assert [round_half_away(1_000_00, parts) for parts in (1, 3, 12)] == [1_000_00, 333_33, 83_33]
    assert round_half_away(Fraction(1, 2), 2) == 0


@given(st.integers(-(10**12), 10**12), st.sampled_from([1, 2, 4, 8, 10, 16, 1000, 10_000]))
def test_rounding_is_the_commercial_rounding_of_the_decimal_module(top: int, bottom: int) -> None:
    exact = Decimal(top) / Decimal(bottom)
    expected = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert round_half_away(Fraction(top, bottom)) == expected


@given(st.fractions(min_value=-(10**9), max_value=10**9))
def test_a_credit_rounds_to_the_same_cents_as_the_charge(amount: Fraction) -> None:
    assert round_half_away(-amount) == -round_half_away(amount)


@pytest.mark.parametrize(
    ("hundredths", "text"),
    [
        (100, "1"),
        (350, "3.5"),
        (325, "3.25"),
        (0, "0"),
        (-50, "-0.5"),
        (-1, "-0.01"),
        (5, "0.05"),
        (12000, "120"),
    ],
)
def test_quantities_are_written_as_the_shortest_plain_decimal(hundredths: int, text: str) -> None:
    assert plain_decimal(hundredths) == text


@given(st.integers(-(10**9), 10**9))
def test_a_written_quantity_reads_back_exactly(hundredths: int) -> None:
    text = plain_decimal(hundredths)
    assert Decimal(text) * 100 == hundredths
    assert not ("." in text and text.endswith("0"))


@pytest.mark.parametrize(("quarters", "text"), [(38, "9.5"), (80, "20"), (1, "0.25"), (0, "0")])
def test_hours_are_quarters_written_as_a_decimal(quarters: int, text: str) -> None:
    assert plain_hours(quarters) == text
    assert plain_hours(QUARTERS_PER_HOUR) == "1"
