"""close_month YYYY-MM: lock the month, post its hours, publish the statements that end with it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from advisors import hours
from agency import commands
from agency.month import Month
from agency.today import today
from subscriptions import statements


class Command(commands.Command):
    help = "Lock a month, post its hours and publish the statements of the periods it ends."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=commands.month, metavar="YYYY-MM")
        parser.add_argument(
            "--dry-run", action="store_true", help="count what would be done, without figures"
        )
        self.add_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        month: Month = options["month"]
        try:
            if options["dry_run"]:
                self.preview(month, as_json=options["json"])
            else:
                self.close(month, as_json=options["json"])
        except statements.CloseError as error:
            self.give_up(commands.sentence(error))

    def close(self, month: Month, *, as_json: bool) -> None:
        closed = statements.close_month(month, on=today())
        published = statements.of_month(month)
        if closed:
            self.say(
                _("%(month)s is closed; %(count)d statements are published.")
                % {"month": month, "count": len(published)}
            )
        else:
            self.say(_("%(month)s was closed before; nothing changed.") % {"month": month})
        if as_json:
            self.print_json({"month": str(month), "statements": published})

    def preview(self, month: Month, *, as_json: bool) -> None:
        with transaction.atomic():
            missing = hours.missing_submissions(month)
            would_close = statements.close_month(month, on=today())
            count = len(statements.of_month(month))
            transaction.set_rollback(True)
        if as_json:
            self.print_json(
                {
                    "month": str(month),
                    "dry_run": True,
                    "closes": would_close,
                    "statements": count,
                    "missing_submissions": missing,
                }
            )
        elif would_close:
            self.say(
                _(
                    "%(month)s would be closed with %(count)d statements; "
                    "%(missing)d advisors have not submitted it."
                )
                % {"month": month, "count": count, "missing": missing}
            )
        else:
            self.say(_("%(month)s was closed before; nothing would change.") % {"month": month})
