"""A push that dies anywhere, and is repeated, delivers each invoice exactly once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from subscriptions import answers, gateway, inbox, push, reconcile, steps
from subscriptions.models import Invoice, StripeEvent, StripeStep
from subscriptions.push import Outcome
from subscriptions.sandbox import faults
from subscriptions.sandbox.server import Sandbox
from subscriptions.sandbox.state import State
from tests import factories as make
from tests.stripe.control import listed
from tests.stripe.in_process import Killed, Line, line_to

NOW = timezone.now()
SOON, NEXT_DAY = dt.timedelta(minutes=1), dt.timedelta(hours=30)


@pytest.fixture
def line() -> Iterator[Line]:
    with line_to(State()) as line:
        yield line


def push_and_die(line: Line, invoice: Invoice, moment: int) -> bool:
    """Push until a moment; return False when the push ends before that."""
    try:
        with line.dying_at(moment):
            push.push(invoice.pk, at=NOW)
    except Killed:
        return True
    return False


def push_until_done(invoice: Invoice, *, at: dt.datetime = NOW) -> None:
    for _attempt in range(4):
        if push.push(invoice.pk, at=at) != Outcome.WAITING:
            break


def assert_delivered_once(state: State, invoice: Invoice) -> None:
    invoice.refresh_from_db()
    assert (invoice.state, invoice.parked_because) == ("open", "")
    [there] = [
        document
        for document in state.newest("invoice")
        if document["metadata"]["document"] == str(invoice.pk)
    ]
    assert (there["status"], there["total"], there["number"]) == ("open", 121000, invoice.number)
    assert (there["id"], len(list(state.newest("line_item", there["id"])))) == (
        invoice.stripe_id,
        1,
    )
    assert not StripeStep.objects.filter(state__in=steps.UNFINISHED).exists()
    organisation = str(invoice.organisation_id)
    customers = [c["metadata"]["organisation"] for c in state.newest("customer")]
    assert customers.count(organisation) == 1


def sweep(line: Line, later: dt.timedelta, fault: str = "", every: int = 1) -> int:
    """Die at one moment after the other, an invoice each; return how many there are."""
    moment = 1
    while True:
        invoice = make.invoice(make.organisation(f"ORG{moment}"), state="approved")
        if fault:
            with line.state.transaction():
                faults.order(line.state, [{"operation": "POST /v1/invoices", "fault": fault}])
        if not push_and_die(line, invoice, moment):
            return moment
        moment += every
        with line.state.transaction():
            offset = line.state.setting("clock_offset")
            line.state.set_setting("clock_offset", offset + int(later.total_seconds()))
        push_until_done(invoice, at=NOW + later)
        assert_delivered_once(line.state, invoice)


@pytest.mark.django_db
@pytest.mark.parametrize("later", [SOON, NEXT_DAY], ids=["soon", "next day"])
def test_dying_at_any_moment_neither_loses_nor_doubles(line: Line, later: dt.timedelta) -> None:
    """At every statement and call; repeated at once, or when Stripe has forgotten the keys."""
    assert sweep(line, later) > 50


@pytest.mark.django_db
def test_repeating_forgotten_keys_would_double(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without looking at Stripe first, the same sweep finds doubles."""
    monkeypatch.setattr(steps, "KEY_IS_REPEATED_FOR", dt.timedelta(days=1000))

    with pytest.raises((AssertionError, ValueError)):
        sweep(line, NEXT_DAY)


@pytest.mark.django_db
@pytest.mark.parametrize("fault", ["500_before", "500_after", "drop_response", "429"])
def test_dying_after_a_fault_neither_loses_nor_doubles(line: Line, fault: str) -> None:
    """The call for the draft goes wrong, and the process dies at some moment besides."""
    assert sweep(line, NEXT_DAY, fault, every=4) > 50


# At the same time


@pytest.mark.django_db(transaction=True)
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
        assert_delivered_once(sandbox.state, invoice)
    sent = [event for event in listed(sandbox, "events") if event["type"] == "invoice.sent"]
    assert len(sent) == 3


def hear_all(sandbox: Sandbox) -> None:
    for given in listed(sandbox, "events"):
        inbox.receive(answers.event(given), at=NOW)
    for event in StripeEvent.objects.filter(state__in=inbox.UNHANDLED):
        inbox.handle(event.pk, at=NOW)


@pytest.mark.django_db(transaction=True)
def test_push_webhooks_and_a_comparison_at_once_agree_in_the_end(sandbox: Sandbox) -> None:
    invoices = [
        make.invoice(make.organisation(f"ORG{number}"), state="approved") for number in range(4)
    ]
    later = NOW + dt.timedelta(hours=1)

    def run(work: Callable[[], object]) -> None:
        try:
            for _round in range(3):
                with suppress(OperationalError, gateway.GatewayError):
                    work()
        finally:
            connection.close()

    def push_all() -> None:
        for invoice in invoices:
            push_until_done(invoice)

    works = (push_all, lambda: hear_all(sandbox), lambda: reconcile.reconcile(at=later), push_all)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, works))
    push_all()

    assert reconcile.reconcile(at=later).found == []
    for invoice in invoices:
        assert_delivered_once(sandbox.state, invoice)
