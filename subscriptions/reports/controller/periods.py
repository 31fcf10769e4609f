"""The closed periods of all clients, as their statements show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from agency.month import Month, MonthRange
from subscriptions.models import Display
from subscriptions.reports.sheet import LINED, Cell, Column, Sheet, listing
from subscriptions.reports.style import COUNT, DATE, EUROS, HOURS
from subscriptions.reports.words import shows

if TYPE_CHECKING:
    import pandas as pd

_USE, _OVERAGE, _NET = 6, 8, 9


def periods_sheet(statements: pd.DataFrame, right: str) -> Sheet:
    """Draw the sheet; a band is never turned into a number."""
    columns = _columns()
    sheet = listing(pgettext("sheet", "Periods"), columns, right, frozen="C2")
    table = sheet.table(columns, _rows(statements))
    if len(statements):
        sheet.total(
            table,
            _("Total"),
            {
                _USE: int(statements["used_quarters"].sum()),
                _OVERAGE: int(statements["overage_quarters"].sum()),
                _NET: int(statements["overage_net_cents"].sum()),
            },
        )
    return sheet


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Client no."), 13),
        Column(_("Name"), 36, wraps=True),
        Column(pgettext("first day", "From"), 13, DATE),
        Column(pgettext("last day", "To"), 13, DATE),
        Column(_("Length (months)"), 11, COUNT),
        Column(_("What the statement shows"), 20),
        Column(_("Use (hours)"), 12, HOURS),
        Column(_("Included in the year (hours)"), 12, HOURS),
        Column(_("Overage (hours)"), 12, HOURS),
        Column(_("Overage (€, net)"), 14, EUROS),
        Column(_("Published on"), 15, DATE),
        Column(_("Version"), 9, COUNT),
    )


def _rows(statements: pd.DataFrame) -> Iterator[Sequence[Any]]:
    for row in statements.to_dict("records"):
        months = MonthRange(Month(row["from_month"]), Month(row["until_month"]))
        exact = row["display"] == Display.EXACT
        yield (
            row["code"],
            row["name"],
            months.from_month.first_day,
            months.last_month.last_day,
            len(months),
            Cell(shows(row["display"]), "" if exact else "kept"),
            row["used_quarters"] if exact else LINED,
            row["allowance_quarters"],
            row["overage_quarters"],
            row["overage_net_cents"],
            row["published_on"],
            row["version"],
        )
