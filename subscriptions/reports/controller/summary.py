"""The first sheet: the verdict of the checks, the key figures, two charts and their data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from agency.money import plain_decimal, round_half_away
from agency.month import Month, MonthRange
from subscriptions.models import Invoice, PriceBook, Publication, Tier
from subscriptions.reports import said, style
from subscriptions.reports.chart import Chart, Series, Values
from subscriptions.reports.controller import figures
from subscriptions.reports.controller.checks import Check
from subscriptions.reports.sheet import Cell, Column, Draft, Drawn, Sheet, Table
from subscriptions.reports.style import COUNT, EUROS, HOURS, LEFT_COUNT, MORE_OR_LESS, TEXT, Kind

WIDTHS = (34, 17, 15, 18, 14, 16, 46)
_CHART_HEIGHT = 5.4  # centimetres
_ROW_HEIGHT = 16.0
_BESIDE = 6  # the column of the second table, one after the first one's last


@dataclass(frozen=True, slots=True)
class Summary:
    """What the sheet shows; the mappings hold the last three months at least, by index."""

    month: Month
    checks: Sequence[Check]
    invoiced: Mapping[int, Mapping[str, int]]
    stated: Mapping[int, Mapping[str, int]]
    fees: Mapping[Month, Sequence[tuple[str, int]]]
    utilisations: Sequence[int]


def summary_sheet(summary: Summary) -> Sheet:
    sheet = Sheet(_("Summary"), WIDTHS, cover=True)
    _head(sheet, summary)
    _verdict(sheet, summary.checks)
    key_figures = _key_figures(summary)
    sheet.tables_beside(
        Draft(_("Key figures"), _columns(summary.month), key_figures, row_height=_ROW_HEIGHT)
    )
    sheet.space(8)
    chart_row = sheet.next_row
    sheet.space(_CHART_HEIGHT * 72 / 2.54 + 6)
    sheet.say(_("Figures behind the charts"), style.SIDE_HEAD, 18)
    bands = figures.utilisation_bands(summary.utilisations)
    rows, shares = _invoiced_rows(summary), list(zip(_band_words(), bands, strict=True))
    invoiced, used = sheet.tables_beside(
        Draft(_("Invoiced"), _invoiced_columns(), rows, row_height=_ROW_HEIGHT),
        Draft(_("Utilisation"), _used_columns(), shares, _BESIDE, row_height=_ROW_HEIGHT),
    )
    sheet.charts += [
        _invoiced_chart(sheet, invoiced, summary, f"A{chart_row}"),
        _used_chart(sheet, used, bands, f"E{chart_row}"),
    ]
    return sheet


def _head(sheet: Sheet, summary: Summary) -> None:
    title = _("Month of %(month)s") % {"month": said.long_month(summary.month)}
    sheet.say(title, style.TITLE, 32)
    sheet.say(" · ".join(_subtitles(summary.month)), style.SUBTITLE, 18)
    sheet.add({column: Drawn(style.RULE) for column in range(1, len(WIDTHS) + 1)}, 6)
    sheet.space(8)


def _subtitles(month: Month) -> list[str]:
    parts = [_("For the controller")]
    publication = Publication.objects.filter(month=month).first()
    if publication:
        parts.append(_("closed on %(day)s") % {"day": said.long_day(publication.published_on)})
    sent = Invoice.objects.filter(run_month=month).aggregate(last=Max("invoice_on"))["last"]
    if sent:
        parts.append(_("invoiced on %(day)s") % {"day": said.long_day(sent)})
    book = PriceBook.objects.filter(valid_from__lte=month).order_by("valid_from").last()
    if book:
        parts.append(_("price list %(month)s") % {"month": book.valid_from})
    return parts


def _verdict(sheet: Sheet, checks: Sequence[Check]) -> None:
    failed = [check for check in checks if not check.passes]
    passed = len(checks) - len(failed)
    sentence = ngettext(
        "%(passed)d of %(all)d check PASS", "%(passed)d of %(all)d checks PASS", len(checks)
    ) % {"passed": passed, "all": len(checks)}
    if failed:
        names = "; ".join(check.name[0].lower() + check.name[1:] for check in failed[:2])
        sentence += _(" · %(failed)d FAIL: %(names)s (see Checks).") % {
            "failed": len(failed),
            "names": names,
        }
    text, band = (style.BAD_SENTENCE, style.BAD_BAND) if failed else (style.SENTENCE, style.BAND)
    filled = {column: Drawn(band) for column in range(2, len(WIDTHS) + 1)}
    sheet.add({1: Drawn(text, sentence)} | filled, 24)
    sheet.space(8)


def _columns(month: Month) -> tuple[Column, ...]:
    headings = (
        (_("Key figure"), TEXT),
        (_("Unit"), TEXT),
        (_month_heading(month), COUNT),
        (_month_heading(month - 1), COUNT),
        (_("Difference"), COUNT),
        (_month_heading(month - 2), COUNT),
        (_("Note"), TEXT),
    )
    return tuple(
        Column(heading, width, kind, wraps=width == WIDTHS[-1])
        for (heading, kind), width in zip(headings, WIDTHS, strict=True)
    )


def _month_heading(month: Month) -> str:
    text = said.long_month(month)
    return text[0].upper() + text[1:]


Entry = tuple[str, str, Kind, Callable[[Month], int], str]


def _key_figures(summary: Summary) -> list[Sequence[Any]]:
    rows: list[Sequence[Any]] = []
    month = summary.month
    for name, unit, kind, value, note in _entries(summary):
        now, before, earlier = value(month), value(month - 1), value(month - 2)
        rows.append(
            (
                name,
                unit,
                Cell(now, "strong", kind),
                Cell(before, kind=kind),
                Cell(now - before, kind=MORE_OR_LESS[kind]),
                Cell(earlier, kind=kind),
                note,
            )
        )
    return rows


def _entries(summary: Summary) -> list[Entry]:
    blocked = figures.blocked(MonthRange(summary.month - 2, summary.month + 1))
    number, hours = pgettext("unit", "number"), pgettext("unit", "hours")

    def net(group: str) -> Callable[[Month], int]:
        return lambda month: summary.invoiced[month.index][group]

    def stated(column: str) -> Callable[[Month], int]:
        return lambda month: summary.stated[month.index][column]

    def monthly(tier: str) -> Callable[[Month], int]:
        return lambda month: _monthly_fee(summary.fees[month], tier)

    return [
        (_("Active clients"), number, COUNT, lambda month: len(summary.fees[month]),
         _("The contract runs in the month")),
        (_("Subscriptions a month, basic"), "€", EUROS, monthly(Tier.BASIC),
         _("Yearly fees divided by 12")),
        (_("Subscriptions a month, extended"), "€", EUROS, monthly(Tier.EXTENDED),
         _("Yearly fees divided by 12")),
        (_("Invoiced, subscriptions"), "€", EUROS, net(figures.SUBSCRIPTION),
         _("Net, with setup and tier changes")),
        (_("Invoiced, overage"), "€", EUROS, net(figures.OVERAGE),
         _("Net, from published statements")),
        (_("Invoiced, sessions"), "€", EUROS, net(figures.SESSIONS),
         _("Net, with travel and cancellations")),
        (_("Invoiced, other"), "€", EUROS, net(figures.OTHER),
         _("Net: cards, seats, interest, credits")),
        (_("Statements published"), number, COUNT, stated("statements"),
         _("Periods that closed with the month")),
        (_("Stated use"), hours, HOURS, stated("used"), _("Statements in hours only")),
        (_("Stated overage"), hours, HOURS, stated("overage"), _("All statements")),
        (_("Documents blocked"), number, COUNT, lambda month: blocked.get(month, 0),
         _("See Invoices, last column")),
    ]  # fmt: skip


def _monthly_fee(fees: Sequence[tuple[str, int]], tier: str) -> int:
    return round_half_away(Fraction(sum(fee for of_tier, fee in fees if of_tier == tier), 12))


def _invoiced_columns() -> tuple[Column, ...]:
    return (
        Column(_("Month"), WIDTHS[0]),
        Column(_("Subscriptions (€)"), WIDTHS[1], EUROS),
        Column(_("Overage (€)"), WIDTHS[2], EUROS),
        Column(_("Sessions (€)"), WIDTHS[3], EUROS),
    )


def _last_months(month: Month) -> list[Month]:
    return [month - 2, month - 1, month]


def _invoiced_rows(summary: Summary) -> list[Sequence[Any]]:
    groups = (figures.SUBSCRIPTION, figures.OVERAGE, figures.SESSIONS)
    return [
        (
            said.short_month(month),
            *(summary.invoiced[month.index][group] for group in groups),
        )
        for month in _last_months(summary.month)
    ]


def _used_columns() -> tuple[Column, ...]:
    return (
        Column(_("Utilisation"), WIDTHS[_BESIDE - 1]),
        Column(_("Clients"), WIDTHS[_BESIDE], LEFT_COUNT),
    )


def _band_words() -> list[str]:
    return [
        _("less than 20 %"),
        _("20 to 50 %"),
        _("50 to 90 %"),
        _("90 to 100 %"),
        _("100 % and more"),
    ]


def _values(sheet: Sheet, table: Table, column: int, held: Sequence[str]) -> Values:
    return Values(f"'{sheet.title}'!{table.absolute(column)}", held)


def _invoiced_chart(sheet: Sheet, table: Table, summary: Summary, anchor: str) -> Chart:
    rows = _invoiced_rows(summary)
    months, *groups = zip(*rows, strict=True)
    names = (_("Subscriptions"), _("Overage"), _("Sessions"))
    return Chart(
        title=_("Invoiced per kind (€, net)"),
        description=_("Stacked columns of what was invoiced in the last three months, per kind."),
        anchor=anchor,
        width_cm=15.2,
        height_cm=_CHART_HEIGHT,
        categories=_values(sheet, table, 0, months),
        series=[
            Series(name, _values(sheet, table, at, [plain_decimal(cents) for cents in held]), ink)
            for at, (name, held, ink) in enumerate(
                zip(names, groups, ("chart-1", "chart-2", "chart-3"), strict=True), start=1
            )
        ],
        number_format="#,##0",
        largest=max(sum(cents) for _month, *cents in rows) / 100,
    )


def _used_chart(sheet: Sheet, table: Table, bands: Sequence[int], anchor: str) -> Chart:
    return Chart(
        title=_("Clients by utilisation of their contracted hours"),
        description=_(
            "Bars: the number of clients per band of utilisation, exact statements only."
        ),
        anchor=anchor,
        width_cm=15.0,
        height_cm=_CHART_HEIGHT,
        categories=_values(sheet, table, 0, _band_words()),
        series=[Series(_("Clients"), _values(sheet, table, 1, [str(count) for count in bands]))],
        lying=True,
        largest=max(bands),
    )
