"""What the view costs beside what cannot be left out: verify, parse, one insert-or-ignore."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import uuid4

import stripe
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from subscriptions import webhooks
from subscriptions.models import EventState, StripeEvent

SECRET = "whsec_discreet"
INSERT = (
    "INSERT INTO subscriptions_stripeevent (id, event_id, type, api_version, livemode, object_id,"
    " created_at, received_at, state, attempts, error_code)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'received', 0, '') ON CONFLICT DO NOTHING"
)


def measure(options: argparse.Namespace) -> None:
    """Print medians; the floor and the view take turns, event by event.

    Of events that come together the first one queues a task for all. What it pays for that is
    shown too: "alone" are those that find no other one waiting.
    """
    settings.STRIPE_WEBHOOK_SECRET = SECRET
    numbers = count()
    times: dict[str, list[float]] = defaultdict(list)
    for _event in range(options.events):
        times["floor"].append(timed(floor, request(next(numbers))))
        given = request(next(numbers))
        times["first"].append(timed(webhooks.receive, given))
        times["duplicate"].append(timed(webhooks.receive, given))
    for _event in range(options.events // 10):
        StripeEvent.objects.filter(state=EventState.RECEIVED).update(state=EventState.HANDLED)
        times["alone"].append(timed(webhooks.receive, request(next(numbers))))
    print(f"{connection.vendor}, in microseconds per event")  # noqa: T201
    least = statistics.median(times["floor"])
    for name, found in times.items():
        median = statistics.median(found)
        print(f"  {name:10} {median * 1e6:7.0f}  {median / least:.2f} times the floor")  # noqa: T201


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


def request(number: int) -> HttpRequest:
    text = body(number)
    signature = stripe.WebhookSignature.generate_signature_header(text, SECRET)
    return RequestFactory().post(
        "/stripe/webhook/",
        text,
        content_type="application/json",
        headers={"Stripe-Signature": signature},
    )


def timed(view: Callable[[HttpRequest], Any], given: HttpRequest) -> float:
    began = time.perf_counter()
    view(given)
    return time.perf_counter() - began


def floor(request: HttpRequest) -> None:
    stripe.WebhookSignature.verify_header(
        request.body, request.headers["Stripe-Signature"], SECRET, 300
    )
    given = json.loads(request.body)
    now = timezone.now()
    identity = uuid4().hex if connection.vendor == "sqlite" else uuid4()
    with connection.cursor() as cursor:
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
