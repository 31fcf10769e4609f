"""Words for lines, VAT treatments, bands and tiers, the same in every workbook."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from agency.money import plain_decimal
from subscriptions.agreements import Contract, ContractYear
from subscriptions.models import Display, LineKind, Tier, VatCategory


def unit(kind: str) -> str:
    """Name what the quantity of an invoice line counts."""
    return {
        LineKind.FEE: _("instalment"),
        LineKind.TIER_CHANGE: _("instalment"),
        LineKind.OVERAGE: pgettext("unit", "hours"),
        LineKind.SESSION: _("session"),
        LineKind.CANCELLATION: _("session"),
        LineKind.TRAVEL: _("km"),
        LineKind.TOPUP: _("card"),
        LineKind.SEAT: _("seat"),
    }.get(LineKind(kind), pgettext("unit", "once"))


def vat_word(category: str, rate_basis_points: int) -> str:
    """Name a VAT treatment in a table, by its rate where it has one."""
    if category == VatCategory.STANDARD:
        return f"{plain_decimal(rate_basis_points)} %"
    return {
        VatCategory.EXEMPT: _("exempt"),
        VatCategory.REVERSE_CHARGE: _("reversed"),
        VatCategory.OUTSIDE_SCOPE: _("outside EU"),
    }[VatCategory(category)]


def shows(display: str) -> str:
    """Name what a statement shows, in a table."""
    return {
        Display.EXACT: _("Hours"),
        Display.BAND: _("Band"),
        Display.WITHHELD: _("Not stated"),
        Display.ALL_IN: _("All-in"),
    }[Display(display)]


def tier_word(tier: str) -> str:
    return str(Tier(tier).label).capitalize()


def band_of(contract: Contract, year: ContractYear) -> str:
    """Give the band of headcounts whose prices hold in a year: ``51–100`` or ``251+``."""
    band = contract.band(year, contract.tier_in(year.first_month))
    if band is None:
        return ""
    return (
        f"{band.min_headcount}–{band.max_headcount}"
        if band.max_headcount
        else f"{band.min_headcount}+"
    )
