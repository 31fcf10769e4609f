"""What a run of the index does with each contract, as a workbook for staff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from agency.models import Agency
from subscriptions.indexation_runs import made_in_the_year
from subscriptions.models import IndexationRun, IndexedContract
from subscriptions.reports import said
from subscriptions.reports.book import Book
from subscriptions.reports.sheet import Column, listing
from subscriptions.reports.style import DATE, EUROS, MONTH

_MORE = 9


def write(run: IndexationRun, rows: Sequence[IndexedContract], language: str) -> bytes:
    with translation.override(language):
        return _book(run, rows, language).to_bytes()


def _book(run: IndexationRun, rows: Sequence[IndexedContract], language: str) -> Book:
    agency, columns = Agency.objects.get(), _columns()
    sheet = listing(_("Indexation"), columns, agency.name, frozen="C2")
    table = sheet.table(columns, [_row(row) for row in rows])
    years = [made_in_the_year(row) for row in rows if not row.left_out]
    more = sum(year.more_cents for year in years if year)
    sheet.total(table, _("Total"), {_MORE: more})
    month = said.long_month(run.effective_month)
    return Book(
        title=_("Indexation from %(month)s") % {"month": month},
        language=language,
        footer=_("%(agency)s · internal, not for clients · %(month)s")
        % {"agency": agency.name, "month": month},
        page_of=_("Page &P of &N"),
        sheets=[sheet],
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Client no."), 12),
        Column(_("Client"), 34, wraps=True),
        Column(_("From"), 11, MONTH),
        Column(_("Old fee (€)"), 13, EUROS),
        Column(_("New fee (€)"), 13, EUROS),
        Column(_("Old rate (€)"), 12, EUROS),
        Column(_("New rate (€)"), 12, EUROS),
        Column(_("Year before (€)"), 14, EUROS),
        Column(_("Year after (€)"), 14, EUROS),
        Column(_("More (€)"), 12, EUROS),
        Column(_("Letter sent"), 13, DATE),
        Column(_("Left out"), 40, wraps=True),
    )


def _row(row: IndexedContract) -> Sequence[Any]:
    organisation = row.subscription.organisation
    year = None if row.left_out else made_in_the_year(row)
    return (
        organisation.code,
        organisation.legal_name,
        row.from_month,
        row.old_annual_fee_cents,
        row.new_annual_fee_cents,
        row.old_overage_rate_cents,
        row.new_overage_rate_cents,
        year.before_cents if year else None,
        year.after_cents if year else None,
        year.more_cents if year else None,
        row.sent_on,
        row.get_left_out_display() if row.left_out else None,
    )
