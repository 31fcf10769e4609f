"""Recording, submitting, adjusting and posting hours (design section 2, decision 2)."""

from __future__ import annotations

import re
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from advisors import hours
from advisors.hours import ConflictError, HoursError
from advisors.models import (
    AdjustmentReason,
    Advisor,
    ClosedMonth,
    DraftHours,
    HoursAdjustment,
    MonthHours,
    MonthSubmission,
)
from agency.models import AuditEvent, Organisation
from agency.month import Month
from tests import factories as make
from tests.agreed import M, months
from tests.at_once import at_once, while_uncommitted

pytestmark = pytest.mark.usefixtures("english")

JANUARY = M("2026-01")
ALWAYS = months("2000-01/")


@pytest.fixture
def client() -> Organisation:
    return make.organisation()


@pytest.fixture
def advisor(client: Organisation) -> Advisor:
    made = make.advisor()
    make.assignment(made, client)
    return made


def drafts() -> list[tuple[str, str, int]]:
    rows = DraftHours.objects.order_by("organisation__code", "month")
    return [(row.organisation.code, str(row.month), row.quarters) for row in rows]


def posted() -> list[tuple[str, str, int]]:
    rows = MonthHours.objects.order_by("organisation__code", "month", "advisor__code")
    return [(row.organisation.code, str(row.month), row.quarters) for row in rows]


def close(month: Month = JANUARY) -> int:
    """Close a month for which every organisation is served."""
    return hours.post(month, {row.pk: [ALWAYS] for row in Organisation.objects.all()})


@pytest.mark.django_db
class TestRecord:
    def test_hours_change_from_one_number_to_another(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        assert hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=6) == 6
        assert hours.record(advisor, client, JANUARY, from_quarters=6, to_quarters=8) == 8
        assert drafts() == [("ORG1", "2026-01", 8)]

    def test_the_second_device_is_told_what_the_hours_are_now_and_nothing_is_lost(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=6)
        hours.record(advisor, client, JANUARY, from_quarters=6, to_quarters=8)

        with pytest.raises(ConflictError) as conflict:
            hours.record(advisor, client, JANUARY, from_quarters=6, to_quarters=10)

        assert conflict.value.quarters == 8
        assert drafts() == [("ORG1", "2026-01", 8)]

    def test_a_call_that_went_through_may_be_repeated(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        for _ in range(2):
            hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=6)
        assert drafts() == [("ORG1", "2026-01", 6)]

    def test_a_wrong_idea_of_hours_that_nobody_wrote_leaves_no_row(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        with pytest.raises(ConflictError) as conflict:
            hours.record(advisor, client, JANUARY, from_quarters=6, to_quarters=8)
        assert conflict.value.quarters == 0
        assert drafts() == []

    @pytest.mark.parametrize("quarters", [-1, 31 * 96 + 1])
    def test_hours_that_no_month_has_are_refused(
        self, advisor: Advisor, client: Organisation, quarters: int
    ) -> None:
        with pytest.raises(HoursError, match="744"):
            hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=quarters)
        assert drafts() == []

    @pytest.mark.parametrize("quarters", [0, 31 * 96])
    def test_nothing_and_a_whole_month_are_hours_too(
        self, advisor: Advisor, client: Organisation, quarters: int
    ) -> None:
        hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=quarters)
        assert drafts() == [("ORG1", "2026-01", quarters)]

    @pytest.mark.parametrize(
        ("closed", "refused"),
        [
            pytest.param("2026-01", True, id="this month"),
            pytest.param("2026-02", True, id="a later month"),
            pytest.param("2025-12", False, id="the month before"),
        ],
    )
    def test_a_month_is_locked_once_it_or_a_later_one_was_closed(
        self, advisor: Advisor, client: Organisation, *, closed: str, refused: bool
    ) -> None:
        make.closed_month(closed)
        if refused:
            with pytest.raises(HoursError, match="closed"):
                hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=6)
        else:
            hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=6)
        assert bool(drafts()) is not refused

    def test_a_submitted_month_is_taken_back_before_it_changes(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        hours.submit(advisor, JANUARY)
        with pytest.raises(HoursError, match="submitted"):
            hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=6)

        hours.take_back(advisor, JANUARY)
        hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=6)
        assert drafts() == [("ORG1", "2026-01", 6)]

    @pytest.mark.parametrize(
        ("from_month", "until_month"),
        [
            pytest.param("2026-02", None, id="assigned from the next month"),
            pytest.param("2025-01", "2026-01", id="assigned until this month"),
        ],
    )
    def test_hours_outside_the_assignment_are_refused(
        self, client: Organisation, from_month: str, until_month: str | None
    ) -> None:
        other = make.advisor("ADV2")
        make.assignment(other, client, from_month=from_month, until_month=until_month)
        with pytest.raises(HoursError, match="not assigned"):
            hours.record(other, client, JANUARY, from_quarters=0, to_quarters=6)

    def test_recording_leaves_no_trace_but_the_number(
        self, advisor: Advisor, client: Organisation, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(0, logger="advisors")
        hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=6)
        assert AuditEvent.objects.count() == 0
        assert caplog.records == []

    def test_a_refusal_does_not_say_for_whom_or_how_much(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=13)
        with pytest.raises(ConflictError) as conflict:
            hours.record(advisor, client, JANUARY, from_quarters=1, to_quarters=2)
        assert not re.search(r"\d|ORG1", str(conflict.value.messages))


