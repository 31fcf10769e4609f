"""Overage that turned out not to be due goes back at the end of the year (design 5.4, 5.10).

A basic year of 100 people holds 2 hours, in quarters; an hour above costs 135.00.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from agency.models import Organisation
from agency.month import AMSTERDAM
from subscriptions import billing, inbox, push, reconcile, statements
from subscriptions.audit import audit, credited
from subscriptions.credits import Amounts, Creditable, credit_shares, share
from subscriptions.models import (
    BilledOccurrence,
    Invoice,
    InvoiceLine,
    OverageCredit,
    StripeEvent,
    Subscription,
)
from subscriptions.push import Outcome
from subscriptions.reports.client import write
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.agreed import M
from tests.clients import bill, client, close, close_and_bill, counsellor, lines, months_from
from tests.stripe.control import call, listed
from tests.workbooks import rows

NOW = timezone.now()
NOTHING = Amounts(hundredths=0, net_cents=0, vat_cents=0)


def line(
    number: int = 1,
    hours: float = 3,
    net: int = 405_00,
    vat: int = 85_05,
    rate: int = 135_00,
    back: Amounts = NOTHING,
) -> Creditable:
    billed = Amounts(hundredths=round(hours * 100), net_cents=net, vat_cents=vat)
    return Creditable(key=UUID(int=number), unit_cents=rate, billed=billed, taken_back=back)


class TestShares:
    @pytest.mark.parametrize(
        ("hours", "net", "vat"),
        [
            pytest.param(0.5, 67_50, 14_18, id="half an hour: 14.175 is 14.18"),
            pytest.param(1, 135_00, 28_35, id="a third"),
            pytest.param(3, 405_00, 85_05, id="all of it"),
            pytest.param(9, 405_00, 85_05, id="never more than was billed"),
        ],
    )
    def test_hours_go_back_at_their_rate_and_vat_in_proportion_of_the_stored(
        self, hours: float, net: int, vat: int
    ) -> None:
        part = share(line(), round(hours * 100))
        assert (part.net_cents, part.vat_cents) == (net, vat)

    def test_the_last_part_takes_what_is_left_to_the_cent(self) -> None:
        before = Amounts(hundredths=50, net_cents=64_88, vat_cents=13_62)
        odd = line(hours=1, net=129_75, vat=27_25, rate=129_75, back=before)
        assert share(odd, 50) == Amounts(hundredths=50, net_cents=64_87, vat_cents=13_63)

    def test_vat_that_was_stored_otherwise_goes_back_as_it_was_stored(self) -> None:
        # A cent less than 21 %, as documents share out the cents that are left over.
        assert share(line(vat=85_04), 300).vat_cents == 85_04
        assert share(line(vat=0), 100).vat_cents == 0

    def test_lines_are_credited_one_after_another(self) -> None:
        parts = credit_shares(400, [line(1, 3), line(2, 2, 270_00, 56_70), line(3)])
        assert [(one.key.int, part.hundredths) for one, part in parts] == [(1, 300), (2, 100)]

    def test_what_was_credited_before_is_not_credited_again(self) -> None:
        gone = line(1, 3, back=line(1, 3).billed)
        parts = credit_shares(200, [gone, line(2, 1, 135_00, 28_35)])
        assert [(one.key.int, part.hundredths) for one, part in parts] == [(2, 100)]

    @given(
        st.integers(1, 60_00),
        st.integers(0, 3),
        st.lists(st.integers(1, 8), min_size=1, max_size=9),
    )
    def test_parts_add_up_to_the_line_and_never_pass_it(
        self, rate: int, off: int, halves: list[int]
    ) -> None:
        billed = 6 * 50
        net = (billed * rate + 50) // 100
        vat = max(0, net * 21 // 100 - off)
        back = NOTHING
        for half in [*halves, 6]:
            part = share(line(1, 3, net, vat, rate, back), half * 50)
            assert min(part.hundredths, part.net_cents, part.vat_cents) >= 0
            back = Amounts(
                hundredths=back.hundredths + part.hundredths,
                net_cents=back.net_cents + part.net_cents,
                vat_cents=back.vat_cents + part.vat_cents,
            )
        assert back == Amounts(hundredths=billed, net_cents=net, vat_cents=vat)


def a_year(
    hours: Mapping[str, float], taken_back: Mapping[str, float], **agreed: Any
) -> Subscription:
    """Close 2025 and bill 2026 but for December, approving every run on the way.

    ``taken_back`` are corrections, posted in their months.
    """
    subscription = client(hours=hours, **agreed)
    advisor = counsellor(subscription.organisation)
    for month, number in taken_back.items():
        make.hours_adjustment(advisor, subscription.organisation, month, -round(number * 4))
    for month in months_from("2025-12", 12):
        close_and_bill(month)
        billing.approve(Invoice.objects.all())
    return subscription


HOURS: dict[str, float] = {
    "2026-02": 5,
    "2026-05": 2,
}  # overage: 3 hours in the first quarter, 2 in the second


@pytest.mark.django_db
class TestRuns:
    def test_a_negative_rest_of_the_year_is_a_credit_in_the_run_of_its_last_month(self) -> None:
        a_year(HOURS, {"2026-11": 1.5})
        assert OverageCredit.objects.count() == 0

        made = close_and_bill("2026-12")

        (credit,) = [invoice for invoice in made if invoice.kind == "credit"]
        assert OverageCredit.objects.get().quarters == 6
        assert lines(credit) == ["credit 2026-04/2026-07 -202.50"]
        (row,) = credit.lines.all()
        assert (row.quantity_hundredths, row.unit_cents, row.vat_cents) == (150, -135_00, -42_53)
        assert row.description == "Credit: Hours of overage, Apr to Jun 2026"
        assert (credit.net_cents, credit.vat_cents, credit.total_cents) == (
            -202_50,
            -42_53,
            -245_03,
        )
        assert row.credit_of
        assert credit.credit_of == row.credit_of.invoice
        assert (credit.state, credit.buyer_name) == ("draft", "ORG1 B.V.")
        assert audit().violations == []

    def test_the_last_overage_of_the_year_goes_back_first_on_a_document_each(self) -> None:
        a_year(HOURS, {"2026-11": 4})
        made = [invoice for invoice in close_and_bill("2026-12") if invoice.kind == "credit"]
        assert [lines(invoice) for invoice in made] == [
            ["credit 2026-04/2026-07 -270.00"],
            ["credit 2026-01/2026-04 -270.00"],
        ]
        assert len({invoice.credit_of_id for invoice in made}) == 2
        assert audit().violations == []

    def test_a_credit_waits_for_overage_that_a_forgotten_run_left_out(self) -> None:
        subscription = client(hours=HOURS)
        advisor = counsellor(subscription.organisation)
        make.hours_adjustment(advisor, subscription.organisation, "2026-11", -4 * 4)
        for month in months_from("2025-12", 6):
            close_and_bill(month)
            billing.approve(Invoice.objects.all())
        close(*months_from("2026-06", 8))

        made = bill("2026-12")
        assert {invoice.kind for invoice in made} == {"invoice"}
        billing.approve(Invoice.objects.all())
        made = bill("2027-01")

        assert sum(invoice.net_cents for invoice in made if invoice.kind == "credit") == -4 * 135_00
        assert audit().violations == []

    def test_no_more_goes_back_than_was_billed(self) -> None:
        a_year(HOURS, {"2026-11": 90})
        made = [invoice for invoice in close_and_bill("2026-12") if invoice.kind == "credit"]
        assert sum(invoice.net_cents for invoice in made) == -5 * 135_00

    def test_a_rest_that_later_hours_use_up_is_no_credit(self) -> None:
        a_year(HOURS | {"2026-11": 3}, {"2026-08": 3})
        made = close_and_bill("2026-12")
        assert {invoice.kind for invoice in made} == {"invoice"}

    @pytest.mark.parametrize("overage", ["cap", "all_in"])
    def test_without_overage_nothing_goes_back(self, overage: str) -> None:
        a_year(HOURS, {"2026-11": 3}, overage=overage)
        assert {invoice.kind for invoice in close_and_bill("2026-12")} == {"invoice"}

    def test_what_a_former_system_billed_is_not_ours_to_give_back(self) -> None:
        subscription = client(first_run=M("2026-04"), reported_until=M("2026-04"))
        advisor = counsellor(subscription.organisation)
        make.month_hours(advisor, subscription.organisation, "2026-02", 5 * 4)
        make.hours_adjustment(advisor, subscription.organisation, "2026-11", -3 * 4)
        make.closed_month("2026-03")
        close_and_bill(*months_from("2026-04", 9))
        assert not OverageCredit.objects.exists()
        assert not Invoice.objects.filter(kind="credit").exists()

    def test_drafting_again_finds_nothing_to_do(self) -> None:
        a_year(HOURS, {"2026-11": 1.5})
        close_and_bill("2026-12")
        assert bill("2026-12") == []
        assert close_and_bill("2027-01") == []
        assert Invoice.objects.filter(kind="credit").count() == 1

    def test_a_credit_waits_until_what_it_credits_is_approved(self) -> None:
        a_year(HOURS, {"2026-11": 1.5})
        credited = InvoiceLine.objects.get(kind="overage", from_month=M("2026-04")).invoice
        Invoice.objects.filter(pk=credited.pk).update(state="draft")
        assert {invoice.kind for invoice in close_and_bill("2026-12")} == {"invoice"}

        billing.approve([Invoice.objects.get(pk=credited.pk)])

        (credit,) = close_and_bill("2027-01")
        assert lines(credit) == ["credit 2026-04/2026-07 -202.50"]
        assert credit.run_month == M("2027-01")

    def test_what_was_credited_by_hand_is_not_credited_twice(self) -> None:
        a_year(HOURS, {"2026-11": 1.5})
        overage = InvoiceLine.objects.get(kind="overage", from_month=M("2026-04"))
        back: dict[str, Any] = {"kind": "credit", "credit_of": overage, "unit_cents": -135_00}
        back |= {"quantity_hundredths": 150, "net_cents": -202_50, "vat_cents": -42_53}
        make.invoice(
            Organisation.objects.get(), "2026-11", kind="credit", credit_of=overage.invoice,
            lines=[back],
        )  # fmt: skip
        made = [invoice for invoice in close_and_bill("2026-12") if invoice.kind == "credit"]
        assert [lines(invoice) for invoice in made] == [
            ["credit 2026-04/2026-07 -67.50"],
            ["credit 2026-01/2026-04 -135.00"],
        ]
        assert made[0].vat_cents == -(56_70 - 42_53)

    def test_a_line_on_a_void_document_is_not_credited(self) -> None:
        a_year(HOURS, {"2026-11": 1.5})
        overage = InvoiceLine.objects.get(kind="overage", from_month=M("2026-04"))
        Invoice.objects.filter(pk=overage.invoice_id).update(state="void")
        made = [invoice for invoice in close_and_bill("2026-12") if invoice.kind == "credit"]
        assert [lines(invoice) for invoice in made] == [["credit 2026-01/2026-04 -202.50"]]

    def test_what_nobody_pays_goes_back_once_it_is_paid_after_all(self) -> None:
        a_year(HOURS, {"2026-11": 4})
        lost = InvoiceLine.objects.get(kind="overage", from_month=M("2026-04")).invoice
        day = dt.date(2026, 7, 10)
        sent = {"number": "1", "stripe_id": "in_1", "invoice_on": day, "due_on": day}
        Invoice.objects.filter(pk=lost.pk).update(state="open", **sent)
        lost.refresh_from_db()
        make.write_off(lost, make.user("controller"))

        made = [invoice for invoice in close_and_bill("2026-12") if invoice.kind == "credit"]
        assert [lines(invoice) for invoice in made] == [["credit 2026-01/2026-04 -270.00"]]
        assert bill("2026-12") == []
        assert audit(credited.INVARIANTS).violations == []
        overage = lost.lines.get(kind="overage")
        back = {"kind": "credit", "net_cents": -1, "vat_cents": 0, "credit_of": overage}
        with pytest.raises(IntegrityError, match="once it is paid after all"), transaction.atomic():
            make.invoice(lost.organisation, kind="credit", credit_of=lost, lines=[back])

        Invoice.objects.filter(pk=lost.pk).update(state="paid", paid_on=day)
        (credit,) = close_and_bill("2027-01")
        assert lines(credit) == ["credit 2026-04/2026-07 -270.00"]
        assert audit(credited.INVARIANTS).violations == []

    def test_a_run_with_many_credits_asks_no_more_of_the_database(
        self, django_assert_num_queries: Any
    ) -> None:
        for number in range(3):
            client(f"MORE{number}", hours=HOURS)
        a_year(HOURS, {"2026-11": 1.5})
        for organisation in Organisation.objects.exclude(code="ORG1")[:2]:
            advisor = counsellor(organisation)
            make.hours_adjustment(advisor, organisation, "2026-12", -4)
        close("2026-12")
        with django_assert_num_queries(37):
            made = bill("2026-12")
        assert [invoice.kind for invoice in made].count("credit") == 3


@pytest.mark.django_db
def test_bill_prints_a_credit_with_negative_amounts(capsys: pytest.CaptureFixture[str]) -> None:
    a_year(HOURS, {"2026-11": 1.5})
    close("2026-12")
    call_command("bill", "2026-12", "--json")
    documents = json.loads(capsys.readouterr().out)["invoices"]
    (credit,) = [one for one in documents if one["lines"][0]["kind"] == "credit"]
    assert (credit["net_cents"], credit["vat_cents"], credit["total_cents"]) == (
        -202_50,
        -42_53,
        -245_03,
    )
    (row,) = credit["lines"]
    assert (row["quantity"], row["unit_cents"], row["period"]) == (
        "1.5",
        -135_00,
        ["2026-04", "2026-07"],
    )


@pytest.mark.django_db
def test_the_statement_itself_says_what_it_would_have_said(capsys: Any) -> None:
    a_year(HOURS, {"2026-11": 1.5})
    close("2026-12")
    (said,) = statements.of_month(M("2026-12"))
    assert (said["used_hours"], said["overage_hours"]) == ("0", "0")


@pytest.mark.django_db
def test_credits_never_exceed_their_line_in_the_database() -> None:
    invoice = make.invoice(make.organisation(), state="approved")
    (original,) = invoice.lines.all()

    def credit(net: int, vat: int) -> Invoice:
        back = {"kind": "credit", "net_cents": -net, "vat_cents": -vat, "credit_of": original}
        return make.invoice(invoice.organisation, kind="credit", credit_of=invoice, lines=[back])

    first = credit(900_00, 189_00)
    for net, vat in ((100_01, 21_00), (100_00, 21_01)):
        with pytest.raises(IntegrityError, match="never exceed"), transaction.atomic():
            credit(net, vat)
    credit(100_00, 21_00)
    with pytest.raises(IntegrityError, match="never exceed"), transaction.atomic():
        credit(1, 0)

    Invoice.objects.filter(pk=first.pk).update(state="void")  # gives nothing back any more
    credit(900_00, 189_00)


@pytest.mark.django_db
def test_what_a_statement_credits_never_changes() -> None:
    statement = make.statement(make.subscription(make.organisation()))
    credit = OverageCredit.objects.create(statement=statement, quarters=4)
    for deed in (
        lambda: OverageCredit.objects.update(quarters=8),
        lambda: OverageCredit.objects.filter(pk=credit.pk).delete(),
    ):
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            deed()


@pytest.mark.django_db
def test_a_credit_of_overage_goes_to_stripe_after_its_invoice(sandbox: Sandbox) -> None:
    a_year(HOURS, {"2026-11": 1.5})
    made = close_and_bill("2026-12")
    billing.approve(made)

    for invoice in list(push.candidates()):
        assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED

    (note,) = listed(sandbox, "credit_notes")
    assert (note["subtotal"], note["total"]) == (202_50, 245_03)
    issued_on = dt.datetime.fromtimestamp(note["created"], AMSTERDAM).date()
    credit = Invoice.objects.get(kind="credit")
    assert (credit.state, credit.invoice_on) == ("paid", issued_on)
    assert BilledOccurrence.objects.get(kind="credit").state == "billed"
    assert audit().violations == []


def voided(sandbox: Sandbox, document: Invoice) -> None:
    """Void a document at Stripe by hand, and have the event handled."""
    document.refresh_from_db()
    kind = "credit_note" if document.kind == "credit" else "invoice"
    call(sandbox, "POST", f"/v1/{kind}s/{document.stripe_id}/void", {})
    number = StripeEvent.objects.count()
    event = make.stripe_event(f"evt_{number}", type=f"{kind}.voided", object_id=document.stripe_id)
    assert inbox.handle(event.pk, at=NOW) == "handled"
    document.refresh_from_db()
    assert document.state == "void"


def send_all() -> None:
    billing.approve(Invoice.objects.all())
    for invoice in list(push.candidates()):
        assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED


def net_of(kind: str) -> int:
    """Add up what clients owe of a kind of lines, in cents."""
    lines = InvoiceLine.objects.filter(kind=kind).exclude(invoice__state="void")
    return sum(lines.values_list("net_cents", flat=True))


@pytest.mark.django_db
def test_a_credit_note_that_is_voided_is_given_anew_as_far_as_it_is_gone(sandbox: Sandbox) -> None:
    a_year(HOURS, {"2026-11": 4})
    made = close_and_bill("2026-12")
    send_all()
    first = made[-1]
    assert lines(first) == ["credit 2026-01/2026-04 -270.00"]

    voided(sandbox, first)
    assert {violation.invariant for violation in audit().violations} == {
        "nothing_due_is_left_unbilled",
        "credits_of_overage_are_given_in_full",
    }
    (again,) = close_and_bill("2027-01")

    assert lines(again) == lines(first)
    assert again.credit_of_id == first.credit_of_id
    revisions = BilledOccurrence.objects.filter(kind="credit").order_by("from_month", "revision")
    assert list(revisions.values_list("revision", "state")) == [
        (1, "credited"),
        (2, "billed"),
        (1, "billed"),
    ]
    send_all()
    assert net_of("credit") == -4 * 135_00
    assert bill("2027-01") == []
    assert audit().violations == []


@pytest.mark.django_db
@pytest.mark.parametrize("sent", ["with its credit", "before its credit"])
def test_a_credit_falls_with_overage_that_is_voided_and_is_given_anew(
    sandbox: Sandbox, sent: str
) -> None:
    a_year(HOURS, {"2026-11": 4}, billing_interval=3)
    credit = next(one for one in close_and_bill("2026-12") if one.kind == "credit")
    billed = credit.credit_of
    assert billed
    assert lines(credit) == ["credit 2026-04/2026-07 -270.00"]
    if sent == "with its credit":
        send_all()
    else:
        push.push(billed.pk, at=NOW)

    voided(sandbox, billed)

    credit.refresh_from_db()
    assert credit.state == "void"
    (anew,) = close_and_bill("2027-01")
    assert [line for line in lines(anew) if "overage" in line] == ["overage 2026-04/2026-07 270.00"]
    send_all()
    (again,) = close_and_bill("2027-02")
    assert (again.credit_of, lines(again)) == (anew, ["credit 2026-04/2026-07 -270.00"])
    send_all()
    assert net_of("overage") + net_of("credit") == (5 - 4) * 135_00
    assert audit().violations == []
    reconcile.reconcile(at=NOW + dt.timedelta(hours=1))
    assert list(reconcile.waiting()) == []


@pytest.mark.django_db
def test_the_client_reads_of_the_credit_what_the_document_says() -> None:
    subscription = a_year(HOURS, {"2026-11": 1.5})
    (credit,) = [invoice for invoice in close_and_bill("2026-12") if invoice.kind == "credit"]
    Invoice.objects.filter(pk=credit.pk).update(
        state="paid", number="CN-1", stripe_id="cn_1", invoice_on=dt.date(2027, 1, 8)
    )
    contact = Client()
    organisation = subscription.organisation
    contact.force_login(make.contact(organisation).user)

    page = contact.get(f"/portal/{organisation.pk}/invoices/{credit.pk}/").content.decode()
    (row,) = rows(write(organisation, M("2026-12")), "Costs")

    assert "Credit note CN-1" in page
    assert "Credit: Hours of overage, Apr to Jun 2026" in page
    assert (row["Quantity"], row["Unit"], row["Price (€)"], row["Net (€)"], row["Status"]) == (
        1.5,
        "hours",
        -135,
        -202.5,
        "Credit",
    )
