"""A push that dies anywhere, and is repeated, delivers each invoice exactly once.

The numbers are the rows of the catalogue of faults. Each ends with the audit: the documents
come from contracts, a closed month and a run, so that all of the books can be recomputed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

import pytest
from django.utils import timezone

from subscriptions import answers, gateway, inbox, push, reconcile, steps
from subscriptions.models import Invoice, StepKind, StripeEvent
from subscriptions.push import Outcome
from subscriptions.sandbox import control, faults
from subscriptions.sandbox.server import Sandbox
from subscriptions.sandbox.state import Json, State
from tests.at_once import at_once, while_uncommitted
from tests.backups import restored_afterwards
from tests.clients import bill
from tests.stripe.control import TOO_OFTEN
from tests.stripe.deliveries import approved, assert_delivered_once, at_stripe
from tests.stripe.fixtures import KEY
from tests.stripe.in_process import Killed, Line, line_to

NOW = timezone.now()
SOON, NEXT_DAY = dt.timedelta(minutes=1), dt.timedelta(hours=30)
HEADERS = {"Authorization": f"Bearer {KEY}"}
CALLS = (
    *("POST /v1/customers", "POST /v1/invoices", "POST /v1/invoices/{invoice}/add_lines"),
    *("POST /v1/invoices/{invoice}/finalize", "POST /v1/invoices/{invoice}/send"),
)


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


# What happens between a death and the next attempt


def nothing(_line: Line, _invoice: Invoice) -> None:
    return


def webhooks_come(line: Line, _invoice: Invoice) -> None:
    """All there are by now, before the push wrote anything down, twice and the last one first."""
    hear(2 * events(line.state))


def keys_stand_for_something_else(line: Line, invoice: Invoice) -> None:
    """Somebody used our keys with other parameters: that is for a person to look at."""
    with line.state.transaction():
        line.state.connection.execute("update idempotency set digest = 'of another body'")
    push.push(invoice.pk, at=NOW)
    push.unpark(invoice.pk)


@dataclass(frozen=True)
class Row:
    """A row of the catalogue: the fault of a call, the pause, and what comes meanwhile."""

    fault: str = ""
    times: int = 1
    later: dt.timedelta = SOON
    meanwhile: Callable[[Line, Invoice], None] = nothing


ROWS = {
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


def order(line: Line, row: Row, moment: int) -> None:
    if row.fault == "unreachable":
        first = moment % len(CALLS) * 2  # of the calls of a push
        line.unreachable = range(first, first + row.times)
    elif row.fault:
        wish = {"operation": CALLS[moment % len(CALLS)], "fault": row.fault, "times": row.times}
        with line.state.transaction():
            faults.order(line.state, [wish])


def dies(line: Line, moment: int, work: Callable[[], object]) -> bool:
    """Do something until a moment; return False when it ends before that."""
    try:
        with line.dying_at(moment):
            work()
    except Killed:
        return True
    except gateway.GatewayError:
        return True
    return False


def pass_time(line: Line, pause: dt.timedelta) -> None:
    with line.state.transaction():
        offset = line.state.setting("clock_offset")
        line.state.set_setting("clock_offset", offset + int(pause.total_seconds()))


def sweep(row: Row, every: int = 1) -> int:
    """Die at one moment after the other, and push again; return how many moments there are."""
    [invoice] = approved()
    for moment in count(1, every):
        with restored_afterwards(), line_to(State()) as line:
            order(line, row, moment)
            if not dies(line, moment, lambda: push.push(invoice.pk, at=NOW)):
                return moment
            row.meanwhile(line, invoice)
            pass_time(line, row.later)
            push_until_done(invoice, at=NOW + row.later)
            assert_delivered_once(line.state, invoice)
    return 0


@pytest.mark.django_db
@pytest.mark.parametrize("row", [*ROWS][:2])
def test_dying_at_any_moment_neither_loses_nor_doubles(row: str) -> None:
    """At every statement and call; repeated at once, or when Stripe has forgotten the keys."""
    assert sweep(ROWS[row]) > 50


@pytest.mark.django_db
@pytest.mark.parametrize("row", [*ROWS][2:])
def test_dying_beside_a_fault_neither_loses_nor_doubles(row: str) -> None:
    """At every seventh moment here, at every one in the long run."""
    assert sweep(ROWS[row], every=7) > 30


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("row", [*ROWS][2:])
def test_dying_at_any_moment_beside_a_fault_neither_loses_nor_doubles(row: str) -> None:
    assert sweep(ROWS[row]) > 30


@pytest.mark.django_db
def test_repeating_forgotten_keys_would_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without looking at Stripe first, the same sweep finds doubles."""
    monkeypatch.setattr(steps, "KEY_IS_REPEATED_FOR", dt.timedelta(days=1000))

    with pytest.raises((AssertionError, ValueError)):
        sweep(Row(later=NEXT_DAY))


# After the push: whoever hears of it dies


def act(line: Line, deed: str, invoice: Invoice) -> None:
    control.answer(line.state, f"/_sandbox/{deed}/{invoice.stripe_id}", "", "http://127.0.0.1:1")


def by_hand(line: Line, verb: str, invoice: Invoice) -> None:
    """Do something in Stripe's dashboard."""
    line.request("POST", f"http://127.0.0.1:1/v1/invoices/{invoice.stripe_id}/{verb}", HEADERS)


