"""Runs: what falls due is drafted once, in its own run or later (design 5, first paragraph)."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from subscriptions import billing
from subscriptions.audit import audit
from subscriptions.billing import BillError, draft_run
from subscriptions.models import (
    BilledOccurrence,
    Invoice,
    PriceBand,
    YearPrice,
)
from tests import factories as make
from tests.agreed import M
from tests.at_once import at_once
from tests.clients import (
    bill,
    client,
    close,
    close_and_bill,
    lines,
    months_from,
    of_kind,
    open_agency,
    session,
    worked,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

QUARTER = ("2026-01", "2026-02", "2026-03")


def occurrences() -> list[tuple[str, str, int]]:
    rows = BilledOccurrence.objects.order_by("kind", "from_month", "revision")
    return [(row.kind, str(row.from_month), row.revision) for row in rows]


class TestRuns:
    def test_a_run_is_made_for_a_month_after_it_is_closed(self) -> None:
        client()
        with pytest.raises(BillError, match="not closed"):
            draft_run(M("2026-01"))
        assert Invoice.objects.count() == 0

    def test_everything_is_due_in_one_run(self) -> None:
        client(billing_interval=3, hours={"2026-02": 3})
        invoices = close_and_bill("2025-12", *QUARTER)
        assert [(str(invoice.run_month), lines(invoice)) for invoice in invoices] == [
            ("2025-12", ["fee 2026-01/2026-04 337.50", "setup 2026-01/2026-02 250.00"]),
            ("2026-03", ["fee 2026-04/2026-07 337.50", "overage 2026-01/2026-04 135.00"]),
        ]

    def test_drafting_again_finds_nothing_to_do(self) -> None:
        client(hours={"2026-02": 3})
        close_and_bill("2025-12", *QUARTER)
        before = occurrences(), list(Invoice.objects.order_by("pk").values())
        for month in ("2025-12", *QUARTER):
            assert draft_run(M(month)).documents == []
        assert (occurrences(), list(Invoice.objects.order_by("pk").values())) == before

    def test_what_was_not_billed_in_its_run_is_billed_in_a_later_one(self) -> None:
        subscription = client(billing_interval=3)
        close_and_bill("2025-12", "2026-01")
        session(subscription.organisation, "S1", "2025-12-10")
        session(subscription.organisation, "S2", "2026-01-10")
        (invoice,) = close_and_bill("2026-02")
        assert of_kind("session", invoice) == [
            "session 2025-12/2026-01 875.00",
            "session 2026-01/2026-02 875.00",
        ]

    def test_what_falls_due_later_waits(self) -> None:
        subscription = client(billing_interval=3)
        session(subscription.organisation, "S1", "2026-02-10")
        (first,) = close_and_bill("2025-12", "2026-01")
        (second,) = close_and_bill("2026-02")
        assert (of_kind("session", first), of_kind("session", second)) == (
            [],
            ["session 2026-02/2026-03 875.00"],
        )

    def test_nothing_that_fell_due_before_the_first_run_is_ever_drafted(self) -> None:
        subscription = client(
            "ORG1", "2025-01", billing_interval=3, first_run=M("2026-02"), hours={}
        )
        organisation = subscription.organisation
        advisor = make.advisor()
        for month in ("2025-12", "2026-01"):
            make.month_hours(advisor, organisation, month, 40)
        session(organisation, "S1", "2026-01-10")
        session(organisation, "S2", "2026-03-10", on="2026-01-10")
        session(organisation, "S3", "2026-02-10")
        make.top_up_card(organisation, "2026-02", 8)
        make.top_up_card(organisation, "2026-03", 8)
        make.closed_month("2026-01")
        (invoice,) = close_and_bill("2026-02")
        assert lines(invoice) == [
            "session 2026-02/2026-03 875.00",
            "topup 2026-03/2027-03 1100.00",
        ]

    def test_a_first_run_in_the_month_before_the_start_bills_the_first_fee(self) -> None:
        client(start="2026-02")
        make.closed_month("2026-01")
        (invoice,) = bill("2026-01")
        assert lines(invoice) == ["fee 2026-02/2027-02 1350.00", "setup 2026-02/2026-03 250.00"]

    def test_nothing_is_billed_twice_says_the_database(self) -> None:
        client()
        close_and_bill("2025-12")
        row = BilledOccurrence.objects.get(kind="fee")
        with pytest.raises(IntegrityError), transaction.atomic():
            make.billed_occurrence(row.organisation, row.subject_id, "2026-01")

    def test_one_client_without_a_price_does_not_stop_the_others(self) -> None:
        client("ORG1", headcount=300)
        client("ORG2")
        PriceBand.objects.filter(min_headcount=251).delete()
        make.closed_month("2025-12")
        run = draft_run(M("2025-12"))
        assert [code for code, _ in run.failures] == ["ORG1"]
        assert "2026-01" in str(run.failures[0][1])
        assert [i.organisation.code for i in Invoice.objects.all() if i.organisation] == ["ORG2"]

    def test_one_client_without_a_headcount_does_not_stop_the_others(self) -> None:
        client("ORG1", headcount={})
        client("ORG2")
        make.closed_month("2025-12")
        assert [code for code, _ in draft_run(M("2025-12")).failures] == ["ORG1"]
        assert Invoice.objects.count() == 1

    def test_a_run_reads_and_writes_in_a_fixed_number_of_queries(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client("ORG0")
        make.closed_month("2025-12")
        with django_assert_num_queries(35):
            bill("2025-12")
        for number in range(1, 6):
            client(f"ORG{number}")
        with django_assert_num_queries(35):
            bill("2025-12")


class TestFeesAndTiers:
    def test_an_upgrade_inside_an_interval_is_one_line_in_the_run_before_its_month(self) -> None:
        subscription = client(billing_interval=12)
        close_and_bill("2025-12")
        make.terms(subscription, "2026-04", "extended")
        assert close_and_bill("2026-01", "2026-02") == []
        (invoice,) = close_and_bill("2026-03")
        assert lines(invoice) == ["tier_change 2026-04/2027-01 1687.50"]

    def test_an_upgrade_that_starts_an_interval_changes_its_fee(self) -> None:
        subscription = client(billing_interval=3)
        close_and_bill("2025-12")
        make.terms(subscription, "2026-04", "extended")
        (invoice,) = close_and_bill(*QUARTER)
        assert lines(invoice) == ["fee 2026-04/2026-07 900.00"]

    def test_an_upgrade_confirmed_after_its_fee_was_drafted_charges_the_difference(self) -> None:
        subscription = client(billing_interval=3)
        close_and_bill("2025-12", *QUARTER)
        make.terms(subscription, "2026-04", "extended")
        (invoice,) = close_and_bill("2026-04")
        assert lines(invoice) == ["tier_change 2026-04/2026-07 562.50"]
        assert close_and_bill("2026-05") == []

    def test_a_fee_credited_in_full_is_drafted_anew_at_the_tier_of_now(self) -> None:
        subscription = client(billing_interval=3)
        close_and_bill("2025-12", *QUARTER)
        BilledOccurrence.objects.filter(kind="fee", from_month=M("2026-04")).update(
            state="credited"
        )
        make.terms(subscription, "2026-04", "extended")
        (invoice,) = close_and_bill("2026-04")
        assert lines(invoice) == ["fee 2026-04/2026-07 900.00"]
        assert ("fee", "2026-04", 2) in occurrences()

    def test_fees_stop_with_the_contract(self) -> None:
        client(billing_interval=3, until_month=M("2026-06"))
        invoices = close_and_bill("2025-12", *months_from("2026-01", 8))
        assert of_kind("fee", *invoices) == [
            "fee 2026-01/2026-04 337.50",
            "fee 2026-04/2026-06 225.00",
        ]


class TestOverage:
    def test_overage_comes_from_the_published_statement_only(self) -> None:
        client(hours={"2026-02": 3})
        close("2026-01", "2026-02")
        assert of_kind("overage", *bill("2026-02")) == []
        close("2026-03")
        assert of_kind("overage", *bill("2026-03")) == ["overage 2026-01/2026-04 135.00"]

    @pytest.mark.parametrize("overage", ["cap", "all_in"])
    def test_capped_and_all_in_contracts_are_charged_nothing(self, overage: str) -> None:
        client(overage=overage, hours={"2026-02": 30})
        assert of_kind("overage", *close_and_bill("2025-12", *QUARTER)) == []

    def test_23_25_hours_of_20_cost_455_and_95_55_of_vat(self) -> None:
        client(
            "ORG1",
            "2025-01",
            headcount=20,
            own_overage_rate_cents=130_00,
            own_included_quarters=80,
            first_run=M("2025-12"),
            until_month=M("2026-01"),
            hours={"2025-12": 23.25},
        )
        (invoice,) = close_and_bill("2025-12")
        (line,) = invoice.lines.all()
        assert (line.quantity_hundredths, line.unit_cents) == (350, 130_00)
        assert (invoice.net_cents, invoice.vat_cents, invoice.total_cents) == (
            455_00,
            95_55,
            550_55,
        )


class TestCards:
    def test_a_card_is_due_in_the_run_of_the_month_before_it_was_bought(self) -> None:
        subscription = client(billing_interval=12)
        make.top_up_card(subscription.organisation, "2026-03", 40, price_cents=990_00)
        invoices = close_and_bill("2025-12", "2026-01", "2026-02")
        assert [str(i.run_month) for i in invoices] == ["2025-12", "2026-02"]
        assert lines(invoices[-1]) == ["topup 2026-03/2027-03 990.00"]


class TestAhead:
    def test_one_new_clients_fee_setup_and_cards_are_drafted_before_the_month_is_closed(
        self,
    ) -> None:
        new = client("NEW", "2026-03", hours={"2026-03": 9})
        client("OTHER", "2026-03")
        session(new.organisation, "S1", "2026-02-10", offering=make.offering("WS"))
        make.top_up_card(new.organisation, "2026-03", 8)
        make.closed_month("2026-01")
        run = draft_run(M("2026-02"), [new.organisation.pk], ahead=True)
        assert [lines(d.invoice) for d in run.documents if d.invoice] == [
            [
                "fee 2026-03/2027-03 1350.00",
                "setup 2026-03/2026-04 250.00",
                "topup 2026-03/2027-03 1100.00",
            ]
        ]

    def test_the_run_itself_drafts_only_the_rest(self) -> None:
        new = client("NEW", "2026-03")
        session(new.organisation, "S1", "2026-02-10", offering=make.offering("WS"))
        draft_run(M("2026-02"), [new.organisation.pk], ahead=True)
        make.closed_month("2026-01")
        (invoice,) = close_and_bill("2026-02")
        assert lines(invoice) == ["session 2026-02/2026-03 875.00"]

    def test_a_headcount_that_is_declared_after_it_moves_no_price(self) -> None:
        new = client("NEW", "2026-03", headcount=18)
        draft_run(M("2026-02"), [new.organisation.pk], ahead=True)
        make.headcount(new.organisation, 90, "2026-02")
        assert audit().violations == []


class TestPreview:
    def test_a_plan_writes_nothing(self) -> None:
        client(hours={"2026-02": 3})
        close(*QUARTER)
        assert len(billing.plan(M("2026-03")).documents) == 1
        assert (Invoice.objects.count(), BilledOccurrence.objects.count()) == (0, 0)
        assert YearPrice.objects.count() == 0


def test_recording_after_a_run_changes_nothing_that_was_billed() -> None:
    subscription = client(hours={"2026-02": 3})
    close_and_bill("2025-12", *QUARTER)
    before = list(Invoice.objects.order_by("pk").values())
    worked(subscription.organisation, {"2026-04": 30}, by="NEW")
    make.terms(subscription, "2026-05", "extended")
    close_and_bill("2026-04", "2026-05", "2026-06")
    kept = Invoice.objects.filter(run_month__lte=M("2026-03")).order_by("pk")
    assert list(kept.values()) == before


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_two_runs_at_once_one_drafts_and_the_other_finds_nothing_to_do(self) -> None:
        for number in range(3):
            client(f"ORG{number}", hours={"2026-02": 3})
        close(*QUARTER)
        run = partial(draft_run, M("2026-03"))
        drafted = [len(made.documents) for made in at_once(run, run, run)]
        assert sorted(drafted) == [0, 0, 3]
        assert Invoice.objects.count() == 3

    def test_a_run_made_while_a_document_is_unblocked_drafts_it_once(self) -> None:
        subscription = client(po_required=True)
        close_and_bill("2025-12")
        make.purchase_order(subscription.organisation)
        run = partial(draft_run, M("2025-12"))
        assert sorted(len(made.documents) for made in at_once(run, run)) == [0, 1]
        assert [invoice.state for invoice in Invoice.objects.all()] == ["draft"]

    def test_a_run_waits_for_the_close_of_its_month_or_says_that_it_is_not_closed(self) -> None:
        open_agency()
        client(headcount=300, hours={"2026-01": 30})
        outcome = at_once(partial(close, "2026-01"), partial(draft_run, M("2026-01")))[1]
        assert isinstance(outcome, BillError) or len(outcome.documents) == 1
        (invoice,) = bill("2026-01") if isinstance(outcome, BillError) else Invoice.objects.all()
        assert of_kind("overage", invoice) == ["overage 2026-01/2026-02 2970.00"]
