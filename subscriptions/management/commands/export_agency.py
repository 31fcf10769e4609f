"""export_agency OUT.xlsx: all data out again, in the form that import_agency reads.

It is the one way out for hours of single clients, drafts of open months too: without them it would
not be all data. So the file is its owner's alone, and the command says what is in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from agency import commands
from agency.models import Agency
from agency.month import Month
from agency.today import today
from subscriptions import intake


class Command(commands.Command):
    help = (
        "Write all that an agency workbook has a place for to a file of yours alone: "
        "also the hours of each client, drafts of open months among them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path, metavar="OUT.xlsx")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not Agency.objects.exists():
            self.say(_("The database holds no agency yet."))
            self.end_with_bad_news()
        try:
            intake.write_file(options["out"], intake.take_out(Month.containing(today())))
        except intake.NoFileError as error:
            self.give_up(error)
        for sentence in intake.left_out():
            self.say(sentence)
        self.say(_("%(path)s is written.") % {"path": options["out"]})
        self.say(_("It holds all hours, also drafts of open months: keep it to yourself."))
