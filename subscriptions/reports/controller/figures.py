"""The month's figures: set-based queries into small frames. Cents and quarters stay integers.

Of hours only totals are read: what statements say, and per advisor and month over all
organisations together. No query here gives hours per organisation and advisor.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count, F, Sum

from advisors.models import HoursAdjustment, MonthHours, MonthSubmission
from agency.bulk import grouped
from agency.month import Month, MonthRange
from subscriptions.models import (
    Invoice,
    InvoiceLine,
    InvoiceState,
    LineKind,
    OccurrenceState,
    Statement,
)
from subscriptions.reports.controller.cover import covered_months

if TYPE_CHECKING:
    import pandas as pd

BILLED = (
    InvoiceState.APPROVED, InvoiceState.PARKED, InvoiceState.OPEN, InvoiceState.PAID,
    InvoiceState.UNCOLLECTIBLE,
)  # fmt: skip
_UTILISATIONS = (2000, 5000, 9000, 10000)  # basis points, at which a band begins
SUBSCRIPTION, OVERAGE, SESSIONS, OTHER = "subscription", "overage", "sessions", "other"
GROUPS = {
    LineKind.FEE: SUBSCRIPTION,
    LineKind.SETUP: SUBSCRIPTION,
    LineKind.TIER_CHANGE: SUBSCRIPTION,
    LineKind.OVERAGE: OVERAGE,
    LineKind.SESSION: SESSIONS,
    LineKind.TRAVEL: SESSIONS,
    LineKind.CANCELLATION: SESSIONS,
    LineKind.SERVICE: SESSIONS,
}


def frame(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Make a frame of rows; ``columns`` gives each column's type, also where there is no row."""
    import pandas as pd

    made = pd.DataFrame.from_records(list(rows), columns=list(columns))
    return made.astype(columns)


def invoiced(runs: MonthRange) -> pd.DataFrame:
    """Give the net cents that were invoiced: a row per run, a column per group of line kinds."""
    lines = InvoiceLine.objects.filter(
        invoice__run_month__gte=runs.from_month,
        invoice__run_month__lt=runs.until,
        invoice__state__in=BILLED,
    )
    sums = lines.order_by().values("invoice__run_month", "kind").annotate(net=Sum("net_cents"))
    rows = [
        {
            "run": row["invoice__run_month"].index,
            "group": GROUPS.get(LineKind(row["kind"]), OTHER),
            "net": row["net"],
        }
        for row in sums
    ]
    by_run = frame(rows, {"run": "int64", "group": "object", "net": "int64"}).pivot_table(
        index="run", columns="group", values="net", aggfunc="sum", fill_value=0
    )
    return by_run.reindex(
        index=[month.index for month in runs],
        columns=[SUBSCRIPTION, OVERAGE, SESSIONS, OTHER],
        fill_value=0,
    ).astype("int64")


def stated(closed_with: MonthRange) -> pd.DataFrame:
    """Give the newest statements of the periods that closed with one of the months."""
    rows = Statement.objects.newest().filter(
        until_month__gt=closed_with.from_month, until_month__lte=closed_with.until
    )
    values = rows.order_by("until_month", "organisation__code", "from_month").values(
        "used_quarters",
        "allowance_quarters",
        "overage_quarters",
        "version",
        "display",
        "from_month",
        "until_month",
        "subscription",
        code=F("organisation__code"),
        name=F("organisation__legal_name"),
        published_on=F("publication__published_on"),
    )
    overage = _overage_net_cents()
    records = [
        {
            **row,
            "from_month": row["from_month"].index,
            "until_month": row["until_month"].index,
            "closed_with": row["until_month"].index - 1,
            "overage_net_cents": overage.get((row["subscription"], row["from_month"]), 0),
        }
        for row in values
    ]
    return frame(
        records,
        {
            "code": "object",
            "name": "object",
            "subscription": "object",
            "from_month": "int64",
            "until_month": "int64",
            "closed_with": "int64",
            "display": "object",
            "used_quarters": "Int64",
            "allowance_quarters": "int64",
            "overage_quarters": "int64",
            "overage_net_cents": "int64",
            "published_on": "object",
            "version": "int64",
        },
    )


def _overage_net_cents() -> dict[tuple[UUID, Month], int]:
    """Give what was invoiced for the overage of a contract's period, by its first month."""
    lines = InvoiceLine.objects.filter(kind=LineKind.OVERAGE, invoice__state__in=BILLED)
    lines = lines.exclude(occurrence__state=OccurrenceState.CREDITED)
    sums = lines.order_by().values_list("occurrence__subject_id", "from_month")
    return {(key, month): net for key, month, net in sums.annotate(net=Sum("net_cents"))}


