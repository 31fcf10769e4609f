"""The controller workbook: all of the closed month, and no hours of a client by an advisor."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from advisors.models import Advisor
from agency.models import Organisation
from agency.month import Month
from subscriptions.models import Invoice, InvoiceLine
from subscriptions.reports.controller import figures, write
from tests import factories as make
from tests import workbooks
from tests.workbooks import MARCH, client, midnight, opened, parts, rows, words

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 4, 14)


def written(on: dt.date | None = TODAY) -> bytes:
    return write(MARCH, on=on, language="en")


def by(table: list[dict[str, Any]], column: str) -> dict[Any, dict[str, Any]]:
    return {row[column]: row for row in table}


def checked(content: bytes | None = None) -> dict[str, dict[str, Any]]:
    return by(rows(content or written(), "Checks"), "Number")


def overage_invoice(organisation: Organisation, subscription: Any, hours: int = 6) -> Invoice:
    occurrence = make.billed_occurrence(
        organisation, subscription.pk, "2026-01", kind="overage", run_month="2026-03"
    )
    return make.invoice(
        organisation,
        state="open",
        lines=[
            {
                "kind": "overage",
                "quantity_hundredths": hours * 100,
                "unit_cents": 12500,
                "net_cents": hours * 12500,
                "vat_cents": hours * 2625,
                "from_month": Month.of(2026, 1),
                "until_month": Month.of(2026, 4),
                "occurrence": occurrence,
            }
        ],
    )


def test_there_are_eight_sheets() -> None:
    client()
    assert opened(written()).sheetnames == [
        "Summary", "Clients", "Periods", "Advisors", "Sessions", "Invoices", "Checks", "Parameters",
    ]  # fmt: skip
    assert opened(write(MARCH)).sheetnames == [
        "Samenvatting", "Klanten", "Perioden", "Adviseurs", "Bijeenkomsten", "Facturen",
        "Controles", "Parameters",
    ]  # fmt: skip


# Periods and clients: what statements say


def test_periods_are_what_the_statements_say_and_a_band_is_no_number() -> None:
    exact, small = client("ORG1"), client("ORG2", people=8, start="2025-04")
    make.statement(exact, "2026-01", "2026-04", used_quarters=104, overage_quarters=24)
    make.statement(small, "2025-04", "2026-04", display="band", allowance_quarters=16)
    overage_invoice(exact.organisation, exact)
    content = written()
    stated = by(rows(content, "Periods"), "Client no.")
    assert (stated["ORG1"]["Use (hours)"], stated["ORG1"]["Overage (hours)"]) == (26, 6)
    assert stated["ORG1"]["Overage (€, net)"] == 750
    assert (stated["ORG1"]["Length (months)"], stated["ORG2"]["Length (months)"]) == (3, 12)
    assert stated["ORG2"]["What the statement shows"] == "Band"
    assert stated["ORG2"]["Use (hours)"] is None
    clients = by(rows(content, "Clients"), "Client no.")
    assert (clients["ORG1"]["Stated (hours)"], clients["ORG1"]["Utilisation (%)"]) == (26, 1.3)
    assert clients["ORG2"]["Stated (hours)"] is None


def test_each_client_has_a_signal() -> None:
    for code, used in (("HIGH", 73), ("EXACTLY90", 72), ("LOW", 15), ("EXACTLY20", 16)):
        make.statement(client(code), "2026-01", "2026-04", used_quarters=used)
    make.statement(client("BAND"), "2026-01", "2026-04", display="band")
    make.statement(client("HELD_BACK"), "2026-01", "2026-04", display="withheld")
    client("ALL_IN", overage="all_in")
    client("QUIET", people=20)
    client("ENDED", start="2025-01", until_month="2026-01")
    client("LATER", start="2026-05")
    signals = {row["Client no."]: row["Signal"] for row in rows(written(), "Clients")}
    assert signals == {
        "HIGH": "Above 90 %",
        "EXACTLY90": None,
        "LOW": "Below 20 %",
        "EXACTLY20": None,
        "BAND": "Band",
        "HELD_BACK": "Not stated",
        "ALL_IN": "All-in",
        "QUIET": "No statement yet",
        "ENDED": "Ended",
        "LATER": "Starts later",
    }


@pytest.mark.attack(43)
def test_nothing_of_an_open_period_is_anywhere() -> None:
    """Two clients of one advisor, neither stated: their hours stand in the advisor's total only."""
    advisor = make.advisor("ADV1")
    for code, quarters in (("ORG1", 1533), ("ORG2", 2871)):  # 383.25 and 717.75 hours
        contract = client(code, people=20)
        make.assignment(advisor, contract.organisation)
        make.month_hours(advisor, contract.organisation, "2026-03", quarters)
    content = written()
    for name, part in parts(content).items():
        assert b"383." not in part, name
        assert b"717." not in part, name
    assert [row["Hours, all clients"] for row in rows(content, "Advisors")][-1] == 1101