DEEDS: dict[str, Callable[[Line, Invoice], None]] = {
    "open": nothing,
    "paid": lambda line, invoice: act(line, "pay", invoice),
    "void": lambda line, invoice: by_hand(line, "void", invoice),
    "uncollectible": lambda line, invoice: by_hand(line, "mark_uncollectible", invoice),
}


EVERY = [7, pytest.param(1, marks=pytest.mark.long)]


@pytest.mark.django_db
@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("standing", DEEDS)
def test_a_handler_that_dies_at_any_moment_ends_where_stripe_stands(
    standing: str, every: int
) -> None:
    """Rows 9 and 14: no event was heard of the push; the handler dies, all events come again."""
    [invoice] = approved()
    with line_to(State()) as line:
        push_until_done(invoice)
        invoice.refresh_from_db()
        DEEDS[standing](line, invoice)
        for moment in count(1, every):
            with restored_afterwards():
                died = dies(line, moment, lambda: hear(events(line.state)))
                hear(events(line.state))
                bill("2025-12")  # what was voided is billed anew
                assert_delivered_once(line.state, invoice, standing)
            if not died:
                break
    assert moment > 40


@pytest.mark.django_db
@pytest.mark.parametrize("every", EVERY)
def test_a_comparison_repairs_what_no_webhook_brings_and_may_die_itself(every: int) -> None:
    """Row 12: the push dies, the client pays, nothing is heard; so does the first comparison."""
    [invoice] = approved()
    moments = 0
    for moment in count(1, every):
        with restored_afterwards(), line_to(State()) as line:
            if not dies(line, moment, lambda: push.push(invoice.pk, at=NOW)):
                break
            moments += compare_until_done(line, invoice, moment)
    assert moments > 5


def compare_until_done(line: Line, invoice: Invoice, moment: int) -> int:
    """Have three days pass and comparisons alone set it right; the first dies at some moment."""
    three_days = NOW + dt.timedelta(days=3)
    pass_time(line, dt.timedelta(days=3))
    died = dies(line, 1 + 7 * moment % 60, lambda: reconcile.reconcile(at=three_days))
    for days in (4, 5):  # the second finds nothing any more
        done = reconcile.reconcile(at=NOW + dt.timedelta(days=days))
    assert (done.repaired, done.found) == ([], [])
    if push.begun().exists() or invoice.steps.exists():
        assert_delivered_once(line.state, invoice)
    return died


# At the same time


@pytest.mark.django_db(transaction=True)
def test_pushers_at_once_deliver_each_invoice_once(sandbox: Sandbox) -> None:
    invoices = approved(3)

    def push_all() -> None:
        for invoice in invoices:
            push_until_done(invoice)

    assert at_once(push_all, push_all, push_all, push_all) == [None] * 4
    push_all()

    for invoice in invoices:
        assert_delivered_once(sandbox.state, invoice)


@pytest.mark.django_db(transaction=True)
def test_what_is_taken_back_while_it_is_pushed_is_sent_once_or_not_at_all(
    sandbox: Sandbox,
) -> None:
    invoices = approved(6)

    def push_all() -> None:
        for invoice in invoices:
            with suppress(push.NotApprovedError):
                push_until_done(invoice)

    def take_back() -> None:
        for invoice in reversed(invoices):
            push.take_back([invoice.pk])

    assert at_once(push_all, take_back, push_all) == [None] * 3
    push_all()

    for invoice in invoices:
        invoice.refresh_from_db()
        if invoice.state == "draft":
            assert (at_stripe(sandbox.state, invoice), invoice.steps.count()) == ([], 0)
        else:
            assert_delivered_once(sandbox.state, invoice)


@pytest.mark.django_db(transaction=True)
def test_a_document_is_not_taken_back_while_its_first_step_is_written_down() -> None:
    [invoice] = approved()

    def begin() -> None:
        steps.wait_unless_approved(invoice)
        steps.step_for(invoice, StepKind.CUSTOMER, {})

    begun, taken_back = while_uncommitted(begin, lambda: push.take_back([invoice.pk]))

    invoice.refresh_from_db()
    assert (begun, taken_back, invoice.state) == (None, [], "approved")


@pytest.mark.django_db(transaction=True)
def test_a_push_that_comes_while_a_document_is_taken_back_leaves_no_step() -> None:
    [invoice] = approved()

    taken_back, outcome = while_uncommitted(
        lambda: push.take_back([invoice.pk]), lambda: push.push(invoice.pk, at=NOW)
    )

    assert taken_back == [invoice]
    assert outcome == Outcome.WAITING or isinstance(outcome, push.NotApprovedError)
    assert not invoice.steps.exists()


@pytest.mark.django_db(transaction=True)
def test_push_webhooks_and_a_comparison_at_once_agree_in_the_end(sandbox: Sandbox) -> None:
    invoices = approved(4)
    later = timezone.now() + dt.timedelta(hours=1)

    def three_times(work: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _round in range(3):
                with suppress(gateway.GatewayError):
                    work()

        return run

    def push_all() -> None:
        for invoice in invoices:
            push_until_done(invoice)

    def hear_all() -> None:
        hear(events(sandbox.state))

    def compare() -> None:
        reconcile.reconcile(at=later)

    outcomes = at_once(*map(three_times, (push_all, hear_all, compare, push_all)))
    push_all()

    assert outcomes == [None] * 4
    assert reconcile.reconcile(at=later).found == []
    for invoice in invoices:
        assert_delivered_once(sandbox.state, invoice)
