"""Closing a month: posting, publishing, and nothing changing afterwards (design 2.3, 5, 6, 8)."""

from __future__ import annotations

import datetime as dt
import re
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from advisors import hours
from advisors.models import AdjustmentReason, ClosedMonth, DraftHours, MonthHours
from agency.models import Organisation
from subscriptions import foretelling, statements
from subscriptions.audit import audit
from subscriptions.models import (
    CardUse,
    OverageCredit,
    PriceBand,
    Publication,
    ReleasePolicy,
    Statement,
    TopUpCard,
)
from subscriptions.statements import CloseError, close_month
from tests import factories as make
from tests.agreed import M
from tests.at_once import at_once
from tests.clients import (
    LONG_AFTER,
    client,
    close,
    counsellor,
    months_from,
    stated,
    worked,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

QUARTER = ("2026-01", "2026-02", "2026-03")


class TestOrderOfMonths:
    def test_a_month_is_closed_when_it_is_over(self) -> None:
        client()
        with pytest.raises(CloseError, match="not over"):
            close_month(M("2026-01"), on=dt.date(2026, 1, 31))
        assert close_month(M("2026-01"), on=dt.date(2026, 2, 1))

    @pytest.mark.parametrize(
        ("month", "sentence"),
        [
            pytest.param("2026-03", "2026-02 comes before 2026-03", id="a month is left out"),
            pytest.param("2025-12", "before the first month", id="before the first"),
        ],
    )
    def test_months_are_closed_in_order(self, month: str, sentence: str) -> None:
        client()
        close("2026-01")
        with pytest.raises(CloseError, match=sentence):
            close_month(M(month), on=LONG_AFTER)
        assert [str(row.month) for row in ClosedMonth.objects.all()] == ["2026-01"]

    def test_nothing_is_closed_before_the_first_run_of_any_contract(self) -> None:
        client(start="2026-01")
        with pytest.raises(CloseError, match="nothing to close before 2025-12"):
            close("2025-11")
        close("2025-12")

    def test_an_agency_without_a_client_closes_nothing(self) -> None:
        make.agency()
        with pytest.raises(CloseError, match="no client yet"):
            close("2025-12")

    def test_closing_again_changes_nothing(self) -> None:
        client(headcount=300, hours={"2026-01": 3})
        close("2026-01")
        before = stated()
        assert close_month(M("2026-01"), on=LONG_AFTER) is False
        assert stated() == before
        assert Publication.objects.count() == 1

    def test_a_close_that_fails_leaves_the_month_open(self) -> None:
        client(hours={"2026-01": 3})
        with pytest.raises(CloseError):
            close_month(M("2026-01"), on=dt.date(2026, 1, 15))
        assert (ClosedMonth.objects.count(), Publication.objects.count()) == (0, 0)
        assert DraftHours.objects.count() == 1

    @pytest.mark.parametrize(
        ("headcount", "sentence"),
        [
            pytest.param({"2020-01": 300}, "ORG1: .* price for 2026-01 basic 300", id="no band"),
            pytest.param({}, "ORG1: No headcount is known for 2026-01", id="no headcount"),
        ],
    )
    def test_a_client_without_a_price_is_named_and_nothing_is_closed(
        self, headcount: dict[str, int], sentence: str
    ) -> None:
        client(headcount=headcount, hours={"2026-01": 3})
        client("ORG2", headcount=100)
        PriceBand.objects.filter(min_headcount=251).delete()
        with pytest.raises(CloseError, match=sentence):
            close("2026-01")
        assert (ClosedMonth.objects.count(), DraftHours.objects.count()) == (0, 1)


class TestWhatIsComing:
    def test_a_close_publishes_what_was_foretold_without_reading_hours(self) -> None:
        client("ORG1", headcount=300, hours={"2026-01": 3})
        client("ORG2", headcount=100, hours={"2026-01": 30})
        client("ORG3", headcount=300, overage="all_in", hours={"2026-01": 5})
        client("ORG4", headcount=300, until_month="2026-02")
        for month in ("2026-01", "2026-02", "2026-03"):
            with CaptureQueriesContext(connection) as asked:
                foretold = foretelling.coming(M(month))
            assert not re.search("hours|adjustment", str(asked.captured_queries))
            close(month)
            published = Statement.objects.filter(publication__month=M(month))
            assert sorted(
                (str(who), str(row.months), row.display) for who, _name, row in foretold
            ) == (sorted((str(s.organisation_id), str(s.months), s.display) for s in published))
        assert {row.display for row in Statement.objects.all()} == {"exact", "all_in"}

    @pytest.mark.parametrize(
        ("closed", "day", "month"),
        [
            ((), dt.date(2025, 12, 31), None),
            ((), dt.date(2026, 2, 1), "2025-12"),
            (("2025-12",), dt.date(2026, 2, 1), "2026-01"),
            (("2025-12", "2026-01"), dt.date(2026, 2, 28), None),
        ],
    )
    def test_the_next_month_to_close_is_over(
        self, closed: tuple[str, ...], day: dt.date, month: str | None
    ) -> None:
        assert statements.next_to_close(day) is None
        client(start="2026-01")
        close(*closed)
        assert statements.next_to_close(day) == (M(month) if month else None)

    def test_without_a_contract_the_last_month_that_is_over_is_next(self) -> None:
        make.organisation()
        assert statements.next_to_close(dt.date(2026, 4, 8)) == M("2026-03")


class TestPublishing:
    @pytest.mark.attack(1)
    def test_a_statement_is_published_with_the_last_month_of_its_period_and_not_before(
        self,
    ) -> None:
        client(hours={"2026-01": 1.25, "2026-03": 1})
        close("2026-01", "2026-02")
        assert stated() == []
        close("2026-03")
        assert stated() == ["2026-01/2026-04 exact 2.5 of 2 over 0.5"]

    @pytest.mark.attack(7, 30)
    def test_all_statements_of_a_month_are_one_publication_made_also_when_nothing_changed(
        self,
    ) -> None:
        client("ORG1", headcount=300)
        client("ORG2", headcount=300)
        client("ORG3", headcount=20)
        close_month(M("2026-01"), on=dt.date(2026, 2, 3))
        batch = Publication.objects.get()
        assert (str(batch.month), batch.published_on) == ("2026-01", dt.date(2026, 2, 3))
        assert sorted(batch.statements.values_list("organisation__code", flat=True)) == [
            "ORG1",
            "ORG2",
        ]
        [task] = [task.task for task in OrmQ.objects.all()]
        assert (task["func"], task["args"]) == ("subscriptions.tasks.announce", (str(batch.pk),))

    def test_a_month_is_told_as_plain_values_by_organisation_and_period(self) -> None:
        client("ORG2", headcount=300, hours={"2026-01": 1.25})
        client("ORG1", headcount=8, until_month=M("2026-02"), hours={"2026-01": 1})
        close("2026-01")
        of_month = {"period": ["2026-01", "2026-02"], "version": 1}
        assert statements.of_month(M("2026-01")) == [
            of_month
            | {"organisation": "ORG1", "display": "withheld", "used_hours": None}
            | {"allowance_hours": "0.5", "overage_hours": "0"},
            of_month
            | {"organisation": "ORG2", "display": "exact", "used_hours": "1.5"}
            | {"allowance_hours": "8", "overage_hours": "0"},
        ]

    def test_a_month_with_no_statement_is_published_too(self) -> None:
        client()
        close("2026-01")
        assert Publication.objects.get().statements.count() == 0

    @pytest.mark.parametrize(
        ("agreed", "text"),
        [
            pytest.param({"headcount": 100}, "exact 5 of 20 over 0", id="exact"),
            pytest.param(
                {"headcount": 300, "release": "band"}, "band None of 60 over 0", id="band by choice"
            ),
            pytest.param({"headcount": 8}, "band None of 4 over 1", id="band with its overage"),
            pytest.param(
                {"headcount": 8, "overage": "cap"}, "band None of 4 over 0", id="capped band"
            ),
            pytest.param(
                {"headcount": 20, "start": "2026-10"}, "withheld None of 2 over 0", id="withheld"
            ),
            pytest.param(
                {"headcount": 8, "overage": "all_in"}, "all_in None of 4 over 0", id="all-in"
            ),
        ],
    )
    def test_only_an_exact_statement_shows_use_and_every_one_the_allowance(
        self, agreed: dict[str, object], text: str
    ) -> None:
        fields = {"tier": "extended", "year_starts_in": 1, "hours": {"2026-10": 5}} | agreed
        client(**fields)  # type: ignore[arg-type]  # the fields of a client
        first = "2026-09" if "start" in agreed else "2026-01"
        close(*months_from(first, 12 - int(first[-2:]) + 1))
        assert any(row.endswith(text) for row in stated())
        assert Statement.objects.exclude(display="exact").filter(used_quarters__gte=0).count() == 0

    def test_a_capped_statement_says_that_it_was_capped(self) -> None:
        client("ORG1", overage="cap")
        client("ORG2")
        close(*QUARTER)
        capped = Statement.objects.order_by("organisation__code").values_list("capped", flat=True)
        assert list(capped) == [True, False]

    def test_a_statement_keeps_the_policy_it_was_made_by(self) -> None:
        client(headcount=300)
        close("2026-01")
        make.release_policy(2, month_from_headcount=1_000)
        close("2026-02", "2026-03")
        assert [(str(s.months), s.policy.version) for s in Statement.objects.all()] == [
            ("2026-01/2026-02", 1),
        ]
        close("2026-04", "2026-05", "2026-06")
        last = Statement.objects.latest("from_month")
        assert last.policy == ReleasePolicy.objects.get(version=2)
        assert statements.thresholds().month_from_headcount == 1_000

    def test_what_was_stated_before_without_a_card_is_no_card(self) -> None:
        client(hours={"2026-02": 3, "2026-05": 1})
        close(*months_from("2026-01", 6))
        assert [row.split("over ")[1] for row in stated()] == ["1", "1"]

    def test_each_contract_has_its_own_periods(self) -> None:
        old = client("ORG1", "2025-01", until_month=M("2026-02"), reported_until=M("2026-01"))
        make.subscription(old.organisation, "2026-02", "extended")
        worked(old.organisation, {"2026-01": 1, "2026-02": 7})
        close(*months_from("2026-01", 6))
        assert [row.split(" over")[0] for row in stated()] == [
            "2026-01/2026-02 withheld None of 0.5",
            "2026-02/2026-07 exact 7 of 18.5",
        ]

    def test_a_close_reads_and_writes_in_a_fixed_number_of_queries(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client("ORG0", headcount=300, hours={"2026-01": 1})
        with django_assert_num_queries(34):
            close("2026-01")
        for number in range(1, 6):
            client(f"ORG{number}", headcount=300, hours={"2026-02": number})
        with django_assert_num_queries(32):
            close("2026-02")


class TestCards:
    def card(self, code: str = "ORG1", quarters: int = 8, **fields: object) -> TopUpCard:
        return make.top_up_card(Organisation.objects.get(code=code), "2026-01", quarters, **fields)

    def test_what_a_statement_takes_from_a_card_is_kept_with_it(self) -> None:
        client(hours={"2026-02": 5})
        card = self.card()
        close(*QUARTER)
        assert stated() == ["2026-01/2026-04 exact 5 of 2 over 1"]
        use = CardUse.objects.get()
        assert (use.card, use.quarters, str(use.statement.months)) == (card, 8, "2026-01/2026-04")

    def test_a_card_used_up_pays_no_more(self) -> None:
        client(hours={"2026-02": 4, "2026-05": 1})
        self.card()
        close(*months_from("2026-01", 6))
        assert [row.split("over ")[1] for row in stated()] == ["0", "1"]

    def test_figures_find_on_a_card_what_a_band_took_and_bands_do_not(self) -> None:
        hours = {"2026-04": 5, "2027-04": 3.5, "2028-04": 7, "2029-04": 7}
        client(headcount={"2025-01": 8, "2027-01": 20, "2029-01": 8}, hours=hours)
        self.card(quarters=16, expires_month=M("2030-01"))
        close(*months_from("2026-01", 48))
        taken = CardUse.objects.order_by("statement__from_month")
        assert [(use.statement.display, use.quarters) for use in taken] == [
            ("band", 12),  # 5 hours used, 2 of them included
            ("exact", 14),  # all 16 are there again
            ("exact", 2),
        ]
        assert [row.split("over ")[1] for row in stated()] == ["0", "0", "6.5", "5"]
        assert audit().violations == []

    def test_the_first_band_finds_all_of_a_card(self) -> None:
        client(headcount=8, hours={"2026-02": 3.5})
        self.card(quarters=4)
        close(*months_from("2026-01", 12))
        assert [row.split("over ")[1] for row in stated()] == ["0.5"]

    def test_hours_that_a_former_system_took_from_a_card_are_gone(self) -> None:
        client(hours={"2026-02": 4})
        self.card(remaining_quarters=2)
        close(*QUARTER)
        assert stated() == ["2026-01/2026-04 exact 4 of 2 over 1.5"]

    def test_a_card_serves_its_own_client_only(self) -> None:
        client("ORG1", hours={"2026-02": 4})
        client("ORG2", hours={"2026-02": 4})
        self.card("ORG2")
        close(*QUARTER)
        assert (stated("ORG1")[0].split("over ")[1], stated("ORG2")[0].split("over ")[1]) == (
            "2",
            "0",
        )


class TestLateWork:
    @pytest.mark.attack(2)
    def test_late_work_counts_in_the_period_that_is_open(self) -> None:
        subscription = client(headcount=300, hours={"2026-01": 3})
        close("2026-01")
        hours.adjust(
            counsellor(subscription.organisation),
            subscription.organisation,
            M("2026-02"),
            quarters=6,
            reason=AdjustmentReason.LATE_WORK,
        )
        close("2026-02")
        assert [row.split(" over")[0] for row in stated()] == [
            "2026-01/2026-02 exact 3 of 8",
            "2026-02/2026-03 exact 1.5 of 8",
        ]

    def test_overage_that_turned_out_not_to_be_due_is_kept_with_the_years_last_statement(
        self,
    ) -> None:
        served = client(hours={"2026-02": 5}).organisation
        make.hours_adjustment(counsellor(served), served, "2026-11", -6)
        close(*months_from("2026-01", 12))
        [credit] = OverageCredit.objects.all()
        assert (str(credit.statement.months), credit.quarters) == ("2026-10/2027-01", 6)

    def test_what_was_noted_in_a_month_of_a_pause_is_not_posted(self) -> None:
        paused = client("ORG1", hours={"2026-03": 1, "2026-05": 2})
        client("ORG2", hours={"2026-05": 3})
        make.pause(paused, "2026-04", "2026-07")
        close(*months_from("2026-01", 6))
        posted = MonthHours.objects.order_by("month", "organisation__code")
        assert [(str(row.month), row.quarters) for row in posted] == [
            ("2026-03", 4),
            ("2026-05", 12),
        ]

    def test_after_the_last_statement_nothing_is_posted(self) -> None:
        subscription = client(until_month=M("2026-04"), hours={"2026-03": 1, "2026-04": 9})
        close(*months_from("2026-01", 4))
        assert stated() == ["2026-01/2026-04 exact 1 of 0.5 over 0.5"]
        assert [str(row.month) for row in MonthHours.objects.all()] == ["2026-03"]
        assert DraftHours.objects.get(organisation=subscription.organisation).quarters == 36

    @pytest.mark.attack(1, 2)
    @pytest.mark.parametrize("verb", ["update", "delete"])
    def test_a_statement_never_changes(self, verb: str) -> None:
        client(headcount=300)
        close("2026-01")
        rows = Statement.objects.all()
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            rows.update(used_quarters=8) if verb == "update" else rows.delete()

    @pytest.mark.attack(1, 2)
    def test_nothing_published_changes_by_what_is_recorded_later(self) -> None:
        first = client("ORG1", hours={"2026-02": 5})
        client("ORG2", "2025-07", headcount=300, hours={"2026-01": 60}, reported_until=M("2026-01"))
        close(*QUARTER)
        before = stated("ORG1"), stated("ORG2")
        kept = list(Statement.objects.order_by("pk").values())

        worked(first.organisation, {"2026-04": 40}, by="NEW")
        make.headcount(first.organisation, 4, "2026-04")
        make.terms(first, "2026-04", "extended")
        make.price_book("2026-04")
        make.top_up_card(first.organisation, "2026-04", 400)
        close("2026-04", "2026-05", "2026-06")

        then = Statement.objects.filter(publication__month__lte=M("2026-03")).order_by("pk")
        assert list(then.values()) == kept
        assert (stated("ORG1")[: len(before[0])], stated("ORG2")[: len(before[1])]) == before


class TestHistory:
    """What a former system did, and what ended before the first run (design 8)."""

    def test_periods_that_ended_before_the_first_run_get_their_statements_at_once(self) -> None:
        subscription = client(first_run=M("2026-08"))
        advisor = counsellor(subscription.organisation)
        for month, quarters in (("2026-02", 20), ("2026-05", 4), ("2026-07", 4)):
            make.month_hours(advisor, subscription.organisation, month, quarters)

        assert statements.state_history() == 2

        assert stated() == [
            "2026-01/2026-04 exact 5 of 2 over 3",
            "2026-04/2026-07 exact 1 of 2 over 1",
        ]
        assert set(Statement.objects.values_list("publication", flat=True)) == {None}

    def test_a_card_that_a_period_did_not_need_is_full_for_the_next_one(self) -> None:
        subscription = client(first_run=M("2026-08"))
        advisor = counsellor(subscription.organisation)
        make.month_hours(advisor, subscription.organisation, "2026-05", 14)
        make.top_up_card(subscription.organisation, "2026-01", 4)
        assert statements.state_history() == 2
        assert [row.split("over ")[1] for row in stated()] == ["0", "0.5"]

    def test_a_period_that_runs_into_the_first_run_waits_for_its_close(self) -> None:
        subscription = client(first_run=M("2026-02"), hours={"2026-02": 1, "2026-03": 1})
        advisor = counsellor(subscription.organisation)
        make.month_hours(advisor, subscription.organisation, "2026-01", 8)
        assert statements.state_history() == 0
        close("2026-02", "2026-03")
        assert stated() == ["2026-01/2026-04 exact 4 of 2 over 2"]

    def test_months_reported_by_a_former_system_get_no_statement(self) -> None:
        subscription = client("ORG1", reported_until=M("2026-04"), first_run=M("2026-04"))
        advisor = counsellor(subscription.organisation)
        make.month_hours(advisor, subscription.organisation, "2026-02", 6)
        assert statements.state_history() == 0
        close(*months_from("2026-04", 3))
        assert stated() == ["2026-04/2026-07 exact 0 of 2 over 0"]

    def test_stating_history_again_finds_nothing_to_state(self) -> None:
        client(first_run=M("2026-08"))
        assert (statements.state_history(), statements.state_history()) == (2, 0)

    def test_drafts_before_the_first_run_are_history_and_stay_drafts(self) -> None:
        client(first_run=M("2026-02"), hours={"2026-01": 9, "2026-02": 1})
        close("2026-02", "2026-03")
        assert stated() == ["2026-01/2026-04 exact 1 of 2 over 0"]


@pytest.mark.attack(3, 10, 46)
@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(QUARTER), st.sampled_from(["A1", "A2", "A3"]), st.integers(0, 30)
        ),
        max_size=6,
        unique_by=lambda part: part[:2],
    )
)
def test_splitting_hours_over_advisors_and_months_inside_a_period_never_changes_a_statement(
    parts: list[tuple[str, str, int]],
) -> None:
    with transaction.atomic():
        split, pooled = client("ORG1"), client("ORG2")
        for month, advisor, quarters in parts:
            worked(split.organisation, {month: quarters / 4}, by=advisor)
        worked(pooled.organisation, {"2026-02": sum(part[2] for part in parts) / 4})
        close(*QUARTER)
        assert stated("ORG1") == stated("ORG2")
        transaction.set_rollback(True)


