"""erase_expired: keep the terms of the record of processing; the schedule runs it every night."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agency import commands
from agency.today import today
from subscriptions.retention import keep_terms


class Command(commands.Command):
    help = "Erase what is past its term, and again what the list of erasures names."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        erased, is_overwritten = keep_terms(on=today(), at=timezone.now())
        if options["json"]:
            self.print_json({"erased": dict(sorted(erased.items()))})
        else:
            for table, number in sorted(erased.items()):
                self.stdout.write(f"{table}: {number}")
        rows = erased.total()
        self.say(
            ngettext("%(rows)d row is erased.", "%(rows)d rows are erased.", rows) % {"rows": rows}
        )
        if not is_overwritten:
            self.say(
                _("Others are at work in the database: run erase_expired again when it is quiet.")
            )
            self.end_with_bad_news()
