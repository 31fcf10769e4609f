"""Faults ordered beforehand: the next matching requests go wrong in the way asked for.

``500_before`` and ``500_after`` differ in whether the operation took effect; both answers are
remembered under the idempotency key, as Stripe does. ``429`` comes before anything is looked at
and is never remembered. ``drop_response`` carries out and remembers, but closes the connection
without an answer; ``slow`` answers ``seconds`` later.

The operation ``webhook`` stands for the deliveries of events: ``dropped`` ones never come,
``doubled`` ones come twice, ``delayed`` ones ``seconds`` later, and of ``times`` ``reordered`` ones
the first comes last.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from subscriptions.sandbox.errors import ApiError
from subscriptions.sandbox.shapes import SHAPES
from subscriptions.sandbox.state import State

FAULTS = ("500_before", "500_after", "429", "drop_response", "slow")
WEBHOOK = "webhook"
WEBHOOK_FAULTS = ("dropped", "doubled", "delayed", "reordered")


@dataclass(frozen=True)
class Fault:
    name: str
    seconds: float
    left: int  # how many requests it falls on, this one included


def order(state: State, wishes: list[dict[str, Any]]) -> None:
    """Queue faults; each falls on the next ``times`` (default 1) requests of its operation."""
    for wish in wishes:
        operation = wish.get("operation")
        if operation not in SHAPES and operation != WEBHOOK:
            raise ApiError(400, f"Unknown operation: {operation}", param="operation")
        known = WEBHOOK_FAULTS if operation == WEBHOOK else FAULTS
        if wish.get("fault") not in known:
            raise ApiError(400, f"Unknown fault: must be one of {', '.join(known)}", param="fault")
        state.connection.execute(
            "insert into fault (operation, name, seconds, times) values (?, ?, ?, ?)",
            [
                wish["operation"],
                wish["fault"],
                float(wish.get("seconds", 1)),
                int(wish.get("times", 1)),
            ],
        )


def take(state: State, operation: str, among: Collection[str] = FAULTS) -> Fault | None:
    """Use up the oldest fault ordered for this operation, if it is one of ``among``."""
    row = state.connection.execute(
        "select * from fault where operation = ? order by sequence limit 1", [operation]
    ).fetchone()
    if row is None or row["name"] not in among:
        return None
    state.connection.execute(
        "update fault set times = times - 1 where sequence = ?", [row["sequence"]]
    )
    state.connection.execute("delete from fault where times <= 0")
    return Fault(row["name"], row["seconds"], row["times"])
