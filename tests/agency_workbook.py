"""A small agency in the form of the workbook, for tests to spoil in one place each."""

# ruff: noqa: DTZ001  # spreadsheets know no time zones

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from subscriptions.intake.sheets import SHEETS

DATA = Path(__file__).parent / "data"
SAMPLE = DATA / "agency-sample.xlsx"
BROKEN = DATA / "agency-broken.xlsx"

Sheets = dict[str, list[dict[str, Any]]]


def small_agency() -> Sheets:
    """Give the rows of a small agency without a mistake, by sheet; what is not said is empty."""
    return deepcopy(_AGENCY)


def band(tier: str, at_least: int, at_most: int | None, fee: float, hours: float) -> dict[str, Any]:
    return {
        "valid_from": "2024-01",
        "tier": tier,
        "min_headcount": at_least,
        "max_headcount": at_most,
        "annual_fee": fee,
        "setup_fee": 250,
        "included_hours": hours,
        "included_sessions": 1,
        "overage_rate": 125,
    }


_AGENCY: Sheets = {
    "agency": [
        {
            "name": "Sample Agency",
            "legal_name": "Sample Agency B.V.",
            "street": "Maliebaan 12",
            "postcode": "3581 CN",
            "city": "Utrecht",
            "country": "NL",
            "kvk_number": "81234567",
            "vat_id": "NL116263684B86",
            "iban": "NL91ABNA0417164300",
            "crkbo_registered": "yes",
            "km_rate": 0.4,
        }
    ],
    "price_book": [
        band("basic", 1, 50, fee=950, hours=0),
        band("basic", 51, None, fee=1350, hours=2),
        band("extended", 1, 50, fee=2400, hours=12),
        band("extended", 51, None, fee=3600.95, hours=20.25),
    ],
    "organisations": [
        {
            "code": "ONE",
            "legal_name": "One",
            "street": "Street 1",
            "postcode": "3511 AA",
            "city": "Utrecht",
            "country": "NL",
            "kvk_number": "12345678",
            "vat_id": "NL116263684B86",
            "vat_id_checked": "yes",
            "einvoice_address": "0106:12345678",
            "language": "nl",
            "invoice_email": "pay@one.example",
        },
        {
            "code": "TWO",
            "legal_name": "=cmd|' /C calc'!A7",
            "street": "Laan 2",
            "postcode": "1000",
            "city": "Brussel",
            "country": "BE",
            "vat_id": "BE0721835200",
            "vat_id_checked": "no",
            "language": "en",
            "invoice_email": "pay@two.example",
            "parent_code": "ONE",
        },
        {
            "code": "THREE",
            "legal_name": "Three",
            "street": "Plein 3",
            "postcode": "3511 AB",
            "city": "Utrecht",
            "country": "NL",
            "oin": "00000001234567890000",
            "language": "nl",
        },
    ],
    "headcounts": [
        {"organisation": "ONE", "month": "2025-01", "headcount": 60},
        {"organisation": "ONE", "month": "2025-06", "headcount": 45},
        {"organisation": "TWO", "month": "2025-01", "headcount": 8},
    ],
    "subscriptions": [
        {
            "organisation": "ONE",
            "tier": "basic",
            "start_month": "2025-01",
            "year_starts_in": 7,
            "term_months": 12,
            "renewal_months": 12,
            "notice_months": 1,
            "billing_interval": 12,
            "collection": "invoice",
            "payment_days": 30,
            "po_required": "no",
            "first_run": "2025-12",
            "carry_over_percent": 12.5,
            "carry_over_cap_hours": 3,
            "overage": "bill",
            "own_annual_fee": 899.95,
            "own_included_sessions": 1,
        },
        {
            "organisation": "TWO",
            "tier": "extended",
            "start_month": "2025-03",
            "until_month": "2026-01",
            "term_months": 12,
            "renewal_months": 12,
            "notice_months": 1,
            "billing_interval": 3,
            "collection": "sepa",
            "payment_days": 14,
            "po_required": "yes",
            "first_run": "2025-12",
            "reported_until": "2025-06",
            "overage": "cap",
            "release": "band",
        },
        {
            "organisation": "TWO",
            "tier": "basic",
            "start_month": "2026-02",
            "term_months": 12,
            "renewal_months": 12,
            "notice_months": 0,
            "billing_interval": 1,
            "collection": "invoice",
            "payment_days": 0,
            "po_required": "no",
            "carry_over_percent": 0,
            "carry_over_cap_hours": 0,
            "overage": "all_in",
            "own_included_hours": 1.75,
            "own_overage_rate": 119.5,
        },
    ],
    "purchase_orders": [
        {
            "organisation": "TWO",
            "number": "PO-1",
            "from_month": "2025-03",
            "until_month": "2025-09",
        },
        {"organisation": "TWO", "number": "PO-2", "from_month": "2025-09"},
    ],
    "contacts": [
        {
            "organisation": "ONE",
            "name": "Robin Bakker",
            "email": "Robin@one.example",
            "role": "owner",
            "language": "nl",
        },
        {
            "organisation": "TWO",
            "name": "Robin Bakker",
            "email": "robin@one.example",
            "role": "reader",
            "language": "nl",
        },
        {
            "organisation": "TWO",
            "name": "Sam de Wit",
            "email": "sam@two.example",
            "role": "billing",
            "language": "en",
        },
    ],
    "top_up_cards": [
        {
            "organisation": "ONE",
            "hours": 10,
            "price": 1150,
            "bought_month": "2025-05",
            "expires_month": "2026-05",
            "remaining_hours": 7.75,
        }
    ],
    "tier_changes": [
        {"organisation": "ONE", "month": "2025-10", "tier": "extended"},
        {"organisation": "ONE", "month": "2026-04", "tier": "basic"},
    ],
    "advisors": [
        {
            "code": "A1",
            "name": "Ada Vos",
            "email": "ada@advisors.example",
            "phone": "+31205550000",
            "languages": "nl,en",
            "provinces": "Utrecht",
            "lvv_number": "LVV-1",
            "lvv_valid_until": dt.date(2028, 1, 15),
            "cost_rate": 80,
            "kvk_number": "73451308",
            "vat_id": "NL946225436B55",
            "iban": "NL91ABNA0417164300",
        },
        {"code": "A2", "name": "Bo Kok", "email": "bo@advisors.example", "languages": "nl"},
    ],
    "assignments": [
        {
            "advisor": "A1",
            "organisation": "ONE",
            "role": "counsellor",
            "from_month": "2025-01",
        },
        {
            "advisor": "A1",
            "organisation": "TWO",
            "role": "counsellor",
            "from_month": "2025-03",
        },
        {
            "advisor": "A2",
            "organisation": "TWO",
            "role": "mediator",
            "from_month": "2025-03",
            "until_month": "2025-06",
        },
    ],
    "hours": [
        {"advisor": "A1", "organisation": "ONE", "month": "2025-11", "hours": 2.25},
        {"advisor": "A1", "organisation": "ONE", "month": "2025-12", "hours": 1},
        {"advisor": "A1", "organisation": "TWO", "month": "2025-04", "hours": 0},
        {"advisor": "A2", "organisation": "TWO", "month": "2025-05", "hours": 744},
    ],
    "offerings": [
        {
            "code": "WS",
            "kind": "workshop",
            "title_nl": "Grenzen",
            "title_en": "Limits",
            "minutes": 180,
            "capacity": 16,
            "price": 875,
            "vocational": "no",
            "included_eligible": "yes",
        },
        {
            "code": "MC",
            "kind": "masterclass",
            "title_nl": "Dag",
            "title_en": "Day",
            "minutes": 420,
            "capacity": 12,
            "price": 2450,
            "vocational": "yes",
            "included_eligible": "no",
        },
    ],
    "sessions": [
        {
            "reference": "S1",
            "offering": "WS",
            "organisation": "ONE",
            "trainer": "A2",
            "starts_at": dt.datetime(2026, 3, 2, 9, 30),
            "location": "online",
            "status": "scheduled",
        },
        {
            "reference": "S2",
            "offering": "MC",
            "trainer": "A2",
            "starts_at": dt.datetime(2026, 3, 2, 12, 30),
            "location": "Utrecht",
            "on_site_km": 112,
            "status": "held",
            "group_size": 12,
        },
        {
            "reference": "S3",
            "offering": "WS",
            "organisation": "TWO",
            "starts_at": dt.datetime(2026, 7, 7, 10, 0),
            "status": "cancelled",
            "cancelled_on": dt.date(2026, 6, 1),
        },
    ],
}


def save(path: Path, sheets: Mapping[str, Sequence[Mapping[str, Any]]]) -> Path:
    """Save rows as a workbook of all sheets; unknown headings get columns of their own."""
    workbook = Workbook(write_only=True)
    for name, columns in SHEETS.items():
        sheet = workbook.create_sheet(name)
        headings = [column.name for column in columns]
        rows = sheets[name]
        headings += sorted({heading for row in rows for heading in row} - set(headings))
        sheet.append(headings)
        for row in rows:
            sheet.append([_cell(sheet, heading, row.get(heading)) for heading in headings])
    workbook.save(path)
    return path


def _cell(sheet: Any, heading: str, value: Any) -> Any:
    """Make a cell; a legal name stays text also where it looks like a formula."""
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value)
    if heading == "legal_name" and isinstance(value, str):
        cell.data_type = "s"
    return cell
