"""backup FILE: a sealed copy of the database, while everybody goes on working."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from agency import backups, commands
from agency.today import today


class Command(commands.Command):
    help = "Write a sealed backup to a new file, and what belongs to open months beside it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        try:
            beside = backups.back_up(file, on=today())
        except backups.BackupError as refused:
            self.give_up(refused)
        except OSError as problem:
            self.give_up(
                _("%(place)s cannot be written: %(reason)s.")
                % {"place": file, "reason": problem.strerror}
            )
        self.say(
            _("%(path)s is written; what belongs to open months is in %(beside)s.")
            % {"path": file, "beside": beside}
        )
