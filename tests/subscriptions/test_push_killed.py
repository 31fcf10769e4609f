"""A push that the kernel kills, at every statement and every call, and that is run again.

The one that dies is a process of its own, on the real database and over HTTP.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import StringIO
from typing import Any

import pytest
import stripe
from django.core.management import call_command
from django.db import connection, connections

from subscriptions import billing, push, reconcile
from subscriptions.models import Invoice
from subscriptions.sandbox.server import Sandbox
from subscriptions.sandbox.state import Json
from tests.at_once import MOST_SECONDS
from tests.clients import bill
from tests.stripe import faults
from tests.stripe.deliveries import (
    approved,
    approved_credits,
    assert_credited_once,
    assert_delivered_once,
)
from tests.stripe.faults import (
    IN_A_CREDIT,
    IN_A_HANDLER,
    IN_A_PUSH,
    NEXT_DAY,
    NOBODY,
    NOW,
    ONCE_FINAL,
    SOON,
    Row,
    compare_until_done,
    events,
    forget_faults,
    hear,
    pass_time,
    push_until_done,
)

pytestmark = pytest.mark.django_db(transaction=True)

MOST_MOMENTS = 150
AT_NOBODY = "http://127.0.0.1:9"


def killed_at(moment: int, work: Callable[[], Any], unreachable: range = NOBODY) -> bool:
    """Do something in a process that is killed at a moment; return False if it ends before that.

    The calls with these numbers find nobody there.
    """
    connections.close_all()
    child = os.fork()
    if not child:
        code = 1
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(MOST_SECONDS)
        try:
            with connection.execute_wrapper(Fate(moment, unreachable)):
                work()
            code = 0
        finally:
            os._exit(code)
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


class Fate:
    """Kills this process at a moment: a statement, or just before or after a call to Stripe."""

    def __init__(self, moment: int, unreachable: range) -> None:
        self.left = moment
        self.calls = 0
        send = stripe.RequestsClient.request

        def counted(client: stripe.RequestsClient, method: str, url: str, *more: Any) -> Any:
            self.strike()
            self.calls += 1
            if self.calls in unreachable:
                url = re.sub("^http://[^/]+", AT_NOBODY, url)
            answer = send(client, method, url, *more)
            self.strike()
            return answer

        stripe.RequestsClient.request = counted  # type: ignore[method-assign, assignment]

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.strike()
        return execute(*arguments)

    def strike(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def sweep(sandbox: Sandbox, row: Row, moments: range) -> int:
    """Kill a push at each of the moments, and push again; return the last before its end."""
    last = 0
    for moment, invoice in zip(moments, approved(len(moments)), strict=True):
        unreachable = row.order(sandbox.state, moment)
        if killed_at(moment, partial(push.push, invoice.pk, at=NOW), unreachable):
            last = moment
        row.meanwhile(sandbox.state, invoice)
        pass_time(sandbox.state, row.later)
        push_until_done(invoice, at=NOW + row.later)
        assert_delivered_once(sandbox.state, invoice)
        forget_faults(sandbox.state)
    return last


def test_no_row_of_the_catalogue_is_left_out() -> None:
    names = [*IN_A_PUSH, *IN_A_CREDIT, *IN_A_HANDLER, faults.IN_A_COMPARISON, *faults.NO_MOMENT]
    rows = {int(row) for name in names for row in re.findall(r"\d+", re.split("[a-z]", name)[0])}

    assert rows == set(range(1, 16))


@pytest.mark.parametrize("name", IN_A_PUSH)
def test_a_push_that_is_killed_delivers_once_all_the_same(sandbox: Sandbox, name: str) -> None:
    """At some moments, others for each row; all of them are in the long run."""
    first = 3 + 2 * [*IN_A_PUSH].index(name)

    assert sweep(sandbox, IN_A_PUSH[name], range(first, 100, 23)) > 0

    assert reconcile.reconcile(at=NOW + dt.timedelta(days=100)).found == []


@pytest.mark.long
@pytest.mark.parametrize("later", [SOON, NEXT_DAY], ids=["soon", "next day"])
@pytest.mark.parametrize("name", IN_A_PUSH)
def test_a_push_that_is_killed_at_any_moment_delivers_once_all_the_same(
    sandbox: Sandbox, name: str, later: dt.timedelta
) -> None:
    row = replace(IN_A_PUSH[name], later=later)

    assert sweep(sandbox, row, range(1, MOST_MOMENTS)) > 45


SOME = [range(5, 80, 25), pytest.param(range(1, MOST_MOMENTS), marks=pytest.mark.long)]


@pytest.mark.parametrize("moments", SOME)
@pytest.mark.parametrize("name", IN_A_CREDIT)
def test_a_credit_whose_push_is_killed_is_given_once(
    sandbox: Sandbox, name: str, moments: range
) -> None:
    later = IN_A_PUSH[name].later
    killed = 0
    for moment, credit in zip(moments, approved_credits(len(moments)), strict=True):
        killed += killed_at(moment, partial(push.push, credit.pk, at=NOW))
        pass_time(sandbox.state, later)
        push_until_done(credit, at=NOW + later)
        assert_credited_once(sandbox.state, credit)
    assert killed


@pytest.mark.parametrize("moments", SOME)
@pytest.mark.parametrize("name", ONCE_FINAL)
def test_what_follows_on_a_push_may_be_killed(sandbox: Sandbox, name: str, moments: range) -> None:
    act, standing = ONCE_FINAL[name]
    killed = 0
    for moment, invoice in zip(moments, approved(len(moments)), strict=True):
        push_until_done(invoice)
        invoice.refresh_from_db()
        act(sandbox.state, invoice)
        killed += killed_at(moment, partial(push.push, invoice.pk, at=NOW))
        push_until_done(invoice)
        assert_delivered_once(sandbox.state, invoice, standing)
    assert killed


@pytest.mark.parametrize("moments", SOME)
@pytest.mark.parametrize("name", IN_A_HANDLER)
def test_a_handler_that_is_killed_ends_where_stripe_stands(
    sandbox: Sandbox, name: str, moments: range
) -> None:
    """No event was heard of the push; whoever stores and handles them is killed."""
    act, standing = IN_A_HANDLER[name]
    killed = 0
    for moment, invoice in zip(moments, approved(len(moments)), strict=True):
        push_until_done(invoice)
        invoice.refresh_from_db()
        act(sandbox.state, invoice)
        told = [event for event in events(sandbox.state) if is_about(invoice, event)]
        killed += killed_at(moment, partial(hear, told))
        hear(told)
        bill("2025-12")
        assert_delivered_once(sandbox.state, invoice, standing)
    assert killed


def is_about(invoice: Invoice, event: Json) -> bool:
    return bool(event["data"]["object"]["id"] == invoice.stripe_id)


@pytest.mark.parametrize("moments", SOME)
def test_a_comparison_that_is_killed_repairs_what_no_webhook_brings(
    sandbox: Sandbox, moments: range
) -> None:
    killed = 0
    for moment, invoice in zip(moments, approved(len(moments)), strict=True):
        killed_at(moment, partial(push.push, invoice.pk, at=NOW))
        dies = partial(killed_at, 1 + 7 * moment % 60)
        killed += compare_until_done(sandbox.state, invoice, dies)
    assert killed


def test_a_run_that_is_killed_at_some_moment_is_run_again(sandbox: Sandbox) -> None:
    """The command itself, over two documents a run; it ends without bad news."""
    moments = range(3, 2 * MOST_MOMENTS, 17)
    documents = push.take_back([invoice.pk for invoice in approved(2 * len(moments))])
    run = partial(call_command, "push_invoices", "--json", stdout=StringIO())

    for moment in moments:
        both = [documents.pop(), documents.pop()]
        billing.approve(Invoice.objects.filter(pk__in=[invoice.pk for invoice in both]))
        if not killed_at(moment, run):
            break
        run()
        for invoice in both:
            assert_delivered_once(sandbox.state, invoice)

    assert moment > 100
