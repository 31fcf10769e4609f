"""Doing things at the same moment, each on a database connection of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, connections, transaction

# Long enough for a thread to come to the lock that the other one holds.
A_MOMENT = 0.3
# Only a test that fails takes so long.
MOST_SECONDS = 120
SOMEBODY_WAITS = (
    "SELECT EXISTS (SELECT 1 FROM pg_stat_activity"
    " WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
)


def at_once(*functions: Callable[[], Any]) -> list[Any]:
    """Run the functions in threads that start together; give what each returned or raised."""
    outcomes: list[Any] = [None] * len(functions)
    start = threading.Barrier(len(functions))

    def run(position: int, function: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            start.wait(MOST_SECONDS)
            outcomes[position] = function()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            outcomes[position] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=both) for both in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=MOST_SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    return outcomes


def wait_for(happened: Callable[[], Any]) -> None:
    """Wait until something is true that other threads or processes make true."""
    deadline = time.monotonic() + MOST_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def hold_until_waited_for(over: threading.Event) -> None:
    """Return once somebody waits for what this transaction has locked, or once it is over.

    SQLite does not tell who waits: there the others have `A_MOMENT`.
    """
    if connection.vendor != "postgresql":
        over.wait(A_MOMENT)
        return
    with connection.cursor() as cursor:
        while not over.wait(timeout=0.01):
            cursor.execute(SOMEBODY_WAITS)
            if cursor.fetchall() == [(True,)]:
                return


def while_uncommitted(first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
    """Run the first in a transaction that stays open while the second starts; give both outcomes.

    The second begins after the first is done but for its commit, and runs until it waits for it.
    """
    done, over = threading.Event(), threading.Event()

    def hold() -> Any:
        try:
            with transaction.atomic():
                result = first()
                done.set()
                hold_until_waited_for(over)
                return result
        finally:
            done.set()

    def follow() -> Any:
        try:
            done.wait(MOST_SECONDS)
            return second()
        finally:
            over.set()

    return at_once(hold, follow)
