"""Release rules with one hole each: what an attack must find, or it would find nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from agency.month import Month, MonthRange
from subscriptions.agreements import Contract, ContractYear
from subscriptions.release import BAND, EXACT, WITHHELD, Release, Thresholds, release


def _exact_months(_: Contract, open_from: Month, month: Month, __: Thresholds) -> Release:
    return Release(MonthRange(open_from, month + 1), EXACT)


def _exact_tails(
    contract: Contract, open_from: Month, month: Month, thresholds: Thresholds
) -> Release | None:
    found = release(contract, open_from, month, thresholds)
    return Release(found.months, EXACT) if found and found.display == WITHHELD else found


def _figures_for_all(
    contract: Contract, open_from: Month, month: Month, thresholds: Thresholds
) -> Release | None:
    found = release(contract, open_from, month, thresholds)
    return Release(found.months, EXACT) if found and found.display == BAND else found


def _bands_beside_a_pause(
    contract: Contract, open_from: Month, month: Month, thresholds: Thresholds
) -> Release | None:
    found = release(contract, open_from, month, thresholds)
    hidden = found and found.display == WITHHELD and contract.pauses
    return Release(found.months, BAND) if found and hidden else found


def _without_the_first_month(contract: Contract, _: ContractYear, months: MonthRange) -> int:
    return min(contract.headcount(month) for month in months)


HOLES: dict[str, tuple[str, Callable[..., object]]] = {
    "exact months for all": ("subscriptions.statements.release", _exact_months),
    "the class without the first month's headcount": (
        "subscriptions.release.lowest_headcount",
        _without_the_first_month,
    ),
    "exact tails": ("subscriptions.statements.release", _exact_tails),
    "figures for 10 people or fewer": ("subscriptions.statements.release", _figures_for_all),
    "carry-over out of banded years": ("subscriptions.use._may_carry", lambda *_: True),
}

# Holes that show only where contracts are rare: too seldom to be met in what is drawn.
SELDOM: dict[str, tuple[str, Callable[..., object]]] = {
    "cards that figures find as bands left them": (
        "subscriptions.use.Card.left_for",
        lambda card, _: max(0, card.left_quarters - card.banded_quarters),
    ),
    "bands beside a pause": ("subscriptions.statements.release", _bands_beside_a_pause),
    "figures that count the reported use of few people": (
        "subscriptions.use._of_few_people",
        lambda *_: False,
    ),
}


@contextmanager
def weakened(hole: str) -> Iterator[None]:
    """Close months by rules with a hole; whoever attacks does so afterwards, by the real ones."""
    target, rule = (HOLES | SELDOM)[hole]
    with patch(target, rule):
        yield
