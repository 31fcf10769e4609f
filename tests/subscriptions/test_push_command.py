"""push_invoices: what it does, and what it tells."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from subscriptions import gateway, inbox, push
from subscriptions.models import Invoice
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.factories import approved
from tests.stripe.control import TOO_OFTEN, control, listed, order

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def test_push_invoices_tells_what_it_did(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    for code in ("ORG1", "ORG2"):
        approved(code)
    make.invoice(make.organisation("ORG3"))  # not approved

    call_command("push_invoices", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "pushed": 2, "already": 0, "waiting": 0, "parked": [],
    }  # fmt: skip

    call_command("push_invoices", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "pushed": 0, "already": 2, "waiting": 0, "parked": [],
    }  # fmt: skip


def test_push_invoices_ends_with_bad_news_when_one_is_parked_or_waits(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    order(sandbox, "POST /v1/invoices", "429", times=TOO_OFTEN)
    waits = approved("ORG1")
    parked = approved("ORG2")
    make.stripe_customer(parked.organisation, stripe_id="cus_gone")  # type: ignore[arg-type]

    with pytest.raises(SystemExit) as ended:
        call_command("push_invoices", "--json")

    assert ended.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["pushed"], told["waiting"]) == (0, 1)
    assert [(entry["invoice"], entry["organisation"]) for entry in told["parked"]] == [
        (str(parked.pk), "ORG2")
    ]
    assert push.push(waits.pk, at=NOW) == Outcome.PUSHED


@pytest.mark.logs_errors
def test_push_invoices_goes_on_after_what_nobody_foresaw(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Here: Stripe gives out a number that is taken."""
    make.invoice(make.organisation("ORG0"), state="open", number="SANDBOX-0001", stripe_id="in_0")
    both = [approved("ORG1"), approved("ORG2")]

    with pytest.raises(SystemExit) as ended:
        call_command("push_invoices", "--json")

    assert ended.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["pushed"], told["waiting"]) == (1, 1)
    [failed] = [one for one in both if Invoice.objects.get(pk=one.pk).state == "approved"]
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    named = (record.getMessage(), vars(record)["invoice_id"], vars(record)["error"])
    assert (named, record.exc_info) == (("push failed", str(failed.pk), "IntegrityError"), None)


def test_push_invoices_leaves_what_is_taken_back_meanwhile(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = [approved(f"ORG{number}") for number in range(3)]
    push_one = push.push

    def push_and_take_back(invoice_id: Any, *, at: dt.datetime) -> Outcome:
        outcome = push_one(invoice_id, at=at)
        push.take_back([first.pk])
        return outcome

    monkeypatch.setattr(push, "push", push_and_take_back)
    monkeypatch.setattr(
        push, "candidates", lambda: Invoice.objects.order_by("buyer_name").reverse()
    )
    call_command("push_invoices")

    states = {str(one): Invoice.objects.get(pk=one.pk).state for one in (first, *others)}
    assert [*states.values()] == ["draft", "open", "open"]


def test_push_invoices_names_a_parked_credit_too(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    invoice = make.invoice(make.organisation(), state="open", number="1", stripe_id="in_1")
    credit = make.invoice(
        invoice.organisation, kind="credit", credit_of=invoice, state="parked", parked_because="x"
    )

    with pytest.raises(SystemExit):
        call_command("push_invoices", "--json")

    told = json.loads(capsys.readouterr().out)
    assert [entry["invoice"] for entry in told["parked"]] == [str(credit.pk)]


def test_what_is_paid_before_its_mail_went_out_is_no_bad_news_for_ever(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    invoice = approved()
    order(sandbox, "POST /v1/invoices/{invoice}/send", "429", times=TOO_OFTEN)
    push.push(invoice.pk, at=NOW)
    invoice.refresh_from_db()
    control(sandbox, f"pay/{invoice.stripe_id}")
    assert push.push(invoice.pk, at=NOW) == Outcome.PARKED  # Stripe mails nothing that is paid

    inbox.follow(gateway.read(invoice.stripe_id), at=NOW)

    call_command("push_invoices", "--json")
    assert json.loads(capsys.readouterr().out)["parked"] == []
    invoice.refresh_from_db()
    assert (invoice.state, invoice.parked_because) == ("paid", "")


def test_push_invoices_without_a_key_says_so(sandbox: Sandbox, settings: Any) -> None:
    approved()
    settings.STRIPE_API_KEY = ""

    with pytest.raises(Exception, match="no_api_key") as refused:
        call_command("push_invoices")

    assert getattr(refused.value, "returncode", None) == 2
    assert listed(sandbox) == []
