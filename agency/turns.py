"""One at a time: what closes months and makes runs waits for its like."""

from __future__ import annotations

from agency.models import Agency


def take_turns() -> None:
    """Wait for every other transaction that called this, and hold the turn until this one ends.

    What is read afterwards is what they wrote. SQLite writes one transaction at a time by itself.
    """
    Agency.objects.select_for_update().first()
