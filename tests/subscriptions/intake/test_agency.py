"""An agency goes in as a whole or not at all, and comes out as it went in."""

from __future__ import annotations

import csv
import datetime as dt
import json
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils.translation import gettext
from openpyxl import load_workbook

from advisors.models import Advisor, CostRate, DraftHours, MonthHours, Qualification
from agency.models import Agency, Contact, Organisation, User
from agency.month import Month
from subscriptions import intake
from subscriptions.intake import held
from subscriptions.models import PriceBand, Statement, Subscription, Terms, TopUpCard
from tests import factories as make
from tests.agency_workbook import BROKEN, DATA, SAMPLE, save, small_agency
from workshops.models import Session

pytestmark = pytest.mark.django_db

ROWS_OF_THE_SAMPLE = {
    "agency": 1,
    "price_book": 36,
    "organisations": 105,
    "headcounts": 164,
    "subscriptions": 105,
    "purchase_orders": 36,
    "contacts": 76,
    "top_up_cards": 0,
    "tier_changes": 25,
    "advisors": 14,
    "assignments": 181,
    "hours": 897,
    "offerings": 4,
    "sessions": 108,
}
NOTHING = dict.fromkeys(ROWS_OF_THE_SAMPLE, 0)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return save(tmp_path / "small.xlsx", small_agency())


