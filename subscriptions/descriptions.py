"""The frozen text of invoice lines: a template, a period, a title from the catalogue.

Nothing else may enter: no advisor, no day, no name of a person (attack 9 of the threat model).
"""

from __future__ import annotations

from functools import lru_cache

from django.utils.translation import gettext, override

from agency.month import MonthRange
from agency.templatetags.figures import period
from subscriptions.agreements import NoHeadcountError, NoPriceError, OnRequestError
from subscriptions.models import LineKind, Tier


def no_price(error: NoPriceError) -> str:
    """Say why a contract cannot be billed or stated, in the language that is active."""
    if isinstance(error, NoHeadcountError):
        return gettext("No headcount is known for %s: declare it first.") % error
    if isinstance(error, OnRequestError):
        text = gettext("The prices for %s are on request: agree all four own ones.")
    else:
        text = gettext("There is no price for %s.")
    labels = dict(Tier.choices)
    return text % " ".join(str(labels.get(word, word)) for word in str(error).split())


@lru_cache(maxsize=4096)  # a run writes few texts, and writes them often
def describe(
    kind: str, months: MonthRange, language: str, *, tier: str = "", title: str = ""
) -> str:
    """Write a line's text in the client's language; ``title`` is an offering's title."""
    with override(language):
        texts = {
            LineKind.FEE: gettext("Subscription %(tier)s, %(period)s"),
            LineKind.SETUP: gettext("Set-up of the subscription"),
            LineKind.TIER_CHANGE: gettext("Change to %(tier)s, %(period)s"),
            LineKind.OVERAGE: gettext("Hours of overage, %(period)s"),
            LineKind.SESSION: gettext("%(title)s, %(period)s"),
            LineKind.SERVICE: gettext("%(title)s, %(period)s"),
            LineKind.SEAT: gettext("Seat: %(title)s, %(period)s"),
            LineKind.CANCELLATION: gettext("Cancellation of %(title)s, %(period)s"),
            LineKind.TRAVEL: gettext("Travel, kilometres, %(period)s"),
            LineKind.TOPUP: gettext("Top-up card, %(period)s"),
        }
        words = {
            "tier": Tier(tier).label if tier else "",
            "period": period(months).replace("\N{NO-BREAK SPACE}", " "),
            "title": title,
        }
        return texts[LineKind(kind)] % words
