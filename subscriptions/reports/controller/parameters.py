"""What the month's figures were worked out with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from agency.models import Agency
from agency.month import Month
from subscriptions.models import (
    CpiValue,
    PriceBook,
    Publication,
    ReleasePolicy,
    TaxTreatment,
)
from subscriptions.reports.sheet import Cell, Column, Entry, Sheet, by_group, listing
from subscriptions.reports.style import COUNT, DATE, EUROS, MONTH, PERCENT, RIGHT_TEXT, Kind
from subscriptions.reports.words import vat_word
from workshops.models import CancellationRung

THOUSANDTHS = Kind("#,##0.000", lambda number: f"{number // 1000}.{number % 1000:03d}")


def parameters_sheet(month: Month, agency: Agency) -> Sheet:
    columns = (
        Column(_("Group"), 22),
        Column(_("Item"), 46, wraps=True),
        Column(_("Value"), 20, RIGHT_TEXT),
        Column(_("Unit"), 16),
        Column(_("Note"), 50, wraps=True),
    )
    sheet = listing(_("Parameters"), columns, agency.name, frozen="A2")
    sheet.table(columns, _rows(month, agency))
    return sheet


def _rows(month: Month, agency: Agency) -> Iterator[Sequence[Any]]:
    return by_group(
        (_("Month"), _month(month)),
        (_("Prices"), _prices(month, agency)),
        (_("Release policy"), _policy()),
        (pgettext("group", "VAT"), _vat(month)),
        (_("Cancellation ladder"), _ladder()),
        (_("Price index"), _index(month)),
    )


def _month(month: Month) -> Iterator[Entry]:
    yield _("Closed month"), Cell(month, kind=MONTH), "", ""
    publication = Publication.objects.filter(month=month).first()
    published_on = publication.published_on if publication else None
    yield _("Published on"), Cell(published_on, kind=DATE), "", ""


def _prices(month: Month, agency: Agency) -> Iterator[Entry]:
    for book in PriceBook.objects.filter(valid_from__lte=month).order_by("-valid_from")[:1]:
        note = _("For contract years that begin in or after this month")
        yield _("Price list"), Cell(book.valid_from, kind=MONTH), "", note
    yield _("Travel"), Cell(agency.km_rate_cents, kind=EUROS), _("€ a km"), ""


def _policy() -> Iterator[Entry]:
    policy = ReleasePolicy.objects.order_by("version").last()
    if policy is None:
        return
    yield _("Version"), Cell(policy.version, kind=COUNT), "", ""
    for item, value, unit in (
        (_("Per month from"), policy.month_from_headcount, _("people")),
        (_("Per quarter from"), policy.quarter_from_headcount, _("people")),
        (_("Hours are stated from"), policy.figures_from_headcount, _("people")),
        (_("Least length at the end, quarterly"), policy.quarter_least_months, _("months")),
        (_("Least length at the end, yearly"), policy.year_least_months, _("months")),
    ):
        yield item, Cell(value, kind=COUNT), unit, ""


def _vat(month: Month) -> Iterator[Entry]:
    rows = TaxTreatment.objects.filter(valid_from__lte=month).order_by("category", "valid_from")
    newest = {row.category: row for row in rows}
    for row in newest.values():
        rate = Cell(row.rate_basis_points, kind=PERCENT)
        item = f"{row.category} · {row.get_category_display()}"
        yield item, rate, "", row.exemption_code or vat_word(row.category, row.rate_basis_points)


def _ladder() -> Iterator[Entry]:
    for rung in CancellationRung.objects.order_by("-days_before"):
        item = _("%(days)d days before or more") % {"days": rung.days_before}
        yield item, Cell(rung.percent * 100, kind=PERCENT), _("of the price"), ""


def _index(month: Month) -> Iterator[Entry]:
    for row in CpiValue.objects.filter(month__lte=month).order_by("-month", "series")[:4]:
        value = Cell(row.value_thousandths, kind=THOUSANDTHS)
        year = pgettext("of an index", "%(year)d = 100") % {"year": row.reference_year}
        yield f"{row.series} {row.month}", value, year, row.source
