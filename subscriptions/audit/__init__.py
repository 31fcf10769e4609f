"""All invariants of the books, recomputed from the facts (design 6 and 7).

An invariant is a small function that compares what is kept with what follows from the facts as
they are now, subject by subject. Nothing is repaired.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from agency.turns import take_turns
from subscriptions.audit import (
    agreements,
    amounts,
    arrears,
    credited,
    documents,
    parties,
    publications,
    sending,
    sessions,
)
from subscriptions.audit.records import Invariant, read_records

INVARIANTS: tuple[Invariant, ...] = (
    *publications.INVARIANTS,
    *agreements.INVARIANTS,
    *documents.INVARIANTS,
    *parties.INVARIANTS,
    *amounts.INVARIANTS,
    *sessions.INVARIANTS,
    *credited.INVARIANTS,
    *sending.INVARIANTS,
    *arrears.INVARIANTS,
)


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that does not follow from the facts; figures only of what was published."""

    invariant: str
    subject: str
    expected: Any
    found: Any


@dataclass(frozen=True, slots=True)
class Audit:
    """How many subjects each invariant was checked on, and what does not hold."""

    checked_by_invariant: dict[str, int]
    violations: list[Violation]

    @property
    def checked(self) -> int:
        return sum(self.checked_by_invariant.values())


def audit(invariants: Iterable[Invariant] = INVARIANTS) -> Audit:
    """Check the invariants; the number of queries does not depend on the number of rows.

    Waits for a close or a run that is under way, so as not to see half of it.
    """
    with transaction.atomic():
        take_turns()
        records = read_records()
    checked: dict[str, int] = {}
    violations: list[Violation] = []
    for invariant in invariants:
        name = invariant.__name__
        checks = list(invariant(records))
        checked[name] = len(checks)
        violations += [
            Violation(name, check.subject, check.expected, check.found)
            for check in checks
            if check.expected != check.found
        ]
    return Audit(checked, violations)
