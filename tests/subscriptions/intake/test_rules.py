"""Each rule over the workbook: one mistake in a faultless small agency is told in its place."""

# ruff: noqa: DTZ001  # spreadsheets know no time zones

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from subscriptions.intake import rows, workbook
from subscriptions.intake.checks import check
from subscriptions.intake.findings import Finding, Findings
from tests.agency_workbook import SAMPLE, Sheets, save, small_agency

Place = tuple[str | None, int | None, str | None]


def found(path: Path) -> Findings:
    with workbook.opened(workbook.read_file(path)) as sheets:
        book = rows.read(sheets)
    if book.complete:
        check(book)
    return book.findings


def places(findings: list[Finding]) -> list[Place]:
    return [(finding.sheet, finding.row, finding.column) for finding in findings]


def test_a_faultless_agency_has_neither_problems_nor_warnings(tmp_path: Path) -> None:
    findings = found(save(tmp_path / "agency.xlsx", small_agency()))

    assert (findings.problems, findings.warnings) == ([], [])


def test_the_sample_agency_has_no_problem() -> None:
    assert found(SAMPLE).problems == []


# Sheet, row in the sheet, column and the value that spoils it; the problem is told there.
SPOILED_CELLS: list[tuple[str, int, str, Any]] = [
    ("agency", 2, "name", None),
    ("agency", 2, "vat_id", None),
    ("price_book", 2, "valid_from", dt.datetime(2024, 1, 2)),
    ("price_book", 3, "min_headcount", 50),  # overlaps
    ("price_book", 3, "min_headcount", 52),  # leaves a gap
    ("price_book", 5, "max_headcount", 50),  # ends before it begins
    ("organisations", 2, "legal_name", "=1+1\n2"),
    ("organisations", 2, "legal_name", "X" * 201),
    ("organisations", 2, "vat_id_checked", "maybe"),
    ("organisations", 2, "vat_id", "US123456789"),  # no country of the EU
    ("organisations", 4, "vat_id_checked", "yes"),  # without a VAT id
    ("organisations", 2, "kvk_number", "=A1"),
    ("organisations", 4, "oin", 1234567890000),
    ("organisations", 2, "parent_code", "ONE"),
    ("organisations", 3, "parent_code", "FOUR"),
    ("organisations", 3, "parent_code", "one"),  # capitals count
    ("headcounts", 3, "month", "2025-01"),
    ("headcounts", 3, "organisation", "FOUR"),
    ("subscriptions", 2, "notice_months", 13),
    ("subscriptions", 2, "term_months", 0),
    ("subscriptions", 2, "until_month", "2025-01"),
    ("subscriptions", 2, "reported_until", "2024-12"),
    ("subscriptions", 3, "reported_until", "2026-02"),
    ("subscriptions", 4, "start_month", "2025-12"),  # overlaps the one before
    ("subscriptions", 4, "organisation", "ONE"),  # a second running one
    ("subscriptions", 2, "carry_over_percent", 12.345),
    ("subscriptions", 2, "own_included_hours", 1.1),
    ("purchase_orders", 3, "from_month", "2025-08"),
    ("purchase_orders", 2, "until_month", "2025-03"),
    ("contacts", 3, "name", "Robin de Boer"),  # one address is one person
    ("contacts", 3, "language", "en"),
    ("contacts", 4, "email", "ada@advisors.example"),  # an advisor
    ("contacts", 4, "email", "ROBIN@one.example"),
    ("top_up_cards", 2, "remaining_hours", 10.25),
    ("top_up_cards", 2, "expires_month", "2025-05"),
    ("top_up_cards", 2, "hours", 0),
    ("tier_changes", 2, "month", "2024-12"),
    ("tier_changes", 3, "month", "2025-10"),
    ("tier_changes", 2, "organisation", "THREE"),  # has no subscription
    ("advisors", 3, "email", "ADA@advisors.example"),
    ("advisors", 2, "lvv_valid_until", None),
    ("advisors", 2, "lvv_number", None),
    ("advisors", 2, "languages", " "),
    ("assignments", 4, "until_month", "2025-03"),
    ("assignments", 3, "role", "friend"),
    ("hours", 2, "month", "2024-12"),  # before the contract
    ("hours", 5, "month", "2025-07"),  # after the assignment
    ("hours", 2, "advisor", "A2"),  # never assigned
    ("hours", 2, "organisation", "THREE"),  # no contract
    ("hours", 2, "hours", 720.25),  # November has 720
    ("hours", 3, "month", "2025-11"),  # the second row
    ("offerings", 2, "minutes", 0),
    ("sessions", 2, "offering", "XX"),
    ("sessions", 2, "trainer", "A9"),
    ("sessions", 2, "status", "requested"),
    ("sessions", 2, "cancelled_on", dt.date(2026, 2, 1)),
    ("sessions", 2, "cancelled_by", "client"),
    ("sessions", 3, "group_size", 13),
    ("sessions", 3, "on_site_km", 1.5),
    ("sessions", 3, "starts_at", dt.datetime(2026, 3, 2, 12, 29)),  # a minute too early
    ("sessions", 2, "starts_at", dt.datetime(2026, 3, 29, 2, 30)),
    ("sessions", 3, "reference", "S1"),
    ("sessions", 4, "cancelled_on", None),
]
# Where the problem is told in another column than the one that was spoilt.
TOLD_AT = {
    ("hours", 5, "month"): "advisor",
    ("hours", 2, "organisation"): "month",
    ("sessions", 3, "starts_at"): "trainer",
}


