"""restore FILE: a backup into an empty database, with whoever was erased since erased again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from agency import backups, commands
from agency.today import today
from subscriptions.retention import keep_terms


class Command(commands.Command):
    help = "Restore a backup into an empty database, and erase again whoever was erased since."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        try:
            restored = backups.restore(file)
        except backups.BackupError as refused:
            self.give_up(refused)
        except OSError as problem:
            self.give_up(
                _("%(place)s cannot be read: %(reason)s.")
                % {"place": file, "reason": problem.strerror}
            )
        erased, is_overwritten = keep_terms(on=today(), at=timezone.now())
        self.tell(restored, erased.total())
        if not is_overwritten:
            self.say(
                _("Others are at work in the database: run erase_expired again when it is quiet.")
            )
            self.end_with_bad_news()

    def tell(self, restored: backups.Restored, erased: int) -> None:
        words = {"day": restored.made_on, "rows": erased, "path": settings.ERASURES}
        self.say(_("The backup of %(day)s is restored; rows erased again: %(rows)d.") % words)
        if not restored.has_open_months:
            self.say(
                _(
                    "The hours of open months are not in it: have all advisors note them anew,"
                    " and submit them."
                )
            )
        if not restored.list_was_whole:
            self.say(
                _(
                    "The list of erasures %(path)s was not all there: whoever was erased after"
                    " %(day)s has to be erased again."
                )
                % words
            )
        self.say(
            _(
                "Now run: reconcile_stripe --since %(day)s, audit, and sync_schedules;"
                " start the queue after that."
            )
            % words
        )
