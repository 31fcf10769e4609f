"""The Stripe of the tests: a sandbox on loopback, and a judge over all that is said to it."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from pytest_django.fixtures import Settings

from subscriptions.sandbox.server import Sandbox
from tests.stripe.judge import judge_answer, judge_request

KEY = "sk_test_discreet0tests"
WEBHOOK_SECRET = "whsec_of_the_tests"

found: list[str] = []


@pytest.fixture(scope="session", autouse=True)
def _judge_every_request() -> Iterator[None]:
    """Stand between the SDK and the wire, whoever calls: all of it is held to the specification."""
    send = stripe.RequestsClient.request

    def judged(
        self: stripe.RequestsClient, method: str, url: str, headers: Any, post_data: Any = None
    ) -> Any:
        found.extend(judge_request(method, url, post_data or ""))
        body, status, answered = send(self, method, url, headers, post_data)
        found.extend(judge_answer(method, url, status, str(body, "utf-8")))
        return body, status, answered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe.RequestsClient, "request", judged)
        yield


@pytest.fixture(autouse=True)
def _no_request_fails_stripes_specification() -> Iterator[None]:
    found.clear()
    yield
    assert found == []


@pytest.fixture(scope="session", autouse=True)
def _no_long_waits() -> Iterator[None]:
    """Have the SDK wait milliseconds where it would wait seconds between its tries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.002)
        patch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.02)
        yield


@pytest.fixture
def judged() -> list[str]:
    """Give what the judge found so far; a test that provokes it empties the list again."""
    return found


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    """Start a sandbox in a thread and point the settings at it."""
    server = Sandbox()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.STRIPE_API_KEY = KEY
    settings.STRIPE_API_BASE = server.base_url
    settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
    yield server
    server.shutdown()
    thread.join()
    server.close()
