"""Which totals of advisors cover more than one client's unpublished hours.

A client's month is *told* once an exact statement holds it, *open* while no statement holds it, and
*silent* once another statement does (withheld, a band, an all-in price): its figure never comes.
Whoever reads the workbook takes the told clients off an advisor's total. What is left has to be
nobody's hours, or those of two clients or more. And because a client that is open today may be
told tomorrow, when an older workbook still shows the total, two open clients are cover only
together: one silent client among them would be left alone, so one silent client hides the month.

No sum of totals, of whatever months and workbooks, less what statements say, is then a single
client's unpublished use. In the last month of such a sum two clients or more were not told; the
period of each goes on after that month, or never is told; so none of them can be taken off, and
none is alone.

A sum may still *bound* one, since use is never negative: where two clients covered each other and
the one's quarter is then published as 0, the older totals were the other's. Controllers are given
the months of advisors over all organisations, so no more is left out for that; it is a residual
risk of docs/confidentiality.md. Cover by two of the clients whose periods close last would end it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q

from advisors.models import Assignment, AssignmentRole
from agency.month import Month, MonthRange
from subscriptions.models import Display, Statement, Subscription

ClientMonth = tuple[UUID, Month]
_LEAST = 2  # clients that cover each other


@dataclass(slots=True)
class _Clients:
    """Clients of one advisor's month that are not told: all of them, and those that cover."""

    untold: set[UUID] = field(default_factory=set)
    silent: set[UUID] = field(default_factory=set)
    open_cover: set[UUID] = field(default_factory=set)
    silent_cover: set[UUID] = field(default_factory=set)

    @property
    def cover_each_other(self) -> bool:
        if self.silent and len(self.silent_cover) < _LEAST:
            return False
        return not self.untold or len(self.open_cover | self.silent_cover) >= _LEAST


def covered_months(months: MonthRange) -> dict[tuple[UUID, Month], bool]:
    """Tell for each advisor and month with a client under contract whether the total may show.

    It never depends on hours. Cover gives only who stands beside people there, in the month; at
    risk is every client that the advisor was ever assigned to, in whatever role, since hours stay
    when an assignment is cut short.
    """
    under_contract = _under_contract(months)
    told, silent, revealing = _stated(months)
    found: dict[tuple[UUID, Month], _Clients] = defaultdict(_Clients)
    for row in Assignment.objects.filter(from_month__lt=months.until):
        for month in months:
            client = row.organisation_id, month
            if client not in under_contract:
                continue
            clients = found[row.advisor_id, month]
            if client in told:
                continue
            covers = row.role in AssignmentRole.beside and month in row.months
            clients.untold.add(row.organisation_id)
            is_silent = client in silent
            if is_silent:
                clients.silent.add(row.organisation_id)
            if covers and client not in revealing:
                cover = clients.silent_cover if is_silent else clients.open_cover
                cover.add(row.organisation_id)
    return {key: clients.cover_each_other for key, clients in found.items()}


def _under_contract(months: MonthRange) -> set[ClientMonth]:
    rows = Subscription.objects.filter(
        Q(until_month__isnull=True) | Q(until_month__gt=months.from_month),
        start_month__lt=months.until,
    )
    return _spread(((row.organisation_id, row.months) for row in rows), months)


def _stated(months: MonthRange) -> tuple[set[ClientMonth], set[ClientMonth], set[ClientMonth]]:
    """Give the months that are told, those that are silent, and the silent ones with overage.

    The overage of a band lets its use be worked out, so such a client covers nobody. What a former
    system reported gets no statement of ours and is silent for good.
    """
    rows = Statement.objects.newest().filter(
        until_month__gt=months.from_month, from_month__lt=months.until
    )
    exact = [row for row in rows if row.display == Display.EXACT]
    others = [row for row in rows if row.display != Display.EXACT]
    reported = [
        (row.organisation_id, MonthRange(row.start_month, row.reported_until))
        for row in Subscription.objects.filter(reported_until__gt=months.from_month)
        if row.start_month < row.reported_until
    ]
    silent = [*((row.organisation_id, row.months) for row in others), *reported]
    return (
        _spread(((row.organisation_id, row.months) for row in exact), months),
        _spread(silent, months),
        _spread(
            ((row.organisation_id, row.months) for row in others if row.overage_quarters), months
        ),
    )


def _spread(rows: Iterable[tuple[UUID, MonthRange]], months: MonthRange) -> set[ClientMonth]:
    return {
        (organisation, month) for organisation, span in rows for month in months if month in span
    }