@pytest.mark.parametrize(("sheet", "row", "column", "value"), SPOILED_CELLS)
def test_one_wrong_cell_is_one_problem(
    tmp_path: Path, sheet: str, row: int, column: str, value: Any
) -> None:
    agency = small_agency()
    agency[sheet][row - 2][column] = value

    told = TOLD_AT.get((sheet, row, column), column)
    problems = found(save(tmp_path / "a.xlsx", agency)).problems
    assert places(problems) == [(sheet, row, told)]


def add(sheet: str, **changes: Any) -> Callable[[Sheets], None]:
    """Give a mistake: the last row of a sheet once more, with changes."""

    def spoil(agency: Sheets) -> None:
        agency[sheet].append(agency[sheet][-1] | changes)

    return spoil


def together(*mistakes: Callable[[Sheets], None]) -> Callable[[Sheets], None]:
    def spoil(agency: Sheets) -> None:
        for mistake in mistakes:
            mistake(agency)

    return spoil


def alter(sheet: str, row: int, **changes: Any) -> Callable[[Sheets], None]:
    def spoil(agency: Sheets) -> None:
        agency[sheet][row - 2] |= changes

    return spoil


def alter_all(sheet: str, **changes: Any) -> Callable[[Sheets], None]:
    def spoil(agency: Sheets) -> None:
        agency[sheet] = [row | changes for row in agency[sheet]]

    return spoil


def without(sheet: str, *rows: int) -> Callable[[Sheets], None]:
    def spoil(agency: Sheets) -> None:
        agency[sheet] = [row for at, row in enumerate(agency[sheet], 2) if at not in rows]

    return spoil


ON_REQUEST = dict.fromkeys(("annual_fee", "included_hours", "included_sessions", "overage_rate"))


def test_who_has_all_own_prices_needs_none_of_the_book(tmp_path: Path) -> None:
    agency = small_agency()
    alter("price_book", 3, **ON_REQUEST)(agency)
    alter("subscriptions", 2, own_included_hours=10, own_overage_rate=99)(agency)

    assert found(save(tmp_path / "agency.xlsx", agency)).problems == []


