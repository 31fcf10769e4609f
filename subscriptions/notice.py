"""Until when a contract runs, and until when notice can be given (design 5.11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from subscriptions.models import Subscription

if TYPE_CHECKING:
    import datetime as dt
    from uuid import UUID

    from agency.month import Month

DAYS_OF_WINDOW = 60


@dataclass(frozen=True, slots=True)
class Term:
    """The running term: ``until_month`` is the first month after it.

    ``last_notice_on`` is the last day on which notice still ends the contract with this term,
    and None once the end is agreed.
    """

    until_month: Month
    last_notice_on: dt.date | None


def running_term(contract: Subscription, *, on: dt.date) -> Term:
    """Give the term running on a day: one whose notice has passed counts as renewed."""
    if contract.until_month is not None:
        return Term(contract.until_month, None)
    until = contract.start_month + contract.term_months
    while contract.renewal_months and (until - contract.notice_months).first_day <= on:
        until = until + contract.renewal_months
    return Term(until, (until - contract.notice_months - 1).last_day)


def in_window(on: dt.date) -> dict[UUID, dt.date]:
    """Give the running contracts whose last day of notice comes within two months, with that."""
    running = Subscription.objects.filter(until_month__isnull=True)
    last_days = ((row.pk, running_term(row, on=on).last_notice_on) for row in running)
    until = on + timedelta(days=DAYS_OF_WINDOW)
    return {pk: last_day for pk, last_day in last_days if last_day and on <= last_day <= until}
