"""Until when a contract runs, and until when notice can be given (design 5.11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Case, ExpressionWrapper, F, IntegerField, When
from django.db.models.functions import Mod, NullIf

from agency.fields import MonthField
from agency.month import Month
from subscriptions.models import Subscription

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import QuerySet

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


def in_window(on: dt.date) -> QuerySet[Subscription]:
    """Give the running contracts whose last day of notice comes within two months.

    Each has ``last_notice_in``, the month of whose end `running_term` says the same.
    """
    this, until = Month.containing(on), on + timedelta(days=DAYS_OF_WINDOW)
    last = max(month for month in (this, this + 1, this + 2) if month.last_day <= until)
    running = Subscription.objects.filter(until_month__isnull=True).annotate(
        of_first_term=ExpressionWrapper(
            F("start_month") + F("term_months") - F("notice_months") - 1, IntegerField()
        )
    )
    since = this.index - F("of_first_term")
    every = NullIf("renewal_months", 0)  # without a renewal there is no later term
    of_a_renewal = this.index + Mod(every - Mod(since, every), every)
    is_to_come = When(of_first_term__gte=this.index, then="of_first_term")
    ends_in = Case(is_to_come, default=of_a_renewal, output_field=MonthField())
    return running.annotate(last_notice_in=ends_in).filter(last_notice_in__lte=last)
