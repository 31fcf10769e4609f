"""The sample agency's first quarter: its workbooks agree with statements worked out elsewhere."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Q
from openpyxl.worksheet.worksheet import Worksheet

from agency.models import Organisation
from agency.month import Month
from subscriptions import billing, statements
from subscriptions.models import Invoice
from subscriptions.reports import controller
from subscriptions.reports.client import write_many
from tests.agency_workbook import DATA, SAMPLE
from tests.workbooks import MARCH, opened, rows, rows_of

DUTCH = {
    "Per period": "Per periode",
    "Costs": "Kosten",
    "What the statement shows": "De opgave vermeldt",
    "Use (hours)": "Gebruik (uur)",
    "Overage (hours)": "Meeruren (uur)",
    "Included in contract year (hours)": "Inbegrepen dit jaar (uur)",
    "Version": "Versie",
    "Invoice": "Factuur",
    "Total (€)": "Totaal (€)",
}


def expected(month: Month) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((DATA / f"expected-{month}.json").read_text("utf-8"))
    return answer


def close_and_bill(month: Month) -> None:
    """Close, bill and send, without Stripe: numbers are given by order of client."""
    day = (month + 1).first_day + dt.timedelta(days=9)
    statements.close_month(month, on=day)
    billing.draft_run(month)
    drafts = Invoice.objects.filter(run_month=month, state="draft").order_by("organisation__code")
    for number, invoice in enumerate(drafts, start=1):
        invoice.state, invoice.number = "approved", f"DIS-{month}-{number:03d}"
        invoice.save(update_fields=["state"])
        invoice.state, invoice.invoice_on, invoice.stripe_id = "open", day, invoice.number
        invoice.due_on = day + dt.timedelta(days=invoice.due_days)
        invoice.save()


@pytest.mark.django_db
@pytest.mark.one_database
def test_the_workbooks_agree_with_the_statements_and_invoices_to_the_digit() -> None:
    call_command("import_agency", str(SAMPLE))
    for month in (MARCH - 2, MARCH - 1, MARCH):
        close_and_bill(month)
        check_clients(month)
    check_controller()


def check_clients(month: Month) -> None:
    stated = {entry["organisation"]: entry for entry in expected(month)["statements"]}
    sent = Invoice.objects.filter(run_month=month, state="open")
    totals = dict(sent.values_list("number", "total_cents"))
    concerned = Q(code__in=stated) | Q(invoices__in=sent)
    for organisation, content in write_many(
        list(Organisation.objects.filter(concerned).distinct()), month
    ):
        words = DUTCH if organisation.language == "nl" else {name: name for name in DUTCH}
        workbook = opened(content)
        check_costs(workbook[words["Costs"]], words, totals)
        if organisation.code in stated:
            check_statement(workbook[words["Per period"]], words, stated.pop(organisation.code))
    assert not stated
    assert not totals  # every document stands in the workbook of its client


def check_statement(sheet: Worksheet, words: dict[str, str], entry: dict[str, Any]) -> None:
    row = [row for row in rows_of(sheet) if row[words["Version"]] is not None][-1]
    used = None if entry["used_hours"] is None else float(entry["used_hours"])
    assert row[words["Use (hours)"]] == used, entry
    assert row[words["Overage (hours)"]] == float(entry["overage_hours"]), entry
    included = row[words["Included in contract year (hours)"]]
    assert included == float(entry["allowance_hours"]), entry


def check_costs(sheet: Worksheet, words: dict[str, str], totals: dict[str, int]) -> None:
    """Take the lines off the totals of the documents that they belong to."""
    for row in rows_of(sheet):
        number = row[words["Invoice"]]
        if number in totals:
            totals[number] -= round(row[words["Total (€)"]] * 100)
            if not totals[number]:
                del totals[number]


def check_controller() -> None:
    content = controller.write(MARCH, on=dt.date(2026, 4, 14), language="en")
    documents = [
        entry for month in (MARCH - 2, MARCH - 1, MARCH) for entry in expected(month)["invoices"]
    ]
    sheet = opened(content)["Invoices"]
    totals: dict[Any, Any] = {row[0].value: row[11].value for row in sheet.iter_rows()}
    cents = sum(entry["total_cents"] for entry in documents)
    assert round(totals["Total"] * 100) == cents
    blocked = sum(entry["total_cents"] for entry in documents if entry["blocked"])
    assert round(totals["of which blocked"] * 100) == blocked
    periods = rows(content, "Periods")
    assert len(periods) == sum(len(expected(MARCH - back)["statements"]) for back in (2, 1, 0))
    failed = [row["Number"] for row in rows(content, "Checks") if row["Result"] == "FAIL"]
    assert failed == ["C06"]  # nobody handed in a month
