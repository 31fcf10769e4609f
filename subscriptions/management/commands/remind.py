"""remind: mail the reminders of unpaid invoices that are due today."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from agency import commands
from agency.today import today
from subscriptions import reminders


class Command(commands.Command):
    help = "Queue the reminders of unpaid invoices that are due; safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_json(parser)
        parser.add_argument("--dry-run", action="store_true", help="tell only what would be sent")

    def handle(self, *_args: Any, **options: Any) -> None:
        planned = list(reminders.plan(on=today()))
        made = [] if options["dry_run"] else reminders.ask(on=today())
        if options["json"]:
            self.print_json(
                {
                    "queued": len(made),
                    "late": [
                        {
                            "invoice": row.invoice.number,
                            "step": row.step.value,
                            "due_on": str(row.due_on),
                            "asked_cents": row.asked_cents,
                            "left_be": row.left_be and row.left_be.value,
                        }
                        for row in planned
                    ],
                }
            )
        for row in planned:
            what = row.left_be.label if row.left_be else f"{row.step.label}, {row.due_on}"
            self.stderr.write(f"{row.invoice.number}: {what}")
        self.say(_("%(n)d reminders queued.") % {"n": len(made)})
