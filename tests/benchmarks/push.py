"""How many calls an invoice takes, and how long a run would take at Stripe's limits."""

from __future__ import annotations

import argparse
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import stripe
from django.conf import settings
from django.db import connection
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from subscriptions import push
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make

CALLS_PER_SECOND = 100  # of a live account
CALLS_PER_SECOND_AND_ENDPOINT = 25


def measure(options: argparse.Namespace) -> None:
    invoices = [
        make.invoice(make.organisation(f"ORG{number}"), state="approved")
        for number in range(options.invoices)
    ]
    calls, seconds, statements = pushed(invoices)
    many = len(invoices)
    at_limit = max(
        sum(calls.values()) / CALLS_PER_SECOND,
        max(calls.values()) / CALLS_PER_SECOND_AND_ENDPOINT,
    )
    print(f"{connection.vendor}: {many} invoices in {seconds:.1f} s, each")  # noqa: T201
    print(f"  {sum(calls.values()) / many:.2f} calls, {statements / many:.1f} statements")  # noqa: T201
    for endpoint, number in calls.most_common():
        print(f"  {number / many:5.2f} {endpoint}")  # noqa: T201
    print(f"at {CALLS_PER_SECOND}/s and {CALLS_PER_SECOND_AND_ENDPOINT}/s per endpoint:"  # noqa: T201
          f" {at_limit:.0f} s at best, {many / at_limit:.1f} invoices per second")  # fmt: skip


def pushed(invoices: list[Any]) -> tuple[Counter[str], float, int]:
    """Push them one after the other; return calls by endpoint, time, statements."""
    calls: Counter[str] = Counter()
    send = stripe.RequestsClient.request

    def counted(client: Any, method: str, url: str, *more: Any) -> Any:
        path = re.sub(r"/(in|cus|cn)_\w+", "/{id}", urlsplit(url).path)
        calls[f"{method.upper()} {path}"] += 1
        return send(client, method, url, *more)

    server = Sandbox()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.STRIPE_API_BASE = server.base_url
    stripe.RequestsClient.request = counted  # type: ignore[method-assign, assignment]
    statements = count()

    def count_statement(execute: Callable[..., Any], *arguments: Any) -> Any:
        next(statements)
        return execute(*arguments)

    began = time.perf_counter()
    console = Console(stderr=True)
    try:
        with connection.execute_wrapper(count_statement):
            for invoice in track(invoices, "Pushing", console=console):
                assert push.push(invoice.pk, at=timezone.now()) == Outcome.PUSHED
    finally:
        seconds = time.perf_counter() - began
        stripe.RequestsClient.request = send  # type: ignore[method-assign]
        server.shutdown()
        thread.join()
        server.close()
    return calls, seconds, next(statements)
