"""A change of a contract is shown, as what the runs to come make of it, before it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency.admin_base import StaffAdmin
from agency.templatetags.figures import day, euro, hours, long_month, month, period
from subscriptions import pauses, previews
from subscriptions.models import OveragePolicy, ReleaseChoice, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from agency.month import Month
    from subscriptions.agreements import Contract
    from subscriptions.models import Subscription
    from subscriptions.previews import Plan

CONFIRMED = "confirmed"


class PreviewedAdmin(StaffAdmin):
    """Pages whose changes are sent twice: to be shown, and from what was shown, to be kept."""

    def preview(
        self, request: HttpRequest, before: Iterable[tuple[Subscription, Plan]]
    ) -> HttpResponse | None:
        """Give the page that shows what was just changed, and take it back; None where nothing was.

        Rolls the transaction back, which has to be that of the change alone.
        """
        plans = [(row, old, previews.plan(row)) for row, old in before]
        shown = [look(*plan) for plan in plans if plan[1].contract != plan[2].contract]
        return self.shown(request, shown) if shown else None

    def shown(self, request: HttpRequest, shown: Sequence[Mapping[str, Any]]) -> HttpResponse:
        """Give the page that shows a change, from which it is sent again, and take it back."""
        sent = [(name, value) for name, values in request.POST.lists() for value in values]
        page = self.page(
            request,
            "subscriptions/preview",
            gettext("What changes"),
            previews=shown,
            back=self.back(request),
            sent=[pair for pair in sent if pair[0] not in {"csrfmiddlewaretoken", CONFIRMED}],
        )
        transaction.set_rollback(True)
        return page


def look(row: Subscription, old: Plan, new: Plan) -> dict[str, Any]:
    """Give what the page shows of a contract before and after a change."""
    return {
        "contract": row,
        "agreed": list(agreed(old.contract, new.contract)),
        "remarks": list(remarks(row, old.contract, new.contract)),
        "can_be_billed": new.charges is not None,
        "lines": previews.lines(old, new),
    }


def agreed(old: Contract | None, new: Contract | None) -> Iterator[tuple[Any, str, str]]:
    """Give what was agreed otherwise than it will be: its name, how it was and how it will be."""
    both = [contract for contract in (old, new) if contract]
    months = [contract.next_year_start(contract.choices[-1].from_month) for contract in both]
    before, after = (_texts(contract, max(months)) if contract else {} for contract in (old, new))
    for name in before | after:
        was, becomes = before.get(name, ""), after.get(name, "")
        if was != becomes:
            yield name, was, becomes


def remarks(row: Subscription, old: Contract | None, new: Contract | None) -> Iterator[str]:
    """Say from which month new choices and own prices count (design 5.4).

    Of another end, by when notice is given and what was paid for months after it.
    """
    if old and new and old.choices != new.choices:
        begin = new.next_year_start(new.choices[-1].from_month)
        if begin in new.months:
            text = gettext("Choices and prices count from %(month)s, where a contract year starts.")
            yield text % {"month": long_month(begin)}
        else:
            yield gettext("The contract ends before these choices and prices count.")
    until = new.months.until_month if new else None
    if old is None or until is None or until == old.months.until_month:
        return
    notice_on = (until - row.notice_months - 1).last_day
    yield gettext("Notice for this end is given on %(day)s at the latest.") % {
        "day": day(notice_on)
    }
    paid = pauses.paid_until(row, old)
    if paid and paid > until:
        text = gettext(
            "The fee was billed until %(month)s: nothing is paid back unless you credit it."
        )
        yield text % {"month": month(paid)}


def _texts(contract: Contract, on: Month) -> dict[Any, str]:
    """Write down what is agreed, with choices and prices as they are in a month."""
    until = contract.months.until_month
    year = contract.year_of(contract.months.nearest(on))
    choices, tier = contract.choices_of(year), contract.tier_in(year.months.last_month)
    tiers: list[Any] = [Tier(contract.tier).label]
    tiers += [f"{Tier(to).label} ({month(begin)})" for begin, to in contract.tier_changes]
    texts = {
        _("starts in"): month(contract.months.from_month),
        _("first month after the end"): month(until) if until else "",
        _("tier"): ", ".join(map(str, tiers)),
        _("pauses"): ", ".join(map(period, contract.pauses)),
        _("overage"): str(OveragePolicy(choices.overage).label),
        _("release"): str(ReleaseChoice(choices.release).label) if choices.release else "",
    }
    if prices := contract.prices_if_any(year, tier):
        texts |= {
            _("annual fee"): euro(prices.annual_fee_cents),
            _("included hours"): hours(prices.included_quarters),
            _("included sessions"): str(prices.included_sessions),
            _("rate per hour of overage"): euro(prices.overage_rate_cents),
        }
    return texts
