"""The letter that announces indexed prices: one to a client, in its language, by mail.

It holds prices, months and index values, all of the contract. Names of persons are not in it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from agency.mail import Mail, compose
from subscriptions.indexation_runs import PENDING, contacts_to_tell
from subscriptions.models import IndexedContract

SUBJECT = _("Your prices follow the price index")


def send(key: UUID, *, on: dt.date) -> None:
    """Mail a client's letter, once, unless the run was withdrawn or nobody can be written to.

    As with other mail, a process that dies before it is written down sends twice.
    """
    rows = IndexedContract.objects.filter(pk=key, left_out="", sent_on=None, run__state__in=PENDING)
    row = rows.select_related(
        "run__from_value", "run__to_value", "subscription__organisation"
    ).first()
    to = _addresses(row) if row else []
    if row and to:
        written(row, to).send()
        rows.update(sent_on=on)


def text(row: IndexedContract) -> str:
    """Give the letter as plain text, for staff who read it over or print it."""
    return str(written(row, []).body).strip()


def _addresses(row: IndexedContract) -> list[str]:
    told = contacts_to_tell().filter(organisation=row.subscription.organisation_id)
    return sorted(told.values_list("user__email", flat=True))


def written(row: IndexedContract, to: list[str]) -> Mail:
    """Write a client's letter."""
    language = row.subscription.organisation.language
    return compose("indexation", SUBJECT, to, language=language, **_context(row))


def _context(row: IndexedContract) -> dict[str, Any]:
    return {
        "row": row,
        "run": row.run,
        "client": row.subscription.organisation.legal_name,
        "address": f"{settings.SITE_URL}/portal/",
    }
