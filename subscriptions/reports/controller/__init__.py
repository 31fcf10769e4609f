"""The controller workbook: the closed month of the whole agency, for staff only."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from agency.models import Agency
from agency.month import Month, MonthRange
from subscriptions import contracts
from subscriptions.reports import said
from subscriptions.reports.book import Book
from subscriptions.reports.controller import figures
from subscriptions.reports.controller.advisors import advisors_sheet
from subscriptions.reports.controller.checks import Books, checks, checks_sheet
from subscriptions.reports.controller.clients import clients, clients_sheet, yearly_fees
from subscriptions.reports.controller.invoices import invoices_sheet
from subscriptions.reports.controller.parameters import parameters_sheet
from subscriptions.reports.controller.periods import periods_sheet
from subscriptions.reports.controller.sessions import sessions_sheet
from subscriptions.reports.controller.summary import Summary, summary_sheet

_MONTHS_COMPARED = 3


def write(
    month: Month, *, on: dt.date | None = None, language: str = settings.LANGUAGE_CODE
) -> bytes:
    """Give the workbook of a closed month: the calendar year up to it.

    ``on`` is the day against which due dates are held; without it nothing is called late. The
    same database, day and language give the same bytes.
    """
    with translation.override(language):
        return _book(month, on, language).to_bytes()


def _book(month: Month, on: dt.date | None, language: str) -> Book:
    agency = Agency.objects.get()
    year = MonthRange(Month.of(month.year, 1), month + 1)
    compared = MonthRange(min(year.from_month, month - _MONTHS_COMPARED + 1), month + 1)
    loaded = contracts.load()
    statements = figures.stated(compared)
    of_year = statements[statements["closed_with"] >= year.from_month.index]
    last = figures.last_statements(list(loaded), month)
    rows = clients(loaded, last, figures.revenue(year), month)
    made = checks(Books(month, year, of_year, loaded, on))
    summary = Summary(
        month=month,
        checks=made,
        invoiced=figures.by_month(figures.invoiced(compared)),
        stated=figures.by_month(figures.statement_totals(statements, compared)),
        fees={each: list(yearly_fees(loaded, each)) for each in compared},
        utilisations=[row.utilisation for row in rows if row.utilisation is not None],
    )
    return Book(
        title=_("Month of %(month)s") % {"month": said.long_month(month)},
        language=language,
        footer=_("%(agency)s · internal, not for clients · %(month)s")
        % {"agency": agency.name, "month": said.long_month(month)},
        page_of=_("Page &P of &N"),
        sheets=[
            summary_sheet(summary),
            clients_sheet(rows, month, agency.name),
            periods_sheet(of_year, agency.name),
            advisors_sheet(figures.advisor_months(year), agency.name),
            sessions_sheet(month, agency.name),
            invoices_sheet(year, agency.name, on),
            checks_sheet(made, agency.name),
            parameters_sheet(month, agency),
        ],
    )
