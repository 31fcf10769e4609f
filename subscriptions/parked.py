"""Clients of which nothing is billed or sent for a time: a controller says so, and why."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from agency.models import Organisation
from agency.month import Month
from subscriptions.models import Invoice, ParkedOrganisation

if TYPE_CHECKING:
    from django.db.models import QuerySet


def now(on: dt.date) -> QuerySet[ParkedOrganisation]:
    """Give those parked on a day, and until its month: the run made in it is of the one before."""
    return ParkedOrganisation.objects.exclude(until_month__lt=Month.containing(on))


def is_parked(organisation: Organisation, month: Month) -> bool:
    """Tell whether nothing of a client is billed by a month's run, or sent in that month."""
    parked: ParkedOrganisation | None = getattr(organisation, "parked", None)
    return parked is not None and (parked.until_month is None or month < parked.until_month)


def is_held_back(invoice: Invoice, month: Month) -> bool:
    """Tell whether the client of a document, or who pays it, is parked in a month."""
    return any(who and is_parked(who, month) for who in (invoice.organisation, invoice.payer))
