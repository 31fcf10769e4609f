"""A row for each release period of the contract year, the coming ones too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from agency.month import MonthRange
from subscriptions.models import Display, Statement
from subscriptions.reports import said
from subscriptions.reports.client import figures, sentences
from subscriptions.reports.client.position import Position
from subscriptions.reports.sheet import LINED, Cell, Column, Sheet, Table, listing
from subscriptions.reports.style import COUNT, DATE, HOURS
from subscriptions.reports.words import shows

_USE, _OVERAGE = 4, 5


def periods(position: Position) -> tuple[Sheet, Table]:
    """Draw the sheet and its table, which feeds the chart.

    While a contract year has no statement yet, the statements of the one before stand first.
    """
    columns = _columns()
    sheet = listing(_("Per period"), columns, position.organisation.legal_name, frozen="B2")
    rows = [
        *_published(position.of_year_before, earlier=True),
        *_reported_before(position),
        *_published(position.of_year),
        *_coming(position),
    ]
    table = sheet.table(columns, rows)
    _total(sheet, table, position)
    return sheet, table


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Period"), 21),
        Column(pgettext("first day", "From"), 12, DATE),
        Column(pgettext("last day", "To"), 13, DATE),
        Column(_("What the statement shows"), 22),
        Column(_("Use (hours)"), 11, HOURS),
        Column(_("Overage (hours)"), 11, HOURS),
        Column(_("Cumulative within contract (hours)"), 14, HOURS),
        Column(_("Cumulative overage (hours)"), 12, HOURS),
        Column(_("Included in contract year (hours)"), 14, HOURS),
        Column(_("Published on"), 14, DATE),
        Column(_("Version"), 9, COUNT),
        Column(_("Note"), 42, wraps=True),
    )


def _days(months: MonthRange) -> tuple[Any, ...]:
    return said.span(months), months.from_month.first_day, months.last_month.last_day


def _published(
    statements: Sequence[Statement], *, earlier: bool = False
) -> Iterator[Sequence[Any]]:
    for statement, (within, overage) in zip(statements, _cumulative(statements), strict=True):
        note = sentences.note(statement)
        if earlier:
            note = _("Contract year before this one. %(note)s") % {"note": note}
        yield (
            *_days(statement.months),
            shows(statement.display),
            _or_lined(statement.used_quarters),
            statement.overage_quarters,
            _or_lined(within),
            _or_lined(overage),
            statement.allowance_quarters,
            statement.publication.published_on if statement.publication else None,
            statement.version,
            note,
        )


def _or_lined(quarters: int | None) -> int | Cell:
    return LINED if quarters is None else quarters


def _cumulative(statements: Sequence[Statement]) -> list[tuple[int | None, int | None]]:
    """Give use within the contract and overage so far; None from the first that is not exact."""
    not_exact = accumulate(int(row.display != Display.EXACT) for row in statements)
    used = accumulate(row.used_quarters or 0 for row in statements)
    overage = accumulate(row.overage_quarters for row in statements)
    return [
        (None, None) if missing else (max(0, all_used - charged), charged)
        for missing, all_used, charged in zip(not_exact, used, overage, strict=True)
    ]


def _reported_before(position: Position) -> Iterator[Sequence[Any]]:
    months = position.reported_before
    if months is None:
        return
    quiet = [Cell(value, "quiet") for value in (*_days(months), _("Former system"))]
    included = Cell(figures.allowance(position), "quiet")
    note = Cell(_("These months were reported by a former system."), "quiet")
    yield *quiet, LINED, LINED, LINED, LINED, included, None, None, note


def _coming(position: Position) -> Iterator[Sequence[Any]]:
    included = figures.allowance(position)
    for months in position.coming:
        note = _("Expected after %(month)s is closed.") % {
            "month": said.short_month(months.last_month)
        }
        values = (
            *_days(months), _("Not published yet"), None, None, None, None, included, None, None,
            note,
        )  # fmt: skip
        yield [Cell(value, "quiet") for value in values]


def _total(sheet: Sheet, table: Table, position: Position) -> None:
    """Add up what the table states, where every statement in it is exact."""
    statements = position.of_year or position.of_year_before
    if not statements or any(row.display != Display.EXACT for row in statements):
        return
    sums = {
        _USE: sum(row.used_quarters or 0 for row in statements),
        _OVERAGE: sum(row.overage_quarters for row in statements),
    }
    label = _("Total") if position.of_year else _("Total of the year before")
    sheet.total(table, label, sums)
