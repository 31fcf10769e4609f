from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agency.schedules import declared, sync


class Command(BaseCommand):
    help = "Write the declared schedules to the task queue. Run it at every deployment."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = sync(list(declared()), now=timezone.now())
        except ImportError as problem:
            raise CommandError(f"A schedule names a task that is not there: {problem}") from problem
        self.stdout.write(
            ", ".join(
                f"{done[deed]} {deed}" for deed in ("added", "changed", "removed", "unchanged")
            )
        )
