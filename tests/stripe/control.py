"""Talk to a sandbox past the gateway, as a test, a client or a stranger would."""

from __future__ import annotations

from typing import Any

import requests

from subscriptions.gateway import RETRIES_OF_A_BUSY_STRIPE
from subscriptions.sandbox.server import Sandbox
from tests.stripe.fixtures import KEY

# So many busy answers to one call that the gateway gives up.
TOO_OFTEN = RETRIES_OF_A_BUSY_STRIPE + 1


def call(
    sandbox: Sandbox,
    method: str,
    path: str,
    form: dict[str, Any] | None = None,
    *,
    key: str = KEY,
    **headers: str,
) -> requests.Response:
    """Send a request to the API, as curl would; header names are given with underscores."""
    return requests.request(
        method,
        sandbox.base_url + path,
        data=form if method == "POST" else None,
        params=form if method != "POST" else None,
        headers={
            "Authorization": f"Bearer {key}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        timeout=60,
    )


def listed(sandbox: Sandbox, what: str = "invoices") -> list[dict[str, Any]]:
    """Return the newest hundred of what the sandbox holds, the newest first."""
    found = call(sandbox, "GET", f"/v1/{what}?limit=100").json()["data"]
    assert isinstance(found, list)
    return found


def order(sandbox: Sandbox, operation: str, fault: str, **more: Any) -> None:
    """Order a fault for the next request of an operation."""
    control(sandbox, "faults", {"faults": [{"operation": operation, "fault": fault, **more}]})


def control(sandbox: Sandbox, route: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = requests.post(f"{sandbox.base_url}/_sandbox/{route}", json=body or {}, timeout=60)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert isinstance(told, dict)
    return told
