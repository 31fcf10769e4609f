"""A contract that rests: what it costs, holds and publishes meanwhile, and when it may."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from advisors import hours
from advisors.models import AdjustmentReason
from agency.month import MonthRange
from subscriptions import billing, charges, pauses
from subscriptions.agreements import Contract
from subscriptions.audit import audit
from subscriptions.models import BilledOccurrence, Pause, Subscription
from subscriptions.release import Thresholds, periods
from subscriptions.use import included
from tests import factories as make
from tests.agreed import M, book, books, contract, extended_prices, months, prices
from tests.clients import client, close, close_and_bill, counsellor, lines, session, stated
from tests.stated import allowances, holding, statements, used

POLICY = Thresholds()


def fees(agreement: Contract, run: str = "2027-11") -> list[tuple[str, str, int]]:
    found = charges.fees(agreement, M(run))
    return [(str(c.due), str(c.months), c.net_cents) for c in found if c.kind == "fee"]


def published(agreement: Contract, span: str) -> list[str]:
    found = periods(agreement, months(span), POLICY)
    return [f"{closing.months} {closing.display}" for closing in found]


class TestWhatItCosts:
    @pytest.mark.parametrize(
        ("interval", "paused", "due"),
        [
            pytest.param(
                12,
                "2026-04/2026-07",
                [("2025-12", "2026-01/2026-04", 300_00), ("2026-06", "2026-07/2027-01", 600_00)],
                id="what follows a pause is billed before it begins",
            ),
            pytest.param(
                3,
                "2026-04/2026-10",
                [("2025-12", "2026-01/2026-04", 300_00), ("2026-09", "2026-10/2027-01", 300_00)],
                id="whole intervals fall away",
            ),
            pytest.param(
                12,
                "2027-01/2028-01",
                [("2025-12", "2026-01/2027-01", 1_200_00)],
                id="a contract year",
            ),
        ],
    )
    def test_a_pause_costs_no_fee(
        self, interval: int, paused: str, due: list[tuple[str, str, int]]
    ) -> None:
        agreement = contract(interval=interval, pauses=[paused])
        assert [row for row in fees(agreement) if row[1] < "2027-01" or paused > "2027"] == due

    @given(
        fee=st.integers(0, 500_000),
        interval=st.sampled_from([1, 3, 12]),
        at=st.integers(1, 7),
        quarters=st.integers(1, 4),
    )
    def test_what_is_not_paused_adds_up(
        self, fee: int, interval: int, at: int, quarters: int
    ) -> None:
        """The fee without a pause is that beside it and what its months would have cost."""
        yearly = books({"2020-01": book(prices(annual_fee_cents=fee))})
        pause = MonthRange(M("2026-01") + 3 * at, M("2026-01") + 3 * (at + quarters))
        plain = contract("2026-01/2029-01", interval=interval, books=yearly)
        paused = contract("2026-01/2029-01", interval=interval, books=yearly, pauses=[str(pause)])
        rested = sum(
            charges.fee_cents(fee, plain.year_of(month), MonthRange(month, month + 1))
            for month in pause
        )
        total = sum(row[2] for row in fees(plain, "2028-12"))
        assert sum(row[2] for row in fees(paused, "2028-12")) == total - rested

    def test_a_tier_change_in_a_pause_counts_from_its_end(self) -> None:
        agreement = contract(
            pauses=["2026-04/2026-07"], requests=[("2026-05", "extended")], interval=3
        )
        assert list(charges.tier_changes(agreement, M("2026-12"), {})) == []
        assert fees(agreement, "2026-06")[-1] == ("2026-06", "2026-07/2026-10", 600_00)

    def test_a_tier_change_before_a_pause_is_charged_until_it(self) -> None:
        agreement = contract(pauses=["2026-04/2026-07"], requests=[("2026-03", "extended")])
        (change,) = charges.tier_changes(agreement, M("2026-12"), {})
        assert (str(change.months), change.net_cents) == ("2026-03/2026-04", 100_00)

    def test_sessions_are_included_for_the_months_that_are_not_paused(self) -> None:
        four = books({"2020-01": book(extended=extended_prices(included_sessions=4))})
        agreement = contract(tier="extended", books=four, pauses=["2026-04/2026-10"])
        found = [charges.included_sessions(agreement, M(f"2026-{n:02}")) for n in (2, 3, 5, 11)]
        assert found == [4, 2, 0, 2]


class TestItsHours:
    def test_the_period_before_it_closes_and_the_next_one_opens_after_it(self) -> None:
        agreement = contract(pauses=["2026-04/2026-10"], release="year")
        assert published(agreement, "2026-01/2027-01") == [
            "2026-01/2026-04 exact",
            "2026-10/2027-01 exact",
        ]

    def test_a_month_of_it_counts_in_no_period(self) -> None:
        agreement = contract(pauses=["2026-04/2026-07"])
        assert used(agreement, {"2026-03": 2, "2026-05": 9, "2026-08": 4}) == [2, 4, 0]

    def test_its_months_include_nothing_once_it_follows(self) -> None:
        """A statement that was published before a pause was agreed on would say the same."""
        agreement = contract(headcount=300, pauses=["2026-04/2026-10"], **holding(12))
        assert allowances(agreement, {}) == [12, 12, 6, 6, 6, 6]

    def test_a_year_that_rests_includes_and_carries_nothing(self) -> None:
        agreement = contract(
            headcount=20,
            pauses=["2027-01/2028-01"],
            carry_over_basis_points=10_000,
            carry_over_cap_quarters=400,
            **holding(12),
        )
        assert allowances(agreement, {"2026-02": 2}, until="2029-01") == [12, 12]
        assert included(agreement, agreement.year_of(M("2027-05")), M("2028-01")) == 0

    def test_a_negative_rest_before_a_pause_to_the_end_of_the_year_is_given_back(self) -> None:
        agreement = contract(pauses=["2026-07/2027-01"], **holding(8))
        made = statements(agreement, {"2026-02": 10, "2026-05": -4})
        assert [account.credit_quarters for account in made] == [0, 2 * 4]

    @pytest.mark.attack(5)
    @pytest.mark.parametrize(
        ("fields", "shown"),
        [
            pytest.param({"headcount": 30}, ["exact", "exact"], id="26 people or more"),
            pytest.param({"headcount": 25}, ["withheld", "withheld"], id="25 since it was agreed"),
            pytest.param(
                {"headcount": 300, "release": "band"},
                ["withheld", "withheld"],
                id="two bands of one year would tell more than each",
            ),
        ],
    )
    def test_a_year_with_a_pause_in_it_shows_no_more_than_one_of_two_contracts(
        self, fields: dict[str, object], shown: list[str]
    ) -> None:
        agreement = contract(pauses=["2026-04/2026-10"], **fields)  # type: ignore[arg-type]  # as given
        found = published(agreement, "2026-01/2027-01")
        assert [text.split()[1] for text in found] == shown


def paused(row: Subscription, span: str) -> Pause:
    pause = months(span)
    pauses.refuse(row, pause)
    return make.pause(row, pause.from_month, pause.until)


@pytest.mark.django_db
@pytest.mark.usefixtures("english")
class TestWhenItMay:
    @pytest.mark.parametrize(
        ("headcount", "agreed", "span", "sentence"),
        [
            pytest.param(100, {}, "2026-04/2026-06", "quarters .* 2026-04, 2026-07", id="end"),
            pytest.param(100, {}, "2026-05/2026-07", "quarters .* 2026-04, 2026-07", id="begin"),
            pytest.param(20, {}, "2026-04/2026-07", "contract years. Nearest: 2027-01", id="few"),
            pytest.param(100, {"release": "band"}, "2026-04/2026-07", "Beside this", id="bands"),
            pytest.param(100, {}, "2026-01/2026-04", "still open", id="closed month before"),
            pytest.param(
                100, {"until_month": M("2026-10")}, "2026-07/2027-01", "lies inside", id="outside"
            ),
            pytest.param(100, {}, "2026-10/2027-01", "beside no other", id="another pause"),
            pytest.param(
                100, {"billing_interval": 12}, "2026-04/2026-07", "billed until 2026-10", id="paid"
            ),
        ],
    )
    def test_it_is_refused(
        self, headcount: int, agreed: dict[str, object], span: str, sentence: str
    ) -> None:
        row = client(headcount=headcount, **{"billing_interval": 3} | agreed)  # type: ignore[arg-type]  # as given
        close_and_bill("2025-12")
        if "until_month" not in agreed:
            make.pause(row, "2026-10", "2027-10")

        with pytest.raises(pauses.PauseRefusedError, match=sentence):
            paused(row, span)

    def test_what_was_paid_is_paused_once_it_is_credited(self) -> None:
        row = client(billing_interval=12)
        close_and_bill("2025-12")
        BilledOccurrence.objects.update(state="credited")

        paused(row, "2026-04/2026-07")

        (made,) = billing.draft_run(M("2025-12")).documents
        assert made.line_rows[0]["until_month"] == M("2026-04")

    def test_a_history_that_another_system_billed_is_paid(self) -> None:
        row = client(start="2025-07", first_run=M("2025-12"), reported_until=M("2026-01"))
        with pytest.raises(pauses.PauseRefusedError, match="billed until 2026-07"):
            paused(row, "2026-04/2026-07")

    def test_it_is_withdrawn_until_it_begins_or_is_billed_around(self) -> None:
        row = client(billing_interval=12)
        close("2025-12")
        pause = paused(row, "2026-04/2026-07")
        pauses.refuse_withdrawal(pause)
        billing.draft_run(M("2025-12"))
        with pytest.raises(pauses.PauseRefusedError, match="billed with this pause"):
            pauses.refuse_withdrawal(pause)
        close("2026-01", "2026-02", "2026-03")
        with pytest.raises(pauses.PauseRefusedError, match="has begun"):
            pauses.refuse_withdrawal(pause)


@pytest.mark.django_db
def test_the_database_holds_pauses_inside_their_contract_and_apart() -> None:
    row = client(until_month=M("2028-01"))
    pause = make.pause(row, "2026-07", "2026-10")
    make.closed_month("2026-03")

    for span in ("2026-09/2026-12", "2025-12/2026-02", "2027-10/2028-04", "2026-04/2026-07"):
        made = months(span)
        with pytest.raises(IntegrityError, match=r"A pause (lies|begins)"), transaction.atomic():
            make.pause(row, made.from_month, made.until)
    with pytest.raises(IntegrityError, match="keeps its months"), transaction.atomic():
        Pause.objects.update(until_month=M("2027-01"))
    with pytest.raises(IntegrityError, match="ends after its pauses"), transaction.atomic():
        Subscription.objects.update(until_month=M("2026-09"))
    pause.delete()
    late = make.pause(row, "2026-07", "2026-10")
    make.closed_month("2026-06")
    with pytest.raises(IntegrityError, match="has begun stays"), transaction.atomic():
        late.delete()


@pytest.mark.django_db
@pytest.mark.usefixtures("english")
def test_no_hours_are_noted_in_it() -> None:
    row = client()
    advisor = counsellor(row.organisation)
    make.pause(row, "2026-04", "2026-07")
    month = {"from_quarters": 0, "to_quarters": 4}

    with pytest.raises(hours.HoursError, match="paused in this month"):
        hours.record(advisor, row.organisation, M("2026-05"), **month)
    late: dict[str, Any] = {"quarters": -4, "reason": AdjustmentReason.MISCOUNTED}
    with pytest.raises(hours.HoursError, match="paused in this month"):
        hours.adjust(advisor, row.organisation, M("2026-05"), **late)

    hours.adjust(advisor, row.organisation, M("2026-07"), **late)
    assert hours.record(advisor, row.organisation, M("2026-07"), **month) == 4


@pytest.mark.django_db
def test_a_paused_client_is_closed_billed_and_audited() -> None:
    row = client(
        tier="extended", billing_interval=3, hours={"2026-02": 6, "2026-08": 30}, headcount=100
    )
    close_and_bill("2025-12", "2026-01")
    paused(row, "2026-04/2026-07")
    workshop = make.offering("WS", included_eligible=True, price_cents=500_00)
    session(row.organisation, "S1", "2026-05-06", offering=workshop)

    made = close_and_bill(*(f"2026-{month:02}" for month in range(2, 11)))

    assert stated() == [
        "2026-01/2026-04 exact 6 of 15 over 0",
        "2026-07/2026-10 exact 30 of 15 over 21",
    ]
    assert [line for invoice in made for line in lines(invoice)] == [
        "session 2026-05/2026-06 500.00",
        "fee 2026-07/2026-10 900.00",
        "fee 2026-10/2027-01 900.00",
        "overage 2026-07/2026-10 2625.00",
    ]
    assert audit().violations == []