def cells(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Give the rows of a workbook by sheet and heading, without empty cells."""
    book = load_workbook(BytesIO(content), read_only=True)
    rows = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
    return {
        sheet: [
            {str(name): cell for name, cell in zip(headings, row, strict=False) if cell is not None}
            for row in body
        ]
        for sheet, (headings, *body) in rows.items()
    }


# In


def test_the_sample_agency_is_imported_whole() -> None:
    outcome = intake.bring_in(SAMPLE)

    assert outcome.problems == []
    assert outcome.written == ROWS_OF_THE_SAMPLE
    assert Organisation.objects.count() == 105
    assert Subscription.objects.count() == 105


def test_an_import_done_again_changes_nothing(small: Path) -> None:
    intake.bring_in(small)
    before = held.sheets()

    again = intake.bring_in(small)

    assert (again.problems, again.changed, again.written) == ([], False, NOTHING)
    assert held.sheets() == before


def test_a_dry_run_counts_and_writes_nothing(small: Path) -> None:
    outcome = intake.bring_in(small, dry_run=True)

    assert outcome.written["hours"] == 4
    assert not Agency.objects.exists()
    assert not User.objects.exists()


def test_another_agency_is_refused_where_one_is_held(small: Path, tmp_path: Path) -> None:
    intake.bring_in(small)
    before = held.sheets()
    other = small_agency()
    other["hours"][0]["hours"] = 2.5

    outcome = intake.bring_in(save(tmp_path / "other.xlsx", other))

    assert [(problem.sheet, problem.row) for problem in outcome.problems] == [(None, None)]
    assert held.sheets() == before


def test_an_agency_set_up_before_with_its_prices_is_filled_with_clients(
    small: Path, tmp_path: Path
) -> None:
    set_up = {
        sheet: rows if sheet in {"agency", "price_book"} else []
        for sheet, rows in small_agency().items()
    }
    intake.bring_in(save(tmp_path / "set-up.xlsx", set_up))

    outcome = intake.bring_in(small)

    assert outcome.problems == []
    assert (outcome.written["agency"], outcome.written["price_book"]) == (0, 0)
    assert outcome.written["organisations"] == 3
    assert (Agency.objects.count(), PriceBand.objects.count()) == (1, 4)


def test_people_who_sign_in_already_are_told(small: Path) -> None:
    make.user("planner", email="ada@advisors.example")

    outcome = intake.bring_in(small)

    places = [(problem.sheet, problem.row, problem.column) for problem in outcome.problems]
    assert places == [("advisors", 2, "email")]
    assert not Agency.objects.exists()


# What the rows become


def test_hours_before_the_first_run_are_posted_and_the_rest_is_draft(small: Path) -> None:
    intake.bring_in(small)

    posted = MonthHours.objects.order_by("month").values_list("month", "quarters")
    drafts = DraftHours.objects.values_list("month", "quarters")
    assert [(str(month), quarters) for month, quarters in posted] == [
        ("2025-04", 0),
        ("2025-05", 2976),
        ("2025-11", 9),
    ]
    assert [(str(month), quarters) for month, quarters in drafts] == [("2025-12", 4)]


def test_periods_that_ended_before_the_first_run_get_their_statements(small: Path) -> None:
    intake.bring_in(small)

    stated = Statement.objects.values_list("organisation__code", "until_month")
    assert set(stated)
    assert all(until <= Month.of(2025, 12) for _code, until in stated)


def test_an_empty_cell_means_what_the_design_says(small: Path) -> None:
    intake.bring_in(small)

    third = Subscription.objects.get(start_month=Month.of(2026, 2))
    second = Subscription.objects.get(start_month=Month.of(2025, 3))
    assert (str(third.first_run), str(third.reported_until)) == ("2026-01", "2026-02")
    assert (second.carry_over_basis_points, second.carry_over_cap_quarters) == (0, 0)
    assert Session.objects.get(reference="S3").cancelled_by == "client"


def test_a_tier_change_is_a_version_of_the_terms_with_the_choices_of_the_start(
    small: Path,
) -> None:
    intake.bring_in(small)

    versions = Terms.objects.filter(subscription__organisation__code="ONE")
    assert [
        (str(terms.from_month), terms.reason, terms.tier, terms.own_annual_fee_cents)
        for terms in versions.order_by("from_month")
    ] == [
        ("2025-01", "start", "basic", 89995),
        ("2025-10", "tier_change", "extended", 89995),
        ("2026-04", "tier_change", "basic", 89995),
    ]


def test_people_sign_in_by_code_and_one_may_serve_two_organisations(small: Path) -> None:
    intake.bring_in(small)

    robin = User.objects.get(email="robin@one.example")
    assert (robin.role, robin.language, robin.has_usable_password()) == ("contact", "nl", False)
    assert set(robin.contacts.values_list("organisation__code", "role")) == {
        ("ONE", "owner"),
        ("TWO", "reader"),
    }
    ada = Advisor.objects.get(code="A1").user
    assert (ada.email, ada.role) == ("ada@advisors.example", "advisor")


def test_a_card_of_which_nothing_is_said_to_be_left_is_whole(tmp_path: Path) -> None:
    agency = small_agency()
    del agency["top_up_cards"][0]["remaining_hours"]

    intake.bring_in(save(tmp_path / "a.xlsx", agency))

    assert TopUpCard.objects.get().remaining_quarters == 40


def test_amounts_hours_and_times_are_kept_exactly(small: Path) -> None:
    intake.bring_in(small)

    band = PriceBand.objects.get(tier="extended", max_headcount=None)
    assert (band.annual_fee_cents, band.included_quarters) == (360095, 81)
    assert Agency.objects.get().km_rate_cents == 40
    assert TopUpCard.objects.get().remaining_quarters == 31
    starts_at = Session.objects.get(reference="S1").starts_at
    assert starts_at == dt.datetime(2026, 3, 2, 8, 30, tzinfo=dt.UTC)


def test_a_rate_without_a_month_holds_for_all_hours_there_are(small: Path) -> None:
    intake.bring_in(small)

    rate = CostRate.objects.get()
    assert (rate.rate_cents, rate.advisor.code) == (8000, "A1")
    assert str(rate.from_month) == "2000-01"
    assert str(Qualification.objects.get().valid_until) == "2028-01-15"


# What is wrong


def test_every_planted_mistake_is_told_in_one_go_and_nothing_is_written() -> None:
    with (DATA / "agency-broken.csv").open(encoding="utf-8") as planted:
        expected = {
            (row["sheet"], int(row["row"]), row["column"]) for row in csv.DictReader(planted)
        }

    outcome = intake.bring_in(BROKEN)

    told = {(problem.sheet, problem.row, problem.column) for problem in outcome.problems}
    assert len(expected) == 58
    assert expected - told == set()
    # The code of row 3 is used twice, so seven rows name an organisation that is not there.
    assert {(place[2]) for place in told - expected} == {"organisation"}
    assert len(told - expected) == 7
    assert outcome.written == NOTHING
    assert not Agency.objects.exists()
    assert not User.objects.exists()


def test_no_message_repeats_what_a_cell_holds() -> None:
    outcome = intake.bring_in(BROKEN)

    written = {
        str(cell)
        for sheet in load_workbook(BytesIO(BROKEN.read_bytes()), read_only=True).worksheets
        for row in sheet.iter_rows(values_only=True)
        for cell in row
        if isinstance(cell, str) and len(cell.split()) > 1
    }
    messages = " ".join(problem.message for problem in outcome.problems)
    assert "gesprek met J. over pesten" in written
    assert "melder wil anoniem blijven" in written
    assert [text for text in written if text in messages] == []


# Out


# What an empty cell stands for comes out in words.
SAID_OUT: dict[str, dict[str, Any]] = {
    "organisations": {"vat_id_checked": "no"},
    "subscriptions": {"carry_over_percent": 0, "carry_over_cap_hours": 0},
}


def as_exported(sheet: str, row: dict[str, Any]) -> dict[str, Any]:
    said = SAID_OUT.get(sheet, {}) | row
    if row.get("status") == "cancelled":
        said.setdefault("cancelled_by", "client")
    if "email" in row:
        said["email"] = row["email"].lower()
    return said


def in_order(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(str(sorted(row.items())) for row in rows)


@pytest.mark.parametrize("agency", ["sample", "small"])
def test_an_export_holds_the_rows_that_were_imported(agency: str, small: Path) -> None:
    source = SAMPLE if agency == "sample" else small
    intake.bring_in(source)

    exported = cells(intake.take_out())

    imported = cells(source.read_bytes())
    assert list(exported) == list(imported)
    for sheet, rows in imported.items():
        expected = [as_exported(sheet, row) for row in rows]
        assert in_order(exported[sheet]) == in_order(expected)


@pytest.mark.parametrize("agency", ["sample", "small"])
def test_an_export_is_imported_again_without_a_difference(
    agency: str, small: Path, tmp_path: Path
) -> None:
    intake.bring_in(SAMPLE if agency == "sample" else small)
    out = tmp_path / "out.xlsx"
    out.write_bytes(intake.take_out())

    again = intake.bring_in(out)

    assert (again.problems, again.changed) == ([], False)


def test_prices_on_request_come_in_and_go_out_again(tmp_path: Path) -> None:
    agency = small_agency()
    agency["price_book"][1] |= dict.fromkeys(
        ("annual_fee", "included_hours", "included_sessions", "overage_rate")
    )
    agency["subscriptions"][0] |= {"own_included_hours": 10, "own_overage_rate": 99}
    intake.bring_in(save(tmp_path / "in.xlsx", agency))
    out = tmp_path / "out.xlsx"
    out.write_bytes(intake.take_out())

    assert PriceBand.objects.filter(annual_fee_cents=None).count() == 1
    again = intake.bring_in(out)
    assert (again.problems, again.changed) == ([], False)


def test_the_same_data_give_the_same_bytes(small: Path) -> None:
    intake.bring_in(small)

    assert intake.take_out() == intake.take_out()


def test_no_text_leaves_as_a_formula(small: Path) -> None:
    intake.bring_in(small)

    book = load_workbook(BytesIO(intake.take_out()))

    names = [cell for (cell,) in book["organisations"]["B2:B4"]]
    assert "=cmd|' /C calc'!A7" in [name.value for name in names]
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds


def test_what_happened_since_comes_out_as_hours_and_tier_changes(small: Path) -> None:
    intake.bring_in(small)
    organisation = Organisation.objects.get(code="ONE")
    advisor = Advisor.objects.get(code="A1")
    make.hours_adjustment(advisor, organisation, "2025-12", 3)
    make.terms(organisation.subscriptions.get(), "2026-09", "extended")

    sheets = held.sheets()

    hours = [row["hours"] for row in sheets["hours"] if str(row["month"]) == "2025-12"]
    assert hours == [7]
    assert ("ONE", "2026-09", "extended") in [
        (row["organisation"], str(row["month"]), row["tier"]) for row in sheets["tier_changes"]
    ]


def test_what_the_workbook_has_no_place_for_is_said(small: Path) -> None:
    intake.bring_in(small)
    organisation = Organisation.objects.get(code="ONE")
    assert intake.left_out() == []

    make.terms(organisation.subscriptions.get(), "2026-09", "basic", reason="own_price")
    make.session(organisation, "S9", status="requested")
    make.hours_adjustment(Advisor.objects.get(code="A1"), organisation, "2026-01", -3)

    start = Month.parse("2030-01")
    Subscription.objects.create(
        organisation=make.organisation("NEW"),
        start_month=start,
        first_run=start - 1,
        reported_until=start,
    )
    make.cost_rate(Advisor.objects.get(code="A1"), 5000, "2019-01")
    make.enrolment(make.session(None, "S10"))
    make.pause(organisation.subscriptions.get(), "2027-07", "2028-07")

    assert len(intake.left_out()) == 7
    assert "NEW" not in {row["organisation"] for row in held.sheets()["subscriptions"]}
    assert all("1" in sentence for sentence in intake.left_out())


# Commands


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_json_is_one_object_of_what_was_written_and_found() -> None:
    status, out, _err = run("import_agency", str(BROKEN), "--json")

    answer = json.loads(out)
    assert status == 1
    assert list(answer) == ["written", "problems", "warnings"]
    assert answer["written"] == NOTHING
    assert all(
        list(problem) == ["sheet", "row", "column", "message"] for problem in answer["problems"]
    )
    assert ("hours", 902, "hours") in {
        (problem["sheet"], problem["row"], problem["column"]) for problem in answer["problems"]
    }


def test_the_command_says_what_it_did_and_when_nothing_changed(small: Path) -> None:
    first = run("import_agency", str(small))
    second = run("import_agency", str(small), "--json")

    assert first[0] == second[0] == 0
    assert first[2]
    assert first[2] != second[2]
    assert json.loads(second[1]) == {"written": NOTHING, "problems": [], "warnings": []}


def test_rows_with_the_same_mistake_stand_together_in_the_table(tmp_path: Path) -> None:
    agency = small_agency()
    for row in agency["hours"]:
        row["organisation"] = "FOUR"

    status, out, _err = run("import_agency", str(save(tmp_path / "a.xlsx", agency)))

    assert status == 1
    assert "2, 3, 4, 5" in out


def test_the_template_is_filled_in_by_nobody_but_the_agency(tmp_path: Path) -> None:
    out = tmp_path / "template.xlsx"

    status, _out, _err = run("import_template", str(out))

    book = load_workbook(out)
    source = load_workbook(SAMPLE)
    assert status == 0
    assert book.sheetnames == source.sheetnames
    for sheet in book:
        headings = [cell.value for cell in source[sheet.title][1]]
        assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [headings]
    assert intake.bring_in(out).problems[0].sheet == "agency"


def test_a_template_that_was_filled_in_is_never_overwritten(small: Path, tmp_path: Path) -> None:
    filled = small.read_bytes()
    fresh = tmp_path / "fresh.xlsx"
    run("import_template", str(fresh))

    with pytest.raises(CommandError, match=r"small\.xlsx") as refused:
        run("import_template", str(small))

    assert refused.value.returncode == 2
    assert small.read_bytes() == filled
    assert run("import_template", str(fresh))[0] == 0


def test_an_export_says_that_hours_of_open_months_are_in_it(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.xlsx"
    intake.bring_in(small)
    advisor, organisation = Advisor.objects.all()[0], Organisation.objects.all()[0]
    DraftHours.objects.update_or_create(
        advisor=advisor,
        organisation=organisation,
        month=Month.of(2026, 1),
        defaults={"quarters": 1533},
    )
    _status, _out, err = run("export_agency", str(out))
    hours = [row[3] for row in load_workbook(out)["hours"].iter_rows(values_only=True)]
    assert 383.25 in hours
    assert gettext("It holds all hours, also drafts of open months: keep it to yourself.") in err


def test_an_export_is_readable_by_its_owner_only(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.xlsx"
    assert run("export_agency", str(out))[0] == 1
    intake.bring_in(small)

    status, _out, _err = run("export_agency", str(out))

    assert status == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert Contact.objects.count() == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.xlsx", "small.xlsx"]
