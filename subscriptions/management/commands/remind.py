"""remind: mail the reminders and the announcements of debits that are due today."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from agency import commands
from agency.today import today
from subscriptions import debits, reminders


class Command(commands.Command):
    help = "Queue the reminders and announcements of debits that are due; safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_json(parser)
        parser.add_argument("--dry-run", action="store_true", help="tell only what would be sent")

    def handle(self, *_args: Any, **options: Any) -> None:
        planned = list(reminders.plan(on=today()))
        to_announce = list(debits.plan(on=today()))
        made: list[object] = []
        if not options["dry_run"]:
            made += [*reminders.ask(on=today()), *debits.announce(on=today())]
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
                    "debits": [
                        {
                            "invoice": debit.invoice.number,
                            "debit_on": str(debit.debit_on),
                            "amount_cents": debit.amount_cents,
                            "waits_for": debit.waits_for and debit.waits_for.value,
                        }
                        for debit in to_announce
                    ],
                }
            )
        for row in planned:
            what = row.left_be.label if row.left_be else f"{row.step.label}, {row.due_on}"
            self.stderr.write(f"{row.invoice.number}: {what}")
        for debit in to_announce:
            what = debit.waits_for.label if debit.waits_for else str(debit.debit_on)
            self.stderr.write(f"{debit.invoice.number}: {what}")
        self.say(_("%(n)d mails queued.") % {"n": len(made)})
