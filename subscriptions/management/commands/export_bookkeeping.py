"""export_bookkeeping YYYY-MM --out DIR: a month for the bookkeeper, as a workbook and as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from agency import commands
from agency.month import Month
from subscriptions.bookkeeping import BookkeepingError


class Command(commands.Command):
    help = "Write sales journal, open items and deferred revenue of a month, as .xlsx and .csv."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=commands.month, metavar="YYYY-MM")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")

    def handle(self, *_args: Any, **options: Any) -> None:
        from subscriptions.reports import bookkeeping  # openpyxl is loaded when needed

        month: Month = options["month"]
        place: Path = options["out"]
        try:
            written = bookkeeping.write_files(month, place)
        except BookkeepingError as refused:
            self.give_up(commands.sentence(refused))
        except OSError as error:
            self.give_up(
                _("%(place)s cannot be written: %(reason)s.")
                % {"place": error.filename or place, "reason": error.strerror}
            )
        self.say(
            _("%(count)d files of %(month)s are in %(place)s.")
            % {"count": len(written), "month": month, "place": place}
        )
