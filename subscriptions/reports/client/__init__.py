"""The client workbook: six sheets, made from what was published and nothing else.

A client without a contract has two of them: the sessions it ordered, and what they cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.utils import translation
from django.utils.translation import gettext as _

from agency.models import Organisation
from agency.month import Month
from subscriptions.models import Display
from subscriptions.reports import NothingToReportError
from subscriptions.reports.book import Book
from subscriptions.reports.client.contract import contract
from subscriptions.reports.client.costs import costs
from subscriptions.reports.client.explanation import explanation
from subscriptions.reports.client.overview import overview
from subscriptions.reports.client.periods import periods
from subscriptions.reports.client.position import Orders, Position, positions
from subscriptions.reports.client.sessions import sessions
from subscriptions.reports.sheet import Sheet


def write(organisation: Organisation, month: Month) -> bytes:
    """Give the workbook of a client after the close of ``month``, in the client's language.

    The same database gives the same bytes. Raises NothingToReportError where no contract of the
    client begins by the month after, whose fee is billed already, and nothing was ordered.
    """
    for _organisation, content in write_many([organisation], month):
        return content
    raise NothingToReportError(organisation.code)


def write_many(
    organisations: Sequence[Organisation], month: Month
) -> Iterator[tuple[Organisation, bytes]]:
    """Give the workbooks of many clients one by one; who had and ordered nothing is left out."""
    for position in positions(organisations, month):
        with translation.override(position.organisation.language):
            content = _book(position).to_bytes()
        yield position.organisation, content


def _book(position: Orders) -> Book:
    return Book(
        title=f"{_('Overview')} {position.organisation.legal_name}",
        language=position.organisation.language,
        footer=_("%(agency)s · for the client only") % {"agency": position.shared.agency.name},
        page_of=_("Page &P of &N"),
        sheets=_sheets(position),
    )


def _sheets(position: Orders) -> list[Sheet]:
    if not isinstance(position, Position):
        return [sessions(position), costs(position)]
    by_period, table = periods(position)
    exact = {row.display for row in position.of_year} == {Display.EXACT}
    return [
        overview(position, (by_period, table) if exact else None),
        by_period,
        sessions(position),
        costs(position),
        contract(position),
        explanation(position),
    ]
