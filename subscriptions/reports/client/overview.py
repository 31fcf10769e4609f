"""The first sheet: one page that an HR contact understands in a minute."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from subscriptions.models import Display
from subscriptions.reports import said, style
from subscriptions.reports.chart import Chart, Series, Values
from subscriptions.reports.client import figures, sentences
from subscriptions.reports.client.position import Position
from subscriptions.reports.client.rights import rights
from subscriptions.reports.sheet import Column, Drawn, Sheet, Table
from subscriptions.reports.style import COUNT_AMONG_HOURS, HOURS, TEXT, Look
from subscriptions.reports.words import band_of, tier_word

WIDTHS = (31, 16, 13, 13, 13, 18, 58)
_BESIDE_CHART = 7  # the column of the answers, right of the chart
_PLACES_OF_FIGURES = (1, 2, 4, 6)
_CHART_ROWS = 16


def overview(position: Position, periods: tuple[Sheet, Table] | None) -> Sheet:
    """Draw the sheet; ``periods`` holds the cells of the chart, None where no chart is due."""
    sheet = Sheet(_("Overview"), WIDTHS, cover=True)
    _head(sheet, position)
    _facts(sheet, position)
    _key_figures(sheet, position)
    sheet.add(
        {1: Drawn(style.SENTENCE, sentences.message(position))}
        | {column: Drawn(style.BAND) for column in range(2, len(WIDTHS) + 1)},
        24,
    )
    sheet.space(10)
    sheet.table(_columns(), rights(position))
    sheet.space(10)
    if periods is None:
        _answers_below(sheet, position)
    else:
        first = sheet.next_row
        _answers_beside(sheet, position)
        sheet.charts.append(_chart(position, *periods, anchor=f"A{first}"))
        sheet.print_rows = first + _CHART_ROWS - 1
    return sheet


def _head(sheet: Sheet, position: Position) -> None:
    sheet.say(position.organisation.legal_name, style.TITLE, 32)
    sheet.say(_subtitle(position), style.SUBTITLE, 18)
    sheet.add({column: Drawn(style.RULE) for column in range(1, len(WIDTHS) + 1)}, 6)
    sheet.space(10)


def _subtitle(position: Position) -> str:
    if not position.statements:
        return _("External confidential counsellor · before the first publication")
    return _("External confidential counsellor · position after the publication of %(months)s") % {
        "months": said.span(position.statements[-1].months)
    }


def _facts(sheet: Sheet, position: Position) -> None:
    facts = (
        (1, _("Client number and plan"), _plan(position)),
        (2, _("Contract year"), said.days(position.year.months)),
        (4, pgettext("of an organisation", "Headcount"), _headcount(position)),
        (7, _("Published"), _published(position)),
    )
    sheet.add({column: Drawn(style.FACT_LABEL, label) for column, label, _fact in facts}, 14)
    sheet.add({column: Drawn(style.FACT, fact) for column, _label, fact in facts}, 17)
    sheet.space(10)


def _plan(position: Position) -> str:
    tier = position.contract.tier_in(position.year.months.last_month)
    return f"{position.organisation.code} · {tier_word(tier)}"


def _headcount(position: Position) -> str:
    contract, year = position.contract, position.year
    headcount = contract.headcount(year.months.nearest(position.month))
    people = _("%(people)d employees") % {"people": headcount}
    band = band_of(contract, year)
    return " · ".join([people, _("band %(band)s") % {"band": band}]) if band else people


def _published(position: Position) -> str:
    if not position.statements:
        return _("Not published yet")
    last = position.statements[-1]
    version = _("version %(number)d") % {"number": last.version}
    if last.publication is None:
        return version
    return f"{said.long_day(last.publication.published_on)} · {version}"


def _key_figures(sheet: Sheet, position: Position) -> None:
    labels = (
        _("Included (hours)"), _("Used (hours)"), _("Remaining (hours)"), _("Overage (hours)"),
    )  # fmt: skip
    shown = (
        figures.allowance(position),
        figures.used(position),
        figures.remaining(position),
        figures.overage(position),
    )
    places = _PLACES_OF_FIGURES
    sheet.add(
        {at: Drawn(style.FIGURE_LABEL, label) for at, label in zip(places, labels, strict=True)}, 15
    )
    sheet.add({at: _figure(position, figure) for at, figure in zip(places, shown, strict=True)}, 33)
    missing = [at for at, figure in zip(places, shown, strict=True) if figure is None]
    sheet.add({at: Drawn(style.LINING) for at in missing}, 6)


def _figure(position: Position, quarters: int | None) -> Drawn:
    if quarters is not None:
        return Drawn(style.FIGURE, quarters, HOURS)
    if not position.of_year and not figures.is_all_in(position):
        return Drawn(style.NO_FIGURE, _("not published yet"))
    banded = any(row.display == Display.BAND for row in position.of_year)
    return Drawn(style.NO_FIGURE, _("not stated as a figure") if banded else _("not stated"))


def _columns() -> tuple[Column, ...]:
    headings = (
        (pgettext("right", "Item"), TEXT), (_("Unit"), TEXT), (_("Included"), COUNT_AMONG_HOURS),
        (_("Used"), COUNT_AMONG_HOURS), (_("Remaining"), COUNT_AMONG_HOURS),
        (_("Beyond included"), COUNT_AMONG_HOURS), (_("Note"), TEXT),
    )  # fmt: skip
    return tuple(
        Column(heading, width, kind, wraps=width == WIDTHS[-1])
        for (heading, kind), width in zip(headings, WIDTHS, strict=True)
    )


def _answers_below(sheet: Sheet, position: Position) -> None:
    for question, answer in sentences.answers(position):
        sheet.say(question, style.SIDE_HEAD, 20)
        for line in _broken(answer, sum(WIDTHS), style.LONG_TEXT):
            sheet.say(line, style.LONG_TEXT, 15)
        sheet.space(10)


def _broken(text: str, width: float, look: Look) -> list[str]:
    """Break a text that runs over empty cells, which cannot wrap it, at the width of the page."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and style.lines_needed(longer, width, look) == 1:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _answers_beside(sheet: Sheet, position: Position) -> None:
    for question, answer in sentences.answers(position):
        sheet.say(question, style.SIDE_HEAD, 20, column=_BESIDE_CHART)
        sheet.say(answer, style.SIDE_TEXT, 35, column=_BESIDE_CHART)


def _chart(position: Position, sheet: Sheet, table: Table, anchor: str) -> Chart:
    """Draw the year's use on the cells of the sheet of periods."""
    rows = [row.cells for row in sheet.rows[table.heading_row : table.last_row]]

    def values(column: int) -> Values:
        held = [_written(cells[column + 1]) for cells in rows]
        return Values(f"'{sheet.title}'!{table.absolute(column)}", held)

    stated = sum(row.used_quarters or 0 for row in position.of_year)
    return Chart(
        title=_("Use in this contract year, cumulative (hours)"),
        description=_(
            "Columns for each period of the contract year: hours used within the contracted hours "
            "and overage, cumulative, against the included hours. %(message)s"
        )
        % {"message": sentences.message(position)},
        anchor=anchor,
        width_cm=18.2,
        height_cm=8.0,
        categories=values(0),
        series=(
            Series(_("Within contracted hours"), values(6), "chart-1"),
            Series(_("Overage"), values(7), "chart-2"),
        ),
        line=Series(_("Included in the contract year"), values(8), "ink"),
        largest=max(stated, figures.allowance(position)) / 4,
    )


def _written(cell: Drawn) -> str:
    if cell.value is None:
        return ""
    return cell.kind.write(cell.value) if cell.kind.write else str(cell.value)
