"""Contracts as plain data, read from the database in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import OuterRef, QuerySet

from agency.bulk import as_json, grouped
from agency.models import Headcount
from agency.month import Month
from subscriptions.agreements import Band, Choices, Contract, PriceBooks, Prices
from subscriptions.models import (
    BilledOccurrence,
    Pause,
    PriceBand,
    Statement,
    Subscription,
    Terms,
    TermsReason,
    YearPrice,
)

# A contract that starts so soon after another one's end keeps its contract year (design 5.6).
MONTHS_TO_KEEP_THE_YEAR = 12
# Columns that rows of the database and plain data name alike, as do those of `Choices`.
PRICES = [field.name for field in fields(Prices)]


class Version(NamedTuple):
    """A version of the terms."""

    reason: str
    tier: str
    choices: Choices


def load(organisations: Iterable[UUID] | None = None) -> dict[UUID, Contract]:
    """Give the contracts by the key of their subscription, of all or of some organisations.

    In order of organisation and start. A contract without terms is not agreed yet and left out;
    `without_terms` names those.
    """
    return {row.pk: contract for row, contract in load_rows(organisations)}


def load_rows(organisations: Iterable[UUID] | None) -> list[tuple[Subscription, Contract]]:
    """Give the same with their rows."""
    of_chosen = {} if organisations is None else {"organisation__in": organisations}
    of_theirs = {} if organisations is None else {"subscription__organisation__in": organisations}
    rows = Subscription.objects.filter(**of_chosen).order_by("organisation_id", "start_month")
    books = price_books()
    headcounts = _headcounts(Headcount.objects.filter(**of_chosen))
    versions = _terms(Terms.objects.filter(**of_theirs))
    frozen = _frozen_prices(
        YearPrice.objects.filter(**of_theirs).values_list(
            "subscription", "year_month", "tier", *PRICES
        )
    )
    pauses = grouped(Pause.objects.filter(**of_theirs).order_by("from_month"), "subscription_id")
    return _loaded(rows, books, headcounts, versions, frozen, pauses)


def load_client(organisation: UUID) -> list[tuple[Subscription, Contract]]:
    """Give the same of one client in two statements, for a page that holds much else."""
    rows = Subscription.objects.filter(organisation=organisation).order_by("start_month")
    of_row = {"subscription": OuterRef("pk")}
    loaded: Any = rows.annotate(
        said_prices=as_json(YearPrice.objects.filter(**of_row), "year_month", "tier", *PRICES)
    )
    return load_at_once(loaded)


def load_at_once(rows: QuerySet[Subscription]) -> list[tuple[Subscription, Contract]]:
    """Give the contracts of rows in two statements; prices are frozen where the rows say which.

    The rows are in order of organisation and start.
    """
    of_row = {"subscription": OuterRef("pk")}
    loaded: Any = rows.annotate(
        said_headcounts=as_json(
            Headcount.objects.filter(organisation=OuterRef("organisation")), "month", "headcount"
        ),
        said_terms=as_json(
            Terms.objects.filter(**of_row), "from_month", "reason", "tier", *Choices._fields[1:]
        ),
        said_pauses=as_json(Pause.objects.filter(**of_row), "from_month", "until_month"),
    )
    loaded = list(loaded)
    headcounts = {
        row.organisation_id: [
            (Month(month), people) for month, people in sorted(row.said_headcounts)
        ]
        for row in loaded
    }
    versions = {
        row.pk: [
            Version(reason, tier, Choices(Month(month), *chosen))
            for month, reason, tier, *chosen in sorted(row.said_terms, key=itemgetter(0))
        ]
        for row in loaded
    }
    frozen = _frozen_prices(
        (row.pk, Month(month), tier, *cents)
        for row in loaded
        for month, tier, *cents in getattr(row, "said_prices", ())
    )
    pauses = {
        row.pk: [
            Pause(from_month=Month(a), until_month=Month(b)) for a, b in sorted(row.said_pauses)
        ]
        for row in loaded
    }
    return _loaded(loaded, price_books(), headcounts, versions, frozen, pauses)


def outlines(
    rows: Iterable[Subscription], versions: Mapping[UUID, list[Version]]
) -> list[tuple[Subscription, Contract]]:
    """Give contracts that tell of time and tier only, of rows and terms in order of month.

    Without headcounts, prices and pauses, for a list that reads many clients at once.
    """
    nothing: Any = defaultdict(list)
    known: Any = defaultdict(list, versions)
    return _loaded(rows, PriceBooks(()), nothing, known, defaultdict(dict), nothing)


def _loaded(
    rows: Iterable[Subscription],
    books: PriceBooks,
    headcounts: Mapping[UUID, list[tuple[Month, int]]],
    versions: Mapping[UUID, list[Version]],
    frozen: Mapping[UUID, dict[tuple[Month, str], Prices]],
    pauses: Mapping[UUID, list[Pause]],
) -> list[tuple[Subscription, Contract]]:
    loaded: list[tuple[Subscription, Contract]] = []
    last: dict[UUID, Contract] = {}
    for row in rows:
        key, organisation = row.pk, row.organisation_id
        terms = versions[key]
        if any(version.reason == TermsReason.START for version in terms):
            counts = tuple(headcounts[organisation])
            before = last.get(organisation)
            contract = _contract(row, terms, books, counts, frozen[key], before, pauses[key])
            last[organisation] = contract
            loaded.append((row, contract))
    return loaded


def _contract(
    row: Subscription,
    versions: list[Version],
    books: PriceBooks,
    headcounts: tuple[tuple[Month, int], ...],
    frozen: Mapping[tuple[Month, str], Prices],
    before: Contract | None,
    pauses: Iterable[Pause],
) -> Contract:
    if before and row.start_month.since(before.months.until) > MONTHS_TO_KEEP_THE_YEAR:
        before = None
    start = next(version for version in versions if version.reason == TermsReason.START)
    own_year = row.year_starts_in or row.start_month.number
    return Contract(
        months=row.months,
        year_starts_in=before.year_starts_in if before else own_year,
        interval=row.billing_interval,
        tier=start.tier,
        books=books,
        headcounts=headcounts,
        choices=tuple(
            version.choices for version in versions if version.reason != TermsReason.TIER_CHANGE
        ),
        requests=tuple(
            (version.choices.from_month, version.tier)
            for version in versions
            if version.reason == TermsReason.TIER_CHANGE
        ),
        first_run=row.first_run,
        reported_until=row.reported_until,
        carry_over_basis_points=row.carry_over_basis_points,
        carry_over_cap_quarters=row.carry_over_cap_quarters,
        frozen_prices=frozen,
        predecessor=before,
        pauses=tuple(each.months for each in pauses),
    )


def kept_year(subscription: Subscription) -> int | None:
    """Give the month in which contract years start by a contract shortly before; None without it.

    What the contract itself says of it does not count then (design 5.6).
    """
    start = subscription.start_month
    earlier = [
        contract
        for key, contract in load([subscription.organisation_id]).items()
        if key != subscription.pk and contract.months.from_month < start
    ]
    until = earlier[-1].months.until_month if earlier else None
    if until is None or start.since(until) > MONTHS_TO_KEEP_THE_YEAR:
        return None
    return earlier[-1].year_starts_in


def without_terms(organisations: Iterable[UUID] | None) -> list[str]:
    """Give the codes of organisations with a contract that has no terms yet."""
    started = Terms.objects.filter(reason=TermsReason.START).values("subscription")
    rows = Subscription.objects.exclude(pk__in=started)
    if organisations is not None:
        rows = rows.filter(organisation__in=organisations)
    return sorted(rows.values_list("organisation__code", flat=True))


def is_in_use(contract: Subscription) -> bool:
    """Tell whether anything was published or billed by a contract."""
    stated = Statement.objects.filter(subscription=contract.pk)
    billed = BilledOccurrence.objects.filter(subject_id=contract.pk)
    return stated.exists() or billed.exists()


def price_books() -> PriceBooks:
    bands: dict[Month, list[Band]] = defaultdict(list)
    for row in PriceBand.objects.select_related("book").order_by("book__valid_from"):
        prices = None
        if row.annual_fee_cents is not None:
            prices = Prices(**{name: getattr(row, name) for name in PRICES})
        people = (row.tier, row.min_headcount, row.max_headcount)
        band = Band(*people, prices, row.setup_fee_cents)
        bands[row.book.valid_from].append(band)
    return PriceBooks(tuple((month, tuple(of_book)) for month, of_book in bands.items()))


def _headcounts(rows: QuerySet[Headcount]) -> dict[UUID, list[tuple[Month, int]]]:
    headcounts: dict[UUID, list[tuple[Month, int]]] = defaultdict(list)
    columns = ("organisation", "month", "headcount")
    for organisation, month, headcount in rows.order_by("month").values_list(*columns):
        headcounts[organisation].append((month, headcount))
    return headcounts


def _terms(rows: QuerySet[Terms]) -> dict[UUID, list[Version]]:
    versions: dict[UUID, list[Version]] = defaultdict(list)
    columns = ("subscription", "reason", "tier", *Choices._fields)
    for subscription, reason, tier, *chosen in rows.order_by("from_month").values_list(*columns):
        versions[subscription].append(Version(reason, tier, Choices(*chosen)))
    return versions


def _frozen_prices(rows: Iterable[Any]) -> dict[UUID, dict[tuple[Month, str], Prices]]:
    """Give them by contract; there are thousands, and few different ones."""
    frozen: dict[UUID, dict[tuple[Month, str], Prices]] = defaultdict(dict)
    known: dict[tuple[int, ...], Prices] = {}
    for subscription, month, tier, *cents in rows:
        amounts = tuple(cents)
        if amounts not in known:
            known[amounts] = Prices(**dict(zip(PRICES, amounts, strict=True)))
        frozen[subscription][month, tier] = known[amounts]
    return frozen
