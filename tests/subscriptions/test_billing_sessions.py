"""Sessions on invoices: which are free, and what a cancelled one costs."""

from __future__ import annotations

import datetime as dt

import pytest

from subscriptions.models import (
    BilledOccurrence,
)
from tests import factories as make
from tests.agreed import M
from tests.clients import (
    client,
    close_and_bill,
    months_from,
    of_kind,
    session,
)
from workshops.models import Offering, Session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

QUARTER = ("2026-01", "2026-02", "2026-03")


@pytest.fixture
def workshop() -> Offering:
    return make.offering("WS", included_eligible=True)


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
