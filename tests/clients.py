"""Clients in the database, with what they need to be served, closed and billed.

Prices are those of `factories.BANDS`: a year of 100 people costs 1,350.00 with 2 hours in the basic
tier (135.00 for an hour above) and 3,600.00 with 20 hours in the extended one (125.00).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from advisors.models import Advisor
from agency.models import Agency, Organisation
from agency.month import Month
from subscriptions import billing, statements
from subscriptions.models import (
    Invoice,
    PriceBook,
    ReleasePolicy,
    Statement,
    Subscription,
    TaxTreatment,
)
from tests import factories as make
from tests.agreed import M
from workshops.models import Session

LONG_AFTER = dt.date(2030, 1, 1)


def open_agency() -> Agency:
    """Make the agency, its price book, and the rows that migrations bring, unless they are there.

    Tests that commit start from an emptied database.
    """
    if not PriceBook.objects.exists():
        make.price_book()
    ReleasePolicy.objects.get_or_create(version=1)
    for category, rate in (("S", 2100), ("E", 0), ("AE", 0), ("O", 0)):
        if not TaxTreatment.objects.filter(category=category).exists():
            make.tax_treatment(category, "2012-10", rate)
    for days_before, percent in ((42, 0), (14, 50), (0, 100)):
        make.cancellation_rung(days_before, percent)
    return Agency.objects.first() or make.agency()


def client(
    code: str = "ORG1",
    start: str = "2026-01",
    tier: str = "basic",
    *,
    headcount: int | Mapping[str, int] = 100,
    hours: Mapping[str, float] | None = None,
    organisation: Mapping[str, Any] | None = None,
    **agreed: Any,
) -> Subscription:
    """Make a client with a contract, an assigned advisor and draft hours by month."""
    open_agency()
    row = make.organisation(code, **organisation or {})
    counts = {"2020-01": headcount} if isinstance(headcount, int) else headcount
    for month, number in counts.items():
        make.headcount(row, number, month)
    subscription = make.subscription(row, start, tier, **agreed)
    worked(row, hours or {})
    return subscription


def counsellor(organisation: Organisation, code: str = "") -> Advisor:
    """Give the organisation's advisor of a code, made and assigned if need be."""
    name = code or f"A-{organisation.code}"
    advisor = Advisor.objects.filter(code=name).first() or make.advisor(name)
    if not advisor.assignments.filter(organisation=organisation).exists():
        make.assignment(advisor, organisation, from_month="2020-01")
    return advisor


def worked(organisation: Organisation, hours: Mapping[str, float], by: str = "") -> None:
    """Add draft hours by month."""
    advisor = counsellor(organisation, by)
    for month, number in hours.items():
        make.draft_hours(advisor, organisation, month, round(number * 4))


def close(*months: str) -> None:
    """Close months one after another."""
    for month in months:
        assert statements.close_month(M(month), on=LONG_AFTER)


def bill(*months: str) -> list[Invoice]:
    """Draft the runs of months; give the documents drafted."""
    return [
        document.invoice
        for month in months
        for document in billing.draft_run(M(month)).documents
        if document.invoice
    ]


def close_and_bill(*months: str) -> list[Invoice]:
    made = []
    for month in months:
        close(month)
        made += bill(month)
    return made


def stated(code: str = "ORG1") -> list[str]:
    """Give a client's statements: period, display, use of allowance, overage, in hours."""
    rows = Statement.objects.filter(organisation__code=code).order_by("from_month", "version")
    return [_statement_text(row) for row in rows]


def _statement_text(row: Statement) -> str:
    plain = statements.as_plain(row)
    use = f"{plain['used_hours']} of {plain['allowance_hours']}"
    return f"{row.months} {row.display} {use} over {plain['overage_hours']}"


def lines(invoice: Invoice) -> list[str]:
    """Give a document's lines: kind, months, euros."""
    return [
        f"{line.kind} {line.from_month}/{line.until_month} {line.net_cents / 100:.2f}"
        for line in invoice.lines.order_by("position")
    ]


def months_from(month: str, count: int) -> list[str]:
    first: Month = M(month)
    return [str(first + step) for step in range(count)]


def session(
    organisation: Organisation, reference: str, day: str, *, on: str = "", **fields: Any
) -> Session:
    """Make a session held on a day, or cancelled ``on`` an earlier one by the client."""
    how: dict[str, Any] = {"status": "held"}
    if on:
        how = {"status": "cancelled", "cancelled_on": dt.date.fromisoformat(on)}
        how["cancelled_by"] = fields.pop("by", "client")
    how["starts_at"] = make.at(f"{day} 10:00")
    return make.session(organisation, reference, **how | fields)


def of_kind(kind: str, *invoices: Invoice) -> list[str]:
    """Give lines of a kind and their amounts, in order of run."""
    return [line for invoice in invoices for line in lines(invoice) if line.split()[0] == kind]