@pytest.mark.attack(43)
def test_only_sessions_name_a_client_and_an_advisor_in_one_row() -> None:
    contract = client("ORG1")
    workbooks.record_hours(contract.organisation, ["2026-03"], 40)
    make.statement(contract, "2026-01", "2026-04")
    make.session(contract.organisation, trainer=Advisor.objects.first())
    content = opened(written())
    both = {
        sheet.title
        for sheet in content
        for row in sheet.iter_rows(values_only=True)
        if "ORG1" in row and any(str(value).startswith("Advisor ADV") for value in row)
    }
    assert both == {"Sessions"}


# Advisors


def test_an_advisors_month_adds_up_all_clients_with_adjustments_and_costs() -> None:
    advisor = make.advisor("ADV1")
    make.cost_rate(advisor, 8000)
    make.cost_rate(advisor, 9000, "2026-03")
    make.qualification(advisor)
    make.month_submission(advisor, "2026-03")
    for code in ("ORG1", "ORG2", "ORG3"):
        organisation = client(code).organisation
        make.assignment(advisor, organisation)
        make.month_hours(advisor, organisation, "2026-02", 3)
        make.month_hours(advisor, organisation, "2026-03", 5)
    make.hours_adjustment(advisor, organisation, "2026-03", -4)
    table = by(rows(written(), "Advisors"), "Month")
    february, march = table[midnight(2026, 2, 1)], table[midnight(2026, 3, 1)]
    assert (february["Hours, all clients"], february["Cost (€)"]) == (2.25, 180)
    assert (march["Hours, all clients"], march["Cost (€)"]) == (2.75, 247.5)
    assert (february["All handed in"], march["All handed in"]) == ("no", "yes")
    assert march["Certificate until"] == midnight(2028, 1, 15)


@pytest.mark.attack(4, 43)
def test_the_hours_for_a_single_client_wait_for_its_statement() -> None:
    advisor = make.advisor("ADV1")
    make.cost_rate(advisor)
    contract = client("ORG1")
    make.assignment(advisor, contract.organisation)
    make.assignment(advisor, make.organisation("NO_CONTRACT"))
    make.month_hours(advisor, contract.organisation, "2026-03", 1533)
    row = rows(written(), "Advisors")[-1]
    assert (row["Hours, all clients"], row["Cost (€)"]) == (None, None)
    assert row["Note"] == "Left out: it would tell the unpublished hours of one client."
    assert [name for name, part in parts(written()).items() if b"383." in part] == []
    make.statement(contract, "2026-01", "2026-04", used_quarters=1534)
    assert rows(written(), "Advisors")[-1]["Hours, all clients"] == 383.25


def test_the_last_open_client_among_stated_ones_waits_too() -> None:
    """Else the published use of the others, taken off the total, would leave this one's."""
    advisor = make.advisor("ADV1")
    stated, waiting = client("ORG1", people=300), client("ORG2", people=20)
    for contract in (stated, waiting):
        make.assignment(advisor, contract.organisation)
        make.month_hours(advisor, contract.organisation, "2026-03", 10)
    make.statement(stated, "2026-03", "2026-04", used_quarters=10)
    march = by(rows(written(), "Advisors"), "Month")[midnight(2026, 3, 1)]
    february = by(rows(written(), "Advisors"), "Month")[midnight(2026, 2, 1)]
    assert march["Hours, all clients"] is None
    assert february["Hours, all clients"] == 0


