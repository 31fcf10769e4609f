"""The letter that announces indexed prices: one to a client, in its language, by mail.

It holds prices, months and index values, all of the contract. Names of persons are not in it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import gettext, override

from agency.tokens import in_templates
from subscriptions.indexation_runs import PENDING, contacts_to_tell
from subscriptions.models import IndexedContract

TEMPLATES = "mail/indexation"


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
        _message(row, to).send()
        rows.update(sent_on=on)


def text(row: IndexedContract) -> str:
    """Give the letter as plain text, for staff who read it over or print it."""
    with override(row.subscription.organisation.language):
        return render_to_string(f"{TEMPLATES}.txt", _context(row)).strip()


def _addresses(row: IndexedContract) -> list[str]:
    told = contacts_to_tell().filter(organisation=row.subscription.organisation_id)
    return sorted(told.values_list("user__email", flat=True))


def _message(row: IndexedContract, to: list[str]) -> EmailMultiAlternatives:
    with override(row.subscription.organisation.language):
        context = _context(row)
        message = EmailMultiAlternatives(
            subject=gettext("Your prices follow the price index"),
            body=render_to_string(f"{TEMPLATES}.txt", context),
            to=to,
        )
        message.attach_alternative(render_to_string(f"{TEMPLATES}.html", context), "text/html")
    return message


def _context(row: IndexedContract) -> dict[str, Any]:
    return {
        "row": row,
        "run": row.run,
        "client": row.subscription.organisation.legal_name,
        "address": f"{settings.SITE_URL}/portal/",
        "colour": in_templates(),
    }
