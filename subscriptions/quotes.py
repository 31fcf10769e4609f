"""A contract from its quote to its signature: what is offered is what is signed, and then billed.

A quote is looked at by making the contract that it would become, and taking that back: what is
refused, and what the runs to come would bill, is what it will be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from advisors.hours import is_closed
from agency import refusals, retention
from agency.templatetags.figures import long_day
from agency.turns import take_turns
from subscriptions import contracts, previews, versions
from subscriptions.agreements import Contract, NoPriceError
from subscriptions.descriptions import no_price
from subscriptions.models import (
    Quote,
    QuoteState,
    Subscription,
    Terms,
    TermsReason,
    YearPrice,
)
from subscriptions.models.conditions import Chosen, Conditions
from subscriptions.previews import Plan

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import QuerySet

CONDITIONS, CHOSEN = (
    [field.name for field in model._meta.fields if not field.primary_key]
    for model in (Conditions, Chosen)
)


class QuoteRefusedError(ValidationError):
    """What cannot be done with a quote; holds the sentence, by its column where it has one."""


class Outlook(NamedTuple):
    """What a quote would become: a contract, and what the runs to come bill of it."""

    row: Subscription
    contract: Contract
    plan: Plan


def state_of(quote: Quote, *, on: dt.date) -> QuoteState:
    """Tell where a quote stands on a day; it lapses by itself after the last day it holds."""
    if quote.contract_id:
        return QuoteState.SIGNED
    if quote.withdrawn_on:
        return QuoteState.WITHDRAWN
    if quote.offered_on is None:
        return QuoteState.DRAFT
    return QuoteState.LAPSED if quote.valid_until < on else QuoteState.OFFERED


def in_state(state: QuoteState, *, on: dt.date) -> QuerySet[Quote]:
    """Give the quotes that stand so on a day, as `state_of` tells of each."""
    is_open = Q(contract=None, withdrawn_on=None)
    is_offered = is_open & Q(offered_on__isnull=False)
    return Quote.objects.filter(
        {
            QuoteState.SIGNED: Q(contract__isnull=False),
            QuoteState.WITHDRAWN: Q(withdrawn_on__isnull=False),
            QuoteState.DRAFT: is_open & Q(offered_on=None),
            QuoteState.LAPSED: is_offered & Q(valid_until__lt=on),
            QuoteState.OFFERED: is_offered & Q(valid_until__gte=on),
        }[state]
    )


def outlook(quote: Quote) -> Outlook:
    """Work out what a quote would become; writes nothing.

    Raises QuoteRefusedError or another ValidationError where no contract can be made of it.
    """
    with transaction.atomic():
        row = Subscription(**_conditions(quote))
        looked_at = Outlook(row, _agree(row, quote), previews.plan(row))
        transaction.set_rollback(True)
    return looked_at


@transaction.atomic
def offer(quote: Quote, *, on: dt.date) -> None:
    """Offer a draft: from now on it never changes, and its first year's prices are promised.

    Raises QuoteRefusedError or another ValidationError.
    """
    row = _locked(quote)
    if row.offered_on or row.withdrawn_on:
        raise QuoteRefusedError(_("Only a draft is offered."))
    if row.valid_until < on:
        raise QuoteRefusedError({"valid_until": _("A quote holds until today or a later day.")})
    promise(row)
    row.offered_on = on
    row.save()


def promise(quote: Quote) -> None:
    """Fill in what a quote promises if it is offered now: its first year's prices, and for whom.

    Raises as `outlook` does.
    """
    contract = outlook(quote).contract
    prices = contract.prices(contract.year_of(quote.start_month), quote.tier)
    for name in contracts.PRICES:
        setattr(quote, name, getattr(prices, name))
    quote.headcount = contract.headcount(quote.start_month)


@transaction.atomic
def withdraw(quote: Quote, *, on: dt.date) -> None:
    """Take an offer back; it stays on record."""
    row = _locked(quote)
    if state_of(row, on=on) not in {QuoteState.OFFERED, QuoteState.LAPSED}:
        raise QuoteRefusedError(_("Only what is offered is withdrawn."))
    row.withdrawn_on = on
    row.save(update_fields=["withdrawn_on"])


@transaction.atomic
def sign(quote: Quote, *, signed_on: dt.date, on: dt.date) -> Subscription:
    """Make the contract that was offered and signed; from now on it is billed and publishes.

    The prices of its first year are frozen as they were offered. Raises QuoteRefusedError or
    another ValidationError, and writes nothing then. Waits for a close that is under way.
    """
    take_turns()
    row = _locked(quote)
    refuse_day(signed_on, on=on)
    if row.offered_on is None or row.withdrawn_on or row.contract_id:
        raise QuoteRefusedError(_("Only what is offered is signed."))
    if signed_on < row.offered_on:
        text = gettext("It was offered on %(day)s: nobody signed it before.")
        raise QuoteRefusedError({"signed_on": text % {"day": long_day(row.offered_on)}})
    if signed_on > row.valid_until:
        text = gettext("The quote held until %(day)s: offer another one.")
        raise QuoteRefusedError({"signed_on": text % {"day": long_day(row.valid_until)}})
    signed = Subscription(**_conditions(row), signed_on=signed_on)
    contract = _agree(signed, row)
    if contract.headcount(row.start_month) != row.headcount:
        raise QuoteRefusedError(_("It was offered for another headcount: offer another one."))
    YearPrice.objects.create(
        subscription=signed,
        year_month=contract.year_of(row.start_month).first_month,
        tier=row.tier,
        **{name: getattr(row, name) for name in contracts.PRICES},
    )
    row.contract = signed
    row.save(update_fields=["contract"])
    return signed


def refuse_day(signed_on: dt.date, *, on: dt.date) -> None:
    """Raise QuoteRefusedError for a day that is still to come."""
    if signed_on > on:
        raise QuoteRefusedError({"signed_on": _("A contract is signed today or earlier.")})


@transaction.atomic
def take_back(quote: Quote, *, on: dt.date) -> None:
    """Undo a signature that was noted by mistake: the quote is offered again.

    The contract goes as if it had never been, so it has not begun, and nothing was billed,
    published or agreed by it. Raises QuoteRefusedError.
    """
    row = _locked(quote)
    contract = row.contract
    if contract is None:
        raise QuoteRefusedError(_("It is not signed."))
    if contract.start_month.first_day <= on or _is_leant_on(contract):
        text = _("The contract has begun, or something was billed or agreed by it: let it end.")
        raise QuoteRefusedError(text)
    row.contract = None
    row.save(update_fields=["contract"])
    leaving: retention.Picked = {
        YearPrice: list(contract.year_prices.values_list("pk", flat=True)),
        Terms: list(contract.terms.values_list("pk", flat=True)),
        Subscription: [contract.pk],
    }
    retention.delete(leaving)


def _is_leant_on(contract: Subscription) -> bool:
    agreed = (contract.pauses, contract.tier_requests, contract.indexations)
    later = contract.terms.exclude(reason=TermsReason.START)
    return contracts.is_in_use(contract) or any(rows.exists() for rows in (*agreed, later))


def _locked(quote: Quote) -> Quote:
    return Quote.objects.select_for_update().select_related("organisation").get(pk=quote.pk)


def _conditions(quote: Quote) -> dict[str, Any]:
    """Give the columns of the contract that a quote becomes; its first run is before its start."""
    start = quote.start_month
    return {
        "organisation": quote.organisation,
        "start_month": start,
        "first_run": start - 1,
        "reported_until": start,
        **{name: getattr(quote, name) for name in CONDITIONS},
    }


def _agree(row: Subscription, quote: Quote) -> Contract:
    """Write the contract of a quote with the version of its start, and read it as the rules do."""
    if is_closed(row.start_month):
        text = _("This month is closed: a contract that is signed starts in one that is open.")
        raise QuoteRefusedError({"start_month": text})
    versions.refuse_another_year(row)
    row.full_clean()
    terms = {name: getattr(quote, name) for name in CHOSEN}
    terms |= {"from_month": row.start_month, "reason": TermsReason.START}
    versions.refuse_on_request(row, terms)
    try:
        with transaction.atomic():
            row.save()
            version = Terms(subscription=row, **terms)
            version.full_clean()
            version.save()
    except IntegrityError as error:
        raise QuoteRefusedError(refusals.sentence(error)) from error
    contract = contracts.load([row.organisation_id])[row.pk]
    try:
        contract.prices(contract.year_of(row.start_month), quote.tier)
    except NoPriceError as error:
        raise QuoteRefusedError(no_price(error)) from error
    return contract
