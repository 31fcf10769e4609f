"""The workbook of a VAT return: boxes, intra-community services, and the documents behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import F, Sum
from django.utils import translation
from django.utils.translation import gettext as _

from agency.models import Agency
from agency.month import MonthRange
from subscriptions import vat_returns
from subscriptions.models import InvoiceKind, VatCategory
from subscriptions.reports import said
from subscriptions.reports.book import Book
from subscriptions.reports.sheet import Column, Sheet, listing
from subscriptions.reports.style import DATE, EUROS, PERCENT
from subscriptions.vat_returns import VatReturn
from subscriptions.write_offs import word


def write(months: MonthRange, *, language: str = settings.LANGUAGE_CODE) -> bytes:
    """Give the workbook of a period; the same database and language give the same bytes."""
    with translation.override(language):
        agency, found = Agency.objects.get(), vat_returns.vat_return(months)
        title = _("VAT return of %(months)s") % {"months": said.long_span(months)}
        return Book(
            title=title,
            language=language,
            footer=_("%(agency)s · internal, not for clients · %(month)s")
            % {"agency": agency.name, "month": said.long_span(months)},
            page_of=_("Page &P of &N"),
            sheets=[
                _boxes_sheet(found, agency.name),
                _services_sheet(found, agency.name),
                _documents_sheet(months, agency.name),
            ],
        ).to_bytes()


def _boxes_sheet(found: VatReturn, right: str) -> Sheet:
    columns = (
        Column(_("Box"), 8),
        Column(_("VAT category"), 26),
        Column(_("Rate"), 9, PERCENT),
        Column(_("Net (€)"), 15, EUROS),
        Column(_("VAT (€)"), 15, EUROS),
    )
    rows = [
        [
            box.box or None,
            ", ".join(filter(None, (str(box.category.label), box.about))),
            box.rate_basis_points,
            box.net_cents,
            box.vat_cents,
        ]
        for box in found.boxes
    ]
    sheet = listing(_("VAT return"), columns, right, frozen="A2")
    table = sheet.table(columns, rows)
    sheet.total(table, _("Total"), {3: found.net_cents, 4: found.vat_cents})
    return sheet


def _services_sheet(found: VatReturn, right: str) -> Sheet:
    columns = (
        Column(_("VAT id"), 18),
        Column(_("Client"), 40, wraps=True),
        Column(_("Net (€)"), 15, EUROS),
    )
    rows = [[row.vat_id, row.buyer, row.net_cents] for row in found.services]
    sheet = listing(_("ICP list"), columns, right, frozen="A2")
    sheet.total(sheet.table(columns, rows), _("Total"), {2: found.services_cents})
    return sheet


def _documents_sheet(months: MonthRange, right: str) -> Sheet:
    columns = (
        Column(_("Number"), 17),
        Column(_("Invoice date"), 14, DATE),
        Column(_("Kind"), 13),
        Column(_("Client"), 40, wraps=True),
        Column(_("VAT id"), 18),
        Column(_("VAT category"), 22),
        Column(_("Rate"), 9, PERCENT),
        Column(_("Net (€)"), 15, EUROS),
        Column(_("VAT (€)"), 15, EUROS),
    )
    rows = [*_documents(months), *_losses(months)]
    sheet = listing(_("Documents"), columns, right, frozen="B2")
    table = sheet.table(columns, rows)
    sheet.total(table, _("Total"), {at: sum(row[at] for row in rows) for at in (7, 8)})
    return sheet


def _losses(months: MonthRange) -> Iterator[list[Any]]:
    for loss in vat_returns.losses_in(months):
        invoice = loss.write_off.invoice
        yield [
            invoice.number,
            loss.vat_on,
            word(is_recovered=loss.is_recovered),
            invoice.buyer_name,
            invoice.buyer_vat_id or None,
            str(VatCategory(loss.category).label),
            loss.rate_basis_points,
            loss.net_cents,
            loss.vat_cents,
        ]


def _documents(months: MonthRange) -> Iterator[list[Any]]:
    """Give a row per document, category and rate, so that each box can be followed to them."""
    rows = vat_returns.sent_lines(months).values(
        "vat_category",
        "vat_rate_basis_points",
        number=F("invoice__number"),
        on=F("invoice__invoice_on"),
        document=F("invoice__kind"),
        buyer=F("invoice__buyer_name"),
        vat_id=F("invoice__buyer_vat_id"),
    )
    sums = rows.annotate(net=Sum("net_cents"), vat=Sum("vat_cents"))
    for row in sums.order_by("on", "number", "vat_category", "vat_rate_basis_points"):
        yield [
            row["number"],
            row["on"],
            str(InvoiceKind(row["document"]).label),
            row["buyer"],
            row["vat_id"] or None,
            str(VatCategory(row["vat_category"]).label),
            row["vat_rate_basis_points"],
            row["net"],
            row["vat"],
        ]
