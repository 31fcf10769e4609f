"""What a restored backup has forgotten, and what people did by hand at Stripe."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from subscriptions import customers, gateway, inbox, push, reconcile
from subscriptions.models import ClearedBecause, StripeCustomer, StripeStep
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.backups import restored_afterwards
from tests.factories import approved
from tests.stripe.control import TOO_OFTEN, call, control, listed, order

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def test_what_a_restored_backup_has_forgotten_is_found_and_not_made_again(
    sandbox: Sandbox,
) -> None:
    invoice = approved()
    with restored_afterwards():
        push.push(invoice.pk, at=NOW)
    before = listed(sandbox, "events")
    control(sandbox, "clock", {"advance_seconds": 30 * 3600})

    assert push.push(invoice.pk, at=NOW + dt.timedelta(hours=30)) == Outcome.PUSHED

    invoice.refresh_from_db()
    assert (invoice.state, invoice.number) == ("open", "SANDBOX-0001")
    assert listed(sandbox, "events") == before  # not even a second mail
    assert StripeCustomer.objects.count() == 1


@pytest.mark.parametrize("code", ["ORG1", None])
def test_a_run_made_again_on_an_older_backup_bills_nobody_twice(
    sandbox: Sandbox, code: str | None
) -> None:
    """The backup is older than the run: its documents are new ones to us.

    Also of a one-off buyer, whose customer at Stripe stands for one document: it is another one.
    """
    organisation = make.organisation(code) if code else None
    with restored_afterwards():
        push.push(make.invoice(organisation, state="approved").pk, at=NOW)

    again = make.invoice(organisation, state="approved")

    assert push.push(again.pk, at=NOW) == Outcome.PARKED
    again.refresh_from_db()
    assert "SANDBOX-0001" in again.parked_because
    assert len(listed(sandbox)) == 1


@pytest.mark.parametrize("run", ["2026-04", "2026-02", "2033-03"])
def test_another_run_than_the_forgotten_one_waits_until_somebody_has_looked(
    sandbox: Sandbox, run: str
) -> None:
    """It may hold what the forgotten one billed; with that in the books by hand, it goes."""
    organisation = make.organisation()
    with restored_afterwards():
        push.push(make.invoice(organisation, state="approved").pk, at=NOW)
    following = make.invoice(organisation, run, state="approved")

    assert push.push(following.pk, at=NOW) == Outcome.PARKED
    following.refresh_from_db()
    assert "SANDBOX-0001" in following.parked_because

    reconcile.reconcile(at=NOW)
    reconcile.clear(reconcile.waiting(), ClearedBecause.BOOKED, on=NOW.date())
    push.unpark(following.pk)
    assert push.push(following.pk, at=NOW) == Outcome.PUSHED


def test_what_retention_has_erased_here_stops_nobody(sandbox: Sandbox) -> None:
    organisation = make.organisation()
    with restored_afterwards():
        push.push(make.invoice(organisation, state="approved").pk, at=NOW)

    years_later = make.invoice(organisation, "2033-04", state="approved")

    assert push.push(years_later.pk, at=NOW) == Outcome.PUSHED


def test_an_address_that_changed_meanwhile_hides_no_forgotten_invoice(sandbox: Sandbox) -> None:
    """The backup knows no customer of the client; the next run takes the one at Stripe over."""
    organisation = make.organisation()
    with restored_afterwards():
        push.push(make.invoice(organisation, state="approved").pk, at=NOW)
    changed: dict[str, Any] = {"state": "approved", "buyer_email": "new@org1.example"}

    again = make.invoice(organisation, **changed)
    assert push.push(again.pk, at=NOW) == Outcome.PARKED

    [there] = listed(sandbox)
    call(sandbox, "POST", f"/v1/invoices/{there['id']}/void")
    StripeCustomer.objects.all().delete()
    next_run = make.invoice(organisation, "2026-04", **changed)
    assert push.push(next_run.pk, at=NOW) == Outcome.PUSHED
    [customer] = listed(sandbox, "customers")
    assert customer["email"] == "new@org1.example"
    sent_to = [there["customer_email"] for there in listed(sandbox)]
    assert sent_to == ["new@org1.example", "invoices@org1.example"]


def test_a_one_off_buyer_may_buy_twice(sandbox: Sandbox) -> None:
    invoices = [make.invoice(None, state="approved") for _number in range(2)]

    assert {push.push(invoice.pk, at=NOW) for invoice in invoices} == {Outcome.PUSHED}


def test_a_draft_finalized_by_hand_is_taken_over(sandbox: Sandbox) -> None:
    invoice = approved()
    order(sandbox, "POST /v1/invoices/{invoice}/finalize", "429", times=TOO_OFTEN)
    push.push(invoice.pk, at=NOW)
    invoice.refresh_from_db()
    call(sandbox, "POST", f"/v1/invoices/{invoice.stripe_id}/finalize")

    assert push.push(invoice.pk, at=NOW + dt.timedelta(hours=21)) == Outcome.PUSHED

    invoice.refresh_from_db()
    assert (invoice.state, invoice.number) == ("open", "SANDBOX-0001")
    assert "invoice.sent" in {event["type"] for event in listed(sandbox, "events")}


def mails(sandbox: Sandbox) -> int:
    return [event["type"] for event in listed(sandbox, "events")].count("invoice.sent")


@pytest.mark.parametrize("is_heard_of", [True, False])
def test_what_was_finalized_and_sent_by_hand_is_not_sent_again(
    sandbox: Sandbox, *, is_heard_of: bool
) -> None:
    invoice = approved()
    order(sandbox, "POST /v1/invoices/{invoice}/finalize", "429", times=TOO_OFTEN)
    push.push(invoice.pk, at=NOW)
    invoice.refresh_from_db()
    for deed in ("finalize", "send"):
        call(sandbox, "POST", f"/v1/invoices/{invoice.stripe_id}/{deed}")
    if is_heard_of:
        inbox.follow(gateway.read(invoice.stripe_id), at=NOW)

    assert push.push(invoice.pk, at=NOW + dt.timedelta(hours=1)) == Outcome.PUSHED

    assert mails(sandbox) == 1


def test_a_clock_that_is_ahead_sends_nothing_twice(sandbox: Sandbox) -> None:
    invoice = approved()
    order(sandbox, "POST /v1/invoices/{invoice}/send", "500_after")

    push.push(invoice.pk, at=timezone.now() + dt.timedelta(minutes=30))

    assert mails(sandbox) == 1


def test_a_backup_from_before_the_mail_sends_nothing_twice(sandbox: Sandbox) -> None:
    """Stripe has forgotten the key of the mail that the backup has forgotten."""
    invoice = approved()
    order(sandbox, "POST /v1/invoices/{invoice}/send", "429", times=TOO_OFTEN)
    push.push(invoice.pk, at=NOW)
    StripeStep.objects.filter(kind="send").update(state="todo", attempted_at=None)
    with restored_afterwards():
        push.push(invoice.pk, at=NOW)
    control(sandbox, "clock", {"advance_seconds": 30 * 3600})

    assert push.push(invoice.pk, at=NOW + dt.timedelta(hours=30)) == Outcome.PUSHED

    assert mails(sandbox) == 1


def test_a_backup_from_before_the_lines_adds_them_once(sandbox: Sandbox) -> None:
    invoice = approved()
    push._draft(invoice, customers.know(invoice, NOW), NOW)
    with restored_afterwards():
        push.push(invoice.pk, at=NOW)
    control(sandbox, "clock", {"advance_seconds": 30 * 3600})

    assert push.push(invoice.pk, at=NOW + dt.timedelta(hours=30)) == Outcome.PUSHED

    assert len(listed(sandbox)) == 1
    assert mails(sandbox) == 1
