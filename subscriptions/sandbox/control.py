"""Routes under /_sandbox that no Stripe has.

They order faults, move the clock, and let clients and their banks act: pay, refuse a debit, take a
payment back, finish a Checkout, withdraw a mandate. With ``after_seconds`` they act by themselves
once the sandbox's clock has passed that moment: a direct debit settles, or fails, days later.
"""

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress

from subscriptions.sandbox import checkout, faults, invoices, payments
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.errors import ApiError
from subscriptions.sandbox.state import Json, State, new_id


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
        return let_someone_act(state, path, given, base_url)


def move_clock(state: State, given: Json) -> Json:
    """Set the sandbox's time with ``now`` (Unix seconds) or move it by ``advance_seconds``."""
    offset = state.setting("clock_offset")
    if "now" in given:
        offset = int(given["now"]) - int(time.time())
    state.set_setting("clock_offset", offset + int(given.get("advance_seconds", 0)))
    let_them_act_that_are_due(state)
    return {"now": state.now()}


def let_them_act_that_are_due(state: State) -> None:
    """Do what was put off until now, each deed as at its own moment; what is over is left."""
    due = [deed for deed in state.newest("put_off") if deed["at"] <= state.now()]
    offset = state.setting("clock_offset")
    for deed in sorted(due, key=lambda deed: int(deed["at"])):
        state.remove(deed["id"])
        state.set_setting("clock_offset", deed["at"] - int(time.time()))
        with suppress(ApiError), state.savepoint():
            let_someone_act(state, deed["path"], deed["given"], "")
    state.set_setting("clock_offset", offset)


def let_someone_act(state: State, path: str, given: Json, base_url: str) -> Json:
    """Do a deed to the object whose id ends the path: ``/_sandbox/pay/in_...``."""
    found = re.fullmatch(r"/_sandbox/(\w+)/(\w+)", path)
    kind, deed = ACTS.get(found[1], ("", None)) if found else ("", None)
    if not found or not deed:
        raise ApiError(404, f"The sandbox has no control route {path}")
    if seconds := given.pop("after_seconds", 0):
        at = state.now() + int(seconds)
        return state.add(
            {"id": new_id("later"), "path": path, "given": given, "at": at}, kind="put_off"
        )
    return deed(Call(state, {kind: found[2]}, given, base_url))


ACTS: dict[str, tuple[str, Callable[[Call], Json]]] = {
    "pay": ("invoice", invoices.pay),
    "fail_debit": ("invoice", invoices.fail_debit),
    "dispute": ("invoice", payments.dispute),
    "close_dispute": (
        "dispute",
        lambda call: payments.close_dispute(call, call.given.get("status", "lost")),
    ),
    "complete": ("session", checkout.complete),
    "expire": ("session", checkout.expire),
    "revoke": ("mandate", checkout.revoke_mandate),
}
