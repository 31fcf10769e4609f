"""Events: what happened, to be listed, and to be delivered to each endpoint that asked for it."""

import json
import time

from subscriptions.sandbox import faults
from subscriptions.sandbox.errors import ApiError
from subscriptions.sandbox.objects import API_VERSION
from subscriptions.sandbox.state import Json, State, new_id


def record(
    state: State, kind: str, subject: Json, *, request: Json, before: Json | None = None
) -> None:
    """Store an event in the transaction of what caused it and queue its deliveries.

    ``before`` is the object as it was: what differs becomes ``previous_attributes``.
    """
    data: Json = {"object": subject}
    if before is not None:
        data["previous_attributes"] = {
            name: value for name, value in before.items() if subject.get(name) != value
        }
    event: Json = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": state.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": request,
        "type": kind,
    }
    state.add(event, kind="event")
    for endpoint in state.newest("webhook_endpoint"):
        if {"*", kind} & set(endpoint["enabled_events"]):
            deliver(state, event["id"], endpoint["id"])


def deliver(state: State, event_id: str, endpoint_id: str) -> None:
    """Queue one delivery, due now by the real clock: webhooks do not wait for the sandbox's."""
    fault = faults.take(state, faults.WEBHOOK, faults.WEBHOOK_FAULTS)
    name = fault.name if fault else ""
    delay = 0.0
    if fault and name in {"delayed", "reordered"}:
        delay = fault.seconds * (fault.left if name == "reordered" else 1)
    for _copy in range(2 if name == "doubled" else 1):
        state.connection.execute(
            "insert into delivery (event, endpoint, attempts, due_at, state)"
            " values (?, ?, 0, ?, ?)",
            [
                event_id,
                endpoint_id,
                time.time() + delay,
                "failed" if name == "dropped" else "pending",
            ],
        )


def shown(state: State, event: Json) -> Json:
    return {**event, "pending_webhooks": undelivered(state, event["id"])}


def undelivered(state: State, event_id: str) -> int:
    row = state.connection.execute(
        "select count(*) from delivery where event = ? and state <> 'done'", [event_id]
    ).fetchone()
    return int(row[0])


def selected(state: State, given: Json) -> list[Json]:
    """Return the events that a list asks for by type and by delivery, newest first."""
    types = given.get("types") or [given.get("type") or "*"]
    if "types" in given and any("*" in kind for kind in types):
        raise ApiError(400, "Wildcards stand in `type`, not in `types`.", param="types")
    delivered = given.get("delivery_success")
    return [
        shown(state, event)
        for event in list(state.newest("event"))
        if any(fits(event["type"], wanted) for wanted in types)
        and delivered in {None, undelivered(state, event["id"]) == 0}
    ]


def fits(kind: str, wanted: str) -> bool:
    """``invoice.*`` stands for every event of invoices."""
    return kind.startswith(wanted[:-1]) if wanted.endswith("*") else kind == wanted


def payload(event: Json, endpoint: Json) -> str:
    """Return the text that is signed and sent, in the endpoint's own API version."""
    version = endpoint["api_version"] or API_VERSION
    return json.dumps({**event, "api_version": version, "pending_webhooks": 1}, indent=2)
