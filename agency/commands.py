"""What our commands share: months as arguments, one sentence for bad input, JSON or words."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.utils.translation import gettext

from agency.models import Agency, Organisation
from agency.month import Month
from agency.schema import pending_migrations

DONE, BAD_NEWS, WRONG_USE = 0, 1, 2
Item = TypeVar("Item")


def month(text: str) -> Month:
    """Read a month on the command line; what is none ends the command with one sentence."""
    try:
        return Month.parse(text)
    except ValueError as error:
        wrong = gettext("%(text)s is no month: give it as YYYY-MM.") % {"text": text}
        raise CommandError(wrong, returncode=WRONG_USE) from error


class Command(BaseCommand):
    """A command of ours: exit status 0 done, 1 bad news, 2 wrong use (design 7)."""

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as Django does, and also end with a sentence where an argument is refused."""
        try:
            super().run_from_argv(argv)
        except CommandError as refused:
            self.stderr.write(f"{type(refused).__name__}: {refused}")
            sys.exit(refused.returncode)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run as Django does; a database that is not set up, or is empty, takes one sentence."""
        try:
            return super().execute(*args, **options)
        except Agency.DoesNotExist:
            self.give_up(gettext("The database holds no agency yet: import one first."))
        except DatabaseError:
            if not pending_migrations(connection):
                raise
            self.give_up(gettext("The database is not set up: run `manage.py migrate` first."))

    def add_json(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object on standard output"
        )

    def print_json(self, answer: Any) -> None:
        self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))

    def say(self, sentence: object) -> None:
        """Write a sentence for a person; it goes to standard error, away from any JSON."""
        self.stderr.write(str(sentence), self.style.SUCCESS)

    def shown(self, items: Iterable[Item], what: str, total: int | None = None) -> Iterable[Item]:
        """Show on a terminal how far a run through some items has come; nothing elsewhere."""
        from rich.console import Console
        from rich.progress import track

        console = Console(stderr=True)
        return track(items, what, total, console=console, disable=not console.is_terminal)

    def organisations(self, code: str | None) -> list[Organisation]:
        """Give the organisation of a code, or all by code; a code of none ends the command."""
        rows = Organisation.objects.order_by("code")
        found = list(rows if code is None else rows.filter(code=code))
        if code is not None and not found:
            self.give_up(gettext("There is no organisation %(code)s.") % {"code": code})
        return found

    def give_up(self, sentence: object) -> NoReturn:
        """End with one sentence and the status for wrong use."""
        raise CommandError(str(sentence), returncode=WRONG_USE)

    def end_with_bad_news(self) -> NoReturn:
        """End with the status for bad news, after it was printed."""
        sys.exit(BAD_NEWS)


def sentence(error: Any) -> str:
    """Give the sentence of a ValidationError."""
    return " ".join(error.messages)
