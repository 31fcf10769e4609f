"""The catalogue of faults, rows 1 to 15, and what a process goes through that dies in each.

This is the table of rows and ways to die. Each case below dies in two ways, at every moment: by an
exception (`test_push_crashes`) and by SIGKILL, over HTTP (`test_push_killed`). A name begins with
its rows, and `test_push_killed` holds that none is missing:

     1, 2       to die at any statement, or before or after any call: IN_A_PUSH, IN_A_CREDIT, and
                ONCE_FINAL for the calls that follow on what our staff or our bank did
     3 to 8     no answer, a forgotten key, a key with another body, 429, 500, no connection:
                IN_A_PUSH. 30 seconds without an answer are no answer; that the wait ends is held by
                `test_push.test_a_stripe_that_does_not_answer_is_waited_out`
     9, 14      what a client or a person at Stripe did, told to a handler that dies: IN_A_HANDLER
    10, 11, 13  webhooks twice, disordered, before our own commit: IN_A_PUSH
    12          no webhook at all: IN_A_COMPARISON, that dies too
    15          a forged webhook: NO_MOMENT to die at
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from django.utils import timezone

from subscriptions import advancing, answers, gateway, inbox, payments, push, reconcile, write_offs
from subscriptions.models import CollectionPolicy, Invoice, StripeEvent
from subscriptions.push import Outcome
from subscriptions.sandbox import api, control, faults
from subscriptions.sandbox.state import Json, State
from tests import factories as make
from tests.stripe.control import TOO_OFTEN
from tests.stripe.deliveries import assert_delivered_once
from tests.stripe.fixtures import KEY

NOW = timezone.now()
SOON, NEXT_DAY = dt.timedelta(minutes=1), dt.timedelta(hours=30)
CALLS = (
    *("POST /v1/customers", "POST /v1/invoices", "POST /v1/invoices/{invoice}/add_lines"),
    *("POST /v1/invoices/{invoice}/finalize", "POST /v1/invoices/{invoice}/send"),
)
NOBODY = range(0)
Deed = Callable[[State, Invoice], None]


@dataclass(frozen=True)
class Row:
    """The fault of a call, the pause until the push is made again, and what comes meanwhile."""

    fault: str = ""
    times: int = 1
    later: dt.timedelta = SOON
    meanwhile: Deed = lambda _state, _invoice: None

    def order(self, state: State, moment: int) -> range:
        """Order the fault for one of the calls; return those that are to find nobody there."""
        if self.fault == "unreachable":
            first = moment % len(CALLS) * 2 + 1
            return range(first, first + self.times)
        if self.fault:
            wish = {"operation": CALLS[moment % len(CALLS)], "fault": self.fault}
            with state.transaction():
                faults.order(state, [wish | {"times": self.times}])
        return NOBODY


def events(state: State) -> list[Json]:
    """Return what Stripe would report, the newest first."""
    with state.transaction():
        return list(state.newest("event"))


def hear(given: Iterable[Json], *, at: dt.datetime = NOW) -> None:
    """Have webhooks come, and the queue work them off."""
    for event in given:
        inbox.receive(answers.event(event), at=at)
    for stored in StripeEvent.objects.filter(state__in=inbox.UNHANDLED):
        with suppress(gateway.GatewayError):
            inbox.handle(stored.pk, at=at)


def push_until_done(invoice: Invoice, *, at: dt.datetime = NOW) -> None:
    for _attempt in range(4):
        if push.push(invoice.pk, at=at) != Outcome.WAITING:
            break


def pass_time(state: State, pause: dt.timedelta) -> None:
    with state.transaction():
        offset = state.setting("clock_offset")
        state.set_setting("clock_offset", offset + int(pause.total_seconds()))


def forget_faults(state: State) -> None:
    with state.transaction():
        state.connection.execute("delete from fault")


# What comes between a death and the next attempt


def webhooks_come(state: State, _invoice: Invoice) -> None:
    """All there are by now, before the push wrote anything down, twice and the last one first."""
    known = set(StripeEvent.objects.values_list("event_id", flat=True))
    hear(2 * [event for event in events(state) if event["id"] not in known])


def keys_stand_for_something_else(state: State, invoice: Invoice) -> None:
    """Somebody used our keys with other parameters: that is for a person to look at."""
    with state.transaction():
        state.connection.execute("update idempotency set digest = 'of another body'")
    push.push(invoice.pk, at=NOW)
    push.unpark(invoice.pk)


def act(state: State, deed: str, stripe_id: str) -> None:
    """Have a client or its bank do something."""
    control.answer(state, f"/_sandbox/{deed}/{stripe_id}", "", "http://127.0.0.1:1")


def pay_and_dispute(state: State, invoice: Invoice) -> None:
    act(state, "pay", invoice.stripe_id)
    act(state, "dispute", invoice.stripe_id)


def our_bank_has_it(_state: State, invoice: Invoice) -> None:
    assert invoice.invoice_on
    payments.note(invoice.pk, received_on=invoice.invoice_on, on=invoice.invoice_on)


def nobody_will_pay(_state: State, invoice: Invoice) -> None:
    assert invoice.due_on
    controller = make.user("controller", email=f"{invoice.pk}@staff.example")
    write_offs.write_off(invoice.pk, "bankrupt", by=controller, on=invoice.due_on)


def stripe_reminds(_state: State, invoice: Invoice) -> None:
    if not CollectionPolicy.objects.exists():
        make.collection_policy(reminded_by="stripe")
    assert invoice.invoice_on
    advancing.align(invoice.pk, on=invoice.invoice_on)


def by_hand(state: State, method: str, path: str, form: str = "") -> None:
    """Try something in Stripe's dashboard."""
    headers = {"authorization": f"Bearer {KEY}"}
    api.answer(state, api.Request(method, f"/v1/{path}", form, headers, "http://127.0.0.1:1"))


