"""export_utilisation YYYY-MM --out DIR: the month's workbooks for the controller and clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from advisors import hours
from agency import commands
from agency.models import Organisation
from agency.month import Month
from agency.today import today


class Command(commands.Command):
    help = "Write the workbooks of a closed month: staff/ for the controller, clients/ for clients."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=commands.month, metavar="YYYY-MM")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        parser.add_argument(
            "--organisation", metavar="CODE", help="write the workbook of this client only"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        month: Month = options["month"]
        code: str | None = options["organisation"]
        organisations = self.organisations(code)
        if not hours.is_closed(month):
            self.give_up(_("%(month)s is not closed yet.") % {"month": month})
        try:
            written = self._write(month, options["out"], organisations, staff=code is None)
        except OSError as error:
            self.give_up(
                _("%(place)s cannot be written: %(reason)s.")
                % {"place": error.filename or options["out"], "reason": error.strerror}
            )
        if code and not written:
            raise CommandError(
                _("%(code)s had no contract yet in %(month)s.") % {"code": code, "month": month}
            )
        self.say(
            _("%(count)d workbooks of %(month)s are in %(place)s.")
            % {"count": written, "month": month, "place": options["out"]}
        )

    def _write(
        self, month: Month, directory: Path, organisations: list[Organisation], *, staff: bool
    ) -> int:
        from subscriptions.reports import files  # pandas and openpyxl are loaded when needed

        written = 0
        if staff:
            files.write_controller(month, directory, on=today(), language=settings.LANGUAGE_CODE)
            written += 1
        paths = files.write_clients(organisations, month, directory)
        shown = self.shown(paths, _("Workbooks"), total=len(organisations))
        return written + sum(1 for _path in shown)
