"""Comparing with Stripe, both ways: what can be is set right, the rest is told of, once."""

from __future__ import annotations

import datetime as dt
import json
import time
from email.utils import formatdate
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from subscriptions import gateway, inbox, push, reconcile, tasks
from subscriptions.models import (
    ClearedBecause,
    DifferenceKind,
    Invoice,
    StripeCustomer,
    StripeDifference,
    StripeEvent,
)
from subscriptions.push import Outcome
from subscriptions.sandbox.server import Handler, Sandbox
from tests import factories as make
from tests.backups import restored_afterwards
from tests.stripe.control import TOO_OFTEN, call, control, listed, order

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LATER = NOW + dt.timedelta(hours=12)  # the module may have been imported long before


def sent(code: str = "ORG1", run: str = "2026-03", **fields: Any) -> Invoice:
    invoice = make.invoice(make.organisation(code), run, state="approved", **fields)
    push.push(invoice.pk, at=NOW)
    invoice.refresh_from_db()
    assert invoice.state == "open"
    return invoice


def found(at: dt.datetime = LATER) -> list[tuple[str, str]]:
    """Reconcile and return what is left for a person."""
    reconcile.reconcile(at=at)
    return [(difference.kind, difference.object_id) for difference in reconcile.waiting()]


def by_hand(sandbox: Sandbox, path: str, form: dict[str, Any] | None = None) -> dict[str, Any]:
    """Do something in Stripe's dashboard."""
    answer = call(sandbox, "POST", f"/v1/{path}", form or {})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def made_by_hand(sandbox: Sandbox, **metadata: str) -> dict[str, Any]:
    customer = by_hand(sandbox, "customers", {"name": "Someone", "email": "a@b.example"})
    form = {"customer": customer["id"], "collection_method": "send_invoice", "days_until_due": 30}
    form |= {f"metadata[{name}]": value for name, value in metadata.items()}
    draft = by_hand(sandbox, "invoices", form)
    lines = {"lines[0][amount]": 121000, "lines[0][description]": "By hand"}
    by_hand(sandbox, f"invoices/{draft['id']}/add_lines", lines)
    return by_hand(sandbox, f"invoices/{draft['id']}/finalize")


def test_two_sides_that_agree_have_nothing_to_tell(sandbox: Sandbox) -> None:
    sent("ORG1")
    sent("ORG2")
    reconcile.reconcile(at=LATER)

    done = reconcile.reconcile(at=LATER)

    assert (done.compared, done.repaired, done.found) == (4, [], [])


# Repaired


def test_events_that_never_came_have_their_effect_all_the_same(sandbox: Sandbox) -> None:
    """Dropped for three days and for ever: paid, refused, voided, given up."""
    paid, refused = sent("ORG1"), sent("ORG2", collection="sepa")
    voided, given_up = sent("ORG3"), sent("ORG4")
    control(sandbox, f"pay/{paid.stripe_id}")
    control(sandbox, f"fail_debit/{refused.stripe_id}")
    by_hand(sandbox, f"invoices/{voided.stripe_id}/void")
    by_hand(sandbox, f"invoices/{given_up.stripe_id}/mark_uncollectible")

    done = reconcile.reconcile(at=NOW + dt.timedelta(days=4))

    states = [Invoice.objects.get(pk=one.pk).state for one in (paid, refused, voided, given_up)]
    assert states == ["paid", "open", "void", "uncollectible"]
    assert Invoice.objects.get(pk=refused.pk).debit_failed_on
    assert {repair.what for repair in done.repaired} == {"event"}
    assert done.found == []
    assert not StripeEvent.objects.exclude(state__in=["handled", "ignored"]).exists()


def test_a_payment_whose_event_stripe_has_forgotten_is_found_on_the_invoice(
    sandbox: Sandbox,
) -> None:
    invoice = sent()
    control(sandbox, f"pay/{invoice.stripe_id}")

    done = reconcile.reconcile(at=NOW + dt.timedelta(days=60))

    assert Invoice.objects.get().state == "paid"
    assert done.repaired == [reconcile.Repair("document", invoice.stripe_id)]


