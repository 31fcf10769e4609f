"""Reading workbooks back, as openpyxl, pandas and a bare zip reader see them."""

from __future__ import annotations

import datetime as dt
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd

from advisors.models import Advisor
from agency.models import Organisation
from agency.month import Month
from subscriptions.models import Subscription
from tests import factories

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

MARCH = Month.of(2026, 3)


def parts(content: bytes) -> dict[str, bytes]:
    """Give every part of the package by its name."""
    with zipfile.ZipFile(BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


def rows(content: bytes, sheet: str, table: int = 0) -> list[dict[str, Any]]:
    """Give the rows of a sheet's table, by heading, with the values that are stored."""
    return rows_of(opened(content)[sheet], table)


def rows_of(worksheet: Worksheet, table: int = 0) -> list[dict[str, Any]]:
    ref = list(worksheet.tables.values())[table].ref
    heading, *body = worksheet[ref]
    names = [cell.value for cell in heading]
    return [{str(name): cell.value for name, cell in zip(names, row, strict=True)} for row in body]


def midnight(year: int, month: int, day: int) -> dt.datetime:
    """Give a date as openpyxl reads it back; spreadsheets know no time zones."""
    return dt.datetime(year, month, day)  # noqa: DTZ001


def opened(content: bytes, *, values: bool = True) -> openpyxl.Workbook:
    return openpyxl.load_workbook(BytesIO(content), data_only=values)


def words(worksheet: Worksheet) -> str:
    """Give all texts of a sheet, one a line."""
    cells = (cell for row in worksheet.iter_rows() for cell in row)
    return "\n".join(cell.value for cell in cells if isinstance(cell.value, str))


def frame(content: bytes, sheet: str) -> pd.DataFrame:
    return pd.read_excel(BytesIO(content), sheet_name=sheet)


def client(
    code: str = "ORG1",
    *,
    people: int = 80,
    start: str = "2026-01",
    tier: str = "extended",
    organisation: dict[str, Any] | None = None,
    **contract: Any,
) -> Subscription:
    """Make a client with a contract; the agency and the price book are made with the first."""
    if not Organisation.objects.exists():
        factories.agency()
        factories.price_book()
    made = factories.organisation(code, **organisation or {})
    factories.headcount(made, people, start)
    return factories.subscription(made, start, tier, **contract)


def record_hours(organisation: Organisation, months: list[str], quarters: int) -> None:
    """Put hours of two advisors into the ledger, so that there is something to leak."""
    for code in ("ADV1", "ADV2"):
        advisor = Advisor.objects.filter(code=code).first() or factories.advisor(code)
        factories.assignment(advisor, organisation)
        for month in months:
            factories.month_hours(advisor, organisation, month, quarters)
        factories.hours_adjustment(advisor, organisation, months[-1], quarters)
