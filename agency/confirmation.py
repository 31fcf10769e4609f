"""The page between an action of a list and its deed: with how many rows, for how much money.

The list's own button asks for it. What is undone as easily is offered back instead of asked twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import model_ngettext

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest
    from django.template.response import TemplateResponse

    from agency.admin_base import StaffAdmin

ASKED = "ask"  # sent by the buttons of pages, so that a person sees first what comes of it
MOST_SHOWN = 50  # what a page of a list holds; of more the sum is said
UNDO = "undo"


def page(
    listed: StaffAdmin, request: HttpRequest, rows: QuerySet[Any], *, back: str
) -> TemplateResponse | None:
    """Show what an action will be done with, and with which of the chosen rows it will not.

    None where nothing is to be asked: Django says what is missing, or the action has a page.
    """
    known = listed.get_actions(request)
    action, keys = request.POST.get("action", ""), request.POST.getlist(ACTION_CHECKBOX_NAME)
    described = known.get(action)
    if described is None or action in listed.shows_first or not keys:
        return None
    is_all = request.POST.get("select_across") == "1"
    chosen = rows if is_all else rows.filter(pk__in=keys)
    part = listed.part(action, chosen)
    count, of = part.count(), chosen.count()
    shown = [
        (listed.heading(row), listed.cents(row))
        for row in part.select_related(*listed.related())[:MOST_SHOWN]
    ]
    rest = chosen.exclude(pk__in=part.order_by().values("pk")) if count < of else rows.none()
    left_out = [
        (listed.heading(row), listed.why_not(action, row))
        for row in rest.select_related(*listed.related())[:MOST_SHOWN]
    ]
    return listed.page(
        request,
        "confirm",
        str(described[2]),
        named=model_ngettext(listed.opts, count),
        count=count,
        total_cents=listed.sum_cents(part),
        shown=shown,
        more=count - len(shown),
        left_out=left_out,
        left_out_count=of - count,
        more_left_out=of - count - len(left_out),
        sent=[(name, value) for name, values in request.POST.lists() for value in values],
        back=back,
    )


def offer_undo(
    request: HttpRequest, text: str, *, action: str, rows: Iterable[Model], address: str
) -> None:
    """Say what was done, with a button on the next page that undoes it by another action."""
    keys = [str(row.pk) for row in rows]
    request.session[UNDO] = {"action": action, "rows": keys, "address": address}
    messages.success(request, text, extra_tags=UNDO)
