"""What the end of a contract does to figures that are not published yet (design 5.6 and 5.11)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agency.month import Month, MonthRange
from subscriptions import contracts
from subscriptions.models import ReleasePolicy, Statement
from subscriptions.release import WITHHELD, periods
from subscriptions.statements import thresholds

if TYPE_CHECKING:
    from subscriptions.models import Subscription


def withheld_by(subscription: Subscription, until: Month) -> list[MonthRange]:
    """Give the periods whose use would neither be shown nor charged if the contract ended then.

    They are too short for that. Empty for a contract without terms or headcount. Worked out
    without any hours; writes nothing.
    """
    contract = contracts.load([subscription.organisation_id]).get(subscription.pk)
    if contract is None or not contract.headcounts:
        return []
    last = Statement.objects.filter(subscription=subscription).order_by("from_month").last()
    begun = last.until_month if last else contract.months.from_month
    open_from = max(begun, contract.reported_until)
    if open_from >= until:
        return []
    ending = replace(contract, months=MonthRange(contract.months.from_month, until))
    policy = thresholds(ReleasePolicy.objects.latest("version"))
    return [each.months for each in periods(ending, open_from, policy) if each.display == WITHHELD]
