"""Runs: what falls due is drafted once, in its own run or later (design 5, first paragraph)."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from agency.models import Organisation
from subscriptions import billing
from subscriptions.audit import audit
from subscriptions.billing import BillError, draft_run
from subscriptions.models import (
    BilledOccurrence,
    Invoice,
    InvoiceState,
    PriceBand,
    Subscription,
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
    open_agency,
    worked,
)
from workshops.models import Offering, Session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

QUARTER = ("2026-01", "2026-02", "2026-03")


@pytest.fixture
def workshop() -> Offering:
    return make.offering("WS", included_eligible=True)


def session(
    organisation: Organisation, reference: str, day: str, *, on: str = "", **fields: Any
) -> Session:
    """Make a session held on a day, or cancelled ``on`` an earlier one by the client."""
    how: dict[str, Any] = {"status": "held"}
    if on:
        how = {"status": "cancelled", "cancelled_on": dt.date.fromisoformat(on)}
        how["cancelled_by"] = fields.pop("by", "client")
    how["starts_at"] = make.at(f"{day} 10:00")
    return make.session(organisation, reference, **how | fields)


def of_kind(kind: str, *invoices: Invoice) -> list[str]:
    """Give lines of a kind and their amounts, in order of run."""
    return [line for invoice in invoices for line in lines(invoice) if line.split()[0] == kind]


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
        with django_assert_num_queries(31):
            bill("2025-12")
        for number in range(1, 6):
            client(f"ORG{number}")
        with django_assert_num_queries(31):
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


class TestSessions:
    def test_a_session_costs_its_offerings_price_in_the_run_of_the_month_it_was_held(
        self, workshop: Offering
    ) -> None:
        subscription = client(billing_interval=12)
        session(subscription.organisation, "S1", "2026-02-28")
        invoices = close_and_bill("2025-12", "2026-01", "2026-02")
        assert [(str(i.run_month), of_kind("session", i)) for i in invoices] == [
            ("2025-12", []),
            ("2026-02", ["session 2026-02/2026-03 875.00"]),
        ]

    def test_only_held_sessions_are_billed(self, workshop: Offering) -> None:
        subscription = client()
        for number, status in enumerate(("requested", "scheduled")):
            session(subscription.organisation, f"S{number}", "2026-01-10", status=status)
        assert of_kind("session", *close_and_bill("2026-01")) == []

    def test_a_session_near_midnight_belongs_to_the_month_amsterdam_has(
        self, workshop: Offering
    ) -> None:
        subscription = client()
        moment = dt.datetime(2026, 1, 31, 23, 30, tzinfo=dt.UTC)  # half past midnight in February
        session(subscription.organisation, "S1", "2026-01-31", starts_at=moment)
        invoices = close_and_bill("2026-01", "2026-02")
        assert of_kind("session", *invoices) == ["session 2026-02/2026-03 875.00"]
        assert str(invoices[-1].run_month) == "2026-02"

    @pytest.mark.parametrize(
        ("cancelled_on", "line"),
        [
            pytest.param("2026-02-02", None, id="42 days before: nothing"),
            pytest.param("2026-02-03", "cancellation 2026-03/2026-04 437.50", id="41 days: half"),
            pytest.param("2026-03-02", "cancellation 2026-03/2026-04 437.50", id="14 days: half"),
            pytest.param("2026-03-03", "cancellation 2026-03/2026-04 875.00", id="13 days: all"),
            pytest.param("2026-03-16", "cancellation 2026-03/2026-04 875.00", id="on the day"),
        ],
    )
    def test_a_cancellation_by_the_client_costs_the_ladders_percentage(
        self, workshop: Offering, cancelled_on: str, line: str | None
    ) -> None:
        subscription = client()
        session(subscription.organisation, "S1", "2026-03-16", on=cancelled_on)
        found = of_kind("cancellation", *close_and_bill(*QUARTER))
        assert found == ([line] if line else [])

    def test_a_cancellation_is_due_in_the_run_of_the_month_of_cancelling(
        self, workshop: Offering
    ) -> None:
        subscription = client(billing_interval=12)
        session(subscription.organisation, "S1", "2026-03-16", on="2026-02-20")
        invoices = close_and_bill("2025-12", *QUARTER)
        assert [str(i.run_month) for i in invoices if of_kind("cancellation", i)] == ["2026-02"]

    def test_a_masterclass_of_950_cancelled_20_days_before_costs_475(self) -> None:
        subscription = client()
        masterclass = make.offering("MC", kind="masterclass", price_cents=950_00)
        session(
            subscription.organisation, "S1", "2026-01-21", on="2026-01-01", offering=masterclass
        )
        assert of_kind("cancellation", *close_and_bill("2026-01")) == [
            "cancellation 2026-01/2026-02 475.00"
        ]

    def test_whole_days_are_counted_on_the_calendar_of_amsterdam(self, workshop: Offering) -> None:
        subscription = client()
        moment = dt.datetime(2026, 1, 14, 23, 30, tzinfo=dt.UTC)  # the 15th in Amsterdam
        session(subscription.organisation, "S1", "2026-01-15", on="2026-01-01", starts_at=moment)
        assert of_kind("cancellation", *close_and_bill("2026-01")) == [
            "cancellation 2026-01/2026-02 437.50"
        ]

    def test_a_cancellation_by_the_agency_costs_nothing_and_uses_no_free_session(
        self, workshop: Offering
    ) -> None:
        subscription = client(tier="extended")
        organisation = subscription.organisation
        session(organisation, "S1", "2026-01-20", on="2026-01-10", by="agency")
        session(organisation, "S2", "2026-01-25")
        (invoice,) = close_and_bill("2026-01")
        assert of_kind("cancellation", invoice) == []
        assert of_kind("session", invoice) == ["session 2026-01/2026-02 0.00"]

    def test_a_cancellation_that_costs_nothing_uses_no_free_session(
        self, workshop: Offering
    ) -> None:
        subscription = client(tier="extended")
        session(subscription.organisation, "S1", "2026-03-20", on="2026-01-10")
        session(subscription.organisation, "S2", "2026-01-25")
        assert of_kind("session", *close_and_bill("2026-01")) == ["session 2026-01/2026-02 0.00"]

    def test_sessions_of_a_service_are_lines_of_kind_service(self) -> None:
        subscription = client()
        service = make.offering("SRV", kind="service", price_cents=75_00)
        session(subscription.organisation, "S1", "2026-01-20", offering=service)
        (invoice,) = close_and_bill("2026-01")
        assert of_kind("service", invoice) == ["service 2026-01/2026-02 75.00"]
        assert of_kind("session", invoice) == []

    def test_travel_is_kilometres_times_the_rate_also_for_a_free_session_held(
        self, workshop: Offering
    ) -> None:
        subscription = client(tier="extended")
        organisation = subscription.organisation
        session(organisation, "S1", "2026-01-20", on_site_km=55)
        session(organisation, "S2", "2026-01-21", on="2026-01-20", on_site_km=55)
        session(organisation, "S3", "2026-01-22", on_site_km=0)
        (invoice,) = close_and_bill("2026-01")
        assert of_kind("session", invoice)[0] == "session 2026-01/2026-02 0.00"
        assert of_kind("travel", invoice) == ["travel 2026-01/2026-02 22.00"]

    def test_a_session_of_open_enrolment_is_on_no_clients_document(
        self, workshop: Offering
    ) -> None:
        client()
        make.session(None, "S1", starts_at=make.at("2026-01-20 10:00"), status="held")
        assert of_kind("session", *close_and_bill("2026-01")) == []


class TestFreeSessions:
    """The extended tier of 100 people includes one session a year, from 251 people four."""

    def billed(self, *months: str) -> list[str]:
        """Close and bill; give the sessions settled or billed then, in order, free or not."""
        before = set(BilledOccurrence.objects.values_list("pk", flat=True))
        close_and_bill(*months)
        rows = BilledOccurrence.objects.exclude(pk__in=before).order_by("run_month")
        how = {row.subject_id: "free" if row.free else "paid" for row in rows}
        sessions = Session.objects.filter(pk__in=how).order_by("reference")
        return [f"{session.reference} {how[session.pk]}" for session in sessions]

    def test_the_first_in_order_of_month_due_start_and_reference_is_free(
        self, workshop: Offering
    ) -> None:
        organisation = client(tier="extended").organisation
        session(organisation, "S3", "2026-02-02")
        session(organisation, "S2", "2026-01-20")
        session(organisation, "S1", "2026-01-20")
        assert self.billed("2026-01", "2026-02") == ["S1 free", "S2 paid", "S3 paid"]

    def test_a_cancellation_at_a_price_is_eligible_by_the_month_of_cancelling(
        self, workshop: Offering
    ) -> None:
        organisation = client(tier="extended").organisation
        session(organisation, "S1", "2026-02-02")
        session(organisation, "S2", "2026-02-10", on="2026-01-20")
        assert self.billed("2026-01", "2026-02") == ["S1 paid", "S2 free"]

    def test_only_eligible_offerings_are_included(self) -> None:
        organisation = client(tier="extended").organisation
        session(organisation, "S1", "2026-01-02", offering=make.offering("MC"))
        session(
            organisation, "S2", "2026-01-03", offering=make.offering("WS", included_eligible=True)
        )
        assert self.billed("2026-01") == ["S1 paid", "S2 free"]

    def test_each_contract_year_includes_its_own(self, workshop: Offering) -> None:
        organisation = client("ORG1", "2025-07", "extended", first_run=M("2026-01")).organisation
        session(organisation, "S1", "2026-06-02")
        session(organisation, "S2", "2026-06-03")
        session(organisation, "S3", "2026-07-01")
        assert self.billed(*months_from("2026-01", 7)) == ["S1 free", "S2 paid", "S3 free"]

    def test_a_short_year_includes_its_share_rounded_up(self, workshop: Offering) -> None:
        organisation = client(
            "ORG1", "2026-07", "extended", headcount=300, year_starts_in=1
        ).organisation
        for number in range(1, 4):
            session(organisation, f"S{number}", f"2026-07-0{number}")
        assert self.billed("2026-07") == ["S1 free", "S2 free", "S3 paid"]

    def test_history_before_the_first_run_counts_and_is_not_billed(
        self, workshop: Offering
    ) -> None:
        organisation = client("ORG1", "2025-07", "extended", first_run=M("2026-01")).organisation
        session(organisation, "S1", "2025-12-10")
        session(organisation, "S2", "2026-01-10")
        assert self.billed("2026-01") == ["S2 paid"]

    def test_free_history_under_a_lower_tier_counts_beside_what_was_billed_as_free(
        self, workshop: Offering
    ) -> None:
        subscription = client(
            "ORG1", "2025-07", headcount=300, first_run=M("2026-01"), own_included_sessions=1
        )
        make.terms(subscription, "2026-01", "extended")
        session(subscription.organisation, "S1", "2025-12-10")
        for number, day in enumerate(["01-10", "01-11", "02-10", "02-11"], start=2):
            session(subscription.organisation, f"S{number}", f"2026-{day}")
        found = self.billed("2026-01", "2026-02")
        assert found == ["S2 free", "S3 free", "S4 free", "S5 paid"]

    def test_the_tier_in_force_in_the_month_due_includes_them(self, workshop: Offering) -> None:
        subscription = client()
        make.terms(subscription, "2026-02", "extended")
        session(subscription.organisation, "S1", "2026-01-10")
        session(subscription.organisation, "S2", "2026-02-10")
        assert self.billed("2026-01", "2026-02") == ["S1 paid", "S2 free"]

    def test_outside_the_contract_the_price_applies(self, workshop: Offering) -> None:
        organisation = client(
            "ORG1", "2025-01", "extended", until_month=M("2026-01"), first_run=M("2025-12")
        ).organisation
        session(organisation, "S1", "2026-01-10")
        assert self.billed("2026-01") == ["S1 paid"]

    def test_what_was_free_stays_free_and_a_session_entered_late_is_not_free_as_well(
        self, workshop: Offering
    ) -> None:
        organisation = client(tier="extended").organisation
        session(organisation, "S2", "2026-02-10")
        assert self.billed("2026-01", "2026-02") == ["S2 free"]
        session(organisation, "S1", "2026-01-10")
        assert self.billed("2026-03") == ["S1 paid"]


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


class TestUnblocking:
    def blocked(self, **fields: Any) -> Invoice:
        client(po_required=True, **fields)
        (invoice,) = close_and_bill("2025-12")
        assert invoice.state == InvoiceState.BLOCKED
        return invoice

    def test_a_run_made_again_leaves_what_is_still_blocked(self) -> None:
        before = self.blocked()
        assert bill("2025-12") == []
        assert Invoice.objects.get() == before

    def test_unblocking_drafts_the_document_anew_as_things_stand_then(self) -> None:
        before = self.blocked()
        assert before.organisation
        make.purchase_order(before.organisation, "PO-9")
        Organisation.objects.update(legal_name="New name B.V.")
        (after,) = bill("2025-12")
        assert (after.state, after.po_number, after.buyer_name) == (
            "draft",
            "PO-9",
            "New name B.V.",
        )
        assert lines(after) == ["fee 2026-01/2027-01 1350.00", "setup 2026-01/2026-02 250.00"]
        assert list(Invoice.objects.all()) == [after]
        assert {row.state for row in BilledOccurrence.objects.all()} == {"billed"}

    def test_a_document_with_another_reason_left_is_blocked_by_that_one(self) -> None:
        before = self.blocked(organisation={"street": ""})
        assert before.blocked_reason == "po_missing"
        assert before.organisation
        make.purchase_order(before.organisation, "PO-9")
        (again,) = bill("2025-12")
        found = (again.state, again.blocked_reason, again.po_number)
        assert found == ("blocked", "incomplete", "PO-9")
        assert bill("2025-12") == []
        assert audit().violations == []
        Organisation.objects.update(street="Dorpsstraat 1")
        (after,) = bill("2025-12")
        assert after.state == "draft"

    def test_an_order_that_another_contract_asks_for_blocks_nothing(self) -> None:
        old = client("ORG1", "2025-01", po_required=True, until_month=M("2026-01"))
        new = make.subscription(old.organisation, "2026-01", po_required=True)
        Organisation.objects.update(street="")
        Subscription.objects.filter(pk=old.pk).update(first_run=M("2025-12"))
        (before,) = close_and_bill("2025-12")
        assert before.blocked_reason == "po_missing"
        Subscription.objects.filter(pk=new.pk).update(po_required=False)
        (after,) = bill("2025-12")
        assert after.blocked_reason == "incomplete"
        assert bill("2025-12") == []
        assert audit().violations == []

    def test_what_a_blocked_document_holds_is_in_no_other_run_until_nothing_blocks_it(self) -> None:
        before = self.blocked()
        assert close_and_bill("2026-01") == []
        assert Invoice.objects.get() == before
        make.purchase_order(before.organisation, "PO-9")  # type: ignore[arg-type]
        (after,) = close_and_bill("2026-02")
        assert (after.run_month, lines(after)) == (
            M("2026-02"),
            [
                "fee 2026-01/2027-01 1350.00",
                "setup 2026-01/2026-02 250.00",
            ],
        )
        assert bill("2026-02") == close_and_bill("2026-03") == []
        assert audit().violations == []

    def test_a_later_run_drafts_it_with_the_order_of_its_own_month(self) -> None:
        organisation = self.blocked_session()
        make.purchase_order(organisation, "PO-3", "2026-03")
        session(organisation, "S2", "2026-03-10")
        assert close_and_bill("2026-02") == []
        (after,) = close_and_bill("2026-03")
        assert (after.run_month, after.state, after.po_number) == (M("2026-03"), "draft", "PO-3")
        assert lines(after) == [
            "session 2026-01/2026-02 875.00",
            "session 2026-03/2026-04 875.00",
        ]
        assert bill("2026-01", "2026-03") == []
        assert list(Invoice.objects.all()) == [after]
        assert audit().violations == []

    def test_an_order_of_its_own_month_only_is_taken_by_its_own_run(self) -> None:
        organisation = self.blocked_session()
        make.purchase_order(organisation, "PO-1", "2026-01", "2026-02")
        assert close_and_bill("2026-02") == []
        (after,) = bill("2026-01")
        assert (after.run_month, after.state, after.po_number) == (M("2026-01"), "draft", "PO-1")
        assert audit().violations == []

    def test_a_run_ahead_of_its_close_leaves_what_earlier_runs_blocked(self) -> None:
        organisation = self.blocked_session()
        make.purchase_order(organisation, "PO-1")
        assert draft_run(M("2026-02"), [organisation.pk], ahead=True).documents == []
        assert Invoice.objects.get().blocked_reason == "po_missing"

    def blocked_session(self) -> Organisation:
        organisation = client(
            "ORG1", "2025-07", first_run=M("2026-01"), po_required=True
        ).organisation
        session(organisation, "S1", "2026-01-10")
        (invoice,) = close_and_bill("2026-01")
        assert invoice.blocked_reason == "po_missing"
        return organisation


class TestApprove:
    def test_only_drafts_are_approved(self) -> None:
        client("ORG1", po_required=True)
        client("ORG2")
        close_and_bill("2025-12")
        assert billing.approve(Invoice.objects.all()) == 1
        assert billing.approve(Invoice.objects.all()) == 0
        states = Invoice.objects.order_by("organisation__code").values_list("state", flat=True)
        assert list(states) == ["blocked", "approved"]

    @pytest.mark.parametrize("verb", ["invoice", "occurrence", "lines"])
    def test_what_was_approved_is_never_deleted(self, verb: str) -> None:
        client()
        (invoice,) = close_and_bill("2025-12")
        billing.approve([invoice])
        rows: Any = {
            "invoice": Invoice.objects.filter(pk=invoice.pk),
            "lines": invoice.lines.all(),
            "occurrence": BilledOccurrence.objects.all(),
        }[verb]
        with pytest.raises(IntegrityError, match="credit it instead"), transaction.atomic():
            rows._raw_delete(rows.db)


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
