"""Moving in: what our rules would have billed in past months, beside what was really sent.

Nothing is written, and nothing that was billed or published here counts but the statements
themselves. Months that a former system reported are stated by our rules from the hours of then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.utils.translation import gettext as _

from agency.money import round_half_away
from agency.month import Month
from subscriptions import charges, statements
from subscriptions.agreements import Contract, ContractYear, NoPriceError, Prices
from subscriptions.descriptions import no_price
from subscriptions.documents import Document, documents, vat_rates
from subscriptions.due import Item, items
from subscriptions.facts import Facts, read_facts
from subscriptions.models import LineKind, Statement, Tier, TopUpCard
from subscriptions.orders import purchase_orders

ORDER, VAT, UNKNOWN = "order", "vat", "unknown"
INTERVALS = (1, 3, 12)


@dataclass(frozen=True, slots=True)
class Sent:
    """An invoice, or a credit with negative amounts, that the agency sent of a month's run."""

    number: str
    month: Month
    organisation: str
    net_cents: int
    vat_cents: int


@dataclass
class Total:
    """What a client is billed in a run: sums, number of documents, and, of ours, net by kind."""

    documents: int = 0
    net_cents: int = 0
    vat_cents: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the two differ, and the rule that explains it to the cent; else `UNKNOWN`."""

    organisation: str
    month: Month
    numbers: list[str]
    sent: Total
    here: Total
    rule: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many clients' months were compared, where they differ, and who has no price."""

    compared: int
    differences: list[Difference]
    failures: list[tuple[str, str]]


def rule_word(rule: str) -> str:
    """Name a rule in the language that is active."""
    words = {
        ORDER: _("the same sum on other documents: purchase order"),
        VAT: _("VAT"),
        UNKNOWN: _("no single rule explains it"),
    }
    return words[rule] if rule in words else str(LineKind(rule).label)


def compare(sent: Sequence[Sent]) -> Comparison:
    """Hold what was sent to what our rules would have billed, in all months that were sent."""
    months = sorted({one.month for one in sent})
    if not months:
        return Comparison(0, [], [])
    facts = _as_if_billed_from(months[0])
    theirs: dict[tuple[str, Month], list[Sent]] = defaultdict(list)
    for one in sent:
        theirs[one.organisation, one.month].append(one)
    ours, failures = _billed(facts, months)
    differences = []
    keys = sorted(theirs.keys() | ours.keys(), key=lambda key: (key[0], key[1].index))
    for key in keys:
        found = theirs.get(key, [])
        there, billed = _total(found), ours.get(key, [])
        here = _total_of(billed)
        if (there.documents, there.net_cents, there.vat_cents) != (
            *(here.documents, here.net_cents, here.vat_cents),
        ):
            rule = _rule(facts, key, billed, there, here)
            numbers = sorted(one.number for one in found)
            differences.append(Difference(key[0], key[1], numbers, there, here, rule))
    return Comparison(len(keys), differences, failures)


def _as_if_billed_from(first: Month) -> Facts:
    """Read all facts as if our own runs had begun with a month, and nothing were billed yet."""
    facts = read_facts()
    facts.occurrences.clear()
    for of_client in facts.subscriptions.values():
        for row in of_client:
            row.first_run = min(row.first_run, first)
    for statement in _stated_by_our_rules():
        facts.statements[statement.organisation_id].append(statement)
    for key, contract in facts.contracts.items():
        facts.contracts[key] = replace(contract, first_run=min(contract.first_run, first))
    return facts


def _stated_by_our_rules() -> Iterator[Statement]:
    """Give the statements of the periods that a former system reported; they are not saved."""
    books = statements.read_books()
    until = {key: contract.reported_until for key, contract in books.contracts.items()}
    bought = dict(TopUpCard.objects.values_list("pk", "bought_quarters"))
    for key, cards in books.cards.items():
        books.cards[key] = [replace(card, left_quarters=bought[card.key]) for card in cards]
    for key, contract in books.contracts.items():
        books.contracts[key] = replace(contract, reported_until=contract.months.from_month)
        books.stated[key] = []
    for closing in statements.closings(books, until):
        if not closing.account.overage_quarters:
            continue
        months = closing.account.release.months
        yield Statement(
            subscription_id=closing.subscription,
            organisation_id=books.organisations[closing.subscription],
            from_month=months.from_month,
            until_month=months.until,
            overage_quarters=closing.account.overage_quarters,
        )


Key = tuple[str, Month]


def _billed(
    facts: Facts, months: Sequence[Month]
) -> tuple[dict[Key, list[Document]], list[tuple[str, str]]]:
    orders, rates = purchase_orders(None), {month: vat_rates(month) for month in months}
    made: dict[Key, list[Document]] = defaultdict(list)
    failures = []
    for key, organisation in facts.organisations.items():
        due: dict[Month, list[Item]] = defaultdict(list)
        try:
            for item in items(facts, key, months[-1]):
                # As in a run: what fell due since our first run and was not billed comes along.
                due[max(item.charge.due, months[0])].append(item)
            for month in months:
                drafted = documents(facts, key, due[month], orders[key], rates[month], month)
                if sent := [one for one in drafted if one.invoice_row]:
                    made[organisation.code, month] = sent
        except NoPriceError as error:
            failures.append((organisation.code, no_price(error)))
    return made, sorted(failures)


