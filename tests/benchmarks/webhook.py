"""What the view costs beside what cannot be left out: verify, parse, one insert-or-ignore."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import uuid4

import stripe
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from subscriptions import webhooks

SECRET = "whsec_discreet"
INSERT = (
    "INSERT INTO subscriptions_stripeevent (id, event_id, type, api_version, livemode, object_id,"
    " created_at, received_at, state, attempts, error_code)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'received', 0, '') ON CONFLICT DO NOTHING"
)
ROUNDS = 5


def measure(options: argparse.Namespace) -> None:
    """Print medians of a few rounds; the floor and the view take turns, so that both are warm."""
    settings.STRIPE_WEBHOOK_SECRET = SECRET
    numbers = count()
    times: dict[str, list[float]] = {"floor": [], "first": [], "duplicate": []}
    for _round in range(ROUNDS):
        events = [body(next(numbers)) for _number in range(options.events // ROUNDS)]
        others = [body(next(numbers)) for _number in range(options.events // ROUNDS)]
        times["floor"].append(timed(floor, others))
        times["first"].append(timed(webhooks.receive, events))
        times["duplicate"].append(timed(webhooks.receive, events))
    medians = {name: statistics.median(found) for name, found in times.items()}
    print(f"{connection.vendor}, in microseconds per event")  # noqa: T201
    for name, seconds in medians.items():
        ratio = seconds / medians["floor"]
        print(f"  {name:10} {seconds * 1e6:7.0f}  {ratio:.2f} times the floor")  # noqa: T201


def body(number: int) -> str:
    """Return an event of the usual size: the whole invoice is in it."""
    lines = [{"id": f"il_{line}", "description": "x" * 60, "amount": 100} for line in range(10)]
    return json.dumps(
        {
            "id": f"evt_{number}",
            "object": "event",
            "type": "invoice.paid",
            "api_version": settings.STRIPE_API_VERSION,
            "livemode": False,
            "created": int(time.time()),
            "data": {"object": {"id": f"in_{number}", "object": "invoice", "lines": lines}},
        },
        indent=2,
    )


def timed(view: Callable[[HttpRequest], Any], events: list[str]) -> float:
    factory = RequestFactory()
    requests = [
        factory.post(
            "/stripe/webhook/",
            text,
            content_type="application/json",
            headers={
                "Stripe-Signature": stripe.WebhookSignature.generate_signature_header(text, SECRET)
            },
        )
        for text in events
    ]
    began = time.perf_counter()
    for request in requests:
        view(request)
    return (time.perf_counter() - began) / len(events)


def floor(request: HttpRequest) -> None:
    stripe.WebhookSignature.verify_header(
        request.body, request.headers["Stripe-Signature"], SECRET, 300
    )
    given = json.loads(request.body)
    now = timezone.now()
    identity = uuid4().hex if connection.vendor == "sqlite" else uuid4()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            [
                identity,
                given["id"],
                given["type"],
                given["api_version"],
                given["livemode"],
                given["data"]["object"]["id"],
                now,
                now,
            ],
        )
