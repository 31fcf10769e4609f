"""sync_schedules: make the table of the queue's schedules equal to what the code declares."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from agency import commands
from agency.schedules import declared, sync


class Command(commands.Command):
    help = "Write the declared schedules to the task queue. Run it at every deployment."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            done = sync(list(declared()), now=timezone.now())
        except ImportError as problem:
            wrong = _("A schedule names a task that is not there: %s") % problem
            raise CommandError(wrong) from problem
        self.say(
            _(
                "Schedules: %(added)d added, %(changed)d changed, %(removed)d removed, "
                "%(unchanged)d as they were."
            )
            % {deed: done[deed] for deed in ("added", "changed", "removed", "unchanged")}
        )
