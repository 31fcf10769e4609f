"""A client switches the page for its employees on or off, or gives it another link.

Each deed is noted as done to the organisation, by day and without the link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from agency.models import AuditEvent, Organisation
from subscriptions.models import EmployeePage
from subscriptions.models.employees import new_token

if TYPE_CHECKING:
    import datetime as dt

    from agency.models import User


@transaction.atomic
def switch_on(organisation: Organisation, *, by: User, on: dt.date) -> None:
    """Open the page; one that is open keeps its link."""
    _page, opened = EmployeePage.objects.get_or_create(organisation=organisation)
    if opened:
        _note("page_opened", organisation, by, on)


@transaction.atomic
def switch_off(organisation: Organisation, *, by: User, on: dt.date) -> None:
    """Close the page, and forget its link for good."""
    if EmployeePage.objects.filter(organisation=organisation).delete()[0]:
        _note("page_closed", organisation, by, on)


@transaction.atomic
def renew(organisation: Organisation, *, by: User, on: dt.date) -> bool:
    """Give the page another link, in place of the one it had; tell whether there is a page."""
    renewed = EmployeePage.objects.filter(organisation=organisation).update(token=new_token())
    if renewed:
        _note("link_renewed", organisation, by, on)
    return bool(renewed)


def _note(action: str, organisation: Organisation, by: User, on: dt.date) -> None:
    AuditEvent.objects.create(
        on=on,
        actor=by,
        action=action,
        subject_model=Organisation._meta.label_lower,
        subject_id=organisation.pk,
    )
