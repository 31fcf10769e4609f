"""Contracts as plain data, for tests of the rules that need no database.

Prices are round, so that a test can be worked out by head: a basic year costs 1,200.00 and holds
8 hours, an extended one 2,400.00 and 43 hours; an hour above costs 130.00 and 120.00.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agency.month import Month, MonthRange
from subscriptions.agreements import (
    BASIC,
    EXTENDED,
    Band,
    Choices,
    Contract,
    PriceBooks,
    Prices,
)

M = Month.parse


def months(text: str) -> MonthRange:
    """Read ``2026-01/2026-04`` or, without an end, ``2026-01/``."""
    start, _, until = text.partition("/")
    return MonthRange(M(start), M(until) if until else None)


def prices(**fields: int) -> Prices:
    defaults = {
        "annual_fee_cents": 1_200_00,
        "setup_fee_cents": 250_00,
        "included_quarters": 8 * 4,
        "included_sessions": 0,
        "overage_rate_cents": 130_00,
    }
    return Prices(**defaults | fields)


def extended_prices(**fields: int) -> Prices:
    defaults = {
        "annual_fee_cents": 2_400_00,
        "setup_fee_cents": 450_00,
        "included_quarters": 43 * 4,
        "included_sessions": 2,
        "overage_rate_cents": 120_00,
    }
    return Prices(**defaults | fields)


def book(basic: Prices | None = None, extended: Prices | None = None) -> tuple[Band, ...]:
    """Make a book with one band for each tier, whatever the headcount."""
    return (
        Band(BASIC, 1, None, basic or prices()),
        Band(EXTENDED, 1, None, extended or extended_prices()),
    )


def books(valid_from: Mapping[str, tuple[Band, ...]] | None = None) -> PriceBooks:
    given = valid_from or {"2020-01": book()}
    return PriceBooks(tuple((M(month), bands) for month, bands in given.items()))


def contract(
    agreed: str = "2026-01/",
    tier: str = BASIC,
    *,
    headcount: int | Mapping[str, int] = 100,
    requests: Sequence[tuple[str, str]] = (),
    choices: Sequence[tuple[str, Mapping[str, Any]]] = (),
    **fields: Any,
) -> Contract:
    """Make a contract for ``agreed`` months, by default of 100 people and a year's interval.

    ``headcount`` may be given by month; ``requests`` are tier changes; ``choices`` are later
    choices by month. ``overage``, ``release`` and own prices are those of the start.
    """
    term = months(agreed)
    counts = {"2020-01": headcount} if isinstance(headcount, int) else headcount
    names = set(Choices._fields) & fields.keys()
    first = Choices(from_month=term.from_month, **{name: fields.pop(name) for name in names})
    if "pauses" in fields:
        fields["pauses"] = tuple(map(months, fields["pauses"]))
    for name in {"first_run", "reported_until"} & fields.keys():
        fields[name] = M(fields[name])
    defaults: dict[str, Any] = {
        "year_starts_in": term.from_month.number,
        "interval": 12,
        "books": books(),
        "first_run": term.from_month - 1,
        "reported_until": term.from_month,
    }
    return Contract(
        months=term,
        tier=tier,
        headcounts=tuple((M(month), number) for month, number in counts.items()),
        choices=(first, *(Choices(from_month=M(month), **made) for month, made in choices)),
        requests=tuple((M(month), wanted) for month, wanted in requests),
        **defaults | fields,
    )
