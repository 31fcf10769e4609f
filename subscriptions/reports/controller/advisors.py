"""Hours and cost per advisor and month, over all clients together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from advisors.models import Advisor, CostRate, Qualification
from agency.money import round_half_away
from agency.month import Month
from subscriptions.reports.sheet import LINED, Cell, Column, Sheet, listing
from subscriptions.reports.style import DATE, EUROS, MONTH, QUARTERS

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

_HOURS, _COST = 4, 6


def advisors_sheet(hours: pd.DataFrame, right: str) -> Sheet:
    columns = _columns()
    sheet = listing(pgettext("sheet", "Advisors"), columns, right, frozen="C2")
    rows = list(_rows(hours))
    table = sheet.table(columns, rows)
    if rows:
        sums = {
            column: sum(value for row in rows if isinstance(value := row[column], int))
            for column in (_HOURS, _COST)
        }
        sheet.total(table, _("Total"), sums)
    return sheet


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Code"), 12),
        Column(_("Name"), 30, wraps=True),
        Column(_("Month"), 12, MONTH),
        Column(_("All handed in"), 14),
        Column(_("Hours, all clients"), 13, QUARTERS),
        Column(_("Rate (€ an hour)"), 14, EUROS),
        Column(_("Cost (€)"), 14, EUROS),
        Column(_("Certificate until"), 15, DATE),
        Column(_("Note"), 46, wraps=True),
    )


def _rows(hours: pd.DataFrame) -> Iterator[Sequence[Any]]:
    import pandas as pd

    people = Advisor.objects.select_related("user").in_bulk(list(set(hours["advisor"])))
    rates, certificates = _rates(), _certificates()
    ordered = sorted(
        hours.to_dict("records"), key=lambda row: (people[row["advisor"]].code, row["month"])
    )
    for row in ordered:
        advisor, month = people[row["advisor"]], Month(row["month"])
        rate = _rate_in(rates.get(advisor.pk, []), month)
        quarters = None if pd.isna(row["quarters"]) else int(row["quarters"])
        yield (
            advisor.code,
            advisor.user.name,
            month,
            _("yes") if row["submitted"] else Cell(_("no"), "wait"),
            LINED if quarters is None else quarters,
            rate,
            LINED if quarters is None else _cost(quarters, rate),
            certificates.get(advisor.pk),
            _("Left out: it would tell the unpublished hours of one client.")
            if quarters is None
            else None,
        )


def _cost(quarters: int, rate_cents: int | None) -> int | None:
    return None if rate_cents is None else round_half_away(Fraction(quarters * rate_cents, 4))


def _rates() -> dict[UUID, list[tuple[Month, int]]]:
    rates: dict[UUID, list[tuple[Month, int]]] = {}
    for row in CostRate.objects.order_by("from_month"):
        rates.setdefault(row.advisor_id, []).append((row.from_month, row.rate_cents))
    return rates


def _rate_in(rates: Sequence[tuple[Month, int]], month: Month) -> int | None:
    valid = [rate for since, rate in rates if since <= month]
    return valid[-1] if valid else None


def _certificates() -> dict[UUID, dt.date]:
    rows = Qualification.objects.order_by("valid_until")
    return dict(rows.values_list("advisor", "valid_until"))
