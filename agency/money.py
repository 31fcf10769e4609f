"""Exact arithmetic with money: whole cents outside, fractions inside, one rounding."""

from __future__ import annotations

from fractions import Fraction

QUARTERS_PER_HOUR = 4
HUNDREDTHS_PER_QUARTER = 25


def round_half_away(amount: Fraction | int, parts: int = 1) -> int:
    """Round an amount, or one of its equal parts, halves away from zero (design section 5)."""
    whole, divisor = amount.numerator, amount.denominator * parts
    rounded = (2 * abs(whole) + divisor) // (2 * divisor)
    return rounded if whole >= 0 else -rounded


def plain_decimal(hundredths: int) -> str:
    """Write hundredths as the shortest plain decimal: 350 is ``3.5``, 100 is ``1``."""
    sign, digits = ("-", -hundredths) if hundredths < 0 else ("", hundredths)
    whole, part = divmod(digits, 100)
    return sign + (f"{whole}.{part:02d}".rstrip("0") if part else str(whole))


def plain_hours(quarters: int) -> str:
    """Write quarter-hours as the shortest plain decimal number of hours: 14 is ``3.5``."""
    return plain_decimal(quarters * HUNDREDTHS_PER_QUARTER)
