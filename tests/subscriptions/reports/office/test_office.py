"""LibreOffice opens the workbooks, calculates what we calculated, and prints the pages we meant."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from agency.month import Month
from subscriptions.reports import client as client_workbook
from subscriptions.reports import controller
from tests import factories as make
from tests import workbooks
from tests.workbooks import MARCH, opened, parts

pytestmark = [pytest.mark.office, pytest.mark.django_db]

VALUE_OF_FORMULA = re.compile(rb"(<f>[^<]*</f>)<v>[^<]*</v>")
Convert = Callable[[bytes, str], bytes]


@pytest.fixture
def convert(tmp_path: Path) -> Convert:
    """Convert a workbook with LibreOffice, in a profile of its own."""

    def convert(content: bytes, kind: str) -> bytes:
        source = tmp_path / "workbook.xlsx"
        source.write_bytes(content)
        target = tmp_path / "converted"
        subprocess.run(
            [
                "soffice",
                f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
                "--headless",
                "--convert-to",
                kind,
                "--outdir",
                str(target),
                str(source),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        return (target / f"workbook.{kind}").read_bytes()

    return convert


def without_values(content: bytes) -> bytes:
    """Take the values of the formulas away, so that LibreOffice has to work them out."""
    stripped = BytesIO()
    with zipfile.ZipFile(stripped, "w") as package:
        for name, part in parts(content).items():
            package.writestr(name, VALUE_OF_FORMULA.sub(rb"\1", part))
    return stripped.getvalue()


def pages(document: bytes, tmp_path: Path) -> list[str]:
    path = tmp_path / "pages.pdf"
    path.write_bytes(document)
    text = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True
    ).stdout
    return text.removesuffix("\f").split("\f")


def exact_client() -> bytes:
    contract = workbooks.client(people=300, organisation={"legal_name": "A & B"})
    make.statement(contract, "2026-01", "2026-02", used_quarters=46)
    make.statement(contract, "2026-02", "2026-03", used_quarters=62, overage_quarters=28)
    lines: list[dict[str, Any]] = [
        {"net_cents": 12052, "vat_cents": 2531, "unit_cents": 12052},
        {"net_cents": 3240, "vat_cents": 0, "vat_category": "E", "vat_rate_basis_points": 0},
        {"net_cents": 95001, "vat_cents": 0, "vat_category": "AE", "vat_rate_basis_points": 0},
    ]
    make.invoice(contract.organisation, "2026-02", state="paid", lines=lines)
    make.session(contract.organisation, status="held")
    return client_workbook.write(contract.organisation, MARCH)


def banded_client() -> bytes:
    contract = workbooks.client(people=8, start="2025-04")
    make.statement(contract, "2025-04", "2026-04", display="band", overage_quarters=32)
    return client_workbook.write(contract.organisation, MARCH)


def withheld_client() -> bytes:
    contract = workbooks.client(start="2025-02")
    make.statement(contract, "2026-01", "2026-02", display="withheld")
    return client_workbook.write(contract.organisation, Month.of(2026, 1))


def all_in_client() -> bytes:
    contract = workbooks.client(overage="all_in")
    make.statement(contract, "2026-01", "2026-04", display="all_in")
    return client_workbook.write(contract.organisation, MARCH)


def controllers() -> bytes:
    exact_client()
    for number in range(3):
        contract = workbooks.client(f"MORE{number}")
        make.statement(contract, "2026-01", "2026-04", used_quarters=number * 30)
        make.invoice(contract.organisation, state="blocked", blocked_reason="po_missing")
        workbooks.record_hours(contract.organisation, ["2026-03"], 5 + number)
    return controller.write(MARCH, on=dt.date(2026, 5, 20), language="en")


ALL = [exact_client, banded_client, withheld_client, all_in_client, controllers]


@pytest.mark.parametrize("make_workbook", ALL)
def test_stored_values_are_what_libreoffice_calculates(
    make_workbook: Callable[[], bytes], convert: Convert
) -> None:
    content = make_workbook()
    calculated = opened(convert(without_values(content), "xlsx"))
    stored = opened(content)
    formulas = [
        (sheet.title, cell.coordinate)
        for sheet in opened(content, values=False)
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert formulas or make_workbook not in {exact_client, controllers}
    for sheet, place in formulas:
        ours, theirs = stored[sheet][place].value, calculated[sheet][place].value
        assert theirs == pytest.approx(ours, abs=1e-9), (sheet, place)


@pytest.mark.parametrize("make_workbook", ALL)
def test_libreoffice_keeps_every_cell_and_table(
    make_workbook: Callable[[], bytes], convert: Convert
) -> None:
    content = make_workbook()
    ours, theirs = opened(content), opened(convert(content, "xlsx"))
    assert theirs.sheetnames == ours.sheetnames
    for sheet in ours:
        kept = theirs[sheet.title]
        assert sorted(kept.tables) == sorted(sheet.tables)
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is not None:
                    assert kept[cell.coordinate].value == cell.value, cell.coordinate


@pytest.mark.parametrize(
    ("make_workbook", "sentence"),
    [
        (exact_client, "hours of overage were stated; they will be invoiced"),
        (banded_client, "8.0 hours of overage were stated; they will be invoiced"),
        (withheld_client, "We state no use for January 2026"),
        (all_in_client, "Fixed fee, no figures of use"),
    ],
)
def test_a_client_workbook_prints_on_six_pages(
    make_workbook: Callable[[], bytes], sentence: str, convert: Convert, tmp_path: Path
) -> None:
    printed = pages(convert(make_workbook(), "pdf"), tmp_path)
    assert len(printed) == 6
    assert sentence in printed[0]
    assert [f"Page {number} of 6" in page for number, page in enumerate(printed, 1)] == [True] * 6


def test_the_controllers_summary_prints_on_one_page(convert: Convert, tmp_path: Path) -> None:
    printed = pages(convert(controllers(), "pdf"), tmp_path)
    assert "100 % and more" in printed[0]
    assert "Clients" in printed[1].split("\n")[0] + printed[1].split("\n")[1]
    assert len(printed) == 8