def statement_totals(statements: pd.DataFrame, months: MonthRange) -> pd.DataFrame:
    """Give number, use and overage of the statements that each month closed with."""
    totals = statements.groupby("closed_with").agg(
        statements=("code", "count"),
        used=("used_quarters", "sum"),
        overage=("overage_quarters", "sum"),
    )
    return totals.reindex([month.index for month in months], fill_value=0).astype("int64")


def by_month(table: pd.DataFrame) -> dict[int, dict[str, int]]:
    """Give a frame whose rows are months as plain numbers, by the index of the month."""
    months: list[int] = table.index.to_list()
    rows = table.to_dict("records")
    return {
        month: {str(column): int(number) for column, number in row.items()}
        for month, row in zip(months, rows, strict=True)
    }


def revenue(runs: MonthRange) -> dict[UUID, int]:
    """Give the net cents invoiced to each organisation in the runs."""
    documents = Invoice.objects.filter(
        run_month__gte=runs.from_month, run_month__lt=runs.until, state__in=BILLED
    )
    sums = documents.order_by().values_list("organisation").annotate(net=Sum("net_cents"))
    return {organisation: net for organisation, net in sums if organisation}


def last_statements(subscriptions: Sequence[UUID], month: Month) -> dict[UUID, list[Statement]]:
    """Give the newest statements of contracts up to a month, in order."""
    rows = Statement.objects.newest().filter(
        subscription__in=subscriptions, until_month__lte=month + 1
    )
    return grouped(rows.order_by("from_month"), "subscription_id")


def advisor_months(months: MonthRange) -> pd.DataFrame:
    """Give quarters per advisor and month over all organisations, and whether all is in.

    ``quarters`` is left out where the total would tell the unpublished use of one client.
    """
    span = {"month__gte": months.from_month, "month__lt": months.until}
    key = ["advisor", "month"]
    hours = frame(
        (
            {"advisor": advisor, "month": month.index, "quarters": quarters}
            for table in (MonthHours.objects, HoursAdjustment.objects)
            for advisor, month, quarters in table.filter(**span)
            .order_by()
            .values_list("advisor", "month")
            .annotate(Sum("quarters"))
        ),
        {"advisor": "object", "month": "int64", "quarters": "int64"},
    )
    covered = covered_months(months)
    shown = frame(
        ({"advisor": advisor, "month": month.index} for advisor, month in covered),
        {"advisor": "object", "month": "int64"},
    )
    table = shown.merge(hours.groupby(key, as_index=False)["quarters"].sum(), on=key, how="outer")
    pairs = list(zip(table["advisor"], table["month"], strict=True))
    table["quarters"] = table["quarters"].fillna(0).astype("Int64")
    table.loc[[not covered.get((pk, Month(index))) for pk, index in pairs], "quarters"] = None
    submissions = MonthSubmission.objects.filter(**span).values_list("advisor", "month")
    submitted = {(advisor, month.index) for advisor, month in submissions}
    table["submitted"] = [pair in submitted for pair in pairs]
    return table


def utilisation_bands(utilisations: Sequence[int]) -> list[int]:
    """Count utilisations, in basis points, below 20 %, 50 %, 90 %, 100 % and from there on."""
    counts = Counter(bisect_right(_UTILISATIONS, each) for each in utilisations)
    return [counts[band] for band in range(len(_UTILISATIONS) + 1)]


def nets_by_category(runs: MonthRange) -> pd.DataFrame:
    """Give the net cents of each document of the runs: a row per key, a column per VAT category."""
    rows = Invoice.objects.filter(run_month__gte=runs.from_month, run_month__lt=runs.until)
    by_category = (
        InvoiceLine.objects.filter(invoice__in=rows).order_by().values("invoice_id", "vat_category")
    )
    nets = frame(
        by_category.annotate(net=Sum("net_cents")),
        {"invoice_id": "object", "vat_category": "object", "net": "int64"},
    ).pivot_table(
        index="invoice_id", columns="vat_category", values="net", aggfunc="sum", fill_value=0
    )
    return nets.reindex(columns=["S", "E", "AE", "O"], fill_value=0).astype("int64")


def blocked(months: MonthRange) -> dict[Month, int]:
    rows = Invoice.objects.filter(
        run_month__gte=months.from_month, run_month__lt=months.until, state=InvoiceState.BLOCKED
    )
    return dict(rows.order_by().values_list("run_month").annotate(Count("pk")))
