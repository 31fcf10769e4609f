"""Contracts and what hangs on them: terms, orders, cards and tier changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext as _

from agency.month import Month, MonthRange
from subscriptions.intake.rows import Book, Row, clashing

MONTHS = ("organisation", "start_month", "until_month")


def contracts_of(book: Book, organisation: str) -> list[Row] | None:
    """Give an organisation's contracts in order of start; None if one of them is broken.

    Rules that ask which contract a month lies in cannot tell while one is broken.
    """
    rows = book.of("subscriptions", organisation)
    if not all(row.knows(*MONTHS) for row in rows):
        return None
    return sorted(rows, key=lambda row: row["start_month"])


def contract_before(contracts: list[Row], month: Month) -> Row | None:
    """Give the contract in force in a month, or else the last one that started before it."""
    started = [row for row in contracts if row["start_month"] <= month]
    return started[-1] if started else None


def changes_of(book: Book, subscription: Row) -> tuple[tuple[Month, str], ...]:
    """Give the tier changes asked for in a contract, in order of month."""
    contracts = contracts_of(book, subscription["organisation"]) or []
    return tuple(
        sorted(
            (row["month"], row["tier"])
            for row in book.of("tier_changes", subscription["organisation"])
            if row.knows("organisation", "month", "tier")
            and contract_before(contracts, row["month"]) is subscription
        )
    )


def months_of(row: Row, start: str = "start_month") -> MonthRange:
    return MonthRange(row[start], row["until_month"])


def overlapping(rows: Iterable[Row], key: Sequence[str], start: str) -> Iterator[tuple[Row, Row]]:
    """Give each row whose months overlap those of one above it with the same key, and that one."""
    return clashing(
        rows, key, lambda row, other: months_of(row, start).overlaps(months_of(other, start))
    )


def check(book: Book) -> None:
    for row in book["subscriptions"]:
        _check_terms(book, row)
        _check_reported(book, row)
    _check_overlaps(book)
    _check_orders(book)
    _check_cards(book)
    for row in book.knowing("tier_changes", "organisation", "month"):
        _check_tier_change(book, row)


def _check_terms(book: Book, row: Row) -> None:
    if row.knows("notice_months", "term_months") and row["notice_months"] > row["term_months"]:
        message = _("The notice is longer than the term.")
        book.findings.refuse(row, "notice_months", message)


def _check_reported(book: Book, row: Row) -> None:
    if not row.knows("start_month", "until_month", "reported_until"):
        return
    reported, until = row["reported_until"], row["until_month"]
    if reported is not None and reported < row["start_month"]:
        message = _("A former system cannot have reported months before the start.")
        book.findings.refuse(row, "reported_until", message)
    elif reported is not None and until is not None and reported > until:
        message = _("A former system cannot have reported months after the end.")
        book.findings.refuse(row, "reported_until", message)


def _check_overlaps(book: Book) -> None:
    rows = book.knowing("subscriptions", *MONTHS)
    for row, other in overlapping(rows, ["organisation"], "start_month"):
        if row["until_month"] is None and other["until_month"] is None:
            message = _("Row %(row)d is a running subscription of this organisation already.")
            book.findings.refuse(row, "organisation", message % {"row": other.number})
        else:
            message = _("This contract overlaps the one in row %(row)d of the same organisation.")
            book.findings.refuse(row, "start_month", message % {"row": other.number})


def _check_orders(book: Book) -> None:
    rows = book.knowing("purchase_orders", "organisation", "from_month", "until_month")
    for row, other in overlapping(rows, ["organisation"], "from_month"):
        message = _("This order overlaps the one in row %(row)d of the same organisation.")
        book.findings.refuse(row, "from_month", message % {"row": other.number})


def _check_cards(book: Book) -> None:
    for row in book.knowing("top_up_cards", "hours", "remaining_hours"):
        if row["remaining_hours"] > row["hours"]:
            message = _("More hours are left than were bought.")
            book.findings.refuse(row, "remaining_hours", message)
    for row in book.knowing("top_up_cards", "organisation"):
        if contracts_of(book, row["organisation"]) == []:
            message = _("This organisation has no subscription that could use the card.")
            book.findings.warn(row, "organisation", message)


def _check_tier_change(book: Book, row: Row) -> None:
    contracts = contracts_of(book, row["organisation"])
    if contracts is None:
        return
    contract = contract_before(contracts, row["month"])
    if not contracts:
        message = _("This organisation has no subscription.")
        book.findings.refuse(row, "organisation", message)
    elif contract is None:
        message = _("The subscription starts after this month.")
        book.findings.refuse(row, "month", message)
    elif row["month"] not in months_of(contract):
        message = _("The subscription has ended by then: this change has no effect.")
        book.findings.warn(row, "month", message)
