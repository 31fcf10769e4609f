"""The bounds are those of all ledgers that fit: no wider, no tighter."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agency.month import MonthRange
from subscriptions.attack.bounds import ContradictionError, Fact, Interval, add_up, derive
from tests.agreed import M, months

pytestmark = pytest.mark.attack(4)

START = M("2026-01")
MONTHS = 4
MOST = 4  # quarters in a month, so that all ledgers can be tried
ENDS = [START + at for at in range(MONTHS + 1)]


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """Draw facts that need not fit together; each month is bounded, so that no bound is missed."""
    drawn = [Fact(MonthRange(m, m + 1), Interval(0, draw(st.integers(0, MOST)))) for m in ENDS[:-1]]
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, MONTHS - 1))
        end = draw(st.integers(start + 1, MONTHS))
        least = draw(st.integers(0, MOST))
        most = draw(st.none() | st.integers(least, least + MOST))
        drawn.append(Fact(MonthRange(ENDS[start], ENDS[end]), Interval(least, most)))
    return drawn


def fitting(given_facts: list[Fact]) -> list[tuple[int, ...]]:
    """Give every ledger that fits, tried one by one."""
    return [
        ledger
        for ledger in product(range(MOST + 1), repeat=MONTHS)
        if all(fits(fact, ledger) for fact in given_facts)
    ]


def fits(fact: Fact, ledger: tuple[int, ...]) -> bool:
    used = sum(ledger[fact.months.from_month.since(START) : fact.months.until.since(START)])
    at_most = fact.quarters.at_most
    return fact.quarters.at_least <= used and (at_most is None or used <= at_most)


@given(facts())
def test_every_range_is_bounded_as_by_all_ledgers_that_fit(drawn: list[Fact]) -> None:
    ledgers = fitting(drawn)
    if not ledgers:
        with pytest.raises(ContradictionError):
            derive(drawn, ENDS)
        return
    found = derive(drawn, ENDS)
    for start in range(MONTHS):
        for end in range(start + 1, MONTHS + 1):
            used = [sum(ledger[start:end]) for ledger in ledgers]
            assert found.between(start, end) == Interval(min(used), max(used))


def test_what_is_not_bounded_stays_so() -> None:
    facts = [
        Fact(months("2026-01/2026-03"), Interval(3)),
        Fact(months("2026-02/2026-03"), Interval(0, 1)),
    ]
    found = derive(facts, ENDS[:3])
    assert found.of(months("2026-01/2026-02")) == Interval(2, None)
    assert found.of(months("2026-02/2026-03")) == Interval(0, 1)


def test_side_by_side_facts_add_up_and_are_never_subtracted() -> None:
    facts = [
        Fact(months("2026-01/2026-04"), Interval(9, 10)),
        Fact(months("2026-01/2026-03"), Interval(3, 4)),
        Fact(months("2026-04/2026-05"), Interval(1, 2)),
    ]
    ends = [START, START + 2, START + 3, START + 4]
    assert derive(facts, ends).of(months("2026-03/2026-04")) == Interval(5, 7)
    beside = add_up(facts, ends)
    assert beside.of(months("2026-03/2026-04")) == Interval(0, 10)
    assert beside.of(months("2026-01/2026-05")) == Interval(10, 12)
