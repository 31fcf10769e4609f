"""import_agency FILE.xlsx: bring an agency in from its workbook, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agency import commands
from subscriptions import intake
from subscriptions.intake.findings import Finding, gathered
from subscriptions.intake.sheets import SHEETS


class Command(commands.Command):
    help = "Read an agency workbook, all or nothing; every problem with sheet, row and column."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.xlsx")
        parser.add_argument(
            "--dry-run", action="store_true", help="check everything and write nothing"
        )
        self.add_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            outcome = intake.bring_in(
                options["file"],
                dry_run=options["dry_run"],
                shown=lambda sheets: self.shown(sheets, _("Reading"), len(SHEETS)),
            )
        except intake.NoFileError as error:
            self.give_up(error)
        if options["json"]:
            self.print_json(asdict(outcome))
        else:
            self.print_tables(outcome)
        self.say(_summary(outcome, dry_run=options["dry_run"]))
        if outcome.problems:
            self.end_with_bad_news()

    def print_tables(self, outcome: intake.Outcome) -> None:
        for finding in outcome.problems:
            if finding.sheet is None:  # the whole file: its sentence needs no table
                self.stderr.write(finding.message)
        in_sheets = [finding for finding in outcome.problems if finding.sheet]
        if in_sheets:
            self.print_table(_("Problems"), _findings(in_sheets))
        if outcome.warnings:
            self.print_table(_("Warnings"), _findings(outcome.warnings))
        if outcome.changed:
            rows = [(sheet, str(count)) for sheet, count in outcome.written.items()]
            self.print_table(_("Rows"), [(_("Sheet"), _("Rows")), *rows])

    def print_table(self, title: str, rows: list[tuple[str, ...]]) -> None:
        """Print a table, the first row of which is its heading."""
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*rows[0], title=title, title_justify="left", box=SIMPLE_HEAD)
        for row in rows[1:]:
            table.add_row(*map(Text, row))
        console = Console(
            force_terminal=self.stdout.isatty(), width=get_terminal_size((120, 24)).columns
        )
        with console.capture() as printed:
            console.print(table)
        self.stdout.write(printed.get())


def _findings(findings: Iterable[Finding]) -> list[tuple[str, ...]]:
    return [(_("Sheet"), _("Row"), _("Column"), _("Message")), *gathered(findings)]


def _summary(outcome: intake.Outcome, *, dry_run: bool) -> str:
    if outcome.problems:
        count = len(outcome.problems)
        return ngettext(
            "%(count)d problem; nothing was written.",
            "%(count)d problems; nothing was written.",
            count,
        ) % {"count": count}
    if not outcome.changed:
        return _("The database holds this agency already; nothing changed.")
    rows = sum(outcome.written.values())
    if dry_run:
        return _("Nothing is wrong: %(rows)d rows would be written.") % {"rows": rows}
    return _("The agency is imported: %(rows)d rows.") % {"rows": rows}
