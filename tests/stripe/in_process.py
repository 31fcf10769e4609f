"""A sandbox without a network: what thousands of runs need.

The SDK is the real one and so is the sandbox; only the socket between them is left out. Moments at
which a process can die are counted on the way: each statement, and before and after each call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import stripe
from django.conf import settings
from django.db import connection

from subscriptions.sandbox import api
from subscriptions.sandbox.state import State
from tests.stripe.fixtures import KEY
from tests.stripe.judge import judge_answer, judge_request

ID = re.compile(r"\b[a-z]{2,4}_\w{8,}")


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


SEEN: set[tuple[str, str, frozenset[str], int]] = set()


def is_new(method: str, path: str, form: str, status: int) -> bool:
    """Tell whether a call is the first of its shape in this process: thousands are alike."""
    shape = (method, ID.sub("*", path), frozenset(dict(parse_qsl(form))), status)
    is_first = shape not in SEEN
    SEEN.add(shape)
    return is_first


class Line:
    """The way from the SDK to a sandbox's state; ``said`` is method, path and form of each call.

    ``found`` is what the judge holds against the first call of each shape.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.said: list[tuple[str, str, str]] = []
        self.found: list[str] = []
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
        self.judge(method, url, post_data or "", answer)
        self.moments()
        if answer.dropped:
            raise stripe.APIConnectionError("dropped", should_retry=True)  # type: ignore[no-untyped-call]
        body = answer.body if isinstance(answer.body, bytes) else answer.body.encode()
        told = {name.lower(): text for name, text in answer.headers.items()}
        return body, answer.status, told | {"date": formatdate(usegmt=True)}

    def judge(self, method: str, url: str, form: str, answer: api.Answer) -> None:
        address = urlsplit(url)
        if is_new(method, address.path, form or address.query, answer.status):
            body = answer.body if isinstance(answer.body, str) else answer.body.decode()
            self.found += judge_request(method, url, form)
            self.found += judge_answer(method, url, answer.status, body)

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
    assert line.found == []
