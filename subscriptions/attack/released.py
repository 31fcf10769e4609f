"""Everything that was ever released to one organisation, as plain data.

Read from statements, sent documents and contract data: never from hours, nor from what statements
took from cards, which no client sees.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agency.bulk import grouped
from agency.models import Organisation
from agency.money import HUNDREDTHS_PER_QUARTER
from agency.month import Month, MonthRange
from subscriptions import contracts
from subscriptions.models import (
    Invoice,
    InvoiceLine,
    InvoiceState,
    LineKind,
    ReleasePolicy,
    Statement,
    TopUpCard,
)
from subscriptions.release import BAND, EXACT, Thresholds
from subscriptions.statements import thresholds
from subscriptions.use import Card

if TYPE_CHECKING:
    from uuid import UUID

    from subscriptions.agreements import Contract

ORGANISATIONS_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a statement tells of a period; ``used_quarters`` only where it is shown."""

    months: MonthRange
    display: str
    used_quarters: int | None
    allowance_quarters: int
    overage_quarters: int
    capped: bool = False
    version: int = 1
    thresholds: Thresholds = field(default_factory=Thresholds)

    @property
    def counts(self) -> bool:
        return self.display in {EXACT, BAND}


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """One organisation's contracts in order, each with what was told of it, and its cards.

    ``cards`` hold what was left on them at the start. ``billed`` are the overage lines of
    documents that were sent, in quarters.
    """

    code: str
    contracts: Sequence[tuple[Contract, Sequence[Told]]]
    cards: Sequence[Card] = ()
    billed: Sequence[tuple[MonthRange, int]] = ()

    @property
    def told(self) -> list[Told]:
        return [told for _, of_contract in self.contracts for told in of_contract]

    def editions(self) -> Iterator[Released]:
        """Give what was told at each time: with first versions only, then as each came out.

        A statement of a newer version takes the place of the older one.
        """
        for version in range(1, 1 + max((told.version for told in self.told), default=1)):
            yield Released(
                code=self.code,
                contracts=[
                    (contract, _newest(of_contract, version))
                    for contract, of_contract in self.contracts
                ],
                cards=self.cards,
                billed=self.billed,
            )


def _newest(told: Iterable[Told], version: int) -> list[Told]:
    newest: dict[Month, Told] = {}
    for one in sorted(told, key=lambda one: one.version):
        if one.version <= version:
            newest[one.months.from_month] = one
    return [newest[month] for month in sorted(newest)]


def everything() -> Iterator[Released]:
    """Read what was released to each organisation, some organisations at a time."""
    policies = {row.pk: thresholds(row) for row in ReleasePolicy.objects.all()}
    rows = list(Organisation.objects.order_by("code").values_list("pk", "code"))
    for at in range(0, len(rows), ORGANISATIONS_AT_ONCE):
        codes = dict(rows[at : at + ORGANISATIONS_AT_ONCE])
        yield from _of(codes, policies)


def _of(codes: Mapping[UUID, str], policies: Mapping[UUID, Thresholds]) -> Iterator[Released]:
    loaded = contracts.load(codes)
    statements = grouped(
        Statement.objects.filter(organisation__in=codes).order_by("from_month", "version"),
        "subscription_id",
    )
    agreed: dict[UUID, list[tuple[Contract, list[Told]]]] = defaultdict(list)
    for subscription, rows in statements.items():
        told = [_told(row, policies[row.policy_id]) for row in rows]
        agreed[rows[0].organisation_id].append((loaded[subscription], told))
    cards = grouped(
        TopUpCard.objects.filter(organisation__in=codes).order_by("bought_month", "expires_month"),
        "organisation_id",
    )
    billed = _billed(codes)
    for key, code in codes.items():
        yield Released(
            code=code,
            contracts=sorted(agreed[key], key=lambda pair: pair[0].months.from_month),
            cards=[Card(row.pk, row.months, row.remaining_quarters) for row in cards[key]],
            billed=billed[key],
        )


def _told(row: Statement, policy: Thresholds) -> Told:
    return Told(
        months=row.months,
        display=row.display,
        used_quarters=row.used_quarters,
        allowance_quarters=row.allowance_quarters,
        overage_quarters=row.overage_quarters,
        capped=row.capped,
        version=row.version,
        thresholds=policy,
    )


def _billed(codes: Iterable[UUID]) -> defaultdict[UUID, list[tuple[MonthRange, int]]]:
    sent = Invoice.objects.filter(organisation__in=codes, state__in=InvoiceState.released)
    lines = InvoiceLine.objects.filter(
        invoice__in=sent, kind=LineKind.OVERAGE, quantity_hundredths__gt=0
    )
    billed: defaultdict[UUID, list[tuple[MonthRange, int]]] = defaultdict(list)
    for key, from_month, until, hundredths in lines.values_list(
        "invoice__organisation", "from_month", "until_month", "quantity_hundredths"
    ):
        billed[key].append((MonthRange(from_month, until), hundredths // HUNDREDTHS_PER_QUARTER))
    return billed
