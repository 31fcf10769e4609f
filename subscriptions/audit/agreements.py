"""Invariants of contracts, purchase orders and assignments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import pairwise
from uuid import UUID

from advisors.models import AssignmentRole
from agency.month import Month, MonthRange
from subscriptions.agreements import Band, Choices, Contract, Prices
from subscriptions.audit.records import Check, Invariant, Records
from subscriptions.indexation import earliest_month, indexed
from subscriptions.indexation_runs import factor_of
from subscriptions.models import IndexedContract, PriceBook, Terms, YearPrice
from workshops.models import SessionStatus

PLANNED = frozenset({SessionStatus.REQUESTED, SessionStatus.SCHEDULED})


def contracts_of_a_client_never_overlap(records: Records) -> Iterator[Check]:
    for organisation, rows in records.facts.subscriptions.items():
        yield from _apart(records, organisation, (row.months for row in rows))


def nothing_goes_on_after_a_takeover(records: Records) -> Iterator[Check]:
    """No contract and no planned session of a client, from the month on in which it was taken over.

    And who took it over was there then.
    """
    gone = {row.organisation_id: row.from_month for row in records.takeovers}
    for row in records.takeovers:
        client, since = row.organisation_id, row.from_month
        contracts = records.facts.subscriptions.get(client, [])
        after = [str(one.months) for one in contracts if not _ends_by(one.months, since)]
        sessions = records.facts.sessions.get(client, [])
        after += [one.reference for one in sessions if one.status in PLANNED and one.month >= since]
        if gone.get(row.successor_id, since + 1) <= since:
            after.append(f"{records.code(row.successor_id)} was taken over")
        yield Check(f"{records.code(client)} {since}", [], after)


def _ends_by(months: MonthRange, month: Month) -> bool:
    return months.until_month is not None and months.until_month <= month


def purchase_orders_of_a_client_do_not_overlap(records: Records) -> Iterator[Check]:
    for organisation, rows in records.orders.items():
        yield from _apart(records, organisation, (row.months for row in rows))


def _apart(records: Records, organisation: UUID, ranges: Iterable[MonthRange]) -> Iterator[Check]:
    in_order = sorted(ranges, key=lambda months: months.from_month)
    for before, months in pairwise(in_order):
        found = f"overlaps {before}" if before.overlaps(months) else "apart"
        yield Check(f"{records.code(organisation)} {months}", "apart", found)


def nobody_stands_both_beside_and_between(records: Records) -> Iterator[Check]:
    """An advisor beside the people of a client is never its mediator or investigator."""
    roles: dict[tuple[str, UUID], list[AssignmentRole]] = defaultdict(list)
    for row in records.assignments:
        roles[row.advisor.code, row.organisation_id].append(AssignmentRole(row.role))
    for (advisor, organisation), held in roles.items():
        both = any(one.excludes(other) for one in held for other in held)
        yield Check(
            f"{advisor} at {records.code(organisation)}",
            "beside or between",
            "both" if both else "beside or between",
        )


def bands_of_a_tier_follow_on(records: Records) -> Iterator[Check]:
    """In each price book: no headcount falls into two bands of a tier, or between them."""
    for valid_from, bands in records.price_books.books:
        by_tier: dict[str, list[Band]] = defaultdict(list)
        for band in bands:
            by_tier[band.tier].append(band)
        for tier, rows in by_tier.items():
            rows.sort(key=lambda band: band.min_headcount)
            for below, band in pairwise(rows):
                after = below.max_headcount + 1 if below.max_headcount else "nobody"
                yield Check(
                    f"{valid_from} {tier} after {below.min_headcount}", after, band.min_headcount
                )


def frozen_prices_come_from_a_price_book_and_the_contract(records: Records) -> Iterator[Check]:
    """Of any book valid by then that was not changed: which were there when is not kept.

    In the band of the headcount of the year's first month, or of one of the two before where that
    was declared since: a run ahead is made so long before. Own prices of any version.
    """
    for (key, month, tier), row in records.year_prices.items():
        contract = records.contracts[key]
        if not records.is_noted(PriceBook._meta.label_lower, "changed", month):
            known = contract.headcounts
            counts = {contract.headcount(month - n) for n in range(3)} if known else set()
            fits = any(
                band.holds_for(tier, count) and _is_made_of(row, band, contract, tier)
                for valid_from, bands in contract.books.books
                if valid_from <= month
                for band in bands
                for count in counts
            )
            name = records.period_name(key, contract.year_of(month).months)
            yield Check(f"{name} {tier}", "from a book", "from a book" if fits else "from none")


def _is_made_of(row: YearPrice, band: Band, contract: Contract, tier: str) -> bool:
    book = band.prices or band  # which has the price of the set-up
    versions = contract.choices if tier == contract.tier else ()
    return all(
        getattr(row, field.name)
        in {
            getattr(book, field.name, None),
            *(getattr(v, f"own_{field.name}", None) for v in versions),
        }
        for field in fields(Prices)
    )


def indexed_prices_follow_from_their_run(records: Records) -> Iterator[Check]:
    """The old prices times the run's factor, told in time; what else was chosen is kept."""
    for terms in records.indexed_terms:
        name = records.period_name(terms.subscription_id, MonthRange(terms.from_month))
        row: IndexedContract | None = getattr(terms, "indexed", None)
        yield Check(name, "announced", "announced" if row else "by no run")
        if row is None:
            continue
        by, old = factor_of(row.run), (row.old_annual_fee_cents, row.old_overage_rate_cents)
        yield Check(
            name,
            (str(row.from_month), *(indexed(cents, by) for cents in old)),
            (str(terms.from_month), terms.own_annual_fee_cents, terms.own_overage_rate_cents),
        )
        told = row.sent_on and earliest_month(row.sent_on, row.run.announcement_months)
        in_time = told is not None and told <= terms.from_month
        yield Check(name, "in time", "in time" if in_time else "not in time")
        choices = records.contracts[terms.subscription_id].choices
        chosen = [_kept(each) for each in choices if each.from_month < terms.from_month]
        yield Check(name, "as chosen", "as chosen" if _kept(terms) in chosen else "chosen anew")


