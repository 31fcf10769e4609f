"""Routes under /_sandbox that no Stripe has: order faults, let clients pay, move the clock."""

import json
import re
import time

from subscriptions.sandbox import faults, invoices
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.errors import ApiError
from subscriptions.sandbox.state import Json, State


def answer(state: State, path: str, body: str, base_url: str) -> Json:
    """Carry out a POST; ``body`` is JSON or empty."""
    try:
        given = json.loads(body or "{}")
    except ValueError as error:
        raise ApiError(400, f"The body is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise ApiError(400, "The body is not a JSON object.")
    with state.transaction():
        if path == "/_sandbox/faults":
            faults.order(state, given.get("faults", []))
            return {"ordered": len(given.get("faults", []))}
        if path == "/_sandbox/clock":
            return move_clock(state, given)
        return handle_invoice(state, path, base_url)


def move_clock(state: State, given: Json) -> Json:
    """Set the sandbox's time with ``now`` (Unix seconds) or move it by ``advance_seconds``."""
    offset = state.setting("clock_offset")
    if "now" in given:
        offset = int(given["now"]) - int(time.time())
    state.set_setting("clock_offset", offset + int(given.get("advance_seconds", 0)))
    return {"now": state.now()}


def handle_invoice(state: State, path: str, base_url: str) -> Json:
    found = re.fullmatch(r"/_sandbox/(pay|fail_debit)/(in_\w+)", path)
    if not found:
        raise ApiError(404, f"The sandbox has no control route {path}")
    call = Call(state, {"invoice": found[2]}, base_url=base_url)
    return invoices.pay(call) if found[1] == "pay" else invoices.fail_debit(call)
