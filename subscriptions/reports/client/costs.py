"""A row for each line of each document sent: every euro explained."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from agency.month import MonthRange
from agency.templatetags.figures import euro
from subscriptions.models import (
    BlockedReason,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    LineKind,
)
from subscriptions.reports import said, style
from subscriptions.reports.client.position import Orders, Position
from subscriptions.reports.sheet import Cell, Column, Sheet, Table, listing
from subscriptions.reports.style import DATE, EUROS, QUANTITY
from subscriptions.reports.words import unit, vat_word
from subscriptions.wording import of_served

_VAT_KIND, _NET, _VAT, _TOTAL = 9, 10, 11, 12


def costs(position: Orders) -> Sheet:
    """Draw the sheet: the documents of the runs since the month before the year.

    The first fee of a contract year falls due in that run.
    """
    columns = _columns()
    sheet = listing(_("Costs"), columns, position.organisation.legal_name, frozen="B2")
    since = position.since - 1
    documents = [row for row in position.documents if row.run_month >= since]
    lines = [(document, line) for document in documents for line in document.lines.all()]
    table = sheet.table(columns, [_row(document, line) for document, line in lines])
    if lines:
        _totals(sheet, table, [line for _document, line in lines])
    elif isinstance(position, Position):
        sheet.space(7)
        sheet.say(_("No invoices in this contract year yet."), style.REMARK, 20)
    for document in position.blocked:
        sheet.space(10)
        _say_blocked(sheet, document)
    return sheet


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Invoice"), 16),
        Column(_("Invoice date"), 15, DATE),
        Column(_("Due date"), 14, DATE),
        Column(_("Description"), 34, wraps=True),
        Column(_("Period from"), 13, DATE),
        Column(_("Period to"), 13, DATE),
        Column(_("Quantity"), 9, QUANTITY),
        Column(_("Unit"), 13),
        Column(_("Price (€)"), 11, EUROS),
        Column(_("VAT kind"), 12),
        Column(_("Net (€)"), 12, EUROS),
        Column(_("VAT (€)"), 11, EUROS),
        Column(_("Total (€)"), 12, EUROS),
        Column(_("Status"), 11),
    )


def _row(document: Invoice, line: InvoiceLine) -> Sequence[Any]:
    word, tone = _standing(document)
    return (
        document.number,
        document.invoice_on,
        document.due_on,
        of_served(document, line.description),
        line.from_month.first_day,
        (line.until_month - 1).last_day,
        line.quantity_hundredths,
        unit(line.kind_of_thing),
        line.unit_cents,
        vat_word(line.vat_category, line.vat_rate_basis_points),
        line.net_cents,
        line.vat_cents,
        line.net_cents + line.vat_cents,
        Cell(word, tone),
    )


def _standing(document: Invoice) -> tuple[str, str]:
    if document.kind == InvoiceKind.CREDIT:
        return pgettext("invoice", "Credit"), ""
    if document.state == InvoiceState.PAID:
        return pgettext("invoice", "Paid"), "good"
    return pgettext("invoice", "Open"), ""


def _totals(sheet: Sheet, table: Table, lines: Sequence[InvoiceLine]) -> None:
    net = sum(line.net_cents for line in lines)
    vat = sum(line.vat_cents for line in lines)
    sheet.total(table, _("Total"), {_NET: net, _VAT: vat, _TOTAL: net + vat})
    for word, (net, vat) in _by_treatment(lines):
        label = pgettext("total", "of which %(what)s") % {"what": word}
        sums = {_NET: net, _VAT: vat, _TOTAL: net + vat}
        sheet.part_of_total(table, label, (_VAT_KIND, word), sums)


def _by_treatment(lines: Sequence[InvoiceLine]) -> Iterator[tuple[str, tuple[int, int]]]:
    sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for line in lines:
        word = vat_word(line.vat_category, line.vat_rate_basis_points)
        net, vat = sums[word]
        sums[word] = net + line.net_cents, vat + line.vat_cents
    yield from sorted(sums.items())


def _say_blocked(sheet: Sheet, document: Invoice) -> None:
    lines = list(document.lines.all())
    since = min(line.from_month for line in lines)
    months = MonthRange(since, max(line.until_month for line in lines))
    sentence = _("Not invoiced yet: %(what)s, %(amount)s excl. VAT. %(reason)s") % {
        "what": _what(lines, months),
        "amount": euro(document.net_cents),
        "reason": _reason(document, said.long_month(since)),
    }
    sheet.say(sentence, style.STRONG_REMARK, 20)


def _what(lines: Sequence[InvoiceLine], months: MonthRange) -> str:
    kinds = {line.kind for line in lines}
    if kinds == {LineKind.FEE}:
        return _("subscription %(months)s") % {"months": said.span(months)}
    if len(lines) == 1:
        return f"{lines[0].description} {said.span(months)}"
    return ngettext("%(count)d line", "%(count)d lines for %(months)s", len(lines)) % {
        "count": len(lines),
        "months": said.span(months),
    }


def _reason(document: Invoice, since: str) -> str:
    return {
        BlockedReason.PO_MISSING: _("We are missing your purchase order number from %(month)s on.")
        % {"month": since},
        BlockedReason.PO_SPENT: _("The budget of your purchase order is used up."),
        BlockedReason.VAT_ID_PENDING: _("We are still checking your VAT number."),
        BlockedReason.INCOMPLETE: _(
            "We are missing a part of your address or trade register number."
        ),
        BlockedReason.BOUND: _("We are looking at it once more."),
    }[BlockedReason(document.blocked_reason)]
