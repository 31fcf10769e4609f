"""Random lives of a client's documents: an invoice, in some lives another one, or a credit.

Deaths, faults, pauses, webhooks, comparisons, payments and bounced debits come in any order. What
is not on its way is taken back and approved again, and people meddle: they delete drafts, add lines
and use up keys, until a document is parked and somebody has looked.

However a life goes, at its end Stripe holds each document once, right, and sent once, and both
sides stand the same. The simpler recipes that one might write instead are kept as controls: the
same lives find them out.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from agency.models import Organisation
from subscriptions import answers, billing, bodies, gateway, inbox, push, reconcile, steps
from subscriptions.models import Invoice, StripeEvent, StripeStep
from subscriptions.push import Outcome
from subscriptions.sandbox import faults
from subscriptions.sandbox.state import Json, State
from tests import factories as make
from tests.backups import restored_afterwards
from tests.stripe.faults import act, by_hand, forget_faults
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
SELDOM = 1 / 12
Recipe = Callable[[Invoice, dt.datetime], bool]  # whether it is done


class Life:
    """A client's documents, a Stripe of their own, and what chance has in store for them."""

    def __init__(self, seed: str, recipe: Recipe, *, is_meddled_with: bool = True) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.recipe = recipe
        self.state = State()
        with self.state.transaction():  # no two lives have the same numbers
            self.state.set_setting("invoice_number", 1000 * next(LIVES))
        self.at = NOW
        self.meddles = is_meddled_with and self.chance.random() < SELDOM
        self.pays = self.chance.random() < SELDOM
        self.may_park = False
        self.paid: set[str] = set()
        self.documents = self.drawn_up(make.organisation(f"O{uuid4().hex[:12]}"))

    def drawn_up(self, buyer: Organisation) -> list[Invoice]:
        how: dict[str, Any] = {"state": "approved"}
        how["collection"] = self.chance.choice((*["invoice"] * 4, "sepa"))
        made = [make.invoice(buyer, **how)]
        if self.chance.random() < SELDOM:
            made.append(make.invoice(buyer, "2026-04", **how))
        if self.chance.random() < SELDOM:
            part = {"net_cents": -100, "vat_cents": -21, "unit_cents": -100, "kind": "credit"}
            part["credit_of"] = made[0].lines.get()
            credit: dict[str, Any] = {"kind": "credit", "credit_of": made[0], "lines": [part]}
            made.append(make.invoice(buyer, **how, **credit))
        return made

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

    def live(self) -> None:
        with line_to(self.state) as line:
            for _attempt in range(self.chance.choice((1, 1, 2, 2, 4))):
                self.order_faults()
                self.attempt(line, self.chance.choice((None, *range(1, 90))))
                self.pass_time(self.chance.choice(PAUSES_MINUTES))
                self.hear(self.chance.choice((0, 0, 1, 3)))
                if self.chance.random() < 0.05:
                    self.compare()
                self.let_others_act()
            forget_faults(self.state)
            for _attempt in range(5):
                if self.attempt(line, None):
                    break
                self.pass_time(21 * 60)
            self.end()

    def attempt(self, line: Line, dies_at: int | None) -> bool:
        """Push all documents in any order; tell whether all are done."""
        if self.may_park:
            for invoice in Invoice.objects.filter(state="parked"):
                push.unpark(invoice.pk)
        ordered = self.chance.sample(self.documents, len(self.documents))
        try:
            with line.dying_at(dies_at):
                done = [self.recipe(invoice, self.at) for invoice in ordered]
        except (Killed, gateway.GatewayError):
            return False
        return all(done)

    def hear(self, many: int) -> None:
        """Have so many webhooks come, in any order."""
        events = self.events() if many else []
        for given in self.chance.sample(events, min(len(events), many)):
            inbox.receive(answers.event(given), at=self.at)
        with suppress(gateway.GatewayError):
            for event in StripeEvent.objects.filter(state__in=inbox.UNHANDLED):
                inbox.handle(event.pk, at=self.at)

    def compare(self) -> None:
        with suppress(gateway.GatewayError):
            reconcile.reconcile(at=self.at)

    def let_others_act(self) -> None:
        """Have a run called off and approved again, somebody meddle, or the client pay."""
        if self.meddles:
            push.take_back([invoice.pk for invoice in self.documents])
            self.hear(self.chance.choice((0, 1)))
            billing.approve(Invoice.objects.all())
            self.may_park = True
            for invoice in self.invoices("draft"):
                self.chance.choice(MEDDLING)(self.state, invoice)
        if self.pays:
            for there in self.invoices("open"):
                is_debited = there["collection_method"] == "charge_automatically"
                bounces = is_debited and self.chance.random() < 0.5
                act(self.state, "fail_debit" if bounces else "pay", there["id"])
                self.may_park = True  # a credit of what was open
                if not bounces:
                    self.paid.add(there["metadata"]["document"])

    def end(self) -> None:
        """Have both sides agree on what was paid: by all webhooks there are, or by none."""
        if self.pays and self.chance.random() < 0.5:
            self.hear(1000)
        elif self.pays:
            self.pass_time(15)
            self.compare()

    def events(self) -> list[Json]:
        with self.state.transaction():
            return list(self.state.newest("event"))

    def invoices(self, status: str) -> list[Json]:
        with self.state.transaction():
            return [there for there in self.state.newest("invoice") if there["status"] == status]

    def problems(self) -> list[str]:
        """Say what is wrong at Stripe, after all."""
        events = self.events()
        invoices = [invoice for invoice in self.documents if invoice.kind == "invoice"]
        return [what for invoice in invoices for what in self.problems_of(invoice, events)]

    def problems_of(self, invoice: Invoice, events: list[Json]) -> list[str]:
        document = str(invoice.pk)
        expected = "paid" if document in self.paid else "open"
        ours = [
            there
            for there in self.state.newest("invoice")
            if there["metadata"].get("document") == document
        ]
        if [there["status"] for there in ours] != [expected]:
            return [f"stands as {[there['status'] for there in ours]}"]
        [there] = ours
        sent = [event for event in events if is_mail(event, there["id"])]
        least = invoice.collection == "invoice" and expected == "open"
        most = invoice.collection == "invoice"
        found = []
        if there["total"] != invoice.total_cents:
            found.append(f"asks for {there['total']}")
        if not least <= len(sent) <= most:
            found.append(f"sent {len(sent)} times")
        return found

    def problems_here(self) -> list[str]:
        found: list[str] = []
        for document in self.documents:
            document.refresh_from_db()
            paid = str(document.pk) in self.paid or document.kind == "credit"
            if document.state != ("paid" if paid else "open") or not document.number:
                found.append(f"is {document.state} here: {document.parked_because}")
        unfinished = StripeStep.objects.filter(state__in=steps.UNFINISHED)
        unfinished = unfinished.exclude(kind="send", invoice__state="paid")  # nobody mails it now
        found += [f"step {step} is {step.state}" for step in unfinished]
        credits_here = sorted(one.stripe_id for one in self.documents if one.kind == "credit")
        if [note["id"] for note in self.state.newest("credit_note")] != credits_here:
            found.append("credits others than ours")
        customers = [customer["id"] for customer in self.state.newest("customer")]
        if len(customers) != 1:
            found.append(f"has {len(customers)} customers")
        return found + [str(difference) for difference in reconcile.waiting()]