def total_of_march() -> Any:
    return by(rows(written(), "Advisors"), "Month")[midnight(2026, 3, 1)]["Hours, all clients"]


def served(code: str, quarters: int, *, people: int = 20, **assignment: Any) -> Any:
    """Plant hours of March of the one advisor for a client, assigned since January."""
    advisor = Advisor.objects.first() or make.advisor("ADV1")
    contract = client(code, people=people)
    make.assignment(advisor, contract.organisation, **assignment)
    if quarters:
        make.month_hours(advisor, contract.organisation, "2026-03", quarters)
    return contract


@pytest.mark.parametrize("role", ["trainer", "mediator", "investigator"])
def test_only_a_client_whose_people_the_advisor_stands_beside_covers_another(role: str) -> None:
    served("ORG1", 1533)
    served("ORG2", 0, role=role)
    assert total_of_march() is None
    served("ORG3", 4, role="deputy")
    assert total_of_march() == 384.25


def test_the_hours_of_a_trainer_are_not_told_either() -> None:
    """Whoever is assigned may note hours, so that client is at risk though it covers nobody."""
    served("ORG1", 1533, role="trainer")
    assert total_of_march() is None


def test_a_client_of_another_month_covers_nobody() -> None:
    served("ORG1", 1533)
    served("ORG2", 0, until_month="2026-03")
    assert total_of_march() is None
    served("ORG3", 0, from_month="2026-04")
    assert total_of_march() is None


def test_an_assignment_cut_short_afterwards_still_hides_its_hours() -> None:
    contract = served("ORG1", 1533, until_month="2026-02")
    make.statement(served("ORG2", 8, people=300), "2026-03", "2026-04", used_quarters=8)
    assert total_of_march() is None
    make.statement(contract, "2026-01", "2026-04", used_quarters=1534)
    assert total_of_march() == 385.25


def test_a_total_that_was_shown_bounds_a_client_once_the_other_is_told() -> None:
    """The residual risk that docs/confidentiality.md names: the published 0 leaves 12.25 hours."""
    served("ORG1", 49, people=12)
    quarterly = served("ORG2", 0, people=100)
    assert total_of_march() == 12.25
    make.statement(quarterly, "2026-01", "2026-04", used_quarters=0)
    assert total_of_march() is None


@pytest.mark.parametrize("display", ["withheld", "band", "all_in"])
def test_a_client_whose_figure_never_comes_is_never_left_alone(display: str) -> None:
    """An open client covers it until its statement: then the older workbook would tell."""
    make.statement(served("ORG1", 1533), "2026-01", "2026-04", display=display)
    assert total_of_march() is None
    served("ORG2", 4)
    served("ORG3", 4)
    assert total_of_march() is None
    make.statement(served("ORG4", 8), "2026-01", "2026-04", display="withheld")
    assert total_of_march() == 387.25


def test_a_band_with_overage_covers_nobody_since_its_use_can_be_worked_out() -> None:
    make.statement(served("ORG1", 1533), "2026-01", "2026-04", display="withheld")
    make.statement(served("ORG2", 100), "2026-01", "2026-04", display="band", overage_quarters=20)
    assert total_of_march() is None


def test_months_that_a_former_system_reported_are_never_told_by_us() -> None:
    contract = served("ORG1", 1533)
    contract.reported_until = Month.of(2026, 4)
    contract.save()
    served("ORG2", 4)
    assert total_of_march() is None


def test_hours_without_any_assignment_are_not_told() -> None:
    contract = client("ORG1")
    make.month_hours(make.advisor("ADV1"), contract.organisation, "2026-03", 1533)
    assert total_of_march() is None


