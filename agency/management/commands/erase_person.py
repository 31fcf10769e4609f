"""erase_person: erase who left, on request, and say what has to stay."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agency import commands
from agency.retention import InUseError, erase_person, overwrite_what_is_free
from agency.today import today


class Command(commands.Command):
    help = "Erase the person with an e-mail address, and list what the law makes us keep."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")

    def handle(self, *_args: Any, email: str, **_options: Any) -> None:
        try:
            erased, staying = erase_person(email, on=today())
        except InUseError:
            self.give_up(
                _(
                    "This person is still needed here: make the account inactive first, and wait"
                    " until a session that the person is enrolled for is over."
                )
            )
        is_overwritten = overwrite_what_is_free(erased)
        rows = erased.total()
        self.say(
            ngettext("%(rows)d row is erased.", "%(rows)d rows are erased.", rows) % {"rows": rows}
        )
        for entry, number in staying:
            self.stdout.write(f"{entry.name}: {number} ({entry.keep.text})")
        if not is_overwritten:
            self.say(
                _("Others are at work in the database: run erase_expired again when it is quiet.")
            )
            self.end_with_bad_news()
