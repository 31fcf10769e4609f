"""Rules over the rows of an agency workbook; each module looks at one subject.

A rule builds only on cells that could be read and that no earlier rule refused, so that one
mistake is told once. Rules never repeat what a cell holds, but for months and numbers of rows.
"""

from __future__ import annotations

from subscriptions.intake.checks import contracts, hours, keys, parties, prices, sessions
from subscriptions.intake.rows import Book


def check(book: Book) -> None:
    """Look at all rules and add what breaks them to the findings of the book."""
    keys.check(book)
    parties.check(book)
    prices.check_bands(book)
    contracts.check(book)
    prices.check_subscriptions(book)
    hours.check(book)
    sessions.check(book)