IN_A_PUSH = {
    "1, 2 dies": Row(),
    "1, 4 dies, and the keys are forgotten": Row(later=NEXT_DAY),
    "3 made, then no answer": Row("drop_response"),
    "4 no answer, and the key is forgotten": Row("drop_response", TOO_OFTEN, NEXT_DAY),
    "5 a key with another body": Row(meanwhile=keys_stand_for_something_else),
    "6 too many requests": Row("429", TOO_OFTEN),
    "7 a 500 with effect": Row("500_after"),
    "7 a 500 without effect": Row("500_before", later=NEXT_DAY),
    "8 no connection": Row("unreachable", TOO_OFTEN),
    "10, 11, 13 webhooks twice, disordered, before our commit": Row(meanwhile=webhooks_come),
    "3, 13 no answer but a webhook": Row("drop_response", meanwhile=webhooks_come),
}
IN_A_CREDIT = ("1, 2 dies", "1, 4 dies, and the keys are forgotten")
# What Stripe is told of a document that is open there, and where it stands after that.
ONCE_FINAL: dict[str, tuple[Deed, str]] = {
    "1, 2, 4 paid at our bank": (our_bank_has_it, "paid"),
    "1, 2, 4 written off": (nobody_will_pay, "uncollectible"),
    "1, 2, 4 reminded of by Stripe": (stripe_reminds, "open"),
}
# What happened, and where the document stands after it.
IN_A_HANDLER: dict[str, tuple[Deed, str]] = {
    "9, 14 sent": (lambda _state, _invoice: None, "open"),
    "9, 14 paid": (lambda state, invoice: act(state, "pay", invoice.stripe_id), "paid"),
    "9, 14 paid, and taken back": (pay_and_dispute, "paid"),  # for Stripe too, it stays paid
    "9, 14 void": (
        lambda state, invoice: by_hand(state, "POST", f"invoices/{invoice.stripe_id}/void"),
        "void",
    ),
    "9, 14 given up": (
        lambda state, one: by_hand(state, "POST", f"invoices/{one.stripe_id}/mark_uncollectible"),
        "uncollectible",
    ),
}
IN_A_COMPARISON = "12 no webhook ever comes"
NO_MOMENT = {
    "15 forged, altered, replayed, of another account or mode": "is refused before the first "
    "statement, which test_webhooks.test_a_forged_event_leaves_nothing counts"
}


def compare_until_done(
    state: State, invoice: Invoice, dies: Callable[[Callable[[], object]], bool]
) -> bool:
    """Have comparisons alone set it right; the first of them dies at some moment.

    Tells whether it died. The second one finds nothing any more.
    """
    died = dies(lambda: reconcile.reconcile(at=NOW + dt.timedelta(days=3)))
    for days in (4, 5):
        done = reconcile.reconcile(at=NOW + dt.timedelta(days=days))
    assert (done.repaired, done.found) == ([], [])
    if push.begun().exists() or invoice.steps.exists():
        assert_delivered_once(state, invoice)
    return died
