"""Which new terms a contract may still get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from advisors.hours import is_closed
from subscriptions import contracts
from subscriptions.agreements import NoPriceError
from subscriptions.models import OF_A_YEAR, Terms, TermsReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agency.month import Month
    from subscriptions.models import Subscription


class VersionRefusedError(ValidationError):
    """Terms that may not be; holds the sentence to show by the name of its column."""


def refuse(contract: Subscription, from_month: Month, reason: str) -> None:
    """Raise VersionRefusedError for terms of closed months, which were published and charged.

    Only a contract that is entered late begins in a closed month, and prices are agreed late for a
    contract year that has none: nothing of it was published or charged. A contract starts once,
    and only a run of the index writes terms of indexation.
    """
    if reason == TermsReason.INDEXATION:
        raise VersionRefusedError({"reason": _("Prices are indexed by an indexation run.")})
    starts = reason == TermsReason.START
    if starts and Terms.objects.filter(subscription=contract.pk, reason=reason).exists():
        raise VersionRefusedError({"reason": _("A contract starts once: choose another reason.")})
    if is_closed(from_month) and not (
        (starts and not contracts.is_in_use(contract)) or _waits_for_a_price(contract, from_month)
    ):
        raise VersionRefusedError(
            {"from_month": _("This month is closed. New terms begin in a month that is open.")}
        )


def refuse_another_year(contract: Subscription) -> None:
    """Raise VersionRefusedError for a contract year other than the one that is kept."""
    kept = contracts.kept_year(contract)
    if contract.year_starts_in and kept not in {None, contract.year_starts_in}:
        text = _("It keeps the contract year of the contract before it, from month %(month)d on.")
        raise VersionRefusedError({"year_starts_in": ValidationError(text, params={"month": kept})})


def _waits_for_a_price(contract: Subscription, from_month: Month) -> bool:
    """Tell whether a month begins a contract year that has no price yet."""
    agreed = contracts.load([contract.organisation_id]).get(contract.pk)
    if agreed is None or from_month not in agreed.months:
        return False
    year = agreed.year_of(from_month)
    return year.first_month == from_month and agreed.prices_if_any(year, agreed.tier) is None


def refuse_on_request(contract: Subscription, terms: Mapping[str, Any]) -> None:
    """Raise VersionRefusedError for terms without all own prices where the book's are on request.

    By the headcount known for their month. Own prices hold for the tier that was signed for, so a
    change to another one on request is refused.
    """
    month, counts = terms["from_month"], contract.organisation.headcounts.order_by("month")
    known = counts.filter(month__lte=month).last() or counts.first()
    if known is None:
        return
    try:
        _valid_from, band = contracts.price_books().band(month, terms["tier"], known.headcount)
    except NoPriceError:
        return
    if terms["reason"] == TermsReason.TIER_CHANGE:
        signed = Terms.objects.filter(subscription=contract.pk, reason=TermsReason.START).first()
        if band.prices is None and (signed is None or signed.tier != terms["tier"]):
            text = _("This tier is on request for %(headcount)d people: agree on a new contract.")
            sentence = ValidationError(text, params={"headcount": known.headcount})
            raise VersionRefusedError({"tier": sentence})
    elif band.prices is None and None in {terms[f"own_{name}"] for name in OF_A_YEAR}:
        text = _("The prices for %(headcount)d people are on request: give all four own ones.")
        raise VersionRefusedError(
            {"own_annual_fee_cents": ValidationError(text, params={"headcount": known.headcount})}
        )