def test_an_event_that_may_still_come_is_not_missed_yet(sandbox: Sandbox) -> None:
    sent()

    reconcile.reconcile(at=NOW)

    assert not StripeEvent.objects.exists()


def test_a_draft_that_a_dead_push_left_behind_is_gone_on_with(sandbox: Sandbox) -> None:
    invoice = make.invoice(make.organisation(), state="approved")
    order(sandbox, "POST /v1/invoices/{invoice}/add_lines", "429", times=TOO_OFTEN)
    push.push(invoice.pk, at=NOW)

    done = reconcile.reconcile(at=LATER)

    assert done.repaired == [reconcile.Repair("push", str(invoice.pk))]
    assert [document["status"] for document in listed(sandbox)] == ["open"]


def test_what_a_restored_backup_forgot_is_taken_over(sandbox: Sandbox) -> None:
    invoice = make.invoice(make.organisation(), state="approved")
    with restored_afterwards():
        push.push(invoice.pk, at=NOW)
    [there] = listed(sandbox)
    control(sandbox, f"pay/{there['id']}")

    reconcile.reconcile(at=LATER)
    done = reconcile.reconcile(at=LATER)

    after = Invoice.objects.get()
    assert (after.state, after.number, after.stripe_id) == ("paid", "SANDBOX-0001", there["id"])
    assert (done.repaired, done.found) == ([], [])
    assert len(listed(sandbox)) == 1


