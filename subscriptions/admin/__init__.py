"""Lists and forms for contracts, statements, invoices and what was said to Stripe."""

from subscriptions.admin import (
    arrears,
    bookkeeping,
    books,
    collection,
    contests,
    contracts,
    declarations,
    indexation,
    invoices,
    payment_plans,
    prices,
    quotes,
    safety,
    statements,
    stripe,
    takeovers,
)

__all__ = [
    "arrears",
    "bookkeeping",
    "books",
    "collection",
    "contests",
    "contracts",
    "declarations",
    "indexation",
    "invoices",
    "payment_plans",
    "prices",
    "quotes",
    "safety",
    "statements",
    "stripe",
    "takeovers",
]
