"""Idempotency keys as Stripe keeps them.

The first answer of a key is stored, a 500 included, and given again to whoever repeats the key
with the same address and parameters, for 24 hours; after that the key is as good as new.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from subscriptions.sandbox.errors import ApiError
from subscriptions.sandbox.state import State

KEPT_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class Remembered:
    status: int
    body: str
    request_id: str


def digest_of(parameters: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def recall(state: State, key: str, address: str, parameters: dict[str, Any]) -> Remembered | None:
    """Return the stored answer; raise when the key was first used for something else."""
    state.connection.execute(
        "delete from idempotency where created <= ?", [state.now() - KEPT_SECONDS]
    )
    row = state.connection.execute("select * from idempotency where key = ?", [key]).fetchone()
    if row is None:
        return None
    if row["address"] != address:
        raise mismatch(
            f"Keys for idempotent requests can only be used for the same endpoint they were first "
            f"used for ('{address}' vs '{row['address']}'). Try using a key other than '{key}' if "
            f"you meant to execute a different request."
        )
    if row["digest"] != digest_of(parameters):
        raise mismatch(
            f"Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{key}' if you meant to execute a "
            f"different request."
        )
    return Remembered(row["status"], row["body"], row["request_id"])


def mismatch(message: str) -> ApiError:
    return ApiError(400, message, kind="idempotency_error")


def remember(
    state: State, key: str, address: str, parameters: dict[str, Any], answer: Remembered
) -> None:
    state.connection.execute(
        "insert into idempotency values (?, ?, ?, ?, ?, ?, ?)",
        [
            key,
            address,
            digest_of(parameters),
            state.now(),
            answer.request_id,
            answer.status,
            answer.body,
        ],
    )
