"""Invariants of contracts, purchase orders and assignments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from uuid import UUID

from advisors.models import AssignmentRole
from agency.month import MonthRange
from subscriptions.audit.records import Check, Invariant, Records


def contracts_of_a_client_never_overlap(records: Records) -> Iterator[Check]:
    for organisation, rows in records.facts.subscriptions.items():
        yield from _apart(records, organisation, (row.months for row in rows))


def purchase_orders_of_a_client_do_not_overlap(records: Records) -> Iterator[Check]:
    for organisation, rows in records.orders.items():
        yield from _apart(records, organisation, (row.months for row in rows))


def _apart(records: Records, organisation: UUID, ranges: Iterable[MonthRange]) -> Iterator[Check]:
    in_order = sorted(ranges, key=lambda months: months.from_month)
    for before, months in pairwise(in_order):
        found = f"overlaps {before}" if before.overlaps(months) else "apart"
        yield Check(f"{records.code(organisation)} {months}", "apart", found)


def nobody_stands_both_beside_and_between(records: Records) -> Iterator[Check]:
    """An advisor beside the people of a client is never its mediator or investigator."""
    roles: dict[tuple[str, UUID], list[AssignmentRole]] = defaultdict(list)
    for row in records.assignments:
        roles[row.advisor.code, row.organisation_id].append(AssignmentRole(row.role))
    for (advisor, organisation), held in roles.items():
        both = any(one.excludes(other) for one in held for other in held)
        yield Check(
            f"{advisor} at {records.code(organisation)}",
            "beside or between",
            "both" if both else "beside or between",
        )


INVARIANTS: tuple[Invariant, ...] = (
    contracts_of_a_client_never_overlap,
    purchase_orders_of_a_client_do_not_overlap,
    nobody_stands_both_beside_and_between,
)