def _total(sent: Iterable[Sent]) -> Total:
    total = Total()
    for one in sent:
        total.documents += 1
        total.net_cents += one.net_cents
        total.vat_cents += one.vat_cents
    return total


def _total_of(billed: Iterable[Document]) -> Total:
    total = Total()
    for document in billed:
        total.documents += 1
        for line in document.line_rows:
            total.net_cents += line["net_cents"]
            total.vat_cents += line["vat_cents"]
            total.by_kind[line["kind"]] = total.by_kind.get(line["kind"], 0) + line["net_cents"]
    return total


def _rule(facts: Facts, key: Key, billed: Sequence[Document], there: Total, here: Total) -> str:
    """Name the rule that explains a difference to the cent."""
    missing_cents = there.net_cents - here.net_cents
    if not missing_cents:
        return ORDER if there.vat_cents == here.vat_cents else VAT
    for rule, cents in _explanations(facts, key, billed, here):
        if cents == missing_cents:
            return rule
    rates = [prices.overage_rate_cents for prices in _prices(facts, key)]
    half_hours = [rate // 2 for rate in rates if rate]
    if any(missing_cents % half == 0 for half in half_hours):
        return str(LineKind.OVERAGE)
    kinds = list(here.by_kind)
    return kinds[0] if kinds and (len(kinds) == 1 or not there.documents) else UNKNOWN


def _explanations(
    facts: Facts, key: Key, billed: Sequence[Document], here: Total
) -> Iterator[tuple[str, int]]:
    """Give what may have been billed otherwise: the rule, and by how much the sum then differs."""
    for kind, cents in here.by_kind.items():
        yield kind, -cents
    for document in billed:
        for line in document.line_rows:
            yield line["kind"], -line["net_cents"]
    yield from _other_fees(facts, key, here.by_kind.get(LineKind.FEE, 0))
    for prices in _prices(facts, key):
        yield LineKind.SETUP, prices.setup_fee_cents
    organisation = _organisation(facts, key[0])
    for session in facts.sessions.get(organisation, []):
        price = session.offering.price_cents
        yield LineKind.SESSION, price
        for _least_days, percent in facts.rungs:
            yield LineKind.CANCELLATION, charges.cancellation_cents(price, percent)
        yield LineKind.TRAVEL, (session.on_site_km or 0) * facts.agency.km_rate_cents
    for card in facts.cards.get(organisation, []):
        yield LineKind.TOPUP, card.price_cents


def _other_fees(facts: Facts, key: Key, fee_cents: int) -> Iterator[tuple[str, int]]:
    """Give the fees of other intervals, prices and bands, and that of the other tier."""
    month = key[1] + 1
    for contract in _contracts(facts, key):
        year, tier = contract.year_of(month), contract.tier_in(month)
        interval = charges.interval_of(contract, month)
        for annual_fee_cents in _annual_fees(contract, year, tier):
            yield LineKind.FEE, charges.fee_cents(annual_fee_cents, year, interval) - fee_cents
            for months in INTERVALS:
                yield LineKind.FEE, round_half_away(annual_fee_cents * months, 12) - fee_cents
        for other in Tier.values:
            if other != tier and (prices := contract.prices_if_any(year, other)):
                cents = charges.fee_cents(prices.annual_fee_cents, year, interval)
                yield LineKind.TIER_CHANGE, cents - fee_cents


def _annual_fees(contract: Contract, year: ContractYear, tier: str) -> Iterator[int]:
    """Give the fee agreed for a tier, and those of all its bands in all price books."""
    if prices := contract.prices_if_any(year, tier):
        yield prices.annual_fee_cents
    for _valid_from, bands in contract.books.books:
        of_tier = (band.prices for band in bands if band.tier == tier)
        yield from (prices.annual_fee_cents for prices in of_tier if prices)


def _prices(facts: Facts, key: Key) -> list[Prices]:
    """Give the prices that hold in a run and in the month after it, in either tier."""
    return [
        prices
        for contract in _contracts(facts, key)
        for month in (key[1], key[1] + 1)
        if month in contract.months
        for tier in Tier.values
        if (prices := contract.prices_if_any(contract.year_of(month), tier))
    ]


def _contracts(facts: Facts, key: Key) -> list[Contract]:
    """Give a client's contracts that run in a month or begin after it."""
    rows = facts.subscriptions.get(_organisation(facts, key[0]), [])
    found = [facts.contracts[row.pk] for row in rows]
    return [one for one in found if key[1] in one.months or key[1] + 1 in one.months]


def _organisation(facts: Facts, code: str) -> UUID:
    return next(key for key, row in facts.organisations.items() if row.code == code)
