"""Interest by the day, a year's interest bearing interest, and the scale of collection cost."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agency.money import round_half_away
from subscriptions import payments
from subscriptions.late_payment import (
    LatePaymentError,
    collection_cost_cents,
    of_invoice,
    stretches,
)
from subscriptions.models import InterestRate
from tests import factories as make
from tests.browsers import as_

pytestmark = pytest.mark.usefixtures("english")

D = dt.date.fromisoformat
TEN = [(D("2020-01-01"), 1000)]


def interest(
    cents: int,
    due_on: str,
    until_on: str,
    rates: list[tuple[dt.date, int]] = TEN,
    paid: tuple[tuple[dt.date, int], ...] = (),
) -> int:
    found = stretches(cents, due_on=D(due_on), until_on=D(until_on), rates=rates, paid=paid)
    return round_half_away(sum((one.interest for one in found), Fraction(0)))


@pytest.mark.parametrize(
    ("due_on", "until_on", "cents"),
    [
        ("2025-12-31", "2025-12-31", 0),
        ("2025-12-31", "2026-01-01", 27),  # the day after the last day counts: 1,000 x 10 % / 365
        ("2025-12-31", "2026-12-31", 100_00),
        ("2023-12-31", "2024-12-31", 100_00),  # a leap year has 366 days
        ("2024-02-28", "2025-02-28", 100_04),  # 307 days of 366 and 59 of 365
        ("2025-12-31", "2027-12-31", 210_00),  # the second year bears interest on 1,100
        ("2025-12-31", "2028-12-31", 331_00),
    ],
)
def test_interest_runs_by_the_day_and_each_year_bears_interest(
    due_on: str, until_on: str, cents: int
) -> None:
    assert interest(1_000_00, due_on, until_on) == cents


def test_a_rate_holds_from_its_day_and_a_payment_from_the_day_after() -> None:
    rates = [(D("2026-07-01"), 500), *TEN]
    assert interest(1_000_00, "2026-06-28", "2026-07-03", rates) == round_half_away(
        Fraction(1_000_00 * (2 * 1000 + 3 * 500), 365 * 10_000)
    )
    paid = ((D("2026-07-01"), 400_00),)
    assert interest(1_000_00, "2026-06-30", "2026-07-10", TEN, paid) == round_half_away(
        Fraction((1_000_00 + 9 * 600_00) * 1000, 365 * 10_000)
    )
    with pytest.raises(LatePaymentError, match="No rate of statutory interest"):
        interest(1_000_00, "2019-12-30", "2020-01-05")


@given(
    cents=st.integers(1, 10**8),
    days=st.integers(0, 1500),
    more=st.integers(0, 400),
    rates=st.lists(st.tuples(st.integers(0, 1500), st.integers(1, 2000)), max_size=5),
    paid=st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 10**7)), max_size=4),
)
def test_days_add_up_whatever_is_cut_and_interest_never_falls(
    cents: int,
    days: int,
    more: int,
    rates: list[tuple[int, int]],
    paid: list[tuple[int, int]],
) -> None:
    due_on = D("2023-02-27")
    given_rates = [*TEN, *((due_on + dt.timedelta(days=at), rate) for at, rate in rates)]
    payments_made = [(due_on + dt.timedelta(days=at), part) for at, part in paid]

    def until(count: int) -> tuple[int, Fraction]:
        last = due_on + dt.timedelta(days=count)
        found = stretches(
            cents, due_on=due_on, until_on=last, rates=given_rates, paid=payments_made
        )
        assert all(one.interest >= 0 and one.days > 0 for one in found)
        return sum(one.days for one in found), sum((one.interest for one in found), Fraction(0))

    counted, first = until(days)
    assert counted == days
    assert until(days + more)[1] >= first
    cut = [(due_on + dt.timedelta(days=at), 0) for at in range(0, days, 97)]
    again = stretches(
        cents,
        due_on=due_on,
        until_on=due_on + dt.timedelta(days=days),
        rates=given_rates,
        paid=payments_made + cut,
    )
    assert sum((one.interest for one in again), Fraction(0)) == first


@pytest.mark.parametrize(
    ("claim", "cost"),
    [
        (0, 0),
        (1, 40_00),
        (266_66, 40_00),
        (266_70, 40_01),
        (2_500_00, 375_00),
        (5_000_00, 625_00),
        (10_000_00, 875_00),
        (200_000_00, 2_775_00),
        (1_000_000_00, 6_775_00),
        (5_000_000_00, 6_775_00),
    ],
)
def test_collection_cost_follows_the_scale(claim: int, cost: int) -> None:
    assert collection_cost_cents(claim) == cost


@pytest.mark.django_db
def test_an_overdue_invoice_shows_what_it_costs_and_nothing_is_written() -> None:
    make.interest_rate("2026-01-01", 1000)
    fields: dict[str, Any] = {"due_on": D("2026-01-31")}
    invoice = make.invoice(make.organisation(), state="open", invoice_on=D("2026-01-01"), **fields)
    day = D("2026-02-10")
    payments.note(invoice.pk, received_on=day, on=day, amount_cents=210_00)

    late = of_invoice(invoice, on=D("2026-03-02"))

    assert [(one.days, one.base_cents) for one in late.stretches] == [(10, 1210_00), (20, 1000_00)]
    assert (late.left_cents, late.interest_cents, late.cost_cents) == (1000_00, 8_79, 150_00)
    assert not late.is_rate_old
    assert of_invoice(invoice, on=D("2026-07-01")).is_rate_old
    address = f"/admin/subscriptions/invoice/{invoice.pk}/late/"
    page = as_("auditor").get(f"{address}?on=2026-03-02").content.decode()
    assert "1,158.79" in page
    assert as_("planner").get(address).status_code == 403
    assert as_("controller").get(f"{address}?on=soon").status_code == 404
    assert as_("controller").get(f"{address}?on=9999-12-31").status_code == 200
    assert "that is overdue" in as_("controller").get(f"{address}?on=2026-01-31").content.decode()
    InterestRate.objects.all().delete()
    assert "No rate of statutory" in as_("controller").get(address).content.decode()
