"""A line of the staff's start page, and the address of the list that it leads to."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A line of the queue: how many, what, where it is done, and by when."""

    count: int
    what: str
    address: str
    note: str = ""
    when: str = ""
    is_late: bool = False


def listed(model: str, query: str) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?{query}"
