"""VAT per line and once per category and rate of a document (design 5.8). No database."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from agency.money import round_half_away
from agency.month import Month
from agency.particulars import countries

STANDARD, EXEMPT, REVERSE_CHARGE, OUTSIDE_SCOPE = "S", "E", "AE", "O"
HOME = "NL"
WHOLE = 10_000  # basis points
# Member states of the European Union by ISO 3166 code.
EU_COUNTRIES = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)


def last_invoice_day(month: Month) -> dt.date:
    """Give the last day on which the law lets services of a month be invoiced (design 5.9)."""
    return (month + 1).first_day.replace(day=15)


def may_reverse(country: str, vat_id: str) -> bool:
    """Tell whether the VAT is reversed to a buyer once its VAT id is checked.

    A Dutch id of a buyer elsewhere says that it is taxed here: no list of services would take it.
    """
    elsewhere = country in EU_COUNTRIES and country != HOME
    return elsewhere and vat_id[:2] not in {"", HOME}


def category(*, country: str, vat_id: str, vat_id_checked: bool, exempt: bool) -> str:
    """Give the VAT category of a line to a buyer.

    ``exempt`` says that the line is vocational education of an agency registered with CRKBO.
    Raises ``ValueError`` for what is no country: no slip of the keyboard is outside the EU.
    """
    if country not in countries():
        raise ValueError(f"{country!r} is no country")
    if country not in EU_COUNTRIES:
        return OUTSIDE_SCOPE
    if vat_id_checked and may_reverse(country, vat_id):
        return REVERSE_CHARGE
    return EXEMPT if exempt else STANDARD


def allocate(lines: Sequence[tuple[int, str, int]]) -> list[int]:
    """Give each line's VAT in cents; ``lines`` are (net cents, category, rate in basis points).

    Each category and rate is rounded once; a line gets its share rounded down, and the cents left
    over go to the largest remainders, the first line first.
    """
    vat = [0] * len(lines)
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for position, (_, kind, rate) in enumerate(lines):
        groups[kind, rate].append(position)
    for (_, rate), positions in groups.items():
        rest = {}
        for p in positions:
            vat[p], rest[p] = divmod(lines[p][0] * rate, WHOLE)
        whole = round_half_away(sum(lines[p][0] for p in positions) * rate, WHOLE)
        left = whole - sum(vat[p] for p in positions)
        for p in sorted(positions, key=lambda p: (-rest[p], p))[:left]:
            vat[p] += 1
    return vat