MISTAKES: dict[str, tuple[Callable[[Sheets], None], list[Place]]] = {
    "no agency": (without("agency", 2), [("agency", 2, None)]),
    "two agencies": (add("agency"), [("agency", 3, "name")]),
    "a code used twice, and what names the row that so lost its own": (
        alter("offerings", 3, code="ws"),
        [("offerings", 3, "code"), ("sessions", 3, "offering")],
    ),
    "a circle of parents": (
        alter("organisations", 2, parent_code="TWO"),
        [("organisations", 2, "parent_code"), ("organisations", 3, "parent_code")],
    ),
    "no headcount": (without("headcounts", 2, 3), [("subscriptions", 2, "organisation")]),
    "no price book yet in the first year": (
        alter_all("price_book", valid_from="2025-02"),
        [("subscriptions", 2, "organisation")],
    ),
    "no price in a tier taken later": (
        without("price_book", 4),
        [("subscriptions", 2, "organisation"), ("subscriptions", 3, "organisation")],
    ),
    "no price for so many people": (
        alter("price_book", 3, max_headcount=59),
        [("subscriptions", 2, "organisation")],
    ),
    "a price on request, and not all own ones": (
        alter("price_book", 3, **ON_REQUEST),
        [("subscriptions", 2, "organisation")],
    ),
    "a band that lacks two of its prices": (
        alter("price_book", 3, annual_fee=None, included_hours=None),
        [("price_book", 3, "annual_fee"), ("price_book", 3, "included_hours")],
    ),
    "no price in a contract year kept from the contract before": (
        # Its years start in March as the ones before: by itself they would in February.
        together(
            alter("price_book", 3, max_headcount=60),
            add("headcounts", month="2026-03", headcount=61),
            add("headcounts", month="2027-02", headcount=8),
        ),
        [("subscriptions", 4, "organisation")],
    ),
    "a counsellor who would mediate": (
        add("assignments", advisor="A1", from_month="2030-01", until_month=None),
        [("assignments", 5, "role")],
    ),
    "a mediator who would be counsellor": (
        add("assignments", role="deputy", from_month="2030-01", until_month=None),
        [("assignments", 5, "role")],
    ),
    "an assignment told twice": (
        add("assignments", from_month="2025-05", until_month=None),
        [("assignments", 5, "from_month")],
    ),
    "an advisor with more hours than the month at two clients": (
        add("hours", advisor="A1", organisation="TWO", month="2025-11", hours=718),
        [("hours", 6, "hours")],
    ),
    "a third session of the same trainer": (
        add(
            "sessions",
            reference="S4",
            trainer="A2",
            starts_at=dt.datetime(2026, 3, 2, 11, 0),
            status="scheduled",
            cancelled_on=None,
        ),
        [("sessions", 5, "trainer"), ("sessions", 5, "trainer")],
    ),
    "a column for remarks": (
        alter("hours", 3, remarks="gesprek met J."),
        [("hours", 1, "remarks")],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_its_place_and_no_other(tmp_path: Path, name: str) -> None:
    spoil, expected = MISTAKES[name]
    agency = small_agency()
    spoil(agency)

    assert sorted(places(found(save(tmp_path / "a.xlsx", agency)).problems)) == expected


WARNED: dict[str, tuple[Callable[[Sheets], None], list[Place]]] = {
    "hours after the contract's end in a month still open": (
        add("hours", advisor="A1", organisation="TWO", month="2026-01", hours=1),
        [("hours", 6, "month")],
    ),
    "a tier change after the end": (
        add("tier_changes", organisation="TWO", month="2026-01", tier="basic"),
        [("tier_changes", 4, "month")],
    ),
    "a contract soon after another has its own contract year": (
        alter("subscriptions", 4, year_starts_in=7),
        [("subscriptions", 4, "year_starts_in")],
    ),
    "part of an address is missing": (
        alter("organisations", 2, city=None),
        [("organisations", 2, "city")],
    ),
    "a Dutch organisation without number": (
        alter("organisations", 4, oin=None),
        [("organisations", 4, "kvk_number")],
    ),
    "a VAT id of another country": (
        alter("organisations", 3, country="NL", kvk_number="12345678"),
        [("organisations", 3, "vat_id")],
    ),
    "a card without a subscription": (
        alter("top_up_cards", 2, organisation="THREE"),
        [("top_up_cards", 2, "organisation")],
    ),
    "a workshop of nobody": (
        alter("sessions", 2, organisation=None),
        [("sessions", 2, "organisation")],
    ),
    "a session at midnight": (
        alter("sessions", 4, starts_at=dt.datetime(2026, 7, 7)),
        [("sessions", 4, "starts_at")],
    ),
    "a session cancelled after its day": (
        alter("sessions", 4, cancelled_on=dt.date(2026, 7, 8)),
        [("sessions", 4, "cancelled_on")],
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_is_only_odd_is_a_warning(tmp_path: Path, name: str) -> None:
    spoil, expected = WARNED[name]
    agency = small_agency()
    spoil(agency)

    findings = found(save(tmp_path / "a.xlsx", agency))

    assert (findings.problems, places(findings.warnings)) == ([], expected)


ALLOWED: dict[str, Callable[[Sheets], None]] = {
    "hours of 0 after the end": add(
        "hours", advisor="A1", organisation="TWO", month="2026-01", hours=0
    ),
    "a session of the same trainer right after another": alter(
        "sessions", 3, starts_at=dt.datetime(2026, 3, 2, 12, 30)
    ),
    "two cancelled sessions at one time": add("sessions", reference="S4", trainer="A2"),
    "a request for the tier in force": alter("tier_changes", 2, tier="basic"),
    "a trainer without assignment": alter("sessions", 4, trainer="A1"),
    "no cards": without("top_up_cards", 2),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_the_rules_allow_is_no_problem(tmp_path: Path, name: str) -> None:
    agency = small_agency()
    ALLOWED[name](agency)

    assert found(save(tmp_path / "a.xlsx", agency)).problems == []


def test_a_band_that_cannot_be_read_is_not_told_as_a_gap_too(tmp_path: Path) -> None:
    agency = small_agency()
    agency["price_book"][0]["max_headcount"] = 20
    agency["price_book"].append(
        agency["price_book"][0] | {"min_headcount": 21, "max_headcount": "fifty"}
    )

    problems = found(save(tmp_path / "a.xlsx", agency)).problems

    assert places(problems) == [("price_book", 6, "max_headcount")]


def test_what_hangs_on_a_broken_contract_is_not_told_too(tmp_path: Path) -> None:
    agency = small_agency()
    agency["subscriptions"][0]["start_month"] = "January"

    problems = found(save(tmp_path / "a.xlsx", agency)).problems

    assert places(problems) == [("subscriptions", 2, "start_month")]
