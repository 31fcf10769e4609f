"""Reminders of ours: three steps, each once, and never of what Stripe or anything else holds."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from agency import paging
from agency.models import User
from subscriptions import advancing, push, reminders, tasks
from subscriptions.models import CollectionPolicy, Invoice, Reminder
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.browsers import as_
from tests.stripe.control import listed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

NOW = timezone.now()
DUE = dt.date(2026, 5, 10)
DAYS = {"first": 7, "second": 14, "final": 20}


def on(days: int) -> dt.date:
    return DUE + dt.timedelta(days=days)


def late(**fields: Any) -> Invoice:
    """Give an open invoice that was mailed and fell due."""
    number = Invoice.objects.count()
    organisation = make.organisation(f"ORG{number}", invoice_email="books@client.example")
    named: dict[str, Any] = {"number": f"DIS-{number}", "stripe_id": f"in_{number}", "due_on": DUE}
    return make.invoice(organisation, state="open", **named | fields)


def remind(day: dt.date) -> list[str]:
    """Ask for what is due on a day, and mail it; give the steps."""
    made = reminders.ask(on=day)
    for reminder in made:
        reminders.send(reminder.pk, on=day)
    return [reminder.step for reminder in made]


@pytest.fixture
def ours() -> CollectionPolicy:
    return make.collection_policy()


def test_three_steps_each_once_and_in_their_time(ours: CollectionPolicy) -> None:
    CollectionPolicy.objects.update(final_days=20, term_days=15)
    invoice = late(language="nl")
    taken = {day: steps for day in range(70) if (steps := remind(on(day)) + remind(on(day)))}

    assert taken == {7: ["first"], 21: ["second"], 41: ["final"]}
    pay_by = dict(Reminder.objects.values_list("step", "pay_by_on"))
    assert pay_by == {"first": on(21), "second": on(41), "final": on(56)}
    assert [message.to for message in mail.outbox] == [["books@client.example"]] * 3
    text = str(mail.outbox[2].body).replace("\N{NO-BREAK SPACE}", " ")
    assert mail.outbox[2].subject == "Laatste aanmaning: een factuur is niet betaald"
    assert all(said in text for said in (invoice.number, "€ 1.210,00", "5 juli 2026"))
    assert "vertrouwenspersoon" in text


def test_a_reminder_that_comes_late_moves_those_after_it(ours: CollectionPolicy) -> None:
    late()
    assert remind(on(60)) == ["first"]
    assert remind(on(73)) == []
    assert remind(on(74)) == ["second"]


def _contested(invoice: Invoice) -> None:
    make.contest(invoice, make.user("controller"))


def _planned(invoice: Invoice) -> None:
    make.payment_plan(invoice, make.user("controller"))


def _written_off(invoice: Invoice) -> None:
    undecided = {"written_off_on": None, "vat_on": None}
    make.write_off(invoice, make.user("controller"), **undecided)


def _credited(invoice: Invoice) -> None:
    line = {"kind": "credit", "net_cents": -1000, "vat_cents": -210}
    lines = [line | {"credit_of": invoice.lines.get()}]
    make.invoice(invoice.organisation, lines=lines, kind="credit", credit_of=invoice)


def _told(invoice: Invoice) -> None:
    make.stripe_step(invoice, "advance", state="done", body={"auto_advance": True})


def _client_parked(invoice: Invoice) -> None:
    assert invoice.organisation
    make.parked_organisation(invoice.organisation)


KEEPS: dict[str, Callable[[Invoice], object]] = {
    "contested": _contested,
    "planned": _planned,
    "written_off": _written_off,
    "debited": lambda _invoice: None,
    "stripe": _told,
    "waits": lambda invoice: make.stripe_step(invoice, "send"),
    "unmailed": lambda _invoice: Invoice.objects.update(parked_because="Stripe refused it."),
    "credited": _credited,
    "parked": _client_parked,
    "no_address": lambda _invoice: None,
}


@pytest.mark.parametrize("why", KEEPS)
def test_what_is_left_be_says_why_and_is_not_reminded_of(ours: CollectionPolicy, why: str) -> None:
    fields: dict[str, Any] = {"collection": "sepa"} if why == "debited" else {}
    if why == "no_address":
        fields = {"buyer_email": ""}
    invoice = late(**fields)
    if why == "no_address" and invoice.organisation:
        type(invoice.organisation).objects.update(invoice_email="")
    KEEPS[why](invoice)

    assert remind(on(10)) == []
    assert [row.left_be for row in reminders.plan(on=on(10))] == [why]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "paid", "paid_on": DUE},
        {"received_on": DUE},
        {"state": "uncollectible"},
        {"due_on": on(60)},
    ],
    ids=["paid", "received", "given up", "not due"],
)
def test_what_asks_for_nothing_is_not_in_the_plan(
    ours: CollectionPolicy, fields: dict[str, Any]
) -> None:
    Invoice.objects.filter(pk=late().pk).update(**fields)
    assert list(reminders.plan(on=on(30))) == []


def test_what_is_left_of_a_debit_is_asked_for_and_not_debited(ours: CollectionPolicy) -> None:
    invoice = late(collection="sepa")
    make.receipt(invoice, 210_00)
    assert not advancing.is_to_go_on(invoice, on(7))
    make.stripe_step(invoice, "advance", state="done", body={"auto_advance": False})
    assert remind(on(7)) == ["first"]
    assert Reminder.objects.get().asked_cents == 1_000_00


def test_what_is_paid_while_its_mail_waits_gets_none(ours: CollectionPolicy) -> None:
    invoice = late()
    [reminder] = reminders.ask(on=on(7))
    Invoice.objects.filter(pk=invoice.pk).update(received_on=on(7))
    tasks.mail_reminder(str(reminder.pk))
    assert mail.outbox == []
    assert not Reminder.objects.exists()


def test_the_page_shows_each_late_invoice_once_by_the_hundred(
    ours: CollectionPolicy, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TODAY = on(10)
    monkeypatch.setattr(paging, "ON_A_LEAF", 2)
    numbers = [late(due_on=on(-day)).number for day in range(5)]
    address, client = "/admin/subscriptions/reminder/plan/", as_("controller")
    seen: list[str] = []
    asked = "?p=x"
    while asked:
        shown = client.get(address + asked).content.decode()
        seen += re.findall(r">(DIS-\d)</a>", shown)
        after = re.search(r'<a href="(\?p=\d)" rel="next">', shown)
        assert ('rel="prev"' in shown) is (asked != "?p=x")
        asked = after[1] if after else ""
    assert seen == numbers[::-1]


def test_nobody_is_late_after_the_last_step_or_while_a_mail_is_on_its_way(
    ours: CollectionPolicy,
) -> None:
    late()
    for days in (0, 7, 21, 41):
        remind(on(days))
        assert reminders.late(on=on(60)).exists() is (days < 41)
    other = late()
    assert reminders.late(on=on(60)).get() == other
    make.reminder(other)
    assert not reminders.late(on=on(60)).exists()


class TestNeverBoth:
    def sent(self, **fields: Any) -> Invoice:
        invoice = make.approved(f"S{Invoice.objects.count()}", **fields)
        assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED
        invoice.refresh_from_db()
        return invoice

    def test_stripe_reminds_only_where_it_is_told_to(self, sandbox: Sandbox) -> None:
        invoice = self.sent()
        advancing.align(invoice.pk, on=timezone.localdate())
        assert push.push(invoice.pk, at=NOW) == Outcome.ALREADY  # no rules: as it was sent
        policy = make.collection_policy("stripe")
        tasks.go_on_collecting()
        push.push(invoice.pk, at=NOW)
        assert listed(sandbox)[0]["auto_advance"] is True
        Invoice.objects.update(due_on=DUE)
        assert remind(on(30)) == []

        CollectionPolicy.objects.filter(pk=policy.pk).update(reminded_by="agency")
        assert remind(on(30)) == []  # Stripe does not know yet
        tasks.go_on_collecting()
        assert remind(on(30)) == []
        push.push(invoice.pk, at=NOW)
        assert listed(sandbox)[0]["auto_advance"] is False
        assert remind(on(30)) == ["first"]

    def test_a_debit_that_failed_is_ours_once_stripe_leaves_it_be(
        self, ours: CollectionPolicy, sandbox: Sandbox
    ) -> None:
        invoice = self.sent(collection="sepa")
        Invoice.objects.update(due_on=DUE, debit_failed_on=on(10))
        assert [row.left_be for row in reminders.plan(on=on(30))] == ["stripe"]
        tasks.go_on_collecting()
        push.push(invoice.pk, at=NOW)
        assert remind(on(16)) == []
        assert remind(on(17)) == ["first"]
        assert listed(sandbox)[0]["auto_advance"] is False

    def test_the_database_holds_to_it(self) -> None:
        invoice = late()
        with pytest.raises(IntegrityError, match="only where Stripe"), transaction.atomic():
            make.reminder(invoice)
        make.collection_policy("stripe")
        with pytest.raises(IntegrityError, match="only where Stripe"), transaction.atomic():
            make.reminder(invoice)
        CollectionPolicy.objects.update(reminded_by="agency")
        sent = make.reminder(invoice, sent_on=on(7), pay_by_on=on(21))
        deeds: tuple[Callable[[], object], ...] = (
            lambda: make.reminder(invoice),
            lambda: Reminder.objects.update(sent_on=on(8)),
            lambda: Reminder.objects.update(asked_cents=1),
            lambda: CollectionPolicy.objects.update(term_days=13),
            sent.delete,
        )
        for refused in deeds:
            with pytest.raises(IntegrityError), transaction.atomic():
                refused()


def test_the_command_tells_before_it_asks(
    ours: CollectionPolicy, capsys: pytest.CaptureFixture[str]
) -> None:
    invoice = late(due_on=timezone.localdate() - dt.timedelta(days=9))
    call_command("remind", "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["queued"] == 0
    [row] = told["late"]
    assert (row["invoice"], row["step"], row["left_be"]) == (invoice.number, "first", None)
    assert not Reminder.objects.exists()
    call_command("remind", "--json")
    assert json.loads(capsys.readouterr().out)["queued"] == 1
    assert OrmQ.objects.count() == 1


class TestPages:
    def test_rules_are_set_once_and_refused_in_one_sentence(self, client: Client) -> None:
        client.force_login(make.user("controller"))
        address = "/admin/subscriptions/collectionpolicy/add/"
        rules = {"reminded_by": "agency", "first_days": 7, "second_days": 14, "final_days": 14}
        rules |= {"announced_by": "stripe", "notice_days": 14}
        page = client.post(address, rules | {"term_days": 3}).content.decode()
        assert "the final demand leaves 14 to 90 days to pay" in page
        assert client.post(address, rules | {"term_days": 14}).status_code == 302
        assert client.get(address).status_code == 403

    def test_the_plan_shows_each_late_invoice(self, client: Client, ours: CollectionPolicy) -> None:
        invoice = late(due_on=timezone.localdate() - dt.timedelta(days=9))
        held = late(due_on=timezone.localdate() - dt.timedelta(days=9))
        make.contest(held, User.objects.first() or make.user("controller", email="n@s.example"))
        client.force_login(make.user("planner"))
        page = client.get("/admin/subscriptions/reminder/plan/").content.decode()
        assert invoice.number in page
        assert "With the next round" in page
        assert "Not now: contested." in page
