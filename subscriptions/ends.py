"""What the end of a contract does to figures that are not published yet (design 5.6 and 5.11)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agency.month import Month, MonthRange
from subscriptions.release import WITHHELD, periods
from subscriptions.statements import read_books

if TYPE_CHECKING:
    from subscriptions.models import Subscription


def withheld_by(subscription: Subscription, until: Month) -> list[MonthRange]:
    """Give the periods whose use would neither be shown nor charged if the contract ended then.

    They are too short for that. Empty for a contract without terms or headcount. Writes nothing.
    """
    books = read_books([subscription.organisation_id])
    contract = books.contracts.get(subscription.pk)
    if contract is None or not contract.headcounts:
        return []
    open_from = books.open_from(subscription.pk)
    if open_from >= until:
        return []
    ending = replace(contract, months=MonthRange(contract.months.from_month, until))
    closing = periods(ending, open_from, books.thresholds)
    return [each.months for each in closing if each.display == WITHHELD]
