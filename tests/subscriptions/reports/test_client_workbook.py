"""The client workbook says what the statements say, to the digit, and nothing else."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from advisors.models import Assignment
from agency.month import Month
from subscriptions.models import Statement, Subscription
from subscriptions.reports import NothingToReportError
from subscriptions.reports.client import write, write_many
from tests import factories as make
from tests import workbooks
from tests.workbooks import MARCH, client, midnight, opened, parts, rows, words

pytestmark = pytest.mark.django_db

LEDGER = re.compile("drafthours|monthhours|hoursadjustment|monthsubmission|carduse")
SENTENCE = "A11"


def written(subscription: Subscription, month: Month = MARCH) -> bytes:
    return write(subscription.organisation, month)


def message(content: bytes, sheet: str = "Overview") -> str:
    return str(opened(content)[sheet][SENTENCE].value)


def test_there_are_six_sheets_in_the_clients_language() -> None:
    english = written(client())
    dutch = written(client("ORG2", organisation={"language": "nl"}))
    assert opened(english).sheetnames == [
        "Overview", "Per period", "Sessions", "Costs", "Contract", "Explanation",
    ]  # fmt: skip
    assert opened(dutch).sheetnames == [
        "Overzicht", "Per periode", "Bijeenkomsten", "Kosten", "Contract", "Toelichting",
    ]  # fmt: skip
    assert rows(dutch, "Per periode")[0]["Gebruik (uur)"] is None


def test_exact_statements_stand_there_to_the_half_hour() -> None:
    contract = client(people=300)
    figures = [(10, 80, 0), (74, 80, 4), (2, 80, 2)]
    for month, (used, allowance, overage) in enumerate(figures, start=1):
        make.statement(
            contract,
            f"2026-0{month}",
            f"2026-0{month + 1}",
            used_quarters=used,
            allowance_quarters=allowance,
            overage_quarters=overage,
        )
    content = written(contract)
    stated = rows(content, "Per period")[:3]
    assert [row["Use (hours)"] for row in stated] == [2.5, 18.5, 0.5]
    assert [row["Overage (hours)"] for row in stated] == [0, 1, 0.5]
    assert [row["Cumulative within contract (hours)"] for row in stated] == [2.5, 20, 20]
    assert [row["Cumulative overage (hours)"] for row in stated] == [0, 1, 1.5]
    assert [row["Published on"] for row in stated] == [
        midnight(2026, 2, 1), midnight(2026, 3, 1), midnight(2026, 4, 1),
    ]  # fmt: skip
    overview = opened(content)["Overview"]
    assert [overview[cell].value for cell in ("A9", "B9", "D9", "F9")] == [20, 21.5, 0, 1.5]
    assert rows(content, "Overview")[0]["Used"] == 21.5


def test_hours_that_an_upgrade_adds_after_overage_are_left() -> None:
    contract = client(people=300)
    make.statement(
        contract, "2026-01", "2026-02", used_quarters=58, overage_quarters=26, allowance_quarters=32
    )
    make.statement(contract, "2026-02", "2026-03", used_quarters=8, allowance_quarters=224)
    overview = opened(written(contract, Month.of(2026, 2)))["Overview"]
    assert [overview[cell].value for cell in ("A9", "B9", "D9", "F9")] == [56, 16.5, 46, 6.5]
    assert "46.0 included hours are left." in words(overview)


def test_the_total_is_what_the_statements_add_up_to() -> None:
    contract = client()
    make.statement(contract, "2026-01", "2026-04", used_quarters=90, overage_quarters=10)
    sheet = opened(written(contract))["Per period"]
    assert sheet.cell(7, 1).value == "Total"
    assert (sheet.cell(7, 5).value, sheet.cell(7, 6).value) == (22.5, 2.5)


def test_coming_periods_wait_without_a_figure() -> None:
    contract = client()
    make.statement(contract, "2026-01", "2026-04")
    coming = rows(written(contract), "Per period")[1:]
    assert [row["Period"] for row in coming] == [
        "Apr – Jun 2026",
        "Jul – Sep 2026",
        "Oct – Dec 2026",
    ]
    assert {row["What the statement shows"] for row in coming} == {"Not published yet"}
    assert {row["Use (hours)"] for row in coming} == {None}
    assert coming[0]["Note"] == "Expected after Jun 2026 is closed."


def test_what_is_published_after_the_month_is_not_in_its_workbook() -> None:
    contract = client(people=300)
    make.statement(contract, "2026-01", "2026-02", used_quarters=10)
    before = written(contract, Month.of(2026, 1))
    make.statement(contract, "2026-02", "2026-03", used_quarters=46)
    assert written(contract, Month.of(2026, 1)) == before
    assert written(contract, Month.of(2026, 2)) != before


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"used_quarters": 22}, "5.5 of the 20.0 included hours are used. There is no overage."),
        (
            {"used_quarters": 104, "overage_quarters": 24},
            "The included hours are used. 6.0 hours of overage were stated; they will be invoiced.",
        ),
        (
            {"used_quarters": 104, "capped": True},
            "The included hours are used. Nothing is added to your fixed fee.",
        ),
        (
            {"used_quarters": 104},
            "The included hours are used. There is no overage: your top-up card covers it.",
        ),
        (
            {"display": "band"},
            (
                "Use stayed within the hours you have bought. "
                "We write this also when there was no use."
            ),
        ),
        (
            {"display": "band", "overage_quarters": 32},
            "8.0 hours of overage were stated; they will be invoiced.",
        ),
        (
            {"display": "band", "capped": True},
            "Nothing is added to your fixed fee for this period.",
        ),
        (
            {"display": "withheld"},
            (
                "We state no use for January – March 2026. Nothing counts towards your contracted "
                "hours and nothing is charged."
            ),
        ),
    ],
)
def test_each_display_has_its_sentence(fields: dict[str, Any], sentence: str) -> None:
    contract = client()
    make.statement(contract, "2026-01", "2026-04", **fields)
    assert message(written(contract)) == sentence


def test_an_all_in_contract_has_its_sentence_before_and_after_a_statement() -> None:
    contract = client(overage="all_in")
    sentence = "Fixed fee, no figures of use. This protects your employees best."
    assert message(written(contract)) == sentence
    make.statement(contract, "2026-01", "2026-04", display="all_in")
    assert message(written(contract)) == sentence


def test_overage_that_was_invoiced_names_its_amount() -> None:
    contract = client()
    make.statement(contract, "2026-01", "2026-04", used_quarters=104, overage_quarters=24)
    make.invoice(
        contract.organisation,
        "2026-03",
        state="open",
        lines=[
            {
                "kind": "overage",
                "quantity_hundredths": 600,
                "unit_cents": 14463,
                "net_cents": 86778,
                "vat_cents": 18223,
                "from_month": Month.of(2026, 1),
                "until_month": Month.of(2026, 4),
            }
        ],
    )
    assert message(written(contract)) == (
        "The included hours are used. 6.0 hours of overage have been invoiced "
        "(€\N{NO-BREAK SPACE}867.78 excl. VAT)."
    )


# 383.25 hours per advisor and month: a number that nothing else in a workbook comes to.
LEAK = 1533
TELLING = (b"383", b"766", b"1149", b"1532", b"1533", b"2299", b"3066")


def _without_figures(fields: dict[str, Any]) -> Subscription:
    overage = "all_in" if fields["display"] == "all_in" else "bill"
    contract = client(people=8 if fields["display"] == "band" else 80, overage=overage)
    make.statement(contract, "2026-01", "2026-04", **fields)
    return contract


FIGURELESS: list[dict[str, Any]] = [
    {"display": "band"},
    {"display": "band", "capped": True},
    {"display": "band", "overage_quarters": 32},
    {"display": "withheld"},
    {"display": "all_in"},
]


@pytest.mark.attack(5, 7)
@pytest.mark.parametrize("fields", FIGURELESS)
def test_no_figure_of_use_is_anywhere_in_a_file_without_figures(fields: dict[str, Any]) -> None:
    contract = _without_figures(fields)
    workbooks.record_hours(contract.organisation, ["2026-01", "2026-02", "2026-03"], LEAK)
    content = written(contract)
    for name, part in parts(content).items():
        assert not any(figure in part for figure in TELLING), name
    row = rows(content, "Per period")[0]
    assert row["Use (hours)"] is None
    assert row["Cumulative within contract (hours)"] is None
    assert row["Overage (hours)"] == fields.get("overage_quarters", 0) / 4
    rights = rows(content, "Overview")[0]
    assert (rights["Used"], rights["Remaining"]) == (None, None)
    assert "xl/charts/chart1.xml" not in parts(content)


@pytest.mark.attack(34, 46)
@pytest.mark.parametrize("fields", [{"display": "exact"}, *FIGURELESS])
def test_the_same_bytes_whatever_the_ledger_holds(fields: dict[str, Any]) -> None:
    contract = _without_figures(fields)
    before = written(contract)
    workbooks.record_hours(contract.organisation, ["2026-01", "2026-02", "2026-03"], LEAK)
    make.draft_hours(make.advisor("ADV9"), contract.organisation, "2026-04", LEAK)
    make.card_use(
        Statement.objects.get(), make.top_up_card(contract.organisation, "2020-01"), quarters=LEAK
    )
    Assignment.objects.all().delete()
    assert written(contract) == before


@pytest.mark.attack(31)
def test_the_ledger_is_never_asked() -> None:
    contract = client(carry_over_basis_points=10000, carry_over_cap_quarters=40)
    make.statement(contract, "2026-01", "2026-04")
    with CaptureQueriesContext(connection) as queries:
        written(contract)
    assert not [query["sql"] for query in queries if LEDGER.search(query["sql"].lower())]


def test_a_chart_stands_where_the_statements_are_exact() -> None:
    contract = client(people=300)
    make.statement(contract, "2026-01", "2026-02", used_quarters=46)
    chart = parts(written(contract))["xl/charts/chart1.xml"].decode()
    assert "'Per period'!$G$2:$G$13" in chart
    assert "<v>11.5</v>" in chart
    drawing = parts(written(contract))["xl/drawings/drawing1.xml"].decode()
    assert 'descr="Columns for each period' in drawing
    make.statement(contract, "2026-02", "2026-03", display="withheld")
    assert "xl/charts/chart1.xml" not in parts(written(contract))


def test_without_a_statement_the_year_says_when_the_first_is_expected() -> None:
    content = written(client())
    assert message(content) == "Not published yet. Expected after Mar 2026 is closed."
    overview = opened(content)["Overview"]
    assert [overview[cell].value for cell in ("A9", "B9", "F9")] == [
        20, "not published yet", "not published yet",
    ]  # fmt: skip


def test_the_year_before_stays_while_the_new_one_has_no_statement() -> None:
    contract = client(people=15, start="2025-03")
    make.statement(contract, "2025-03", "2026-03", used_quarters=30, allowance_quarters=32)
    content = written(contract)
    assert [row["Period"] for row in rows(content, "Per period")] == [
        "Mar 2025 – Feb 2026", "Mar 2026 – Feb 2027",
    ]  # fmt: skip
    assert "Total of the year before" in words(opened(content)["Per period"])
    assert "Mar 2025 – Feb 2026: 7.5 hours used" in words(opened(content)["Overview"])
    assert opened(content)["Overview"]["B9"].value == "not published yet"


def test_months_of_a_former_system_stand_without_figures_and_nothing_is_said_to_remain() -> None:
    contract = client(start="2025-07", reported_until="2026-01")
    make.statement(contract, "2026-01", "2026-04", used_quarters=22)
    content = written(contract)
    assert rows(content, "Per period")[0]["What the statement shows"] == "Former system"
    assert opened(content)["Overview"]["B9"].value == 5.5
    assert opened(content)["Overview"]["D9"].value == "not stated"
    assert "Jul – Dec 2025 was reported by a former system" in words(opened(content)["Overview"])


def test_an_ended_contract_keeps_its_last_year_and_says_that_nothing_follows() -> None:
    contract = client(until_month="2026-04")
    make.statement(contract, "2026-01", "2026-04")
    content = written(contract, Month.of(2026, 9))
    assert rows(content, "Per period")[0]["Use (hours)"] == 2.5
    assert "No statement follows" in words(opened(content)["Overview"])
    assert ("End", midnight(2026, 3, 31)) in [
        (row["Item"], row["Value"]) for row in rows(content, "Contract")
    ]


def test_the_newest_version_counts() -> None:
    contract = client()
    make.statement(contract, "2026-01", "2026-04", used_quarters=22)
    make.statement(contract, "2026-01", "2026-04", used_quarters=24, version=2)
    (row,) = [r for r in rows(written(contract), "Per period") if r["Version"]]
    assert (row["Use (hours)"], row["Version"]) == (6, 2)


def test_a_client_has_a_workbook_from_the_month_before_the_contract_whose_run_bills_it() -> None:
    contract = client(start="2026-04", notice_months=2)
    make.invoice(contract.organisation, "2026-03", state="open")
    content = written(contract)
    assert rows(content, "Costs")[0]["Invoice"] == "DIS-0001"
    assert message(content) == "Not published yet. Expected after Jun 2026 is closed."
    with pytest.raises(NothingToReportError):
        written(contract, Month.of(2026, 2))


def test_the_last_statement_of_a_contract_comes_before_the_contract_after_it() -> None:
    contract = client(until_month="2026-04")
    make.statement(contract, "2026-01", "2026-04", used_quarters=22)
    make.subscription(contract.organisation, "2026-04")
    assert rows(written(contract), "Per period")[0]["Use (hours)"] == 5.5


def test_many_clients_take_as_many_queries_as_few() -> None:
    organisations = [client(f"ORG{number}").organisation for number in range(2)]
    with CaptureQueriesContext(connection) as few:
        assert len(list(write_many(organisations, MARCH))) == 2
    organisations += [client(f"MORE{number}").organisation for number in range(6)]
    with CaptureQueriesContext(connection) as many:
        assert len(list(write_many(organisations, MARCH))) == 8
    assert len(many) == len(few)


# Sessions


def test_sessions_show_what_was_ordered_and_where_it_was_invoiced() -> None:
    contract = client()
    organisation = contract.organisation
    trainer = make.advisor("ADV3")
    held = make.session(
        organisation, "S1", status="held", group_size=12, trainer=trainer, location="Zwolle"
    )
    make.session(organisation, "S2", starts_at=make.at("2026-05-10 09:30"))
    make.session(organisation, "S3", status="cancelled", cancelled_by="agency")
    occurrence = make.billed_occurrence(
        organisation, held.pk, "2026-03", kind="session", run_month="2026-03"
    )
    make.invoice(
        organisation,
        state="open",
        lines=[{"kind": "session", "description": "Workshop", "occurrence": occurrence}],
    )
    listed = rows(written(contract), "Sessions")
    first = next(row for row in listed if row["Status"] == "Held")
    assert first == {
        "Date": midnight(2026, 3, 2),
        "Start": dt.time(10),
        "Kind": "Workshop",
        "Title": "Workshop WS-1 (English)",
        "Place": "Zwolle",
        "Duration (minutes)": 180,
        "Group (people)": 12,
        "Trainer": "Advisor ADV3",
        "Status": "Held",
        "Invoice": "DIS-0001",
    }
    assert sorted(row["Status"] for row in listed) == ["Cancelled by us", "Held", "Planned"]
    rights = {row["Item"]: row for row in rows(written(contract), "Overview")}
    training = rights["Workshops and training"]
    assert (training["Used"], training["Beyond included"]) == (1, 1)
    assert training["Note"] == "1 held, 1 planned on 10 May 2026, 1 cancelled by us"


def test_included_sessions_are_used_before_others_are_charged() -> None:
    contract = client()
    offering = make.offering("VL-60", kind="information_session", included_eligible=True)
    for reference in ("S1", "S2"):
        make.session(contract.organisation, reference, status="held", offering=offering)
    content = written(contract)
    rights = {row["Item"]: row for row in rows(content, "Overview")}
    shown = rights["Information sessions"]
    assert [shown[name] for name in ("Included", "Used", "Remaining", "Beyond included")] == [
        1, 2, 0, 1,
    ]  # fmt: skip
    assert [row["Invoice"] for row in rows(content, "Sessions")] == ["included", None]


def test_without_sessions_a_sentence_stands_below_one_blank_row() -> None:
    sheet = opened(written(client()))["Sessions"]
    assert next(iter(sheet.tables.values())).ref == "A1:J2"
    assert {cell.value for cell in sheet[2]} == {None}
    assert "No sessions in this contract year." in words(sheet)


# Costs


def test_every_line_of_every_document_sent_is_there_to_the_cent() -> None:
    contract = client()
    lines = [
        {"kind": "fee", "net_cents": 12052, "vat_cents": 2531, "unit_cents": 12052},
        {
            "kind": "travel",
            "quantity_hundredths": 8100,
            "unit_cents": 40,
            "net_cents": 3240,
            "vat_cents": 0,
            "vat_category": "E",
            "vat_rate_basis_points": 0,
        },
    ]
    make.invoice(contract.organisation, state="paid", lines=lines)
    make.invoice(contract.organisation, state="draft", lines=[{"net_cents": 77777}])
    make.invoice(
        contract.organisation, state="void", number="DIS-9", stripe_id="in_9", po_number="X"
    )
    content = written(contract)
    fee, travel = rows(content, "Costs")
    assert (fee["Net (€)"], fee["VAT (€)"], fee["Total (€)"]) == (120.52, 25.31, 145.83)
    assert (travel["Quantity"], travel["Unit"], travel["Price (€)"]) == (81, "km", 0.4)
    assert (fee["VAT kind"], travel["VAT kind"]) == ("21 %", "exempt")
    assert fee["Due date"] == midnight(2026, 5, 10)
    sheet = opened(content)["Costs"]
    sums = {row[0].value: [cell.value for cell in row[10:13]] for row in sheet.iter_rows(min_row=5)}
    assert sums == {
        "Total": [152.92, 25.31, 178.23],
        "of which 21 %": [120.52, 25.31, 145.83],
        "of which exempt": [32.4, 0, 32.4],
    }
    assert not any(b"777.77" in part for part in parts(content).values())


def test_a_blocked_document_is_a_sentence_and_not_a_row() -> None:
    contract = client()
    make.invoice(
        contract.organisation,
        "2026-03",
        state="blocked",
        blocked_reason="po_missing",
        lines=[{"net_cents": 56243, "vat_cents": 11811}],
    )
    content = written(contract)
    assert rows(content, "Costs")[0]["Invoice"] is None
    assert (
        "Not invoiced yet: subscription Apr – Jun 2026, €\N{NO-BREAK SPACE}562.43 excl. VAT. "
        "We are missing your purchase order number from April 2026 on."
    ) in words(opened(content)["Costs"])


# Contract


def test_the_contract_sheet_says_what_was_agreed() -> None:
    contract = client(billing_interval=1, notice_months=2, payment_days=60)
    make.contact(contract.organisation)
    counsellor = make.advisor("ADV4")
    make.assignment(counsellor, contract.organisation)
    make.purchase_order(contract.organisation, "PO-7")
    agreed = {row["Item"]: row for row in rows(written(contract), "Contract")}
    assert agreed["Agreement"]["Value"] == "Extended"
    assert agreed["Give notice by"]["Value"] == midnight(2026, 10, 31)
    assert agreed["Subscription a year"]["Value"] == 3600
    assert agreed["Overage"]["Value"] == 125
    assert agreed["Contracted hours a year"]["Value"] == 20
    assert agreed["Length of a period"]["Value"] == "Quarter"
    assert agreed["Term of payment"]["Value"] == 60
    assert agreed["Purchase order number"]["Value"] == "PO-7"
    assert agreed["Owner of the contract"]["Note"] == "hr@org1.example"
    assert agreed["Confidential counsellor"]["Value"] == "Advisor ADV4"


@pytest.mark.parametrize(
    ("people", "release", "length", "why"),
    [
        (300, "", "Month", "A month from 251 employees on"),
        (300, "quarter", "Quarter", "You chose this, longer"),
        (80, "quarter", "Quarter", "A month from 251 employees on"),
        (80, "year", "Contract year", "You chose this, longer"),
        (20, "quarter", "Contract year", "A month from 251 employees on"),
        (300, "band", "Contract year", "You chose this: a sentence"),
    ],
)
def test_the_length_of_a_period_is_explained(
    people: int, release: str, length: str, why: str
) -> None:
    content = written(client(people=people, release=release))
    agreed = {row["Item"]: row for row in rows(content, "Contract")}
    assert agreed["Length of a period"]["Value"] == length
    assert agreed["Length of a period"]["Note"].startswith(why)


def test_a_missing_purchase_order_is_said() -> None:
    contract = client(po_required=True)
    make.purchase_order(contract.organisation, "PO-1", "2026-01", "2026-04")
    agreed = {row["Item"]: row for row in rows(written(contract), "Contract")}
    assert agreed["Purchase order number"]["Value"] == "Missing"
