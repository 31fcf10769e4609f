"""Which run a run is held beside, what differs by kind, and at which clients to look."""

from __future__ import annotations

from uuid import UUID

import pytest

from subscriptions.run_comparison import Billed, Like, by_kind, like, rhythm, to_look_at
from tests.agreed import M

A, B, C, D = (UUID(int=number) for number in range(1, 5))


def fees(*pairs: tuple[int, int]) -> list[Billed]:
    """Give a run of fees: months covered and cents, each of another client."""
    return [
        Billed(UUID(int=number), "fee", 1, cents, months)
        for number, (months, cents) in enumerate(pairs, 1)
    ]


@pytest.mark.parametrize(
    ("run", "months"),
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
    run: list[tuple[int, int]], months: int | None
) -> None:
    sessions = [Billed(A, "session", 9, 99_999)]
    assert rhythm(fees(*run) + sessions) == months


@pytest.mark.parametrize(
    ("runs", "month", "found"),
    [
        ({"2026-03": 3}, "2026-03", None),
        ({"2026-03": 3, "2025-12": 3, "2026-02": 1}, "2026-03", Like(M("2025-12"), 3, True)),
        ({"2026-03": 12, "2025-03": 12, "2025-12": 12}, "2026-03", Like(M("2025-03"), 12, True)),
        ({"2026-03": 1, "2026-02": 1}, "2026-03", Like(M("2026-02"), 1, True)),
        ({"2026-03": 3, "2025-12": 1, "2025-09": 3}, "2026-03", Like(M("2025-09"), 3)),
        ({"2026-03": 3, "2026-02": 1, "2026-01": 1}, "2026-03", Like(M("2026-02"))),
        ({"2026-03": 0, "2026-02": 1}, "2026-03", Like(M("2026-02"))),
        ({"2026-03": 3, "2026-06": 3}, "2026-03", None),  # what comes later is not before
    ],
)
def test_a_run_is_held_beside_the_last_one_like_it(
    runs: dict[str, int], month: str, found: Like | None
) -> None:
    assert like(M(month), {M(run): fees((months, 1)) for run, months in runs.items()}) == found


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


DECEMBER, JANUARY, MARCH = M("2025-12"), M("2026-01"), M("2026-03")


@pytest.mark.parametrize(
    ("then", "now", "by"),
    [
        ({"fee": 1000}, {"fee": 1250}, None),  # a quarter, and not more
        ({"fee": 1000}, {"fee": 1251}, "fee"),
        ({"fee": 1000}, {"fee": 750}, None),
        ({"fee": 1000}, {"fee": 749}, "fee"),
        ({"fee": 1000, "session": 900}, {"fee": 1100}, "session"),
        ({"fee": 1000}, {}, "fee"),  # due again, and not there
        ({"session": 1000}, {}, None),  # nobody expects another
        ({}, {"fee": 1000}, None),  # new: nothing to compare with
        ({"session": 1000}, {"fee": 2000}, None),  # unlike
        ({"topup": 0}, {"topup": 1}, "topup"),
    ],
)
def test_a_client_is_looked_at_where_more_than_a_quarter_differs(
    then: dict[str, int], now: dict[str, int], by: str | None
) -> None:
    def run(cents: dict[str, int]) -> list[Billed]:
        return [Billed(A, kind, 1, net, 3 if kind == "fee" else 0) for kind, net in cents.items()]

    runs = {DECEMBER: run(then), MARCH: run(now)}
    assert [one.by.kind for one in to_look_at(MARCH, runs)] == ([by] if by else [])


def test_last_time_is_the_last_like_invoice_of_the_client_itself() -> None:
    """January billed a session and no fee: a quarter's fee is held beside December's."""
    runs = {
        DECEMBER: [Billed(A, "fee", 1, 1000, 3), Billed(B, "fee", 1, 1000, 1)],
        JANUARY: [Billed(A, "session", 1, 90), Billed(B, "fee", 1, 5000, 1)],
        MARCH: [Billed(A, "fee", 1, 1001, 3), Billed(B, "fee", 1, 5001, 1)],
    }
    assert to_look_at(MARCH, runs) == []


def test_the_largest_difference_comes_first_and_buyers_without_contract_are_left_out() -> None:
    then = [Billed(who, "fee", 1, 1000, 3) for who in (A, B, None)]
    now = [Billed(who, "fee", 1, cents, 3) for who, cents in ((A, 2000), (B, 5000), (None, 9000))]
    found = to_look_at(MARCH, {DECEMBER: then, MARCH: now})
    assert [(one.client, one.difference_cents) for one in found] == [(B, 4000), (A, 1000)]
