"""import_template OUT.xlsx: an empty agency workbook to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from agency import commands
from subscriptions import intake


class Command(commands.Command):
    help = "Write an empty agency workbook with its headings."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path, metavar="OUT.xlsx")

    def handle(self, *_args: Any, **options: Any) -> None:
        out: Path = options["out"]
        template = intake.empty_workbook()
        if out.is_file() and out.read_bytes() == template:
            self.say(_("%(path)s is the empty workbook already; nothing changed.") % {"path": out})
            return
        if out.is_file():
            # Somebody may have filled it in.
            self.give_up(
                _("There is a file %(path)s already; it is left as it is.") % {"path": out}
            )
        try:
            intake.write_file(out, template)
        except intake.NoFileError as error:
            self.give_up(error)
        self.say(_("%(path)s is written.") % {"path": out})
