"""Debits that we announce: nothing is debited before its announcement, by nobody twice."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from subscriptions import advancing, contests, debits, payment_plans, push, reminders
from subscriptions.models import (
    CollectionPolicy,
    Contest,
    ContestEnd,
    DebitNotice,
    Invoice,
    Mandate,
)
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.stripe.control import listed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

NOW = timezone.now()
TODAY = timezone.localdate()


def on(days: int) -> dt.date:
    return TODAY + dt.timedelta(days=days)


@pytest.fixture
def ours() -> CollectionPolicy:
    return make.collection_policy(announced_by="agency", notice_days=5)


def final(*, with_mandate: bool = True, **fields: Any) -> Invoice:
    """Push an invoice of a client that is debited; it is due today."""
    invoice = make.approved(collection="sepa", due_days=0, **fields)
    if with_mandate and invoice.organisation:
        make.mandate(invoice.organisation, reference="MANDATE-7", last_digits="4300")
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED
    invoice.refresh_from_db()
    return invoice


def announce(day: dt.date) -> int:
    made = debits.announce(on=day)
    for notice in made:
        debits.send(notice.pk, on=day)
    return len(made)


def goes_on(sandbox: Sandbox, invoice: Invoice, day: dt.date) -> bool:
    advancing.align(invoice.pk, on=day)
    push.push(invoice.pk, at=NOW)
    return bool(listed(sandbox)[0]["auto_advance"])


def test_a_debit_begins_on_the_day_that_was_announced(
    ours: CollectionPolicy, sandbox: Sandbox
) -> None:
    invoice = final(language="nl")
    assert not goes_on(sandbox, invoice, on(30))
    assert (announce(TODAY), announce(TODAY), announce(on(3))) == (1, 0, 0)

    [message] = mail.outbox
    text = str(message.body).replace("\N{NO-BREAK SPACE}", " ")
    assert message.subject == "Wij incasseren van uw rekening"
    assert all(said in text for said in ("€ 1.210,00", "MANDATE-7", "4300", "NL12ZZZ123456780000"))
    assert not goes_on(sandbox, invoice, on(4))
    assert goes_on(sandbox, invoice, on(5))
    assert goes_on(sandbox, invoice, on(50))  # it began
    assert announce(on(50)) == 0
    assert [row.left_be for row in reminders.plan(on=on(50))] == ["debited"]  # it is not paid yet


def test_what_stripe_announces_is_debited_at_once(sandbox: Sandbox) -> None:
    make.collection_policy(announced_by="stripe")
    invoice = final()
    assert goes_on(sandbox, invoice, TODAY)
    CollectionPolicy.objects.update(announced_by="agency")
    assert announce(on(1)) == 0
    assert goes_on(sandbox, invoice, on(1))


def test_what_was_contested_is_announced_anew(ours: CollectionPolicy, sandbox: Sandbox) -> None:
    invoice, controller = final(), make.user("controller")
    announce(TODAY)
    contest = Contest(invoice=invoice, reason="amount", said_by="books")
    contests.note(contest, by=controller, on=on(1))
    assert not goes_on(sandbox, invoice, on(5))
    assert [row.waits_for for row in debits.plan(on=on(30))] == ["contested"]
    contests.end(contest, ContestEnd.RESUMED, by=controller, on=on(30))
    assert not goes_on(sandbox, invoice, on(30))
    assert announce(on(30)) == 1
    assert goes_on(sandbox, invoice, on(35))


def test_what_is_paid_in_parts_is_not_debited(ours: CollectionPolicy, sandbox: Sandbox) -> None:
    invoice = final()
    announce(TODAY)
    halves = [(on(5), 605_00), (on(35), 605_00)]
    payment_plans.agree(invoice.pk, halves, by=make.user("controller"), on=on(1))
    assert not goes_on(sandbox, invoice, on(5))
    assert [row.waits_for for row in debits.plan(on=on(30))] == ["in_parts"]


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_mandate_that_was_withdrawn_debits_nothing_that_was_announced(
    ours: CollectionPolicy, sandbox: Sandbox, *, is_begun: bool
) -> None:
    invoice = final()
    announce(TODAY)
    if is_begun:
        assert goes_on(sandbox, invoice, on(5))
    debits.withdraw(Mandate.objects.get(), on=on(4))
    assert push.push(invoice.pk, at=NOW) in {Outcome.PUSHED, Outcome.ALREADY}
    assert not listed(sandbox)[0]["auto_advance"]
    assert [row.left_be for row in reminders.plan(on=on(8))] == [None]

    assert invoice.payer
    make.mandate(invoice.payer)
    assert not goes_on(sandbox, invoice, on(5))  # the announcement named another mandate
    assert announce(on(11)) == 1
    assert goes_on(sandbox, invoice, on(16))


def test_nor_does_it_debit_at_once(sandbox: Sandbox) -> None:
    organisation = make.organisation("GONE")
    make.mandate(organisation, withdrawn_on=TODAY)
    invoice = make.invoice(organisation, state="approved", collection="sepa")
    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED
    assert not goes_on(sandbox, invoice, TODAY)


def test_what_is_to_be_written_off_is_not_debited(ours: CollectionPolicy, sandbox: Sandbox) -> None:
    invoice = final()
    announce(TODAY)
    make.write_off(invoice, make.user("controller"), written_off_on=None, vat_on=None)
    assert not goes_on(sandbox, invoice, on(5))
    assert [row.waits_for for row in debits.plan(on=on(30))] == ["written_off"]


def test_more_than_a_debit_may_carry_is_not_announced(
    ours: CollectionPolicy, sandbox: Sandbox
) -> None:
    final(lines=[{"net_cents": 10_000_00, "vat_cents": 2_100_00}])
    assert list(debits.plan(on=TODAY)) == []
    assert listed(sandbox)[0]["collection_method"] == "send_invoice"


def test_no_mandate_no_debit(
    ours: CollectionPolicy, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    invoice = final(with_mandate=False)
    assert announce(TODAY) == 0
    call_command("remind", "--dry-run", "--json")
    [told] = json.loads(capsys.readouterr().out)["debits"]
    assert (told["invoice"], told["waits_for"]) == (invoice.number, "no_mandate")

    assert invoice.organisation
    mandate = make.mandate(invoice.organisation)
    [notice] = debits.announce(on=TODAY)
    debits.withdraw(mandate, on=TODAY)
    debits.send(notice.pk, on=TODAY)
    assert mail.outbox == []
    assert not DebitNotice.objects.exists()


class TestTheDatabase:
    def test_refuses_a_debit_that_was_not_announced(self, ours: CollectionPolicy) -> None:
        invoice = make.invoice(make.organisation(), state="open", collection="sepa")
        for kind in ("finalize", "advance"):
            with pytest.raises(IntegrityError, match="is announced before"), transaction.atomic():
                make.stripe_step(invoice, kind, body={"auto_advance": True})
        assert invoice.organisation
        mandate = make.mandate(invoice.organisation)
        make.debit_notice(invoice, mandate, sent_on=TODAY, debit_on=on(5))
        make.stripe_step(invoice, "advance", body={"auto_advance": True})
        debits.withdraw(mandate, on=TODAY)
        with pytest.raises(IntegrityError, match="debits nothing"), transaction.atomic():
            make.stripe_step(invoice, "advance", body={"auto_advance": True}, generation=9)

    def test_refuses_what_is_not_ours_and_keeps_what_was_said(self) -> None:
        invoice = make.invoice(make.organisation(), state="open", collection="sepa")
        assert invoice.organisation
        mandate = make.mandate(invoice.organisation)
        with pytest.raises(IntegrityError, match="where Stripe does not"), transaction.atomic():
            make.debit_notice(invoice, mandate)
        make.collection_policy(announced_by="agency")
        other = make.mandate(make.organisation("OTHER"))
        with pytest.raises(IntegrityError, match="where Stripe does not"), transaction.atomic():
            make.debit_notice(invoice, other)
        make.debit_notice(invoice, mandate, sent_on=TODAY, debit_on=on(5))
        for table, change in (
            (DebitNotice, {"debit_on": on(6)}),
            (DebitNotice, {"amount_cents": 1}),
            (Mandate, {"reference": "OTHER"}),
            (CollectionPolicy, {"creditor_id": ""}),
            (CollectionPolicy, {"notice_days": 0}),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                table._default_manager.all().update(**change)


def test_pages_keep_mandates_and_show_what_waits(client: Client, ours: CollectionPolicy) -> None:
    invoice = make.invoice(make.organisation(), state="open", collection="sepa")
    make.stripe_step(invoice, "finalize", body={"auto_advance": False}, state="done")
    assert invoice.organisation
    client.force_login(make.user("controller"))
    plan = "/admin/subscriptions/reminder/plan/"
    assert "Not now: no mandate of the client is known." in client.get(plan).content.decode()

    row = {"organisation": invoice.organisation.pk, "reference": "M-1", "signed_on": "2026-01-05"}
    add = "/admin/subscriptions/mandate/add/"
    refused = client.post(add, row | {"last_digits": "43"}).content.decode()
    assert "The last four characters of an IBAN." in refused
    assert client.post(add, row | {"last_digits": "4300"}).status_code == 302
    another = client.post(add, row | {"last_digits": "4300", "reference": "M-2"}).content.decode()
    assert "Withdraw the mandate first that it has." in another
    assert "With the next round" in client.get(plan).content.decode()
    withdrawn = {"action": "withdraw", "_selected_action": [Mandate.objects.get().pk]}
    told = client.post("/admin/subscriptions/mandate/", withdrawn, follow=True).content.decode()
    assert "1 mandate is withdrawn." in told
