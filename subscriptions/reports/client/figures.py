"""The figures of a contract year, from its statements and its sessions."""

from __future__ import annotations

from collections.abc import Collection

from subscriptions import charges
from subscriptions.agreements import ALL_IN
from subscriptions.models import Display
from subscriptions.reports.client.position import Position
from subscriptions.use import included
from workshops.models import Session, SessionStatus


def allowance(position: Position) -> int:
    """Give the year's included quarters: as stated last, else as the contract has them."""
    if position.of_year:
        return position.of_year[-1].allowance_quarters
    year = position.year
    return included(position.contract, year, year.months.nearest(position.month) + 1)


def used(position: Position) -> int | None:
    """Give the use stated so far in the year; None unless every statement of it is exact."""
    stated = position.of_year
    if not stated or any(row.display != Display.EXACT for row in stated):
        return None
    return sum(row.used_quarters or 0 for row in stated)


def remaining(position: Position) -> int | None:
    """Give what is left of the allowance; None where use is not stated for the whole year so far.

    Use that was charged leaves the allowance as it is: an upgrade after overage adds hours that
    are left. What a former system reported is not known here; overage in the last statement tells
    that nothing is left.
    """
    so_far, charged = used(position), overage(position)
    if so_far is None or charged is None:
        return None
    if position.reported_before:
        return 0 if position.of_year[-1].overage_quarters else None
    return max(0, allowance(position) + charged - so_far)


def overage(position: Position) -> int | None:
    """Give the overage stated so far in the year; an all-in contract never has any."""
    if is_all_in(position):
        return 0
    return sum(row.overage_quarters for row in position.of_year) if position.of_year else None


def is_all_in(position: Position) -> bool:
    return position.contract.choices_of(position.year).overage == ALL_IN


def included_sessions(position: Position) -> int:
    """Give the sessions that the year includes, as known in its month nearest to the position's.

    In a pause, as known before it.
    """
    last = position.year.months.nearest(position.month)
    served = [m for m in position.contract.served(position.year, last + 1) if m <= last]
    return charges.included_sessions(position.contract, served[-1]) if served else 0


def free_sessions(position: Position) -> list[Session]:
    """Give the sessions of the year that the subscription includes.

    What was billed says so; of what was held since, the first eligible ones are free.
    """
    eligible = [row for row in position.sessions_of_year if row.offering.included_eligible]
    free = [row for row in eligible if row.pk in position.free]
    for row in eligible:
        held = row.status == SessionStatus.HELD and row.pk not in position.billed
        if held and len(free) < included_sessions(position):
            free.append(row)
    return free


def of_kinds(sessions: Collection[Session], kinds: Collection[str]) -> list[Session]:
    return [row for row in sessions if row.offering.kind in kinds]