# Invoices and sessions


def test_documents_stand_with_their_net_by_treatment_and_blocked_ones_with_the_reason() -> None:
    organisation = client("ORG1").organisation
    make.invoice(
        organisation,
        "2026-03",
        state="paid",
        lines=[
            {"net_cents": 120000, "vat_cents": 25200},
            {"net_cents": 95000, "vat_cents": 0, "vat_category": "E", "vat_rate_basis_points": 0},
        ],
    )
    make.invoice(organisation, "2026-03", po_number="PO-2", state="blocked",
                 blocked_reason="po_missing")  # fmt: skip
    content = written()
    paid, blocked = rows(content, "Invoices")
    assert (paid["Net standard rate (€)"], paid["Net exempt (€)"]) == (1200, 950)
    assert (paid["VAT (€)"], paid["Total (€)"], paid["Status"]) == (252, 2402, "Paid")
    assert (blocked["Number"], blocked["Invoice date"]) == (None, None)
    assert (blocked["Status"], blocked["Blocked because"]) == (
        "Blocked", "Purchase order missing",
    )  # fmt: skip
    sheet = opened(content)["Invoices"]
    sums = {row[0].value: row[11].value for row in sheet.iter_rows(min_row=5)}
    assert sums == {"Total": 3612, "of which blocked": 1210}


@pytest.mark.parametrize(
    ("on", "word"),
    [(None, "Open"), (dt.date(2026, 5, 10), "Open"), (dt.date(2026, 5, 11), "Late")],
)
def test_an_open_document_is_late_after_its_due_date(on: dt.date | None, word: str) -> None:
    make.invoice(client().organisation, state="open")
    assert rows(written(on), "Invoices")[0]["Status"] == word


def test_sessions_show_what_they_came_to() -> None:
    organisation = client("ORG1").organisation
    held = make.session(organisation, "S1", status="held", on_site_km=81)
    make.session(None, "S2", starts_at=make.at("2026-06-01 09:00"))
    make.session(organisation, "S0", starts_at=make.at("2025-12-31 09:00"), status="held")
    lines = [
        {
            "kind": kind,
            "net_cents": net,
            "vat_cents": 0,
            "occurrence": make.billed_occurrence(organisation, held.pk, "2026-03", kind=kind),
        }
        for kind, net in (("session", 87500), ("travel", 3240))
    ]
    make.invoice(organisation, state="open", lines=lines)
    table = by(rows(written(), "Sessions"), "Reference")
    assert set(table) == {"S1", "S2"}
    assert (table["S1"]["Invoiced (€, net)"], table["S1"]["Invoice"]) == (907.4, "DIS-0001")
    assert table["S2"]["Name"] == "Open enrolment"


# Summary


def test_the_key_figures_compare_three_months() -> None:
    contract = client("ORG1", start="2026-02")
    client("ORG2", start="2026-03", tier="basic")
    make.statement(contract, "2026-02", "2026-04", used_quarters=104, overage_quarters=24)
    overage_invoice(contract.organisation, contract)
    make.invoice(contract.organisation, "2026-02", state="paid", number="DIS-0002",
                 stripe_id="in_2", lines=[{"net_cents": 7500, "vat_cents": 1575}])  # fmt: skip
    make.invoice(contract.organisation, "2026-03", po_number="P", state="blocked",
                 blocked_reason="incomplete")  # fmt: skip
    make.invoice(contract.organisation, "2026-03", po_number="Q", state="draft")
    table = by(rows(written(), "Summary"), "Key figure")
    shown = {
        name: [
            row[column] for column in ("March 2026", "February 2026", "Difference", "January 2026")
        ]
        for name, row in table.items()
    }
    assert shown["Active clients"] == [2, 1, 1, 0]
    assert shown["Subscriptions a month, basic"] == [112.5, 0, 112.5, 0]
    assert shown["Subscriptions a month, extended"] == [300, 300, 0, 0]
    assert shown["Invoiced, subscriptions"] == [0, 75, -75, 0]
    assert shown["Invoiced, overage"] == [750, 0, 750, 0]
    assert shown["Statements published"] == [1, 0, 1, 0]
    assert shown["Stated use"] == [26, 0, 26, 0]
    assert shown["Stated overage"] == [6, 0, 6, 0]
    assert shown["Documents blocked"] == [1, 0, 1, 0]


