"""Filters of a list under a name of its own, for one colleague or for all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agency.models import SavedFilter, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import QueryDict

CODES = re.compile(r"[A-Za-z0-9_.-]+")
LONGEST = 300
NOT_KEPT = frozenset({"q", "p", "e", "all"})  # words, the page, and how the list was reached


def query_of(asked: QueryDict) -> str:
    """Give the filters among the parameters of a list, in one order; empty without any.

    Parameters that hold anything but keys and codes are left out.
    """
    kept = sorted(
        f"{key}={value}"
        for key, value in asked.dict().items()
        if key not in NOT_KEPT and CODES.fullmatch(f"{key}") and CODES.fullmatch(f"{value}")
    )
    query = "&".join(kept)
    return query if len(query) <= LONGEST else ""


class NameForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=40)
    is_shared = forms.BooleanField(label=_("for all colleagues"), required=False)


def saved_for(colleague: User, listed: str) -> QuerySet[SavedFilter]:
    """Give what a colleague saved of a list, and what others share."""
    mine_or_shared = Q(owner=colleague) | Q(is_shared=True)
    return SavedFilter.objects.filter(mine_or_shared, listed=listed)


def names_of(saved: Iterable[SavedFilter], query: str) -> list[str]:
    """Give the names under which filters are saved already."""
    return [each.name for each in saved if query and each.query == query]


def save(colleague: User, listed: str, query: str, name: str, *, is_shared: bool) -> SavedFilter:
    """Save filters under a name; what the colleague saved under it before is replaced."""
    saved, _is_new = SavedFilter.objects.update_or_create(
        owner=colleague,
        listed=listed,
        name=name,
        defaults={"query": query, "is_shared": is_shared},
    )
    return saved


def forget(colleague: User, listed: str, query: str) -> int:
    """Delete what a colleague saved of these filters; give how many names they had."""
    mine = SavedFilter.objects.filter(owner=colleague, listed=listed, query=query)
    return mine.delete()[0]
