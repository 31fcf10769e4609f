"""Doing things at the same moment, each on a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections, transaction

# Long enough for a thread to come to the lock that the other one holds.
A_MOMENT = 0.3


def at_once(*functions: Callable[[], Any]) -> list[Any]:
    """Run the functions in threads that start together; give what each returned or raised."""
    outcomes: list[Any] = [None] * len(functions)
    start = threading.Barrier(len(functions))

    def run(position: int, function: Callable[[], Any]) -> None:
        try:
            start.wait()
            outcomes[position] = function()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            outcomes[position] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=both) for both in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in threads)
    return outcomes


def while_uncommitted(first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
    """Run the first in a transaction that stays open while the second starts; give both outcomes.

    The second begins after the first is done but for its commit, and has `A_MOMENT` to run ahead.
    """
    done = threading.Event()

    def hold() -> Any:
        try:
            with transaction.atomic():
                result = first()
                done.set()
                threading.Event().wait(A_MOMENT)
                return result
        finally:
            done.set()

    def follow() -> Any:
        done.wait(timeout=10)
        return second()

    return at_once(hold, follow)
