"""Webhook endpoints, and the courier that signs events and brings them, again and again."""

import hashlib
import hmac
import http.client
import threading
import time
from urllib.parse import urlsplit

from subscriptions.sandbox import events, objects
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.control import let_them_act_that_are_due
from subscriptions.sandbox.errors import ApiError
from subscriptions.sandbox.state import Json, State

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Stripe keeps trying for three days; here the pauses are short, so that a test sees them.
PAUSES_SECONDS = (0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)
TIMEOUT_SECONDS = 10


def register(call: Call) -> Json:
    """Add an endpoint; its secret is in this answer and in no later one."""
    url = call.given["url"] or ""
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ApiError(400, f"Invalid URL: {url}", code="url_invalid", param="url")
    if address.hostname not in LOOPBACK:
        raise ApiError(400, "The sandbox delivers to this machine only.", param="url")
    made = objects.webhook_endpoint(call.state, call.given)
    return call.state.add(made, kind="webhook_endpoint")


def ensure(state: State, url: str, secret: str) -> None:
    """Have exactly one endpoint at ``url``, with this secret, for every kind of event."""
    call = Call(state, given={"url": url, "enabled_events": ["*"], "secret": secret})
    with state.transaction():
        for endpoint in list(state.newest("webhook_endpoint")):
            if endpoint["url"] == url:
                state.remove(endpoint["id"])
        register(call)


def retrieve(call: Call) -> Json:
    return without_secret(call.fetch("webhook_endpoint"))


def listing(call: Call) -> Json:
    found = map(without_secret, call.state.newest("webhook_endpoint"))
    return call.listed(found, "/v1/webhook_endpoints")


def without_secret(endpoint: Json) -> Json:
    return {name: value for name, value in endpoint.items() if name != "secret"}


def delete(call: Call) -> Json:
    identity = call.fetch("webhook_endpoint")["id"]
    call.state.remove(identity)
    call.state.connection.execute("delete from delivery where endpoint = ?", [identity])
    return {"id": identity, "object": "webhook_endpoint", "deleted": True}


def signature(payload: str, secret: str, at: int) -> str:
    digest = hmac.new(secret.encode(), f"{at}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class Courier(threading.Thread):
    """Delivers what is due, one after the other, until ``stop``.

    Deliveries and their attempts stand in the state file: a sandbox that was killed goes on
    where it was. What an endpoint did not answer with 2xx comes again, later each time.
    """

    def __init__(self, state: State) -> None:
        super().__init__(name="courier", daemon=True)
        self.state = state
        self._wake = threading.Event()
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()
        self.join()

    def wake(self) -> None:
        self._wake.set()

    def run(self) -> None:
        while not self._stopped:
            self._wake.clear()
            if not self.deliver_next():
                self._wake.wait(0.2)

    def deliver_next(self) -> bool:
        """Attempt the delivery that is due longest; return False when none is due."""
        with self.state.transaction():
            let_them_act_that_are_due(self.state)
            row = self.state.connection.execute(
                "select * from delivery where state = 'pending' and due_at <= ?"
                " order by due_at, sequence limit 1",
                [time.time()],
            ).fetchone()
            if row is None:
                return False
            event = self.state.find("event", row["event"])
            endpoint = self.state.find("webhook_endpoint", row["endpoint"])
        if event is None or endpoint is None:
            self.settle(row["sequence"], row["attempts"], done=True)
        else:
            self.settle(row["sequence"], row["attempts"], done=post(event, endpoint))
        return True

    def settle(self, sequence: int, attempts: int, *, done: bool) -> None:
        given_up = attempts >= len(PAUSES_SECONDS)
        state = "done" if done else "failed" if given_up else "pending"
        pause = 0.0 if done or given_up else PAUSES_SECONDS[attempts]
        with self.state.transaction():
            self.state.connection.execute(
                "update delivery set state = ?, attempts = ?, due_at = ? where sequence = ?",
                [state, attempts + 1, time.time() + pause, sequence],
            )


def post(event: Json, endpoint: Json) -> bool:
    """Send one event and tell whether the endpoint took it; redirects are not followed."""
    body = events.payload(event, endpoint)
    address = urlsplit(endpoint["url"])
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(
            "POST",
            address.path or "/",
            body.encode(),
            {
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": signature(body, endpoint["secret"], int(time.time())),
                "User-Agent": "Stripe/1.0 (sandbox)",
            },
        )
        return 200 <= connection.getresponse().status < 300  # noqa: PLR2004 - what HTTP calls success
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
