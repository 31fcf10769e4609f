"""The clients' contract years after the close of a month, as far as statements tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from agency.models import Organisation
from agency.money import round_half_away
from agency.month import Month
from subscriptions.agreements import ALL_IN, Contract, ContractYear
from subscriptions.models import Display, Statement, Subscription
from subscriptions.reports.sheet import Cell, Column, Sheet, listing
from subscriptions.reports.style import COUNT, DATE, EUROS, HOURS, MONTH, PERCENT
from subscriptions.reports.words import band_of, shows, tier_word
from subscriptions.use import included

HIGH, LOW = 9000, 2000  # basis points of the allowance


@dataclass(frozen=True)
class Client:
    """A client with the contract that began last, or the first one still to come."""

    organisation: Organisation
    contract: Contract
    month: Month
    statements: Sequence[Statement]
    revenue_cents: int

    @cached_property
    def reference(self) -> Month:
        """The month of the contract nearest to the month of the workbook."""
        return self.contract.months.nearest(self.month)

    @cached_property
    def year(self) -> ContractYear:
        return self.contract.year_of(self.reference)

    @cached_property
    def of_year(self) -> Sequence[Statement]:
        return [row for row in self.statements if row.from_month in self.year.months]

    @property
    def has_begun(self) -> bool:
        return self.contract.months.from_month <= self.month

    @property
    def has_ended(self) -> bool:
        until = self.contract.months.until_month
        return until is not None and until <= self.month + 1

    @property
    def tier(self) -> str:
        return self.contract.tier_in(self.reference)

    @property
    def allowance_quarters(self) -> int:
        if self.of_year:
            return self.of_year[-1].allowance_quarters
        return included(self.contract, self.year, self.reference + 1)

    @property
    def used_quarters(self) -> int | None:
        """Stated use of the year; None unless every statement of it is exact."""
        if not self.of_year or any(row.display != Display.EXACT for row in self.of_year):
            return None
        return sum(row.used_quarters or 0 for row in self.of_year)

    @property
    def overage_quarters(self) -> int:
        return sum(row.overage_quarters for row in self.of_year)

    @property
    def utilisation(self) -> int | None:
        """Stated use as a part of the allowance, in basis points."""
        used, allowance = self.used_quarters, self.allowance_quarters
        if used is None or not allowance:
            return None
        return round_half_away(Fraction(used * 10000, allowance))

    @property
    def shows(self) -> str:
        """How use shows: as the last statement of the year has it; empty without one."""
        if self.contract.choices_of(self.year).overage == ALL_IN:
            return Display.ALL_IN
        return self.of_year[-1].display if self.of_year else ""


def signal(client: Client) -> tuple[str, str]:
    """Tell what to look at, as a word with its tone."""
    if not client.has_begun:
        return _("Starts later"), "quiet"
    if client.has_ended:
        return _("Ended"), "quiet"
    if not client.shows:
        return _("No statement yet"), "quiet"
    if client.shows != Display.EXACT:
        return shows(client.shows), "lined"
    return _signal_of(client.utilisation)


def _signal_of(utilisation: int | None) -> tuple[str, str]:
    if utilisation is not None and utilisation > HIGH:
        return _("Above 90 %"), "wait"
    if utilisation is not None and utilisation < LOW:
        return _("Below 20 %"), "calm"
    return "", ""


def clients(
    loaded: Mapping[UUID, Contract],
    statements: Mapping[UUID, Sequence[Statement]],
    revenue: Mapping[UUID, int],
    month: Month,
) -> list[Client]:
    """Give the clients with a contract, by code; ``loaded`` is what `contracts.load` gives."""
    chosen: dict[UUID, Subscription] = {}
    for row in Subscription.objects.select_related("organisation").order_by("-start_month"):
        held = chosen.get(row.organisation_id)
        if held is None or held.start_month > month:
            chosen[row.organisation_id] = row
    rows = sorted(chosen.values(), key=lambda row: row.organisation.code)
    return [
        Client(
            organisation=row.organisation,
            contract=loaded[row.pk],
            month=month,
            statements=statements[row.pk],
            revenue_cents=revenue.get(row.organisation_id, 0),
        )
        for row in rows
    ]


def clients_sheet(rows: Sequence[Client], month: Month, right: str) -> Sheet:
    columns = _columns(month)
    sheet = listing(_("Clients"), columns, right, frozen="C2")
    table = sheet.table(columns, [_row(client) for client in rows])
    if rows:
        revenue = sum(client.revenue_cents for client in rows)
        sheet.total(table, _("Total"), {12: revenue})
    return sheet


def _columns(month: Month) -> tuple[Column, ...]:
    return (
        Column(_("Client no."), 12),
        Column(_("Name"), 36, wraps=True),
        Column(_("Plan"), 12),
        Column(_("Band of headcount"), 11),
        Column(_("Headcount (people)"), 11, COUNT),
        Column(_("Reference month"), 14, MONTH),
        Column(_("Begin"), 13, DATE),
        Column(_("Last day"), 13, DATE),
        Column(_("Included (hours)"), 12, HOURS),
        Column(_("Stated (hours)"), 12, HOURS),
        Column(_("Utilisation (%)"), 13, PERCENT),
        Column(_("Overage (hours)"), 12, HOURS),
        Column(_("Revenue %(year)d (€, net)") % {"year": month.year}, 14, EUROS),
        Column(_("Signal"), 18),
    )


def _row(client: Client) -> Sequence[Any]:
    contract, month = client.contract, client.reference
    declared = [since for since, _number in contract.headcounts if since <= month]
    until = contract.months.until_month
    word, tone = signal(client)
    values = (
        client.organisation.code,
        client.organisation.legal_name,
        tier_word(client.tier),
        band_of(contract, client.year),
        contract.headcount(month),
        declared[-1] if declared else contract.headcounts[0][0],
        contract.months.from_month.first_day,
        (until - 1).last_day if until else None,
        client.allowance_quarters,
        client.used_quarters,
        client.utilisation,
        client.overage_quarters,
        client.revenue_cents,
    )
    quiet = "quiet" if client.has_ended else ""
    return [*(Cell(value, quiet) for value in values), Cell(word, tone)]


def yearly_fees(loaded: Mapping[UUID, Contract], month: Month) -> Iterator[tuple[str, int]]:
    """Give tier and annual fee of each contract that runs in a month."""
    for contract in loaded.values():
        if month in contract.months:
            tier = contract.tier_in(month)
            yield tier, contract.prices(contract.year_of(month), tier).annual_fee_cents
