"""The courier: signed, again and again until taken, and each endpoint what it asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from stripe import WebhookSignature

from subscriptions.sandbox import customers
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.server import Sandbox
from subscriptions.sandbox.state import State
from subscriptions.sandbox.webhooks import ensure
from tests.at_once import wait_for
from tests.stripe.control import call, listed, order
from tests.stripe.judge import judge_object

SECRET = "whsec_of_this_endpoint"
HOUR = 3600


class Endpoint(HTTPServer):
    """An address of ours that notes what comes and answers as told, 200 in the end."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Note)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"
        self.answers: list[int] = []
        self.received: list[tuple[str, str]] = []  # signature, body

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _signature, body in self.received]


class Note(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.received.append((self.headers["Stripe-Signature"], body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def customers_made(sandbox: Sandbox, count: int) -> list[str]:
    return [
        str(call(sandbox, "POST", "/v1/customers", {"name": f"Number {number}"}).json()["id"])
        for number in range(count)
    ]


def delivered(endpoint: Endpoint) -> list[str]:
    return [json.loads(body)["data"]["object"]["id"] for _signature, body in endpoint.received]


def test_an_event_comes_signed_with_the_endpoints_secret(
    sandbox: Sandbox, endpoint: Endpoint
) -> None:
    ensure(sandbox.state, endpoint.url, SECRET)
    call(sandbox, "POST", "/v1/customers", {"name": "Someone"})

    wait_for(lambda: endpoint.received)

    signature, body = endpoint.received[0]
    assert WebhookSignature.verify_header(body, signature, SECRET, tolerance=60)
    event = json.loads(body)
    assert judge_object(event) == []
    assert (event["type"], event["data"]["object"]["name"]) == ("customer.created", "Someone")


def test_an_event_comes_again_until_it_is_taken(sandbox: Sandbox, endpoint: Endpoint) -> None:
    ensure(sandbox.state, endpoint.url, SECRET)
    endpoint.answers = [500, 302]
    call(sandbox, "POST", "/v1/customers", {"name": "Someone"})

    wait_for(lambda: len(endpoint.received) == 3)

    wait_for(lambda: listed(sandbox, "events")[0]["pending_webhooks"] == 0)
    assert endpoint.types() == ["customer.created"] * 3
    [other] = customers_made(sandbox, 1)
    wait_for(lambda: len(endpoint.received) > 3)
    assert delivered(endpoint)[3:] == [other]


def test_an_endpoint_gets_the_kinds_it_asked_for(sandbox: Sandbox, endpoint: Endpoint) -> None:
    form = {"url": endpoint.url, "enabled_events[0]": "customer.updated"}
    made = call(sandbox, "POST", "/v1/webhook_endpoints", form).json()
    customer = call(sandbox, "POST", "/v1/customers", {"name": "Someone"}).json()["id"]
    call(sandbox, "POST", f"/v1/customers/{customer}", {"name": "Someone else"})

    wait_for(lambda: endpoint.received)

    assert endpoint.types() == ["customer.updated"]
    signature, body = endpoint.received[0]
    assert WebhookSignature.verify_header(body, signature, made["secret"])
    assert json.loads(body)["data"]["previous_attributes"] == {"name": "Someone"}


def test_an_endpoint_gets_events_in_the_version_it_was_made_with(
    sandbox: Sandbox, endpoint: Endpoint
) -> None:
    form = {"url": endpoint.url, "enabled_events[0]": "*", "api_version": "2026-08-26.dahlia"}
    call(sandbox, "POST", "/v1/webhook_endpoints", form)
    call(sandbox, "POST", "/v1/customers", {"name": "Someone"})

    wait_for(lambda: endpoint.received)

    assert json.loads(endpoint.received[0][1])["api_version"] == "2026-08-26.dahlia"


def test_a_secret_is_shown_once(sandbox: Sandbox, endpoint: Endpoint) -> None:
    form = {"url": endpoint.url, "enabled_events[0]": "*"}
    made = call(sandbox, "POST", "/v1/webhook_endpoints", form).json()
    assert made["secret"].startswith("whsec_")

    [shown] = listed(sandbox, "webhook_endpoints")

    assert "secret" not in shown


def test_a_deleted_endpoint_gets_nothing(sandbox: Sandbox, endpoint: Endpoint) -> None:
    form = {"url": endpoint.url, "enabled_events[0]": "*"}
    made = call(sandbox, "POST", "/v1/webhook_endpoints", form).json()
    call(sandbox, "DELETE", f"/v1/webhook_endpoints/{made['id']}")

    call(sandbox, "POST", "/v1/customers", {"name": "Someone"})
    ensure(sandbox.state, endpoint.url, SECRET)
    [other] = customers_made(sandbox, 1)
    wait_for(lambda: endpoint.received)

    assert delivered(endpoint) == [other]


def test_registering_an_address_again_replaces_it(sandbox: Sandbox, endpoint: Endpoint) -> None:
    for secret in ("whsec_old", SECRET):
        ensure(sandbox.state, endpoint.url, secret)

    call(sandbox, "POST", "/v1/customers", {"name": "Someone"})
    wait_for(lambda: endpoint.received)

    assert len(listed(sandbox, "webhook_endpoints")) == 1
    assert WebhookSignature.verify_header(endpoint.received[0][1], endpoint.received[0][0], SECRET)


@pytest.mark.parametrize(
    "url", ["https://example.com/hook", "ftp://127.0.0.1/", "nonsense", "http://10.0.0.1/"]
)
def test_an_endpoint_elsewhere_is_refused(sandbox: Sandbox, url: str) -> None:
    form = {"url": url, "enabled_events[0]": "*"}

    assert call(sandbox, "POST", "/v1/webhook_endpoints", form).status_code == 400


def test_an_event_of_a_request_that_failed_is_not_sent(
    sandbox: Sandbox, endpoint: Endpoint
) -> None:
    ensure(sandbox.state, endpoint.url, SECRET)

    refused = call(sandbox, "POST", "/v1/invoices", {"customer": "cus_unknown"})
    [other] = customers_made(sandbox, 1)
    wait_for(lambda: endpoint.received)

    assert refused.status_code == 400
    assert delivered(endpoint) == [other]


def test_deliveries_outlive_the_sandbox(tmp_path: Any, endpoint: Endpoint) -> None:
    """An event of a sandbox that died before it could deliver comes from the next one."""
    path = str(tmp_path / "state.sqlite3")
    first = State(path)
    ensure(first, endpoint.url, SECRET)
    with first.transaction():
        customers.create(Call(first, given={"name": "Someone"}))
    first.close()

    second = Sandbox(0, path)
    wait_for(lambda: endpoint.received)
    second.close()

    assert endpoint.types() == ["customer.created"]


# Faults of the deliveries


def test_a_dropped_event_never_comes_and_is_listed_as_undelivered(
    sandbox: Sandbox, endpoint: Endpoint
) -> None:
    ensure(sandbox.state, endpoint.url, SECRET)
    order(sandbox, "webhook", "dropped", times=2)

    made = customers_made(sandbox, 3)
    wait_for(lambda: endpoint.received)

    assert delivered(endpoint) == made[2:]
    wait_for(lambda: listed(sandbox, "events")[0]["pending_webhooks"] == 0)
    missed = call(sandbox, "GET", "/v1/events", {"delivery_success": "false"}).json()["data"]
    assert [event["data"]["object"]["id"] for event in missed] == [made[1], made[0]]


def test_a_doubled_event_comes_twice(sandbox: Sandbox, endpoint: Endpoint) -> None:
    ensure(sandbox.state, endpoint.url, SECRET)
    order(sandbox, "webhook", "doubled")

    made = customers_made(sandbox, 2)
    wait_for(lambda: len(endpoint.received) == 3)

    assert sorted(delivered(endpoint)) == sorted([made[0], *made])


def let_pass(sandbox: Sandbox, seconds: int) -> None:
    """Have what is delayed come now, in the order in which it was to come."""
    with sandbox.state.transaction():
        sandbox.state.connection.execute("update delivery set due_at = due_at - ?", [seconds])


def test_a_delayed_event_comes_later(sandbox: Sandbox, endpoint: Endpoint) -> None:
    ensure(sandbox.state, endpoint.url, SECRET)
    order(sandbox, "webhook", "delayed", seconds=HOUR)

    made = customers_made(sandbox, 2)
    wait_for(lambda: endpoint.received)
    let_pass(sandbox, HOUR)
    wait_for(lambda: len(endpoint.received) == 2)

    assert delivered(endpoint) == made[::-1]


def test_reordered_events_come_the_last_first(sandbox: Sandbox, endpoint: Endpoint) -> None:
    ensure(sandbox.state, endpoint.url, SECRET)
    order(sandbox, "webhook", "reordered", times=3, seconds=HOUR)

    made = customers_made(sandbox, 3)
    let_pass(sandbox, 3 * HOUR)
    wait_for(lambda: len(endpoint.received) == 3)

    assert delivered(endpoint) == made[::-1]
