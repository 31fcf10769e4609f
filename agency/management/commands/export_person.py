"""export_person: everything that is held about one person, in a file for that person."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from agency import commands
from agency.subject_access import Held, held_about
from agency.today import today


class Command(commands.Command):
    help = "Write everything that is held about the person with an e-mail address to a JSON file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("out", metavar="OUT.json", type=Path)

    def handle(self, *_args: Any, email: str, out: Path, **_options: Any) -> None:
        held = held_about(email)
        answer = {
            "person": email,
            "made_on": str(today()),
            "tables": [_table(part) for part in held],
        }
        try:
            file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as problem:
            self.give_up(
                _("%(place)s cannot be written: %(reason)s.")
                % {"place": out, "reason": problem.strerror}
            )
        with os.fdopen(file, "w", encoding="utf-8") as written:
            json.dump(answer, written, ensure_ascii=False, indent=1)
        if held:
            rows = sum(len(part.rows) for part in held)
            self.say(
                _("%(rows)d rows about this person are in %(path)s.") % {"rows": rows, "path": out}
            )
        else:
            self.say(_("Nothing is held about this person."))


def _table(held: Held) -> dict[str, Any]:
    entry = held.entry
    return {
        "table": entry.name,
        "purpose": entry.purpose,
        "read_by": list(entry.readers),
        "kept": entry.keep.text,
        "rows": held.rows,
    }