def test_moving_hours_into_another_period_does_change_a_statement() -> None:
    client("ORG1", hours={"2026-03": 1})
    client("ORG2", hours={"2026-04": 1})
    close(*months_from("2026-01", 6))
    assert stated("ORG1") != stated("ORG2")


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_two_closes_at_once_one_closes_and_the_other_finds_it_closed(self) -> None:
        client("ORG1", headcount=300, hours={"2026-01": 3})
        client("ORG2", hours={"2026-01": 3})
        closing = partial(close_month, M("2026-01"), on=LONG_AFTER)
        assert sorted(at_once(closing, closing, closing)) == [False, False, True]
        assert (stated("ORG1"), stated("ORG2")) == (["2026-01/2026-02 exact 3 of 8 over 0"], [])
        assert Publication.objects.count() == 1

    def test_two_months_closed_at_once_are_closed_in_order_or_refused(self) -> None:
        client(headcount=300)
        close("2026-01")
        january, march = (
            partial(close_month, M(month), on=LONG_AFTER) for month in ("2026-02", "2026-03")
        )
        first, second = at_once(january, march)
        assert first is True
        assert second is True or isinstance(second, CloseError)
        assert len(stated()) == ClosedMonth.objects.count()

    def test_an_audit_beside_a_close_sees_all_of_it_or_nothing(self) -> None:
        for number in range(3):
            client(f"ORG{number}", headcount=300, hours={"2026-01": 3})
        found = at_once(partial(close, "2026-01"), audit)[1]
        assert found.violations == []
