"""Statements of a contract, worked out one after another from hours by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from subscriptions.agreements import Contract
from subscriptions.release import Thresholds, release
from subscriptions.use import Account, Card, Stated, account
from tests.agreed import M, book, books, extended_prices, months, prices

POLICY = Thresholds()


def statements(
    agreement: Contract,
    hours: Mapping[str, float],
    cards: Sequence[Card] = (),
    *,
    until: str = "2027-01",
) -> list[Account]:
    """State the periods of a contract that end before a month, one after another.

    ``hours`` are those posted, by month.
    """
    quarters = {M(month): round(number * 4) for month, number in hours.items()}
    month = open_from = max(agreement.months.from_month, agreement.reported_until)
    stated: list[Stated] = []
    made = []
    while month < M(until) and month in agreement.months:
        closing = release(agreement, open_from, month, POLICY)
        month += 1
        if closing:
            result = account(agreement, closing, quarters, stated, cards, POLICY)
            taken = dict(result.card_uses)
            cards = [one.after(closing.display, taken.get(one, 0)) for one in cards]
            stated.append(
                Stated(
                    months=closing.months,
                    display=closing.display,
                    overage_quarters=result.overage_quarters,
                    card_quarters=sum(taken for _, taken in result.card_uses),
                )
            )
            made.append(result)
            open_from = month = agreement.resumes(month)
    return made


def overages(
    agreement: Contract,
    hours: Mapping[str, float],
    cards: Sequence[Card] = (),
    *,
    until: str = "2027-01",
) -> list[float]:
    """Give the overage of each statement in hours."""
    made = statements(agreement, hours, cards, until=until)
    return [statement.overage_quarters / 4 for statement in made]


def used(agreement: Contract, hours: Mapping[str, float], *, until: str = "2027-01") -> list[float]:
    return [made.used_quarters / 4 for made in statements(agreement, hours, until=until)]


def allowances(
    agreement: Contract, hours: Mapping[str, float], *, until: str = "2027-01"
) -> list[float]:
    return [made.allowance_quarters / 4 for made in statements(agreement, hours, until=until)]


def holding(hours: float, **fields: Any) -> dict[str, Any]:
    """Give the fields of a contract whose year includes so many hours, by default of 100 people."""
    both = book(
        prices(included_quarters=round(hours * 4)),
        extended_prices(included_quarters=43 * 4),
    )
    return {"books": books({"2020-01": both}), **fields}


def card(key: int, valid: str, hours: float) -> Card:
    return Card(UUID(int=key), months(valid), round(hours * 4))
