"""audit: recompute every invariant from the facts and print every difference."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from agency import commands
from subscriptions.audit import INVARIANTS, audit


class Command(commands.Command):
    help = "Recompute every invariant from the facts and print every difference."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        found = audit(self.shown(INVARIANTS, _("Checking")))
        if options["json"]:
            violations = [asdict(violation) for violation in found.violations]
            self.print_json({"checked": found.checked, "violations": violations})
        else:
            for violation in found.violations:
                self.stdout.write(
                    _("%(invariant)s: %(subject)s: expected %(expected)s, found %(found)s")
                    % {
                        "invariant": violation.invariant.replace("_", " "),
                        "subject": violation.subject,
                        "expected": violation.expected,
                        "found": violation.found,
                    }
                )
        self.say(
            _("%(checked)d checks, %(violations)d violations.")
            % {"checked": found.checked, "violations": len(found.violations)}
        )
        if found.violations:
            self.end_with_bad_news()
