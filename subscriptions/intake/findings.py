"""What is wrong with a workbook: where, and one sentence that never repeats what a cell holds.

A cell may hold what has no place here, such as a line about a conversation. It must not get into
a terminal, a log or an answer by way of a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subscriptions.intake.rows import Row

# Of rows that have the same thing wrong in the same column, so many are named.
MOST_ROWS_NAMED = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem or a warning; what it does not concern is None."""

    sheet: str | None
    row: int | None
    column: str | None
    message: str


@dataclass
class Findings:
    problems: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def problem(
        self, message: str, sheet: str | None = None, row: int | None = None, column: str = ""
    ) -> None:
        self.problems.append(Finding(sheet, row, column or None, message))

    def refuse(self, row: Row, column: str, message: str) -> None:
        """Add a problem of a cell; no rule builds on the cell from here on."""
        row.broken.add(column)
        self.problem(message, row.sheet, row.number, column)

    def warn(self, row: Row, column: str, message: str) -> None:
        self.warnings.append(Finding(row.sheet, row.number, column, message))


def gathered(findings: Iterable[Finding]) -> list[tuple[str, str, str, str]]:
    """Give sheet, rows, column and sentence; rows with the same thing wrong stand together."""
    rows: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for finding in findings:
        key = finding.sheet or "", finding.column or "", finding.message
        rows[key] += [finding.row] if finding.row else []
    return [
        (sheet, _named(numbers), column, message)
        for (sheet, column, message), numbers in rows.items()
    ]


def _named(rows: list[int]) -> str:
    named = ", ".join(map(str, rows[:MOST_ROWS_NAMED]))
    return f"{named}, … ({len(rows)})" if len(rows) > MOST_ROWS_NAMED else named
