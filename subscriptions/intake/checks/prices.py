"""The price book, and whether every contract year finds its price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from django.utils.translation import gettext as _

from agency.month import Month, MonthRange
from subscriptions.agreements import (
    BILL,
    Band,
    Choices,
    Contract,
    PriceBooks,
    Prices,
)
from subscriptions.contracts import MONTHS_TO_KEEP_THE_YEAR, PRICES
from subscriptions.intake.checks.contracts import changes_of, contracts_of
from subscriptions.intake.rows import Book, Row

FOUR = ("annual_fee", "included_hours", "included_sessions", "overage_rate")
BAND = ("valid_from", "tier", "min_headcount", "max_headcount")
# A change of tier waits at most until the second contract year after it, so after so many months
# without a new price, headcount or change all contract years are alike.
MONTHS_UNTIL_ALL_IS_SETTLED = 36


def check_bands(book: Book) -> None:
    """Find bands that overlap or leave a gap in a tier of one price book, or lack a price."""
    for row in book["price_book"]:
        missing = [name for name in FOUR if row.knows(name) and row[name] is None]
        if len(missing) < len(FOUR):
            for name in missing:
                message = _(
                    "A band has all four prices, or none of them: then they are on request."
                )
                book.findings.refuse(row, name, message)
    bands: dict[tuple[Month, str], list[Row]] = defaultdict(list)
    for row in book.knowing("price_book", *BAND):
        least, most = row["min_headcount"], row["max_headcount"]
        if most is not None and most < least:
            message = _("This must not be below min_headcount.")
            book.findings.refuse(row, "max_headcount", message)
        else:
            bands[row["valid_from"], row["tier"]].append(row)
    broken = [row for row in book["price_book"] if not row.knows(*BAND)]
    for rows in bands.values():
        rows.sort(key=lambda row: (row["min_headcount"], row.number))
        for below, row in pairwise(rows):
            _check_next_band(book, below, row, broken)


def _check_next_band(book: Book, below: Row, row: Row, broken: Iterable[Row]) -> None:
    most = below["max_headcount"]
    if most is None or row["min_headcount"] <= most:
        message = _("This band overlaps the one in row %(row)d.")
    elif row["min_headcount"] > most + 1 and not any(
        _may_lie_between(below, lost, row) for lost in broken
    ):
        message = _("This band leaves a gap after the one in row %(row)d.")
    else:
        return
    book.findings.refuse(row, "min_headcount", message % {"row": below.number})


def _may_lie_between(below: Row, lost: Row, above: Row) -> bool:
    """Tell whether a band that could not be read may be the one that is missing."""
    return all(
        lost[column] == above[column] for column in ("valid_from", "tier") if lost.knows(column)
    ) and (
        not lost.knows("min_headcount")
        or below["max_headcount"] < lost["min_headcount"] < above["min_headcount"]
    )


def check_subscriptions(book: Book) -> None:
    """Find subscriptions without headcount, and contract years without a price (design 5.1)."""
    books = _price_books(book)
    for row in book.knowing("subscriptions", "organisation"):
        declared = book.of("headcounts", row["organisation"])
        if not declared:
            message = _("This organisation has a subscription, but no headcount.")
            book.findings.refuse(row, "organisation", message)
        elif books and all(count.knows("month", "headcount") for count in declared):
            _check_prices(book, row, books, declared)


def _price_books(book: Book) -> PriceBooks | None:
    """Give the price books as the rules of money see them; None while a band is broken."""
    if not all(row.knows(*BAND) for row in book["price_book"]):
        return None
    bands: dict[Month, list[Band]] = defaultdict(list)
    # Only whether there is a price matters here, not which.
    prices = Prices(**dict.fromkeys(PRICES, 0))
    for row in book["price_book"]:
        on_request = row["annual_fee"] is None and row.knows("annual_fee")
        people = (row["tier"], row["min_headcount"], row["max_headcount"])
        band = Band(*people, None if on_request else prices)
        bands[row["valid_from"]].append(band)
    return PriceBooks(tuple((month, tuple(bands[month])) for month in sorted(bands)))


def _check_prices(book: Book, row: Row, books: PriceBooks, declared: list[Row]) -> None:
    contracts = contracts_of(book, row["organisation"])
    if contracts is None or row not in contracts or not row.knows("tier"):
        return
    if not all(each.knows("year_starts_in") for each in contracts):
        return
    starts_in = _year_starts_in(contracts, row)
    if row["year_starts_in"] not in (None, starts_in):
        message = _(
            "It keeps the contract year of the contract before it, from month %(month)d on."
        )
        book.findings.warn(row, "year_starts_in", message % {"month": starts_in})
    contract = _contract(book, row, starts_in, books, declared)
    months = [month for month, _bands in books.books] + [count["month"] for count in declared]
    last = max([row["start_month"], *months, *(month for month, _tier in contract.requests)])
    for year in contract.years(last + MONTHS_UNTIL_ALL_IS_SETTLED):
        for tier in sorted({contract.tier_in(month) for month in year.months}):
            if contract.prices_if_any(year, tier) is None:
                message = _(
                    "The price book has no price for the contract year from %(month)s: "
                    "tier %(tier)s, headcount %(headcount)d."
                )
                if contract.band(year, tier):
                    message = _(
                        "The prices for the contract year from %(month)s are on request: tier "
                        "%(tier)s, headcount %(headcount)d. Give all four own ones."
                    )
                headcount = contract.headcount(year.first_month)
                values = {"month": year.first_month, "tier": tier, "headcount": headcount}
                book.findings.refuse(row, "organisation", message % values)
                return


def _year_starts_in(contracts: list[Row], row: Row) -> int:
    """Give the month in which a contract's years start: one soon after another keeps its."""
    starts_in, ended = 0, None
    for each in contracts:
        start: Month = each["start_month"]
        if ended is None or start.since(ended) > MONTHS_TO_KEEP_THE_YEAR:
            starts_in = each["year_starts_in"] or start.number
        if each is row:
            break
        ended = each["until_month"]
    return starts_in


def _own_prices(row: Row) -> list[int | None]:
    """Give a contract's own prices; one that could not be read is there all the same."""
    return [row[name] if row.knows(name) else 0 for name in (f"own_{name}" for name in FOUR)]


def _contract(
    book: Book, row: Row, starts_in: int, books: PriceBooks, declared: list[Row]
) -> Contract:
    start = row["start_month"]
    return Contract(
        months=MonthRange(start, row["until_month"]),
        year_starts_in=starts_in,
        interval=12,
        tier=row["tier"],
        books=books,
        headcounts=tuple(sorted((count["month"], count["headcount"]) for count in declared)),
        choices=(Choices(start, BILL, "", *_own_prices(row)),),
        first_run=start,
        reported_until=start,
        requests=changes_of(book, row),
    )