def _kept(choices: Choices | Terms) -> tuple[object, ...]:
    """Give what indexed terms leave as it was."""
    own = (choices.own_included_quarters, choices.own_included_sessions)
    return (choices.overage, choices.release, *own)


def what_was_signed_is_what_was_offered(records: Records) -> Iterator[Check]:
    """Client, start, choices and prices of the first year; on a day between offer and last day.

    A quote that is not signed is no contract: nothing was billed by its key.
    """
    billed = {row.subject_id for row in records.occurrences.values()}
    for quote in records.quotes:
        name = f"{records.code(quote.organisation_id)} {quote.start_month}"
        yield Check(name, "not billed", "billed" if quote.pk in billed else "not billed")
        row = quote.contract
        if row is None:
            continue
        yield Check(
            name,
            (records.code(quote.organisation_id), str(quote.start_month)),
            (records.code(row.organisation_id), str(row.start_month)),
        )
        contract = records.contracts[row.pk]
        year = contract.year_of(row.start_month).first_month
        prices = contract.frozen_prices.get((year, quote.tier))
        promised = Prices(**{field.name: getattr(quote, field.name) for field in fields(Prices)})
        yield Check(name, "as promised", "as promised" if prices == promised else "other prices")
        chosen = [getattr(quote, column) for column in Choices._fields[1:]]
        is_chosen = Choices(row.start_month, *chosen) in contract.choices
        as_offered = is_chosen and contract.tier == quote.tier
        yield Check(name, "as offered", "as offered" if as_offered else "chosen anew")
        on, held = row.signed_on, (quote.offered_on, quote.valid_until)
        in_time = on and quote.offered_on and quote.offered_on <= on <= quote.valid_until
        yield Check(name, "while it held", "while it held" if in_time else f"{on} beside {held}")


INVARIANTS: tuple[Invariant, ...] = (
    bands_of_a_tier_follow_on,
    contracts_of_a_client_never_overlap,
    nothing_goes_on_after_a_takeover,
    purchase_orders_of_a_client_do_not_overlap,
    frozen_prices_come_from_a_price_book_and_the_contract,
    indexed_prices_follow_from_their_run,
    what_was_signed_is_what_was_offered,
    nobody_stands_both_beside_and_between,
)