# What somebody does with a draft of ours, in Stripe's dashboard or with our key


def delete_it(state: State, draft: Json) -> None:
    by_hand(state, "DELETE", f"invoices/{draft['id']}")


def add_a_line(state: State, draft: Json) -> None:
    line = "lines[0][amount]=500&lines[0][description]=By hand"
    by_hand(state, "POST", f"invoices/{draft['id']}/add_lines", line)


def use_up_keys(state: State, _draft: Json) -> None:
    with state.transaction():
        state.connection.execute("update idempotency set digest = 'of another body'")


MEDDLING = (delete_it, add_a_line, use_up_keys)


def is_mail(event: Json, invoice_id: str) -> bool:
    return bool(event["type"] == "invoice.sent" and event["data"]["object"]["id"] == invoice_id)


def protocol(invoice: Invoice, at: dt.datetime) -> bool:
    """Push as the product does."""
    return push.push(invoice.pk, at=at) in {Outcome.PUSHED, Outcome.ALREADY}


def lives(block: int, many: int) -> None:
    for number in range(many):
        seed = f"{connection.vendor}-{block}-{number}"
        with restored_afterwards():  # lives do not meet
            life = Life(seed, protocol)
            life.live()
            assert life.problems() + life.problems_here() == [], f"life {seed}"


@pytest.mark.parametrize("block", range(20))
def test_3000_random_lives_deliver_once(block: int) -> None:
    """2,860 on SQLite, and 140 others on PostgreSQL, where each takes twice the time."""
    lives(block, 143 if connection.vendor == "sqlite" else 7)


@pytest.mark.long
@pytest.mark.parametrize("block", range(100, 200))
def test_100000_random_lives_deliver_once(block: int) -> None:
    """80,000 on SQLite and 20,000 others on PostgreSQL."""
    lives(block, 800 if connection.vendor == "sqlite" else 200)


# The controls


class SavingAfter:
    """Call, then save what came back; a key or none.

    What is saved outlives a death, like the rows that a program would keep.
    """

    def __init__(self, *, stable_keys: bool) -> None:
        self.stable_keys = stable_keys
        self.saved: dict[UUID, dict[str, str]] = defaultdict(dict)

    def __call__(self, invoice: Invoice, at: dt.datetime) -> bool:
        if invoice.kind == "credit":
            return True

        def key(step: str) -> str:
            return f"{invoice.pk}-{step}" if self.stable_keys else str(uuid4())

        saved = self.saved[invoice.pk]
        calls: dict[str, Callable[[], gateway.Customer | gateway.Document]] = {
            "customer": lambda: gateway.create_customer(bodies.customer(invoice), key("customer")),
            "draft": lambda: gateway.create_draft(
                bodies.draft(invoice, saved["customer"]), key("draft")
            ),
            "lines": lambda: gateway.add_lines(saved["draft"], bodies.lines(invoice), key("lines")),
            "finalize": lambda: gateway.finalize(saved["draft"], {}, key("finalize")),
            "send": lambda: gateway.send(saved["draft"], key("send")),
        }
        for name, call in calls.items():
            if name not in saved:
                made = call()
                Invoice.objects.filter(pk=invoice.pk).exists()  # a moment to die at: the save
                saved[name] = made.id
        return True


@pytest.mark.one_database
@pytest.mark.parametrize("stable_keys", [False, True])
def test_the_naive_recipes_fail(*, stable_keys: bool) -> None:
    """The control: the lives are hard enough to find out what is not good enough."""
    wrong = 0
    for number in range(60):
        recipe = SavingAfter(stable_keys=stable_keys)
        life = Life(f"naive-{number}", recipe, is_meddled_with=False)
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
