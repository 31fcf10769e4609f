"""A push that dies anywhere, and is repeated, delivers each invoice exactly once.

It dies by an exception, in each row of the catalogue (`tests.stripe.faults`). Each ends with the
audit: the documents come from contracts, a closed month and a run, so that all of the books can be
recomputed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count

import pytest
from django.db import connection
from django.utils import timezone

from subscriptions import gateway, push, reconcile, steps
from subscriptions.models import StepKind
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from subscriptions.sandbox.state import State
from tests.at_once import at_once, while_uncommitted
from tests.backups import restored_afterwards
from tests.clients import bill
from tests.stripe.deliveries import (
    approved,
    approved_credits,
    assert_credited_once,
    assert_delivered_once,
    at_stripe,
)
from tests.stripe.faults import (
    CALLS,
    IN_A_CREDIT,
    IN_A_HANDLER,
    IN_A_PUSH,
    NEXT_DAY,
    NOW,
    ONCE_FINAL,
    SOON,
    Row,
    compare_until_done,
    events,
    hear,
    pass_time,
    push_until_done,
)
from tests.stripe.in_process import Killed, Line, line_to

# The long run dies at every moment, on both databases.
FEW = 11 if connection.vendor == "sqlite" else 31
EVERY = [FEW, pytest.param(1, marks=pytest.mark.long)]


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


def sweep(row: Row, every: int = 1) -> int:
    """Die at one moment after the other, and push again; return how many moments there are.

    Over it is when those survive whose fault fell on each of the calls: a fault may end a push.
    """
    [invoice] = approved()
    survived = 0
    for moment in count(1, every):
        with restored_afterwards(), line_to(State()) as line:
            line.unreachable = row.order(line.state, moment)
            died = dies(line, moment, lambda: push.push(invoice.pk, at=NOW))
            row.meanwhile(line.state, invoice)
            pass_time(line.state, row.later)
            push_until_done(invoice, at=NOW + row.later)
            assert_delivered_once(line.state, invoice)
        survived = 0 if died else survived + 1
        if survived == (len(CALLS) if row.fault else 1):
            break
    return moment


@pytest.mark.django_db
@pytest.mark.parametrize("row", [*IN_A_PUSH][:2])
def test_dying_at_any_moment_neither_loses_nor_doubles(row: str) -> None:
    """At every other statement and call; repeated at once, or with keys that Stripe forgot."""
    assert sweep(IN_A_PUSH[row], every=2 if connection.vendor == "sqlite" else 5) > 50


@pytest.mark.django_db
@pytest.mark.parametrize("row", [*IN_A_PUSH][2:])
def test_dying_beside_a_fault_neither_loses_nor_doubles(row: str) -> None:
    assert sweep(IN_A_PUSH[row], every=FEW) > 50


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("row", IN_A_PUSH)
def test_dying_at_any_moment_beside_a_fault_neither_loses_nor_doubles(row: str) -> None:
    assert sweep(IN_A_PUSH[row]) > 50


@pytest.mark.django_db
@pytest.mark.parametrize("row", IN_A_CREDIT)
def test_a_credit_that_dies_at_any_moment_is_given_once(row: str) -> None:
    before = State()
    with line_to(before):
        [credit] = approved_credits()
    later = IN_A_PUSH[row].later
    for moment in count(1):
        with restored_afterwards(), line_to(State()) as line:
            before.connection.backup(line.state.connection)
            died = dies(line, moment, lambda: push.push(credit.pk, at=NOW))
            pass_time(line.state, later)
            push_until_done(credit, at=NOW + later)
            assert_credited_once(line.state, credit)
        if not died:
            break
    assert moment > 15


@pytest.mark.django_db
@pytest.mark.parametrize("later", [SOON, pytest.param(NEXT_DAY, marks=pytest.mark.long)])
@pytest.mark.parametrize("deed", ONCE_FINAL)
def test_what_follows_on_a_push_may_die_at_any_moment(deed: str, later: dt.timedelta) -> None:
    act, standing = ONCE_FINAL[deed]
    [invoice], before = approved(), State()
    with line_to(before):
        push_until_done(invoice)
    invoice.refresh_from_db()
    act(before, invoice)
    assert invoice.steps.filter(state="todo").count() == 1
    for moment in count(1):
        with restored_afterwards(), line_to(State()) as line:
            before.connection.backup(line.state.connection)
            died = dies(line, moment, lambda: push.push(invoice.pk, at=NOW))
            pass_time(line.state, later)
            push_until_done(invoice, at=NOW + later)
            assert_delivered_once(line.state, invoice, standing)
        if not died:
            break
    assert moment > 10


@pytest.mark.django_db
def test_repeating_forgotten_keys_would_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without looking at Stripe first, the same sweep finds doubles."""
    monkeypatch.setattr(steps, "KEY_IS_REPEATED_FOR", dt.timedelta(days=1000))

    with pytest.raises((AssertionError, ValueError)):
        sweep(Row(later=NEXT_DAY))


# After the push: whoever hears of it dies


@pytest.mark.django_db
@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("deed", IN_A_HANDLER)
def test_a_handler_that_dies_at_any_moment_ends_where_stripe_stands(deed: str, every: int) -> None:
    """No event was heard of the push; the handler dies, all events come again."""
    [invoice] = approved()
    with line_to(State()) as line:
        push_until_done(invoice)
        invoice.refresh_from_db()
        act, standing = IN_A_HANDLER[deed]
        act(line.state, invoice)
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
@pytest.mark.parametrize("every", [11, EVERY[1]])
def test_a_comparison_repairs_what_no_webhook_brings_and_may_die_itself(every: int) -> None:
    """The push dies, nothing is heard for three days; so does the first comparison."""
    [invoice] = approved()
    moments = 0
    for moment in count(1, every):
        with restored_afterwards(), line_to(State()) as line:
            if not dies(line, moment, lambda: push.push(invoice.pk, at=NOW)):
                break
            pass_time(line.state, dt.timedelta(days=3))
            compared = partial(dies, line, 1 + 7 * moment % 60)
            moments += compare_until_done(line.state, invoice, compared)
    assert moments > 5


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