def test_a_document_that_is_taken_back_meanwhile_stops_no_comparison(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [make.invoice(make.organisation(code), state="approved") for code in ("A", "B")]
    with restored_afterwards():
        for document in documents:
            push.push(document.pk, at=NOW)
    push_one = push.push

    def push_and_take_back(invoice_id: Any, *, at: dt.datetime) -> Outcome:
        outcome = push_one(invoice_id, at=at)
        push.take_back([document.pk for document in documents])
        return outcome

    monkeypatch.setattr(push, "push", push_and_take_back)

    assert [kind for kind, _id in found()] == [DifferenceKind.NOT_APPROVED]
    states = Invoice.objects.values_list("state", flat=True)
    assert sorted(states) == ["draft", "open"]


def test_a_customer_deleted_at_stripe_is_forgotten_and_made_again(sandbox: Sandbox) -> None:
    invoice = sent()
    [customer] = listed(sandbox, "customers")
    call(sandbox, "DELETE", f"/v1/customers/{customer['id']}")

    done = reconcile.reconcile(at=NOW)

    assert done.repaired == [reconcile.Repair("customer", customer["id"])]
    assert not StripeCustomer.objects.exists()
    again = make.invoice(invoice.organisation, "2026-04", state="approved")
    assert push.push(again.pk, at=NOW) == push.Outcome.PUSHED


# Left for a person


def test_what_was_made_by_hand_at_stripe_is_told_of(sandbox: Sandbox) -> None:
    made = made_by_hand(sandbox)

    assert found() == [("made_by_hand", made["id"])]
    assert found() == [("made_by_hand", made["id"])]  # once


def test_a_document_of_ours_that_we_do_not_know_is_told_of(sandbox: Sandbox) -> None:
    """Of a run after the backup that we live on."""
    made = made_by_hand(sandbox, document="5a2d6f0e-3c1b-4a9f-8e7d-000000000001", run="2026-03")

    assert found() == [("unknown_here", made["id"])]


def test_a_document_that_was_not_approved_yet_in_the_backup_is_told_of(sandbox: Sandbox) -> None:
    invoice = make.invoice(make.organisation())
    made = made_by_hand(sandbox, document=str(invoice.pk))

    assert found() == [("not_approved", made["id"])]
    assert StripeDifference.objects.get().invoice == invoice


def test_a_document_that_stands_twice_at_stripe_is_told_of_until_it_is_voided(
    sandbox: Sandbox,
) -> None:
    invoice = sent()
    double = made_by_hand(sandbox, document=str(invoice.pk))
    assert found() == [("doubled", double["id"])]

    by_hand(sandbox, f"invoices/{double['id']}/void")

    assert found() == []


def test_what_stripe_does_not_know_is_told_of(sandbox: Sandbox) -> None:
    invoice = make.invoice(make.organisation(), state="open", stripe_id="in_elsewhere")

    assert found() == [("missing_there", "in_elsewhere")]
    assert StripeDifference.objects.get().invoice == invoice


def test_another_number_or_state_is_told_of(sandbox: Sandbox) -> None:
    number = make.invoice(make.organisation("ORG1"), state="approved")
    with restored_afterwards():
        push.push(number.pk, at=NOW)
    [there] = listed(sandbox)
    Invoice.objects.filter(pk=number.pk).update(
        stripe_id=there["id"], state="open", number="OTHER-1", invoice_on=NOW.date()
    )
    state = sent("ORG2")
    Invoice.objects.filter(pk=state.pk).update(state="paid", paid_on=NOW.date())

    assert sorted(found()) == sorted([("number", there["id"]), ("state", state.stripe_id)])


def test_another_total_is_told_of(sandbox: Sandbox) -> None:
    somebody = make.organisation()
    made = made_by_hand(sandbox, document=str(somebody.pk))  # 1,210.00 without VAT
    invoice = make.invoice(somebody, state="open", stripe_id=made["id"], lines=[{}, {}])
    sandbox.state.connection.execute(
        "update object set body = replace(body, ?, ?)", [str(somebody.pk), str(invoice.pk)]
    )

    assert found() == [("amount", made["id"])]


def test_a_draft_is_left_behind_after_a_day(sandbox: Sandbox) -> None:
    customer = by_hand(sandbox, "customers", {"name": "Someone"})
    draft = by_hand(sandbox, "invoices", {"customer": customer["id"]})

    assert found() == []
    assert found(NOW + dt.timedelta(days=2)) == [("draft_left", draft["id"])]

    call(sandbox, "DELETE", f"/v1/invoices/{draft['id']}")
    assert found(NOW + dt.timedelta(days=2)) == []


def test_a_gap_in_the_numbers_is_told_of(sandbox: Sandbox) -> None:
    sent("ORG1")
    with sandbox.state.transaction():
        sandbox.state.next_number("invoice_number")
    sent("ORG2")

    assert found() == [("gap", "SANDBOX-0002")]


def test_a_jump_in_the_numbers_is_one_gap(sandbox: Sandbox) -> None:
    """Stripe's next number can be raised by hand; what is missing then is not listed singly."""
    sent("ORG1")
    with sandbox.state.transaction():
        sandbox.state.set_setting("invoice_number", 20270000)
    sent("ORG2")

    assert found() == [("gap", "SANDBOX-0002..SANDBOX-20270000")]


def test_a_gap_is_told_of_for_as_long_as_it_is_there(sandbox: Sandbox) -> None:
    """The document before it may be much older than the one behind it."""
    control(sandbox, "clock", {"advance_seconds": -30 * 86400})
    control(sandbox, f"pay/{sent('ORG1').stripe_id}")
    control(sandbox, "clock", {"advance_seconds": 30 * 86400})
    with sandbox.state.transaction():
        sandbox.state.next_number("invoice_number")
    sent("ORG2")

    assert found() == found(NOW + dt.timedelta(days=20)) == [("gap", "SANDBOX-0002")]
    assert found(NOW + dt.timedelta(days=60)) == [("gap", "SANDBOX-0002")]


def test_a_number_that_is_ours_but_older_leaves_no_gap(sandbox: Sandbox) -> None:
    """Those still open are compared however old; what was made by hand beside them is not."""
    control(sandbox, "clock", {"advance_seconds": -60 * 86400})
    sent("ORG1")
    made_by_hand(sandbox)
    control(sandbox, "clock", {"advance_seconds": 60 * 86400})
    sent("ORG2")

    assert found() == []


def test_a_gap_in_the_credit_notes_of_an_invoice_is_told_of(sandbox: Sandbox) -> None:
    invoice = sent()
    [line] = gateway.lines_of(invoice.stripe_id)
    form = {"invoice": invoice.stripe_id, "lines[0][type]": "invoice_line_item"}
    form |= {"lines[0][invoice_line_item]": line.id, "lines[0][amount]": "100"}
    _first, second, _third = [by_hand(sandbox, "credit_notes", form) for _number in range(3)]
    sandbox.state.connection.execute("delete from object where id = ?", [second["id"]])

    assert ("gap", "SANDBOX-0001-CN-02") in found()


def test_a_push_beside_the_comparison_is_no_difference(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe was listed before it, and our side read; here it is known now."""
    sent("ORG1")
    late = make.invoice(make.organisation("ORG2"), state="approved")
    ours = reconcile._ours

    def push_behind(*given: Any) -> list[Invoice]:
        read = ours(*given)
        push.push(late.pk, at=NOW)
        return read

    monkeypatch.setattr(reconcile, "_ours", push_behind)

    assert found() == []


def test_a_payment_beside_the_comparison_is_no_difference(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe was listed before it, and its event handled before our side was read."""
    invoice = sent()
    ours = reconcile._ours

    def pay_before(*given: Any) -> list[Invoice]:
        if Invoice.objects.filter(state="open").exists():
            control(sandbox, f"pay/{invoice.stripe_id}")
            inbox.follow(gateway.read(invoice.stripe_id), at=NOW)
        return ours(*given)

    monkeypatch.setattr(reconcile, "_ours", pay_before)

    assert found() == []


def test_a_customer_that_stands_twice_at_stripe_is_told_of(sandbox: Sandbox) -> None:
    invoice = sent()
    double = by_hand(
        sandbox, "customers", {"name": "X", "metadata[organisation]": str(invoice.organisation_id)}
    )

    assert found() == [("customer_doubled", double["id"])]


def test_a_payment_that_is_taken_back_is_told_of_until_it_is_won(sandbox: Sandbox) -> None:
    invoice = sent()
    control(sandbox, f"pay/{invoice.stripe_id}")
    dispute = control(sandbox, f"dispute/{invoice.stripe_id}")

    assert found() == [("disputed", dispute["id"])]
    assert StripeDifference.objects.get().invoice == invoice

    control(sandbox, f"close_dispute/{dispute['id']}", {"status": "won"})
    assert found() == []


@pytest.mark.parametrize(("days", "is_told"), [(41, True), (399, True), (401, False)])
def test_a_payment_that_is_taken_back_is_told_of_for_400_days(
    sandbox: Sandbox, days: int, *, is_told: bool
) -> None:
    invoice = sent()
    control(sandbox, f"pay/{invoice.stripe_id}")
    control(sandbox, f"dispute/{invoice.stripe_id}")
    assert [kind for kind, _ in found()] == ["disputed"]

    told = [kind for kind, _ in found(NOW + dt.timedelta(days=days))]

    assert ("disputed" in told) == is_told


def test_a_lost_dispute_is_told_of_for_a_while(sandbox: Sandbox) -> None:
    """Of two that are months old, one was lost long ago and one this week."""
    control(sandbox, "clock", {"advance_seconds": -60 * 86400})
    disputes = []
    for code in ("ORG1", "ORG2"):
        invoice = sent(code)
        control(sandbox, f"pay/{invoice.stripe_id}")
        disputes.append(control(sandbox, f"dispute/{invoice.stripe_id}")["id"])
    assert sorted(found()) == [("disputed", dispute) for dispute in sorted(disputes)]

    control(sandbox, f"close_dispute/{disputes[0]}", {"status": "lost"})
    control(sandbox, "clock", {"advance_seconds": 55 * 86400})
    control(sandbox, f"close_dispute/{disputes[1]}", {"status": "lost"})

    assert found() == [("disputed", disputes[1])]
    assert found(LATER + dt.timedelta(days=30)) == []


def test_a_dispute_of_no_payment_of_ours_is_told_of_without_an_invoice(sandbox: Sandbox) -> None:
    """Of a charge without a payment intent: asking Stripe what "" paid would be refused."""
    invoice = sent()
    control(sandbox, f"pay/{invoice.stripe_id}")
    dispute = control(sandbox, f"dispute/{invoice.stripe_id}")
    bare = json.dumps({**dispute, "payment_intent": None})
    sandbox.state.connection.execute(
        "update object set body = ? where id = ?", [bare, dispute["id"]]
    )

    assert found() == [("disputed", dispute["id"])]
    assert StripeDifference.objects.get().invoice is None


def test_a_refund_by_hand_is_told_of_until_a_credit_note_names_it(sandbox: Sandbox) -> None:
    """For Stripe its invoice stays paid. One that a credit of ours made is no news."""
    invoice = sent()
    control(sandbox, f"pay/{invoice.stripe_id}")
    line = invoice.lines.get()
    back: dict[str, Any] = {"kind": "credit", "credit_of": line}
    back |= {"net_cents": -1000, "vat_cents": -210, "unit_cents": -1000}
    credit = make.invoice(
        invoice.organisation, kind="credit", credit_of=invoice, lines=[back], state="approved"
    )
    assert push.push(credit.pk, at=NOW) == push.Outcome.PUSHED
    assert found() == []

    [payment] = listed(sandbox, "invoice_payments")
    intent = payment["payment"]["payment_intent"]
    refund = by_hand(sandbox, "refunds", {"payment_intent": intent, "amount": 500})
    assert found() == [("refunded", refund["id"])]
    assert StripeDifference.objects.get().invoice == invoice

    form = {"invoice": invoice.stripe_id, "lines[0][type]": "invoice_line_item"}
    form |= {"lines[0][invoice_line_item]": gateway.lines_of(invoice.stripe_id)[0].id}
    form |= {"lines[0][amount]": "500", "refunds[0][refund]": refund["id"]}
    note = by_hand(sandbox, "credit_notes", form | {"refunds[0][amount_refunded]": "500"})
    assert found() == [("made_by_hand", note["id"])]


@pytest.mark.parametrize("seconds", [-90, -30, 30, 90])
def test_a_clock_that_goes_wrong_is_told_of_before_webhooks_are_refused(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    def told(_handler: Handler, _timestamp: float | None = None) -> str:
        return formatdate(time.time() + seconds, usegmt=True)

    monkeypatch.setattr(Handler, "date_time_string", told)

    assert found() == ([("clock", "-")] if abs(seconds) > 60 else [])

    monkeypatch.undo()
    assert found() == []


def test_a_look_at_a_shorter_time_keeps_what_is_older(sandbox: Sandbox) -> None:
    control(sandbox, "clock", {"advance_seconds": -30 * 86400})
    made = made_by_hand(sandbox)
    assert found() == [("made_by_hand", made["id"])]

    reconcile.reconcile(at=LATER, since=NOW.date() - dt.timedelta(days=3))

    assert [difference.object_id for difference in reconcile.waiting()] == [made["id"]]


def test_what_was_set_right_late_is_struck_all_the_same(sandbox: Sandbox) -> None:
    """Later than a comparison looks back by itself."""
    customer = by_hand(sandbox, "customers", {"name": "Someone"})
    draft = by_hand(sandbox, "invoices", {"customer": customer["id"]})
    late = NOW + reconcile.LOOKS_BACK + dt.timedelta(days=2)
    assert found(NOW + dt.timedelta(days=2)) == found(late) == [("draft_left", draft["id"])]

    call(sandbox, "DELETE", f"/v1/invoices/{draft['id']}")

    assert found(late) == []


def test_what_was_dealt_with_by_hand_waits_again_when_its_facts_change(sandbox: Sandbox) -> None:
    made = made_by_hand(sandbox)
    others = [("made_by_hand", made_by_hand(sandbox)["id"])]
    here = [("made_by_hand", made["id"])]
    assert sorted(found()) == sorted([*others, *here])

    clear(made, ClearedBecause.BOOKED)
    assert found() == found(LATER + dt.timedelta(days=100)) == others

    by_hand(sandbox, f"invoices/{made['id']}/pay", {"paid_out_of_band": "true"})
    later = LATER + dt.timedelta(days=300)
    assert sorted(found(later)) == sorted([*others, *here])
    again = StripeDifference.objects.get(object_id=made["id"])
    assert (again.cleared_because, again.cleared_on) == ("", None)
    assert again.found_on == timezone.localdate(later)


def clear(made: dict[str, Any], because: ClearedBecause | None) -> list[StripeDifference]:
    rows = StripeDifference.objects.filter(object_id=made["id"])
    return reconcile.clear(rows, because, on=NOW.date())


def test_what_was_cleared_by_mistake_waits_again(sandbox: Sandbox) -> None:
    made = made_by_hand(sandbox)
    assert found() == [("made_by_hand", made["id"])]
    assert len(clear(made, ClearedBecause.NOTED)) == 1
    assert clear(made, ClearedBecause.NOTED) == []
    assert found() == []

    assert len(clear(made, None)) == 1

    assert found() == [("made_by_hand", made["id"])]


def test_what_was_cleared_and_is_gone_is_struck(sandbox: Sandbox) -> None:
    made = made_by_hand(sandbox)
    found()
    clear(made, ClearedBecause.AGREED)

    by_hand(sandbox, f"invoices/{made['id']}/void")
    found()

    assert not StripeDifference.objects.exists()


def test_a_wrong_clock_is_not_cleared() -> None:
    clock = make.stripe_difference("clock", object_id="-")

    assert clear({"id": "-"}, ClearedBecause.NOTED) == []

    assert list(reconcile.waiting()) == [clock]


def test_every_difference_suggests_one_thing_to_do() -> None:
    assert set(reconcile.SUGGESTIONS) == set(DifferenceKind)


# The edges


def test_reconcile_stripe_tells_what_it_found_and_ends_with_bad_news(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    made = made_by_hand(sandbox)

    with pytest.raises(SystemExit) as ended:
        call_command("reconcile_stripe", "--json", "--since", "2026-01-01")

    assert ended.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["compared"], told["repaired"]) == (2, [])
    [difference] = told["differences"]
    assert (difference["kind"], difference["object"]) == ("made_by_hand", made["id"])
    assert difference["suggestion"]


def test_reconcile_stripe_is_content_when_all_agrees(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sent()

    call_command("reconcile_stripe", "--json")

    assert json.loads(capsys.readouterr().out) == {
        "compared": 2, "repaired": [], "differences": [],
    }  # fmt: skip


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "2999-01-01"])
def test_a_day_that_cannot_be_is_refused(sandbox: Sandbox, since: str) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011  # CommandError or its parser's
        call_command("reconcile_stripe", "--since", since)

    assert getattr(refused.value, "returncode", None) in {1, 2}


def test_a_stripe_that_cannot_be_read_is_bad_news(
    sandbox: Sandbox, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    with pytest.raises(SystemExit) as ended:
        call_command("reconcile_stripe")

    assert ended.value.code == 1
    assert "no_answer" in capsys.readouterr().err


def test_the_nightly_task_reconciles(sandbox: Sandbox) -> None:
    made_by_hand(sandbox)

    tasks.reconcile_stripe()

    assert StripeDifference.objects.count() == 1
