"""Contracts as plain data, read from the database in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from agency.models import Headcount
from subscriptions.agreements import Band, Choices, Contract, PriceBooks, Prices
from subscriptions.models import PriceBand, Subscription, Terms, TermsReason, YearPrice

if TYPE_CHECKING:
    from agency.month import Month

# A contract that starts so soon after another one's end keeps its contract year (design 5.6).
MONTHS_TO_KEEP_THE_YEAR = 12


def load(organisations: Iterable[UUID] | None = None) -> dict[UUID, Contract]:
    """Give the contracts by the key of their subscription, of all or of some organisations.

    In order of organisation and start. A contract without terms is not agreed yet and left out;
    `without_terms` names those.
    """
    subscriptions = Subscription.objects.order_by("organisation_id", "start_month")
    if organisations is not None:
        subscriptions = subscriptions.filter(organisation__in=organisations)
    books = price_books()
    headcounts = _headcounts(organisations)
    versions = _terms(subscriptions)
    frozen = _frozen_prices(subscriptions)
    contracts: dict[UUID, Contract] = {}
    last: dict[UUID, Contract] = {}
    for row in subscriptions:
        if _start(versions[row.pk]) is None:
            continue
        contract = _contract(
            row,
            versions[row.pk],
            books,
            tuple(headcounts[row.organisation_id]),
            frozen[row.pk],
            last.get(row.organisation_id),
        )
        contracts[row.pk] = last[row.organisation_id] = contract
    return contracts


def _contract(
    row: Subscription,
    versions: list[Terms],
    books: PriceBooks,
    headcounts: tuple[tuple[Month, int], ...],
    frozen: Mapping[tuple[Month, str], Prices],
    before: Contract | None,
) -> Contract:
    if before and row.start_month.since(before.months.until) > MONTHS_TO_KEEP_THE_YEAR:
        before = None
    start = _start(versions)
    if start is None:
        raise ValueError("The caller leaves out contracts without terms.")
    own_year = row.year_starts_in or row.start_month.number
    return Contract(
        months=row.months,
        year_starts_in=before.year_starts_in if before else own_year,
        interval=row.billing_interval,
        tier=start.tier,
        books=books,
        headcounts=headcounts,
        choices=tuple(
            _choices(version) for version in versions if version.reason != TermsReason.TIER_CHANGE
        ),
        requests=tuple(
            (version.from_month, version.tier)
            for version in versions
            if version.reason == TermsReason.TIER_CHANGE
        ),
        first_run=row.first_run,
        reported_until=row.reported_until,
        carry_over_basis_points=row.carry_over_basis_points,
        carry_over_cap_quarters=row.carry_over_cap_quarters,
        frozen_prices=frozen,
        predecessor=before,
    )


def _start(versions: list[Terms]) -> Terms | None:
    return next((row for row in versions if row.reason == TermsReason.START), None)


def without_terms(organisations: Iterable[UUID] | None = None) -> list[str]:
    """Give the codes of organisations with a contract that has no terms yet."""
    started = Terms.objects.filter(reason=TermsReason.START).values("subscription")
    rows = Subscription.objects.exclude(pk__in=started)
    if organisations is not None:
        rows = rows.filter(organisation__in=organisations)
    return sorted(rows.values_list("organisation__code", flat=True))


def _choices(version: Terms) -> Choices:
    return Choices(
        from_month=version.from_month,
        overage=version.overage,
        release=version.release,
        own_annual_fee_cents=version.own_annual_fee_cents,
        own_included_quarters=version.own_included_quarters,
        own_included_sessions=version.own_included_sessions,
        own_overage_rate_cents=version.own_overage_rate_cents,
    )


def price_books() -> PriceBooks:
    bands: dict[Month, list[Band]] = defaultdict(list)
    for row in PriceBand.objects.select_related("book").order_by("book__valid_from"):
        bands[row.book.valid_from].append(
            Band(row.tier, row.min_headcount, row.max_headcount, _prices(row))
        )
    return PriceBooks(tuple((month, tuple(of_book)) for month, of_book in bands.items()))


def _prices(row: PriceBand | YearPrice) -> Prices:
    return Prices(
        annual_fee_cents=row.annual_fee_cents,
        setup_fee_cents=row.setup_fee_cents,
        included_quarters=row.included_quarters,
        included_sessions=row.included_sessions,
        overage_rate_cents=row.overage_rate_cents,
    )


def _headcounts(organisations: Iterable[UUID] | None) -> dict[UUID, list[tuple[Month, int]]]:
    rows = Headcount.objects.order_by("organisation_id", "month")
    if organisations is not None:
        rows = rows.filter(organisation__in=organisations)
    headcounts: dict[UUID, list[tuple[Month, int]]] = defaultdict(list)
    for organisation, month, headcount in rows.values_list("organisation", "month", "headcount"):
        headcounts[organisation].append((month, headcount))
    return headcounts


def _terms(subscriptions: Iterable[Subscription]) -> dict[UUID, list[Terms]]:
    versions: dict[UUID, list[Terms]] = defaultdict(list)
    for row in Terms.objects.filter(subscription__in=subscriptions).order_by("from_month"):
        versions[row.subscription_id].append(row)
    return versions


def _frozen_prices(
    subscriptions: Iterable[Subscription],
) -> dict[UUID, dict[tuple[Month, str], Prices]]:
    frozen: dict[UUID, dict[tuple[Month, str], Prices]] = defaultdict(dict)
    for row in YearPrice.objects.filter(subscription__in=subscriptions):
        frozen[row.subscription_id][row.year_month, row.tier] = _prices(row)
    return frozen
