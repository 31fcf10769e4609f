"""Random lives of a document: deaths, faults, pauses, webhooks and comparisons in any order.

However a life goes, at its end Stripe holds the document once, right, and sent once. The simpler
recipes that one might write instead are kept as controls: the same lives find them out.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from subscriptions import answers, bodies, gateway, inbox, push, reconcile, steps
from subscriptions.models import Invoice, StripeEvent, StripeStep
from subscriptions.push import Outcome
from subscriptions.sandbox import faults
from subscriptions.sandbox.state import Json, State
from tests import factories as make
from tests.backups import restored_afterwards
from tests.stripe.in_process import Killed, Line, line_to

pytestmark = pytest.mark.django_db

NOW = timezone.now()
PAUSES_MINUTES = (1, 1, 15, 19 * 60, 21 * 60, 25 * 60, 80 * 60)
CALLS = (
    *("GET /v1/customers", "POST /v1/customers", "GET /v1/invoices", "POST /v1/invoices"),
    *("POST /v1/invoices/{invoice}/add_lines", "GET /v1/invoices/{invoice}"),
    *("GET /v1/invoices/{invoice}/lines", "POST /v1/invoices/{invoice}/finalize"),
    *("POST /v1/invoices/{invoice}/send", "GET /v1/events"),
)
LIVES = count(1)
Recipe = Callable[[Invoice, dt.datetime], bool]  # whether it is done


class Life:
    """One document, a Stripe of its own, and what chance has in store for them."""

    def __init__(self, seed: str, recipe: Recipe) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.recipe = recipe
        self.state = State()
        with self.state.transaction():  # no two lives have the same numbers
            self.state.set_setting("invoice_number", 1000 * next(LIVES))
        self.at = NOW
        organisation = make.organisation(f"O{uuid4().hex[:12]}")
        self.invoice = make.invoice(organisation, state="approved")

    def pass_time(self, minutes: int) -> None:
        self.at += dt.timedelta(minutes=minutes)
        with self.state.transaction():
            offset = self.state.setting("clock_offset")
            self.state.set_setting("clock_offset", offset + 60 * minutes)

    def order_faults(self) -> None:
        wishes = [
            {
                "operation": self.chance.choice(CALLS),
                "fault": self.chance.choice(faults.FAULTS[:4]),
                "times": self.chance.choice((1, 1, 2, 7)),
            }
            for _number in range(self.chance.choice((0, 0, 1, 2)))
        ]
        with self.state.transaction():
            faults.order(self.state, wishes)

    def hear(self) -> None:
        """Have some webhooks come, in any order, and now and then a comparison."""
        with self.state.transaction():
            events = list(self.state.newest("event"))
        for given in self.chance.sample(events, min(len(events), self.chance.choice((0, 0, 1, 3)))):
            inbox.receive(answers.event(given), at=self.at)
        with suppress(gateway.GatewayError):
            for event in StripeEvent.objects.filter(state__in=inbox.UNHANDLED):
                inbox.handle(event.pk, at=self.at)
        if self.chance.random() < 0.05:
            with suppress(gateway.GatewayError):
                reconcile.reconcile(at=self.at)

    def live(self) -> None:
        with line_to(self.state) as line:
            for _attempt in range(self.chance.choice((1, 1, 2, 3, 4))):
                self.order_faults()
                self.attempt(line, self.chance.choice((None, *range(1, 90))))
                self.pass_time(self.chance.choice(PAUSES_MINUTES))
                self.hear()
            with self.state.transaction():
                self.state.connection.execute("delete from fault")
            for _attempt in range(5):
                if self.attempt(line, None):
                    break
                self.pass_time(21 * 60)

    def attempt(self, line: Line, dies_at: int | None) -> bool:
        try:
            with line.dying_at(dies_at):
                return self.recipe(self.invoice, self.at)
        except (Killed, gateway.GatewayError):
            return False

    def problems(self) -> list[str]:
        """Say what is wrong at Stripe, after all."""
        ours = [
            invoice
            for invoice in self.state.newest("invoice")
            if invoice["metadata"].get("document") == str(self.invoice.pk)
        ]
        if [invoice["status"] for invoice in ours] != ["open"]:
            return [f"stands as {[invoice['status'] for invoice in ours]}"]
        [there] = ours
        sent = [event for event in self.state.newest("event") if is_mail(event, there["id"])]
        found = []
        if there["total"] != self.invoice.total_cents:
            found.append(f"asks for {there['total']}")
        if len(sent) != 1:
            found.append(f"sent {len(sent)} times")
        return found

    def problems_here(self) -> list[str]:
        self.invoice.refresh_from_db()
        found: list[str] = []
        if self.invoice.state != "open" or not self.invoice.number:
            found.append(f"is {self.invoice.state} here: {self.invoice.parked_because}")
        unfinished = StripeStep.objects.filter(invoice=self.invoice, state__in=steps.UNFINISHED)
        found += [f"step {step} is {step.state}" for step in unfinished]
        customers = [customer["id"] for customer in self.state.newest("customer")]
        if len(customers) != 1:
            found.append(f"has {len(customers)} customers")
        return found


def is_mail(event: Json, invoice_id: str) -> bool:
    return bool(event["type"] == "invoice.sent" and event["data"]["object"]["id"] == invoice_id)


def protocol(invoice: Invoice, at: dt.datetime) -> bool:
    """Push as the product does."""
    return push.push(invoice.pk, at=at) in {Outcome.PUSHED, Outcome.ALREADY, Outcome.PARKED}


def lives(block: int, many: int) -> None:
    for number in range(many):
        seed = f"{connection.vendor}-{block}-{number}"
        with restored_afterwards():  # lives do not meet
            life = Life(seed, protocol)
            life.live()
            assert life.problems() + life.problems_here() == [], f"life {seed}"


@pytest.mark.parametrize("block", range(20))
def test_3000_random_lives_deliver_once(block: int) -> None:
    """2,400 on SQLite, and 600 others on PostgreSQL, where each takes twice the time."""
    lives(block, 120 if connection.vendor == "sqlite" else 30)


@pytest.mark.long
@pytest.mark.parametrize("block", range(100, 200))
def test_100000_random_lives_deliver_once(block: int) -> None:
    """On each of the two databases half of them."""
    lives(block, 500)


# The controls


class SavingAfter:
    """Call, then save what came back; a key or none.

    What is saved outlives a death, like the rows that a program would keep.
    """

    def __init__(self, *, stable_keys: bool) -> None:
        self.stable_keys = stable_keys
        self.saved: dict[str, str] = {}

    def __call__(self, invoice: Invoice, at: dt.datetime) -> bool:
        def key(step: str) -> str:
            return f"{invoice.pk}-{step}" if self.stable_keys else str(uuid4())

        calls: dict[str, Callable[[], gateway.Customer | gateway.Document]] = {
            "customer": lambda: gateway.create_customer(bodies.customer(invoice), key("customer")),
            "draft": lambda: gateway.create_draft(
                bodies.draft(invoice, self.saved["customer"]), key("draft")
            ),
            "lines": lambda: gateway.add_lines(
                self.saved["draft"], bodies.lines(invoice), key("lines")
            ),
            "finalize": lambda: gateway.finalize(self.saved["draft"], {}, key("finalize")),
            "send": lambda: gateway.send(self.saved["draft"], key("send")),
        }
        for name, call in calls.items():
            if name not in self.saved:
                made = call()
                Invoice.objects.filter(pk=invoice.pk).exists()  # a moment to die at: the save
                self.saved[name] = made.id
        return True


@pytest.mark.parametrize("stable_keys", [False, True])
def test_the_naive_recipes_fail(*, stable_keys: bool) -> None:
    """The control: the lives are hard enough to find out what is not good enough."""
    wrong = 0
    for number in range(60):
        life = Life(f"naive-{number}", SavingAfter(stable_keys=stable_keys))
        life.chance.choice = easier(life.chance)  # type: ignore[method-assign, assignment]
        life.live()
        wrong += bool(life.problems())

    assert wrong >= 6


def easier(chance: random.Random) -> Callable[..., object]:
    """Let the short recipes, with their fewer moments, die as often as the long one does."""
    choice = chance.choice

    def among(options: tuple[object, ...]) -> object:
        return choice((None, *range(1, 16))) if len(options) > 80 else choice(options)

    return among
