"""A sandbox without a network: what thousands of runs need.

The SDK is the real one and so is the sandbox; only the socket between them is left out. Moments at
which a process can die are counted on the way: each statement, and before and after each call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe
from django.conf import settings
from django.db import connection

from subscriptions.sandbox import api
from subscriptions.sandbox.state import State
from tests.stripe.fixtures import KEY


class Killed(BaseException):
    """Nothing catches it, as nothing catches a power cut."""


class Moments:
    """Counts the moments of a run and ends it at the one that was chosen."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.passed = 0
        self.calls = 0
        self.dies_at = dies_at

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self.dies_at:
            raise Killed

    def statement(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self()
        return execute(*arguments)


class Line:
    """The way from the SDK to a sandbox's state; ``said`` is method, path and form of each call."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.said: list[tuple[str, str, str]] = []
        self.moments = Moments()
        self.unreachable = range(0)  # the calls that find nobody there

    def request(
        self,
        method: str,
        url: str,
        headers: Any,
        post_data: Any = None,
    ) -> tuple[bytes, int, dict[str, str]]:
        self.moments()
        self.moments.calls += 1
        if self.moments.calls in self.unreachable:
            raise stripe.APIConnectionError("nobody there", should_retry=True)  # type: ignore[no-untyped-call]
        address = urlsplit(url)
        given = {name.lower(): value for name, value in (headers or {}).items()}
        form = post_data or address.query
        self.said.append((method.upper(), address.path, form))
        request = api.Request(method.upper(), address.path, form, given, "http://127.0.0.1:1")
        answer = api.answer(self.state, request)
        self.moments()
        if answer.dropped:
            raise stripe.APIConnectionError("dropped", should_retry=True)  # type: ignore[no-untyped-call]
        body = answer.body if isinstance(answer.body, bytes) else answer.body.encode()
        told = {name.lower(): text for name, text in answer.headers.items()}
        return body, answer.status, told | {"date": formatdate(usegmt=True)}

    @contextmanager
    def dying_at(self, moment: int | None) -> Iterator[Moments]:
        """Run what stands inside until it has passed so many moments."""
        self.moments = Moments(moment)
        try:
            with connection.execute_wrapper(self.moments.statement):
                yield self.moments
        finally:
            self.moments = Moments()


@contextmanager
def line_to(state: State) -> Iterator[Line]:
    line = Line(state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            stripe.RequestsClient,
            "request",
            lambda _client, *arguments: line.request(*arguments),
        )
        patch.setattr(stripe.HTTPClient, "MAX_DELAY", 0)  # no waiting between tries
        patch.setattr(settings, "STRIPE_API_KEY", KEY)
        patch.setattr(settings, "STRIPE_API_BASE", "http://127.0.0.1:1")
        yield line
