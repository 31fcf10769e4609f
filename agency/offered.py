"""Which actions a list offers: those in which one of the rows in sight can take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpResponse

    from agency.admin_base import StaffAdmin


def narrow(listed: StaffAdmin, answer: HttpResponse) -> None:
    """Leave out of a list's page the actions of which its rows say that they take no part.

    What is left without any action has no boxes to tick either. It asks the database nothing.
    """
    shown = getattr(answer, "context_data", None) or {}
    form, changes = shown.get("action_form"), shown.get("cl")
    if form is None or changes is None:
        return
    said = [listed.deeds(row) for row in changes.result_list]
    if not said or None in said:
        return
    gone = {*(listed.actions or ())} - {deed for deeds in said for deed in deeds or ()}
    field = form.fields["action"]
    field.choices = [choice for choice in field.choices if choice[0] not in gone]
    if all(not name for name, _word in field.choices):
        shown["action_form"] = None
        changes.list_display = [name for name in changes.list_display if name != "action_checkbox"]
