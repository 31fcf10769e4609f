"""What is wrong with a workbook: where, and one sentence that never repeats what a cell holds.

A cell may hold what has no place here, such as a line about a conversation. It must not get into
a terminal, a log or an answer by way of a message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subscriptions.intake.rows import Row


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
