"""A quote, or the contract that was signed by it, on paper: in the language of the client.

All of it stands in the quote's own row, as it was offered; the parties are named as they are today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.admin.utils import label_for_field
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop, override

from agency.models import Agency
from agency.templatetags.figures import SPACE, euro, hours, long_day, long_month, percent
from agency.typesetting import typeset
from subscriptions.models import OveragePolicy, PriceBand, Quote, QuoteState, ReleaseChoice
from subscriptions.quotes import promise, state_of
from subscriptions.statements import thresholds

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import Model

    from agency.models import Organisation

Rows = list[tuple[str, str]]
NEVER = gettext_noop(
    "Who calls, when, how often and about what. There is no place for it: no notes, no dates, no "
    "number of talks, no categories."
)


def write(quote: Quote, *, on: dt.date) -> bytes:
    """Give the PDF (PDF/UA-1) of a quote; of a draft, with what it would promise today.

    Raises ValidationError for a draft of which no contract can be made.
    """
    organisation, agency = quote.organisation, Agency.objects.get()
    if quote.offered_on is None:
        promise(quote)
    with override(organisation.language):
        state = state_of(quote, on=on)
        is_signed = state == QuoteState.SIGNED
        data = {
            "title": gettext("Contract") if is_signed else gettext("Quote"),
            "said": _said(quote, state),
            "seller": _party(agency),
            "buyer": _party(organisation),
            "leaves": [
                (gettext("Subscription"), _subscription(quote)),
                (gettext("Prices without VAT"), _prices(quote)),
                (gettext("Invoices"), _invoices(quote)),
            ],
            "told": [
                (gettext("What you will see"), _shown(quote)),
                (gettext("What we never record"), gettext(NEVER)),
            ],
            "signature": {
                "title": gettext("Signature"),
                "caption": gettext("Name, date and signature"),
                "parties": [agency.legal_name, organisation.legal_name],
            }
            if state == QuoteState.OFFERED
            else None,
        }
        return typeset("quote", data, language=organisation.language)


def _said(quote: Quote, state: QuoteState) -> str:
    texts = {
        QuoteState.DRAFT: gettext("A draft: nothing is offered yet."),
        QuoteState.SIGNED: gettext("Signed on %(signed)s, as offered on %(offered)s."),
        QuoteState.WITHDRAWN: gettext("Offered on %(offered)s, withdrawn on %(withdrawn)s."),
        QuoteState.LAPSED: gettext("Offered on %(offered)s; it held until %(until)s."),
    }
    text = texts.get(state, gettext("Offered on %(offered)s; it holds until %(until)s."))
    days = {
        "offered": quote.offered_on,
        "until": quote.valid_until,
        "withdrawn": quote.withdrawn_on,
        "signed": quote.contract.signed_on if quote.contract else None,
    }
    return text % {name: long_day(date) if date else "" for name, date in days.items()}


def _party(party: Agency | Organisation) -> list[str]:
    lines = [party.legal_name, party.street, f"{party.postcode} {party.city}".strip()]
    numbers = ((gettext("KVK number"), party.kvk_number), (gettext("VAT id"), party.vat_id))
    return [*filter(None, lines), *(f"{name} {value}" for name, value in numbers if value)]


def _rows(named: type[Model], **values: str) -> Rows:
    """Name values by their columns."""
    return [(capfirst(str(label_for_field(name, named))), value) for name, value in values.items()]


def _subscription(quote: Quote) -> Rows:
    return _rows(
        Quote,
        tier=quote.get_tier_display(),
        headcount=gettext("%(headcount)s employees") % {"headcount": quote.headcount},
        start_month=long_month(quote.start_month),
        term_months=str(quote.term_months),
        renewal_months=str(quote.renewal_months),
        notice_months=str(quote.notice_months),
    )


def _prices(quote: Quote) -> Rows:
    """Give the prices of the first contract year; a rate only where overage is charged."""
    rows = _rows(Quote, annual_fee_cents=euro(quote.annual_fee_cents or 0))
    rows.append((gettext("Set-up, once"), euro(quote.setup_fee_cents or 0)))
    if quote.overage == OveragePolicy.ALL_IN:
        rows += _rows(Quote, overage=quote.get_overage_display())
    else:
        rows += _rows(PriceBand, included_quarters=hours(quote.included_quarters or 0))
    rows += _rows(PriceBand, included_sessions=str(quote.included_sessions))
    if quote.overage == OveragePolicy.BILL:
        rows += _rows(Quote, overage_rate_cents=euro(quote.overage_rate_cents or 0))
    elif quote.overage == OveragePolicy.CAP:
        rows += _rows(Quote, overage=quote.get_overage_display())
    if quote.carry_over_basis_points:
        most = gettext("%(percent)s %%, at most %(hours)s") % {
            "percent": percent(quote.carry_over_basis_points),
            "hours": hours(quote.carry_over_cap_quarters),
        }
        rows += _rows(Quote, carry_over_basis_points=most.replace(" %", f"{SPACE}%"))
    return rows


def _invoices(quote: Quote) -> Rows:
    rows = _rows(
        Quote,
        billing_interval=gettext("%(interval)s, in advance")
        % {"interval": quote.get_billing_interval_display()},
        collection=quote.get_collection_display(),
        payment_days=str(quote.payment_days),
    )
    return [*rows, *(_rows(Quote, po_required=gettext("yes")) if quote.po_required else [])]


def _shown(quote: Quote) -> str:
    """Say what of the use will be shown (design 5.6)."""
    if quote.overage == OveragePolicy.ALL_IN:
        return gettext("All hours are included. Use is not reported.")
    policy, people = thresholds(), quote.headcount or 0
    edges = (
        policy.month_from_headcount,
        policy.quarter_from_headcount,
        policy.figures_from_headcount,
    )
    coarser = ("", ReleaseChoice.QUARTER, ReleaseChoice.YEAR, ReleaseChoice.BAND)
    finest = next((n for n, least in enumerate(edges) if people >= least), len(edges))
    texts = (
        gettext("Use is published per month, as a figure."),
        gettext("Use is published per quarter of the contract year, as a figure."),
        gettext("Use is published per contract year, as a figure."),
        gettext("Use is published per contract year, as a sentence without figures."),
    )
    return texts[max(finest, coarser.index(quote.release))]