def test_utilisation_is_counted_in_bands_whose_lower_edge_is_in() -> None:
    shares = [0, 1999, 2000, 4999, 5000, 8999, 9000, 9999, 10000, 40000]
    assert figures.utilisation_bands(shares) == [2, 2, 2, 2, 2]
    assert figures.utilisation_bands([]) == [0, 0, 0, 0, 0]


# Checks


def test_all_checks_pass_when_nothing_differs() -> None:
    contract = client("ORG1")
    make.statement(contract, "2026-01", "2026-04", used_quarters=104, overage_quarters=24)
    overage_invoice(contract.organisation, contract)
    content = written()
    assert {row["Result"] for row in rows(content, "Checks")} == {"PASS"}
    assert opened(content)["Summary"]["A5"].value == "12 of 12 checks PASS"


def test_overage_that_no_document_carries_fails() -> None:
    contract = client("ORG1")
    make.statement(contract, "2026-01", "2026-04", used_quarters=104, overage_quarters=24)
    overage_invoice(contract.organisation, contract, hours=5)
    content = written()
    check = checked(content)["C01"]
    assert (check["Expected"], check["Found"], check["Difference"]) == (6, 5, -1)
    assert rows(content, "Checks")[0]["Number"] == "C01"
    assert "11 of 12 checks PASS · 1 FAIL: overage on documents" in words(
        opened(content)["Summary"]
    )


def test_vat_that_does_not_follow_from_the_net_fails() -> None:
    make.invoice(client().organisation, state="open", lines=[{"vat_cents": 21001}])
    check = checked()["C03"]
    assert (check["Expected"], check["Found"], check["Result"]) == (210, 210.01, "FAIL")


def test_a_missing_number_is_named() -> None:
    organisation = client().organisation
    for number in (8, 10):
        make.invoice(organisation, state="open", number=f"DIS-00{number:02d}",
                     stripe_id=f"in_{number}", po_number=str(number))  # fmt: skip
    check = checked()["C07"]
    assert (check["Expected"], check["Found"]) == (3, 2)
    assert check["Note"].startswith("DIS-0009 is missing")


def test_an_advisor_who_did_not_hand_in_is_named() -> None:
    advisor = make.advisor("ADV1")
    make.assignment(advisor, client().organisation)
    assert checked()["C06"]["Note"] == "Ask Advisor ADV1."
    make.month_submission(advisor, "2026-03")
    assert checked()["C06"]["Result"] == "PASS"


def test_a_document_after_the_legal_day_fails() -> None:
    organisation = client().organisation
    make.invoice(organisation, state="open", invoice_on=dt.date(2026, 4, 15))
    assert checked()["C11"]["Result"] == "PASS"
    make.invoice(organisation, po_number="LATE", state="approved")
    assert checked(written(dt.date(2026, 4, 15)))["C11"]["Result"] == "PASS"
    assert checked(written(dt.date(2026, 4, 16)))["C11"]["Result"] == "FAIL"


def test_a_statement_against_the_release_rules_fails() -> None:
    contract = client(people=20)
    make.statement(contract, "2026-01", "2026-04")  # 20 people get a statement once a year
    assert checked()["C12"]["Found"] == 1


def test_a_line_that_nothing_explains_fails() -> None:
    make.invoice(client().organisation, state="open")
    assert InvoiceLine.objects.get().occurrence is None
    assert checked()["C09"]["Found"] == 1


def test_overlapping_periods_of_a_client_fail() -> None:
    contract = client(people=300)
    make.statement(contract, "2026-01", "2026-03")
    make.statement(contract, "2026-02", "2026-04")
    assert checked()["C05"]["Found"] == 1
