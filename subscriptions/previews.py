"""What a change of a contract makes of the runs to come, worked out from the change itself.

The change is made, looked at and taken back: what is shown is what the runs would draft, and
nothing is written. Hours have no part in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from advisors.hours import first_open_month
from agency.models import Agency
from subscriptions import contracts
from subscriptions.agreements import NoPriceError
from subscriptions.due import ahead_items
from subscriptions.facts import read_due
from subscriptions.models import BilledOccurrence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agency.month import Month
    from subscriptions.agreements import Contract
    from subscriptions.models import Subscription, TopUpCard

RUNS = 3
Key = tuple["Month", str, "Month"]
# A change at the next contract year shows in the run before it, however far that is.
MONTHS_AHEAD = 13


@dataclass(frozen=True, slots=True)
class Line:
    """What a run bills of one kind and period, before and after the change, without VAT."""

    run: Month
    text: str
    before_cents: int
    after_cents: int

    @property
    def difference_cents(self) -> int:
        return self.after_cents - self.before_cents


@dataclass(frozen=True, slots=True)
class Plan:
    """A contract as agreed, and what the runs to come bill of it in advance.

    A text and cents, by run, kind and first month.

    ``charges`` is None where it cannot be billed: it has no price, or the agency no data.
    """

    first_run: Month
    contract: Contract | None
    charges: Mapping[Key, tuple[str, int]] | None


def plan(subscription: Subscription) -> Plan:
    """Work out the fees, set-up and tier changes of the runs to come; writes nothing.

    What is overdue falls to the first of them.
    """
    contract = contracts.load([subscription.organisation_id]).get(subscription.pk)
    first = _next_run(contract.first_run if contract else subscription.first_run)
    if contract is None:
        return Plan(first, None, {})
    charges: dict[Key, tuple[str, int]] = {}
    try:
        facts = read_due(first + MONTHS_AHEAD, [subscription.organisation_id])
        for item in ahead_items(facts, subscription.organisation_id, first + MONTHS_AHEAD):
            if item.subject == subscription.pk:
                charge = item.charge
                key = (max(first, charge.due), charge.kind, charge.months.from_month)
                charges[key] = item.description, charge.net_cents
    except (NoPriceError, Agency.DoesNotExist):
        return Plan(first, contract, None)
    return Plan(first, contract, charges)


def _next_run(first_run: Month) -> Month:
    """Give the last closed month while nothing of it is billed, else the one after."""
    opened = first_open_month()
    if opened is None:
        return first_run
    billed = BilledOccurrence.objects.filter(run_month__gte=opened - 1).exists()
    return opened if billed else opened - 1


def card_lines(card: TopUpCard) -> list[Line] | None:
    """Give what a card costs and in which run; no line where it was billed elsewhere, by history.

    None while the client cannot be billed: there is no price, or no data of the agency.
    """
    first, client = _next_run(card.bought_month - 1), card.organisation_id
    last = max(first, card.bought_month)
    try:
        due = list(ahead_items(read_due(last, [client]), client, last))
    except (NoPriceError, Agency.DoesNotExist):
        return None
    return [
        Line(max(first, item.charge.due), item.description, 0, item.charge.net_cents)
        for item in due
        if item.subject == card.pk
    ]


def lines(before: Plan, after: Plan) -> list[Line]:
    """Give what the next three runs bill, and what differs in later ones, in order of run.

    Empty where either cannot be billed.
    """
    if before.charges is None or after.charges is None:
        return []
    made = []
    for key in sorted(before.charges.keys() | after.charges.keys()):
        was, becomes = before.charges.get(key), after.charges.get(key)
        text = (becomes or was or ("", 0))[0]
        made.append(Line(key[0], text, was[1] if was else 0, becomes[1] if becomes else 0))
    last = before.first_run + RUNS
    return [line for line in made if line.run < last or line.difference_cents]
