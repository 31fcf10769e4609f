"""Which run a run is held beside, what differs by kind, and at which clients to look."""

from __future__ import annotations

from uuid import UUID

import pytest

from subscriptions.run_comparison import Billed, Like, by_kind, like, rhythm, to_look_at
from tests.agreed import M

A, B, C, D = (UUID(int=number) for number in range(1, 5))


@pytest.mark.parametrize(
    ("fees", "months"),
    [
        ([], None),
        ([(1, 100)], 1),
        ([(3, 900), (12, 800), (1, 899)], 3),
        ([(3, 800), (12, 900)], 12),
        ([(3, 900), (12, 900)], 12),  # a tie
        ([(2, 500), (1, 400)], 3),  # the rest of a quarter
        ([(7, 500), (1, 400)], 12),  # the rest of a year
    ],
)
def test_a_run_is_of_the_kind_that_most_of_its_fees_cover(
    fees: list[tuple[int, int]], months: int | None
) -> None:
    assert rhythm(fees) == months


@pytest.mark.parametrize(
    ("runs", "month", "found"),
    [
        ({"2026-03": 3}, "2026-03", None),
        ({"2026-03": 3, "2025-12": 3, "2026-02": 1}, "2026-03", Like(M("2025-12"), 3, True)),
        ({"2026-03": 12, "2025-03": 12, "2025-12": 12}, "2026-03", Like(M("2025-03"), 12, True)),
        ({"2026-03": 1, "2026-02": 1}, "2026-03", Like(M("2026-02"), 1, True)),
        ({"2026-03": 3, "2025-12": 1, "2025-09": 3}, "2026-03", Like(M("2025-09"), 3)),
        ({"2026-03": 3, "2026-02": 1, "2026-01": 1}, "2026-03", Like(M("2026-02"))),
        ({"2026-03": None, "2026-02": 1}, "2026-03", Like(M("2026-02"))),
        ({"2026-03": 3, "2026-06": 3}, "2026-03", None),  # what comes later is not before
    ],
)
def test_a_run_is_held_beside_the_last_one_like_it(
    runs: dict[str, int | None], month: str, found: Like | None
) -> None:
    assert like(M(month), {M(run): kind for run, kind in runs.items()}) == found


def test_by_kind_clients_come_go_and_change() -> None:
    then = [Billed(A, "fee", 1, 900), Billed(B, "fee", 1, 900), Billed(C, "session", 2, 400),
            Billed(None, "seat", 1, 300)]  # fmt: skip
    now = [Billed(None, "seat", 1, 250), Billed(D, "fee", 1, 900), Billed(A, "fee", 2, 950)]

    found = [
        (row.kind, row.lines_then, row.lines_now, row.difference_cents, row.came, row.went,
         row.changed)
        for row in by_kind(then, now)
    ]  # fmt: skip

    assert found == [
        ("fee", 2, 3, 50, 1, 1, 1),
        ("session", 2, 0, -400, 0, 1, 0),
        ("seat", 1, 1, -50, 0, 0, 1),
    ]


@pytest.mark.parametrize(
    ("then", "now", "by"),
    [
        ({"fee": 1000}, {"fee": 1250}, None),  # a quarter, and not more
        ({"fee": 1000}, {"fee": 1251}, "fee"),
        ({"fee": 1000}, {"fee": 750}, None),
        ({"fee": 1000}, {"fee": 749}, "fee"),
        ({"fee": 1000, "session": 900}, {"fee": 1100}, "session"),
        ({"fee": 1000}, {}, "fee"),
        ({}, {"fee": 1000}, None),  # new: nothing to compare with
        ({"credit": -100}, {"fee": 10}, "credit"),
        ({"topup": 0}, {"topup": 1}, "topup"),
    ],
)
def test_a_client_is_looked_at_where_more_than_a_quarter_differs(
    then: dict[str, int], now: dict[str, int], by: str | None
) -> None:
    runs = [[Billed(A, kind, 1, cents) for kind, cents in run.items()] for run in (then, now)]
    assert [one.by.kind for one in to_look_at(*runs)] == ([by] if by else [])


def test_the_largest_difference_comes_first_and_buyers_without_contract_are_left_out() -> None:
    then = [Billed(who, "fee", 1, 1000) for who in (A, B, None)]
    now = [Billed(A, "fee", 1, 2000), Billed(B, "fee", 1, 5000), Billed(None, "fee", 1, 9000)]
    assert [one.client for one in to_look_at(then, now)] == [B, A]
