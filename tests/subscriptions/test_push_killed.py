"""A push that the kernel kills, at every statement and every call, and that is run again.

The one that dies is a process of its own, on the real database and over HTTP.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections.abc import Callable
from functools import partial
from io import StringIO
from typing import Any

import pytest
import stripe
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from subscriptions import billing, push, reconcile
from subscriptions.models import Invoice
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests.at_once import MOST_SECONDS
from tests.stripe.control import control, order
from tests.stripe.deliveries import approved, assert_delivered_once

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()
SOON, NEXT_DAY = dt.timedelta(minutes=1), dt.timedelta(hours=30)
MOST_MOMENTS = 150
FAULTS = ("500_before", "500_after", "drop_response", "429")
CALLS = (
    *("POST /v1/customers", "POST /v1/invoices", "POST /v1/invoices/{invoice}/add_lines"),
    *("POST /v1/invoices/{invoice}/finalize", "POST /v1/invoices/{invoice}/send"),
)


def killed_at(moment: int, work: Callable[[], Any]) -> bool:
    """Do something in a process that is killed at a moment; return False if it ends before that."""
    connections.close_all()
    child = os.fork()
    if not child:
        code = 1
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(MOST_SECONDS)
        try:
            with connection.execute_wrapper(Fate(moment)):
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

    def __init__(self, moment: int) -> None:
        self.left = moment
        send = stripe.RequestsClient.request

        def counted(client: stripe.RequestsClient, *arguments: Any) -> Any:
            self.strike()
            answer = send(client, *arguments)
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


def sweep(sandbox: Sandbox, moments: range, *, later: dt.timedelta, fault: str = "") -> int:
    """Kill a push at each of the moments; return the first at which it was over, else 0."""
    for moment, invoice in zip(moments, approved(len(moments)), strict=True):
        if fault:
            order(sandbox, CALLS[moment % len(CALLS)], fault)
        if not killed_at(moment, partial(push.push, invoice.pk, at=NOW)):
            return moment
        control(sandbox, "clock", {"advance_seconds": later.total_seconds()})
        for attempt in range(4):
            at = NOW + later * (attempt + 1)
            if push.push(invoice.pk, at=at) != Outcome.WAITING:
                break
        assert_delivered_once(sandbox.state, invoice)
    return 0


@pytest.mark.parametrize(("first", "later"), [(1, SOON), (4, NEXT_DAY)])
def test_killed_at_some_moment_it_delivers_once_all_the_same(
    sandbox: Sandbox, first: int, later: dt.timedelta
) -> None:
    """At every sixth moment; all of them are in the long run, and die by an exception here."""
    over_at = sweep(sandbox, range(first, MOST_MOMENTS, 6), later=later)

    assert over_at > 50
    done = reconcile.reconcile(at=NOW + dt.timedelta(days=100))
    assert done.found == []


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


@pytest.mark.long
@pytest.mark.parametrize("later", [SOON, NEXT_DAY], ids=["soon", "next day"])
@pytest.mark.parametrize("fault", ["", *FAULTS])
def test_killed_at_any_moment_it_delivers_once_all_the_same(
    sandbox: Sandbox, fault: str, later: dt.timedelta
) -> None:
    assert sweep(sandbox, range(1, MOST_MOMENTS), later=later, fault=fault) > 50
