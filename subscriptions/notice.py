"""Until when a contract runs, and until when notice can be given (design 5.11). No database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from agency.month import Month


@dataclass(frozen=True, slots=True)
class Term:
    """The running term: ``until_month`` is the first month after it.

    ``last_notice_on`` is the last day on which notice still ends the contract with this term,
    and None once the end is agreed.
    """

    until_month: Month
    last_notice_on: dt.date | None


def running_term(
    *,
    start_month: Month,
    term_months: int,
    renewal_months: int,
    notice_months: int,
    until_month: Month | None,
    on: dt.date,
) -> Term:
    """Give the term running on a day: one whose notice has passed counts as renewed."""
    if until_month is not None:
        return Term(until_month, None)
    until = start_month + term_months
    while renewal_months and (until - notice_months).first_day <= on:
        until = until + renewal_months
    return Term(until, (until - notice_months - 1).last_day)
