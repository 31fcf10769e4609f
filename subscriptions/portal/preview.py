"""What a change of tier would do, before anybody agrees to it: contract data only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from subscriptions.charges import tier_changes
from subscriptions.models import Tier

if TYPE_CHECKING:
    from agency.month import Month
    from subscriptions.agreements import Contract, Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """From when the tier would hold and what it costs.

    ``extra_cents`` is charged once for the rest of the interval paid already, without VAT; a
    downgrade waits and is not refunded, so it has none.
    """

    tier: str
    from_month: Month
    is_postponed: bool
    before: Prices
    after: Prices
    extra_cents: int

    @property
    def tier_label(self) -> str:
        return str(Tier(self.tier).label)


def preview(contract: Contract, tier: str, month: Month) -> Preview | None:
    """Work out what asking for ``tier`` from ``month`` would do; None where it changes nothing."""
    requests = sorted([*contract.requests, (month, tier)], key=lambda request: request[0])
    wished = replace(contract, requests=tuple(requests))
    new = [change for change in wished.tier_changes if change not in contract.tier_changes]
    if not new or new[0][1] != tier:
        return None
    effective = new[0][0]
    year = wished.year_of(effective)
    charges = tier_changes(wished, effective - 1, {})
    return Preview(
        tier=tier,
        from_month=effective,
        is_postponed=effective > month,
        before=wished.prices(year, wished.tier_in(effective - 1)),
        after=wished.prices(year, tier),
        extra_cents=sum(
            charge.net_cents for charge in charges if charge.months.from_month == effective
        ),
    )
