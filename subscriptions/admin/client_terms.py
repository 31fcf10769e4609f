"""What is agreed with a client, and which of it is the default of the agency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from agency.month import Month, MonthRange
from agency.templatetags.figures import euro, hours, long_month, long_period
from subscriptions.admin.client_rows import ClientRows
from subscriptions.models import OveragePolicy, ReleaseChoice, Subscription, Tier

if TYPE_CHECKING:
    from subscriptions.agreements import Contract, ContractYear, Prices


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the contract; ``is_inherited`` is what nobody agreed otherwise with the client."""

    label: str
    value: str
    is_inherited: bool = False
    note: str = ""


def terms(rows: ClientRows) -> list[Term]:
    """Give the terms of the contract in the month that lies nearest to now."""
    assert rows.contract is not None  # noqa: S101  # the page asks where there is one
    row, contract = rows.contract
    month = contract.months.nearest(rows.now)
    year, tier = contract.year_of(month), contract.tier_in(month)
    prices = contract.prices_if_any(year, tier)
    said = [_subscription(rows, contract, year, tier)]
    said += _priced(row, contract, year, prices) if prices else []
    return [*said, *_conditions(rows, row, contract, year)]


def _subscription(rows: ClientRows, contract: Contract, year: ContractYear, tier: str) -> Term:
    coming = [
        gettext("%(tier)s from %(month)s")
        % {"tier": Tier(wanted).label, "month": long_month(since)}
        for since, wanted in contract.tier_changes
        if since > rows.now
    ]
    rests = [
        gettext("paused %(months)s") % {"months": long_period(pause)}
        for pause in contract.pauses
        if pause.until > rows.now
    ]
    people = _people(contract, year, tier)
    text = f"{capfirst(str(Tier(tier).label))}, {people}" if people else str(Tier(tier).label)
    return Term(gettext("Subscription"), text, note="; ".join([*coming, *rests]))


def _people(contract: Contract, year: ContractYear, tier: str) -> str:
    band = contract.band(year, tier)
    if band is None:
        return ""
    if band.max_headcount is None:
        return gettext("%(low)s employees or more") % {"low": band.min_headcount}
    limits = {"low": band.min_headcount, "high": band.max_headcount}
    return gettext("%(low)s–%(high)s employees") % limits


def _priced(
    row: Subscription, contract: Contract, year: ContractYear, prices: Prices
) -> Iterator[Term]:
    own = contract.choices_of(year)
    fee = f"{euro(prices.annual_fee_cents)}, {row.get_billing_interval_display()}"
    yield Term(gettext("Per year, without VAT"), fee, own.own_annual_fee_cents is None)
    sessions = ngettext("%(n)s session", "%(n)s sessions", prices.included_sessions)
    included = f"{hours(prices.included_quarters)}, {sessions % {'n': prices.included_sessions}}"
    inherited = own.own_included_quarters is None and own.own_included_sessions is None
    yield Term(gettext("Included"), included, inherited)
    rate = gettext("%(rate)s an hour") % {"rate": euro(prices.overage_rate_cents)}
    policy = OveragePolicy(own.overage)
    is_billed = policy == OveragePolicy.BILL
    said = f"{rate}, {policy.label}" if is_billed else str(policy.label)
    yield Term(gettext("Extra hours"), said, is_billed and own.own_overage_rate_cents is None)


def _conditions(
    rows: ClientRows, row: Subscription, contract: Contract, year: ContractYear
) -> Iterator[Term]:
    yield Term(gettext("Purchase order"), *_order(rows, row))
    days = ngettext("%(n)s day", "%(n)s days", row.payment_days) % {"n": row.payment_days}
    text = f"{days}, {row.get_collection_display()}"
    yield Term(gettext("Payment term"), text, _is_default(row, "payment_days"))
    asked = contract.choices_of(year).release
    shown = str(ReleaseChoice(asked).label) if asked else gettext("by headcount")
    yield Term(gettext("Statements"), shown, not asked)
    ahead = ngettext("%(n)s month", "%(n)s months", row.notice_months) % {"n": row.notice_months}
    yield Term(gettext("Notice"), ahead, _is_default(row, "notice_months"))
    if row.carry_over_basis_points:
        most = hours(row.carry_over_cap_quarters)
        text = gettext("%(percent)s %% of what is left, %(hours)s at most")
        share = {"percent": row.carry_over_basis_points // 100, "hours": most}
        yield Term(gettext("Carried over"), text % share)


def _order(rows: ClientRows, row: Subscription) -> tuple[str, bool]:
    orders = [
        (number, MonthRange(Month(since), None if until is None else Month(until)))
        for since, until, number in sorted(rows.client.said_orders, key=lambda said: said[0])
    ]
    for number, months in orders:
        if rows.now in months:
            if months.until_month is None:
                return number, False
            last = long_month(months.last_month)
            return gettext("%(number)s, up to %(month)s") % {"number": number, "month": last}, False
    return (gettext("Missing"), False) if row.po_required else (gettext("Not asked for"), True)


def _is_default(row: Subscription, column: str) -> bool:
    field: Any = Subscription._meta.get_field(column)
    return bool(getattr(row, column) == field.get_default())
