"""A push that dies anywhere, and is repeated, delivers each invoice exactly once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from subscriptions import push, steps
from subscriptions.models import Invoice, StripeStep
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.stripe.control import control, listed, order

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()


class Killed(BaseException):
    """Nothing catches it, as nothing catches a power cut."""


class Kill:
    """Dies just before the n-th statement that reaches the database."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            raise Killed
        return execute(*arguments)


def push_and_die(invoice: Invoice, statement: int) -> bool:
    """Push until the n-th statement; return False when the push ends before that."""
    try:
        with connection.execute_wrapper(Kill(statement)):
            push.push(invoice.pk, at=NOW)
    except Killed:
        return True
    return False


def push_until_done(invoice: Invoice, *, at: dt.datetime = NOW) -> None:
    for _attempt in range(4):
        if push.push(invoice.pk, at=at) != Outcome.WAITING:
            break


def assert_delivered_once(sandbox: Sandbox, invoice: Invoice) -> None:
    invoice.refresh_from_db()
    assert (invoice.state, invoice.parked_because) == ("open", "")
    [there] = [
        document
        for document in listed(sandbox)
        if document["metadata"]["document"] == str(invoice.pk)
    ]
    assert (there["status"], there["total"], there["number"]) == ("open", 121000, invoice.number)
    assert (there["id"], len(there["lines"]["data"])) == (invoice.stripe_id, 1)
    assert invoice.steps.filter(kind="send", state="done").exists()
    assert not StripeStep.objects.filter(state__in=steps.UNFINISHED).exists()
    organisation = str(invoice.organisation_id)
    customers = [c["metadata"]["organisation"] for c in listed(sandbox, "customers")]
    assert customers.count(organisation) == 1


@pytest.mark.parametrize(
    ("first", "later"), [(0, dt.timedelta(minutes=1)), (1, dt.timedelta(hours=30))]
)
def test_dying_at_any_statement_neither_loses_nor_doubles(
    sandbox: Sandbox, first: int, later: dt.timedelta
) -> None:
    """At every other statement, whether repeated at once or when Stripe has forgotten the keys."""
    died_at = first
    while True:
        organisation = make.organisation(f"ORG{died_at}")
        invoice = make.invoice(organisation, state="approved")
        if not push_and_die(invoice, died_at + 1):
            break
        died_at += 2
        control(sandbox, "clock", {"advance_seconds": later.total_seconds()})
        push_until_done(invoice, at=NOW + later)
        assert_delivered_once(sandbox, invoice)

    assert died_at > 30


def test_repeating_forgotten_keys_would_double(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without looking at Stripe first, the same sweep finds doubles."""
    monkeypatch.setattr(steps, "KEY_IS_REPEATED_FOR", dt.timedelta(days=1000))

    with pytest.raises((AssertionError, ValueError)):
        test_dying_at_any_statement_neither_loses_nor_doubles(sandbox, 1, dt.timedelta(hours=30))


@pytest.mark.parametrize("fault", ["500_before", "500_after", "drop_response"])
def test_dying_after_a_fault_neither_loses_nor_doubles(sandbox: Sandbox, fault: str) -> None:
    """The call for the draft goes wrong, and the process dies at any statement after that."""
    died_at = 10
    while True:
        organisation = make.organisation(f"ORG{died_at}")
        invoice = make.invoice(organisation, state="approved")
        order(sandbox, "POST /v1/invoices", fault)
        if not push_and_die(invoice, died_at + 1):
            break
        died_at += 6
        control(sandbox, "clock", {"advance_seconds": 25 * 3600})
        push_until_done(invoice, at=NOW + dt.timedelta(hours=21))
        assert_delivered_once(sandbox, invoice)

    assert died_at > 30


def test_pushers_at_once_deliver_each_invoice_once(sandbox: Sandbox) -> None:
    organisation = make.organisation()
    invoices = [
        make.invoice(organisation, run, state="approved")
        for run in ("2026-01", "2026-02", "2026-03")
    ]

    def push_all(_number: int) -> None:
        try:
            for invoice in invoices:
                push_until_done(invoice)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(push_all, range(4)))
    for invoice in invoices:
        push_until_done(invoice)

    for invoice in invoices:
        assert_delivered_once(sandbox, invoice)
    sent = [event for event in listed(sandbox, "events") if event["type"] == "invoice.sent"]
    assert len(sent) == 3
