"""The paper on workbooks names every sheet, table and heading, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from subscriptions.reports import client as client_workbook
from subscriptions.reports import controller
from tests.workbooks import MARCH, client, opened

PAPER = Path(__file__).parents[3] / "docs" / "workbooks.md"
THREE_MONTHS = {
    "Maart 2026": "the month",
    "March 2026": "the month",
    "Februari 2026": "the month before",
    "February 2026": "the month before",
    "Januari 2026": "the one before that",
    "January 2026": "the one before that",
}


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["nl", "en"])
def test_sheets_and_headings_are_in_the_paper(language: str) -> None:
    contract = client(organisation={"language": language})
    paper = PAPER.read_text(encoding="utf-8")
    for content in (
        client_workbook.write(contract.organisation, MARCH),
        controller.write(MARCH, language=language),
    ):
        for sheet in opened(content):
            assert f"| {sheet.title} |" in paper
            for table in sheet.tables.values():
                headings = [str(cell.value) for cell in sheet[table.ref][0]]
                assert (
                    f"| {', '.join(THREE_MONTHS.get(text, text) for text in headings)} |" in paper
                )
                assert language == "en" or f"{sheet.title}, `{table.name}`" in paper