@pytest.mark.django_db
class TestSubmit:
    def test_a_month_without_hours_is_submitted_too_and_twice_is_once(
        self, advisor: Advisor
    ) -> None:
        hours.submit(advisor, JANUARY)
        hours.submit(advisor, JANUARY)
        assert MonthSubmission.objects.get().month == JANUARY

    def test_a_closed_month_is_neither_submitted_nor_taken_back(self, advisor: Advisor) -> None:
        make.month_submission(advisor, JANUARY)
        make.closed_month(JANUARY)
        for verb in (hours.submit, hours.take_back):
            with pytest.raises(HoursError, match="closed"):
                verb(advisor, JANUARY)
        assert MonthSubmission.objects.count() == 1

    def test_who_has_an_assignment_in_the_month_and_has_not_submitted_is_missing(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        done, gone = make.advisor("ADV2"), make.advisor("ADV3")
        make.assignment(done, client)
        make.assignment(gone, client, until_month="2026-01")
        make.month_submission(done, JANUARY)
        assert hours.missing_submissions(JANUARY) == 1


@pytest.mark.django_db
class TestAdjust:
    def adjust(self, advisor: Advisor, client: Organisation, quarters: int) -> None:
        reason = AdjustmentReason.LATE_WORK
        hours.adjust(advisor, client, JANUARY, quarters=quarters, reason=reason)

    def rows(self) -> list[int]:
        return list(HoursAdjustment.objects.values_list("quarters", flat=True))

    def test_a_correction_is_signed_and_set_by_its_reason(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        self.adjust(advisor, client, 4)
        self.adjust(advisor, client, -3)
        assert self.rows() == [-3]

    def test_zero_takes_it_out_again(self, advisor: Advisor, client: Organisation) -> None:
        self.adjust(advisor, client, 4)
        self.adjust(advisor, client, 0)
        assert self.rows() == []

    def test_a_closed_month_takes_no_correction(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        self.adjust(advisor, client, 4)
        make.closed_month(JANUARY)
        for quarters in (8, 0):
            with pytest.raises(HoursError, match="closed"):
                self.adjust(advisor, client, quarters)
        assert self.rows() == [4]

    def test_the_database_lets_no_correction_into_a_closed_month_either(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        self.adjust(advisor, client, 4)
        make.closed_month(JANUARY)
        rows = HoursAdjustment.objects.all()
        with pytest.raises(IntegrityError), transaction.atomic():
            make.hours_adjustment(advisor, client, JANUARY, 1, "miscounted")
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(quarters=9)
        assert self.rows() == [4]

    def test_more_hours_than_a_month_has_are_refused(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        with pytest.raises(HoursError, match="744"):
            self.adjust(advisor, client, 31 * 96 + 1)


@pytest.mark.django_db
class TestPost:
    def test_closing_turns_drafts_into_posted_hours_and_locks_the_month(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=6)
        assert close() == 1
        assert (posted(), drafts()) == ([("ORG1", "2026-01", 6)], [])
        assert hours.is_closed(JANUARY)

    def test_drafts_of_earlier_months_that_were_never_closed_are_posted_in_their_own_month(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        for month in ("2025-12", "2026-01", "2026-02"):
            make.draft_hours(advisor, client, month, 4)
        close()
        assert posted() == [("ORG1", "2025-12", 4), ("ORG1", "2026-01", 4)]
        assert drafts() == [("ORG1", "2026-02", 4)]

    @pytest.mark.parametrize(
        "served",
        [
            pytest.param("2025-01/2026-01", id="the contract ended the month before"),
            pytest.param("2026-02/", id="the contract begins the month after"),
        ],
    )
    def test_hours_outside_the_contract_are_not_posted_the_agency_bears_them(
        self, advisor: Advisor, client: Organisation, served: str
    ) -> None:
        make.draft_hours(advisor, client, JANUARY, 4)
        assert hours.post(JANUARY, {client.pk: [months(served)]}) == 0
        assert (posted(), drafts()) == ([], [("ORG1", "2026-01", 4)])

    def test_posted_hours_never_change(self, advisor: Advisor, client: Organisation) -> None:
        make.month_hours(advisor, client, JANUARY, 4)
        with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
            MonthHours.objects.update(quarters=5)
        with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
            MonthHours.objects.all().delete()

    def test_a_closed_month_stays_closed(self) -> None:
        make.closed_month(JANUARY)
        with pytest.raises(IntegrityError, match="stays closed"), transaction.atomic():
            ClosedMonth.objects.all().delete()

    def test_many_drafts_are_posted(self, client: Organisation) -> None:
        advisors = [make.advisor(f"A{number}") for number in range(20)]
        for number, one in enumerate(advisors):
            make.draft_hours(one, client, JANUARY, number)
        assert close() == 20
        assert sorted(quarters for _, _, quarters in posted()) == list(range(20))

    @pytest.mark.parametrize("advisors", [1, 30])
    def test_a_month_is_posted_in_a_fixed_number_of_queries(
        self,
        client: Organisation,
        django_assert_num_queries: DjangoAssertNumQueries,
        advisors: int,
    ) -> None:
        for number in range(advisors):
            make.draft_hours(make.advisor(f"A{number}"), client, JANUARY, number)
        served = {client.pk: [ALWAYS]}
        with django_assert_num_queries(10):
            hours.post(JANUARY, served)


@pytest.mark.django_db
class TestPostedQuarters:
    def test_posted_hours_and_adjustments_of_closed_months_add_up(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        other = make.organisation("ORG2")
        second = make.advisor("ADV2")
        make.hours_adjustment(advisor, client, "2026-01", -2)
        make.hours_adjustment(second, client, "2026-01", 1, "miscounted")
        make.hours_adjustment(advisor, client, "2026-02", 5)
        make.closed_month("2026-01")
        make.month_hours(advisor, client, "2026-01", 6)
        make.month_hours(second, client, "2026-01", 3)
        make.month_hours(advisor, other, "2026-01", 40)
        make.draft_hours(advisor, client, "2026-02", 99)

        assert hours.posted_quarters() == {client.pk: {JANUARY: 8}, other.pk: {JANUARY: 40}}
        assert hours.posted_quarters([other.pk]) == {other.pk: {JANUARY: 40}}

    @given(parts=st.lists(st.integers(0, 40), min_size=1, max_size=5))
    def test_who_worked_the_hours_does_not_matter(self, parts: list[int]) -> None:
        with transaction.atomic():
            client = make.organisation()
            for number, quarters in enumerate(parts):
                make.month_hours(make.advisor(f"A{number}"), client, JANUARY, quarters)
            assert hours.posted_quarters() == {client.pk: {JANUARY: sum(parts)}}
            transaction.set_rollback(True)


@pytest.mark.django_db
def test_months_open_one_after_another() -> None:
    assert hours.first_open_month() is None
    make.closed_month("2026-01")
    assert hours.first_open_month() == M("2026-02")
    assert (hours.is_closed(M("2026-01")), hours.is_closed(M("2026-02"))) == (True, False)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.fixture(autouse=True)
    def served(self, advisor: Advisor, client: Organisation) -> None:
        """Someone to record for, kept by the database."""

    def test_of_two_devices_one_wins_and_the_other_hears_of_it(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=6)
        record = partial(hours.record, advisor, client, JANUARY, from_quarters=6)

        outcomes = at_once(partial(record, to_quarters=8), partial(record, to_quarters=10))

        (winner,) = [outcome for outcome in outcomes if outcome in (8, 10)]
        (loser,) = [outcome for outcome in outcomes if isinstance(outcome, ConflictError)]
        assert loser.quarters == winner
        assert drafts() == [("ORG1", "2026-01", winner)]

    def test_the_first_hours_of_a_month_from_two_devices_make_one_row(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        record = partial(hours.record, advisor, client, JANUARY, from_quarters=0)
        outcomes = at_once(*[partial(record, to_quarters=6)] * 4)
        assert outcomes == [6, 6, 6, 6]
        assert drafts() == [("ORG1", "2026-01", 6)]

    def test_hours_recorded_while_the_month_closes_are_refused_and_leave_nothing(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        hours.record(advisor, client, JANUARY, from_quarters=0, to_quarters=6)
        record = partial(hours.record, advisor, client, JANUARY, from_quarters=6, to_quarters=8)
        closed, refused = while_uncommitted(close, record)
        assert closed == 1
        assert isinstance(refused, HoursError)
        assert (posted(), drafts()) == ([("ORG1", "2026-01", 6)], [])

    def test_a_close_waits_for_hours_that_are_being_recorded(
        self, advisor: Advisor, client: Organisation
    ) -> None:
        record = partial(hours.record, advisor, client, JANUARY, from_quarters=0, to_quarters=8)
        assert while_uncommitted(record, close) == [8, 1]
        assert (posted(), drafts()) == ([("ORG1", "2026-01", 8)], [])

    @pytest.mark.parametrize("closes_first", [True, False])
    def test_a_correction_counts_in_the_month_or_is_refused(
        self, advisor: Advisor, client: Organisation, *, closes_first: bool
    ) -> None:
        adjust = partial(
            hours.adjust, advisor, client, JANUARY, quarters=4, reason=AdjustmentReason.LATE_WORK
        )

        def close_and_count() -> dict[object, object]:
            with transaction.atomic():
                close()
                return {key: dict(sums) for key, sums in hours.posted_quarters().items()}

        if closes_first:
            counted, refused = while_uncommitted(close_and_count, adjust)
            assert counted == {}
            assert isinstance(refused, HoursError)
        else:
            _, counted = while_uncommitted(adjust, close_and_count)
            assert counted == {client.pk: {JANUARY: 4}}
        assert dict(hours.posted_quarters().get(client.pk, {})) == counted.get(client.pk, {})
