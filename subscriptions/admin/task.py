"""A line of the staff's start page, what it is counted by, and the list that it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from subscriptions.admin.counted import Found, Part

if TYPE_CHECKING:
    from django.db.models import QuerySet

Counted = Mapping[str, Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A line of the queue: how many, what, where it is done, and by when."""

    count: int
    what: str
    address: str
    note: str = ""
    when: str = ""
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is counted, and how its lines read; those are asked for where anything was found.

    The parts go into the one statement of the page (`subscriptions.admin.counted`).
    """

    parts: tuple[Part, ...]
    tell: Callable[[Counted], Iterable[Task]]


def waiting(
    rows: QuerySet[Any],
    what: Any,
    address: str,
    *,
    says: Callable[[Found], Mapping[str, Any]] | None = None,
    note: Any = "",
    **counted: Any,
) -> Waiting:
    """Make one line of one count: ``what`` in words for one and for more.

    ``says`` gives what a line tells beside its ``note``, of what was ``counted`` as `part` does.
    """

    def tell(found: Counted) -> Iterable[Task]:
        for row in found.values():
            more = {"note": str(note)} | dict(says(row) if says else {})
            yield Task(count=row.count, what=what % row.count, address=address, **more)

    return Waiting((Part(rows=rows, **counted),), tell)


def listed(model: str, query: str) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?{query}"
