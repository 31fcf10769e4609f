"""Moving in: past invoices beside what our rules would have billed, with the rule that differs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from openpyxl import Workbook

from subscriptions.comparison import Sent, compare
from subscriptions.models import Invoice
from tests import clients
from tests import factories as make
from tests.agreed import M

pytestmark = pytest.mark.django_db

HEADINGS = ("number", "month", "organisation", "net", "vat")


def moved_in() -> None:
    """Make a client since 2025 that was billed elsewhere until our first run, December 2025.

    A quarter of the extended tier costs 900.00. In the first quarter of 2025 it used 25 of 20
    hours, so 5 of overage at 125.00; in May a workshop of 875.00 beside the free one was held.
    """
    client = clients.client(
        start="2025-01",
        tier="extended",
        billing_interval=3,
        first_run="2025-12",
        reported_until="2026-01",
    )
    row = client.organisation
    make.month_hours(clients.counsellor(row), row, "2025-02", 100)
    clients.session(row, "S1", "2025-05-12")


# What was sent of each run: net and VAT in cents.
SENT = {
    "2024-12": (90000 + 45000, 28350),
    "2025-03": (90000 + 62500, 32025),
    "2025-05": (87500, 18375),
    "2025-06": (90000, 18900),
}


def sent(**otherwise: tuple[int, int]) -> list[Sent]:
    """Give what was sent, a month of it otherwise."""
    sums = SENT | {month.replace("_", "-")[1:]: sums for month, sums in otherwise.items()}
    return [Sent(f"F{at}", M(month), "ORG1", *sums[month]) for at, month in enumerate(sums)]


def test_what_our_rules_would_have_billed_differs_in_nothing() -> None:
    moved_in()

    compared = compare(sent())

    assert (compared.compared, compared.differences, compared.failures) == (4, [], [])


OTHERWISE = {
    "fee": ("2025-06", (95000, 19950)),  # 3,800.00 a year is in no price list
    "fee of a year at once": ("2025-06", (360000, 75600)),
    "tier_change": ("2025-06", (33750, 7088)),
    "setup": ("2024-12", (90000, 18900)),
    "overage": ("2025-03", (90000, 18900)),
    "overage of 4.5 hours": ("2025-03", (90000 + 56250, 30713)),
    "session": ("2025-06", (90000 + 87500, 37275)),
    "vat": ("2025-06", (90000, 18800)),
    "unknown": ("2025-03", (90000 + 62500 - 777, 31862)),
}


@pytest.mark.parametrize("altered", OTHERWISE)
def test_the_rule_that_causes_a_difference_is_named(altered: str) -> None:
    moved_in()
    month, sums = OTHERWISE[altered]

    differences = compare(sent(**{f"_{month.replace('-', '_')}": sums})).differences

    rule = altered.split(maxsplit=1)[0]
    assert [(str(one.month), one.rule) for one in differences] == [(month, rule)]
    assert differences[0].sent.net_cents == sums[0]


def test_the_same_sum_on_two_documents_differs_by_purchase_order() -> None:
    moved_in()
    rows = sent()
    half = [Sent("H1", M("2025-06"), "ORG1", 45000, 9450)] * 2

    (difference,) = compare([*rows[:3], *half]).differences
    assert (difference.rule, difference.numbers) == ("order", ["H1", "H1"])


def test_an_invoice_that_our_rules_miss_or_that_was_not_sent_is_a_difference() -> None:
    moved_in()
    clients.client("ORG2", "2025-07", billing_interval=1, first_run="2025-12")

    found = [
        (one.organisation, str(one.month), one.sent.documents, one.here.documents, one.rule)
        for one in compare([*sent(), Sent("F9", M("2025-07"), "ORG1", 87500, 18375)]).differences
    ]
    assert found == [
        ("ORG1", "2025-07", 1, 0, "session"),
        ("ORG2", "2025-06", 0, 1, "fee"),
        ("ORG2", "2025-07", 0, 1, "fee"),
    ]


def test_what_was_billed_here_is_found_again_and_nothing_is_written() -> None:
    client = clients.client(hours={"2026-01": 30, "2026-02": 3}, billing_interval=3)
    make.terms(client, "2026-03", "extended")
    make.purchase_order(client.organisation, "PO-1", "2026-03")
    clients.session(client.organisation, "S1", "2026-02-12", on_site_km=40)
    clients.session(client.organisation, "S2", "2026-03-30", on="2026-03-10")
    abroad = {"country": "BE", "vat_id": "BE0721835200", "vat_id_checked": True, "kvk_number": ""}
    clients.client("ORG2", "2026-02", headcount=300, hours={"2026-02": 80}, organisation=abroad)
    made = clients.close_and_bill("2025-12", "2026-01", "2026-02", "2026-03")
    assert len(made) > 4
    rows = [
        Sent(str(row.pk), row.run_month, row.organisation.code, row.net_cents, row.vat_cents)
        for row in Invoice.objects.select_related("organisation")
        if row.organisation
    ]
    before = _content()

    assert compare(rows).differences == []
    assert _content() == before


def _content() -> dict[str, int]:
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        counts = {}
        for name in names:
            cursor.execute(f'SELECT count(*) FROM "{name}"')
            counts[name] = cursor.fetchone()[0]
    return counts


def workbook(path: Path, *rows: Sequence[Any], sheet: str = "invoices") -> Path:
    book = Workbook()
    book.active.title = sheet  # type: ignore[union-attr]
    for row in (HEADINGS, *rows):
        book.active.append(list(row))  # type: ignore[union-attr]
    book.save(path)
    return path


def run(path: Path) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("compare_invoices", str(path), "--json", stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_the_command_reads_a_sheet_and_ends_with_bad_news_where_something_differs(
    tmp_path: Path,
) -> None:
    moved_in()
    rows = [(one.number, str(one.month), one.organisation) for one in sent()]
    amounts = [(net / 100, vat / 100) for net, vat in SENT.values()]
    good = [(*row, *sums) for row, sums in zip(rows, amounts, strict=True)]

    assert run(workbook(tmp_path / "good.xlsx", *good)) == (
        0,
        {"compared": 4, "differences": [], "failures": [], "problems": []},
    )
    status, answer = run(workbook(tmp_path / "bad.xlsx", *good[:3], (*rows[3], 950, 199.5)))
    assert status == 1
    assert answer["differences"] == [
        {
            "organisation": "ORG1",
            "month": "2025-06",
            "numbers": ["F3"],
            "rule": "fee",
            "sent": {"documents": 1, "net_cents": 95000, "vat_cents": 19950, "by_kind": {}},
            "here": {
                "documents": 1,
                "net_cents": 90000,
                "vat_cents": 18900,
                "by_kind": {"fee": 90000},
            },
        }
    ]


def test_bad_input_is_named_by_sheet_row_and_column(tmp_path: Path) -> None:
    moved_in()
    rows = [
        ("F1", "2025-03", "ORG1", 900, 189),
        ("F1", "2025-13", "ORG9", "much", 1.005),
        (None, "2025-03", "ORG1", "=1+1", None),
    ]

    status, answer = run(workbook(tmp_path / "broken.xlsx", *rows))

    places = {(one["sheet"], one["row"], one["column"]) for one in answer["problems"]}
    assert (status, answer["compared"]) == (1, 0)
    assert places == {
        *(("invoices", 3, column) for column in HEADINGS),
        *(("invoices", 4, column) for column in ("number", "net", "vat")),
    }
    status, answer = run(workbook(tmp_path / "other.xlsx", sheet="facturen"))
    assert (status, len(answer["problems"])) == (1, 2)
