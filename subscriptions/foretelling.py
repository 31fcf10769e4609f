"""What closing a month would publish, told from contracts and headcounts. Reads no hours."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, OuterRef, Subquery

from agency.month import Month
from subscriptions import contracts, statements
from subscriptions.agreements import Contract, NoPriceError
from subscriptions.models import Statement, Subscription
from subscriptions.release import Release


class Coming(NamedTuple):
    """A statement to come: whose it is, and its period with the manner in which it shows."""

    organisation: UUID
    name: str
    release: Release


def coming(month: Month) -> list[Coming]:
    """Give what closing a month would publish, in three statements however many clients there are.

    Raises CloseError as the close would, for a contract without a price or a headcount.
    """
    thresholds = statements.thresholds()
    stated = Statement.objects.filter(subscription=OuterRef("pk")).order_by("-from_month")
    rows = Subscription.objects.order_by("organisation_id", "start_month").annotate(
        stated_until=Subquery(stated.values("until_month")[:1]),
        name=F("organisation__legal_name"),
    )
    found: list[Coming] = []
    row: Any
    for row, contract in contracts.load_at_once(rows):
        begin = statements.open_from(contract, row.stated_until)
        try:
            for closing in statements.ending(contract, begin, month + 1, thresholds):
                _ask_prices(row, contract, closing)
                found.append(Coming(row.organisation_id, row.name, closing))
        except NoPriceError as error:
            raise statements.unpriced(row.organisation_id, error) from error
    return found


def _ask_prices(row: Subscription, contract: Contract, closing: Release) -> None:
    """Raise NoPriceError where there is none; few have one that is in no price book any more."""
    months = closing.months
    year = contract.year_of(months.from_month)
    tiers = {contract.tier_in(each) for each in (year.first_month, months.last_month)}
    if any(contract.prices_if_any(year, tier) is None for tier in tiers):
        frozen = contracts.load([row.organisation_id])[row.pk]
        for tier in tiers:
            frozen.prices(year, tier)
