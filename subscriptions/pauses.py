"""A contract that rests for whole quarters or years of its contract year.

A pause begins and ends where a contract of so many people may end, so that it cuts no period of
hours short; what was published or paid for is never paused afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from advisors.hours import is_closed
from agency.month import MonthRange
from subscriptions import charges, contracts, ends
from subscriptions.models import BilledOccurrence, LineKind, OccurrenceState, Subscription
from subscriptions.release import QUARTER, WITHHELD, YEAR, periods
from subscriptions.statements import thresholds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from agency.month import Month
    from subscriptions.agreements import Contract
    from subscriptions.models import Pause

LIES = {
    QUARTER: _(
        "With this headcount a pause is of quarters of the contract year. Nearest: %(months)s."
    ),
    YEAR: _("With this headcount a pause is of contract years. Nearest: %(months)s."),
}


class PauseRefusedError(ValidationError):
    """A pause that cannot be agreed on or withdrawn; its message is the sentence to show."""


def refuse(subscription: Subscription, months: MonthRange) -> None:
    """Raise PauseRefusedError where a contract cannot rest in some months.

    They follow a month that is open, are not paid for, and begin and end where the contract might
    end. That no use is withheld by it is asked as well.
    """
    contract = contracts.load([subscription.organisation_id]).get(subscription.pk)
    if contract is None or not contract.headcounts:
        raise PauseRefusedError(_("A contract is paused once it has terms and a headcount."))
    if is_closed(months.from_month - 1):
        raise PauseRefusedError(_("A pause begins after a month that is still open."))
    if not _lies_in(contract, months):
        raise PauseRefusedError(
            _("A pause lies inside its contract, after its first month, beside no other one.")
        )
    for end in (months.from_month, months.until):
        length, nearest = ends.nearest_ends(subscription, end)
        if nearest and end != contract.months.until_month:
            raise PauseRefusedError(LIES[length] % {"months": ", ".join(map(str, nearest))})
    if (paid := paid_until(subscription, contract)) and months.from_month < paid:
        raise PauseRefusedError(
            _("The fee was billed until %(month)s: a pause begins then, or credit it first.")
            % {"month": paid}
        )
    if _withholds(subscription, contract, months):
        raise PauseRefusedError(
            _(
                "Beside this pause use would neither be shown nor charged: pause whole contract "
                "years."
            )
        )


def refuse_withdrawal(pause: Pause) -> None:
    """Raise PauseRefusedError for a pause that has begun, and where a fee was billed around it."""
    if is_closed(pause.from_month - 1):
        raise PauseRefusedError(_("A pause that has begun stays."))
    contract = contracts.load([pause.subscription.organisation_id])[pause.subscription_id]
    others = tuple(months for months in contract.pauses if months != pause.months)
    start = charges.interval_of(replace(contract, pauses=others), pause.from_month).from_month
    if _billed(pause.subscription).filter(from_month__gte=start).exists():
        raise PauseRefusedError(_("The fee was billed with this pause: credit it first."))


def _withholds(subscription: Subscription, contract: Contract, months: MonthRange) -> bool:
    """Tell whether a period of the years around a pause would be withheld that is not now."""
    open_from = ends.open_from(subscription, contract)
    around = MonthRange(open_from, contract.year_of(months.last_month).until_month)

    def withheld(pauses: Iterable[MonthRange]) -> set[MonthRange]:
        agreed = replace(contract, pauses=tuple(sorted(pauses, key=lambda each: each.from_month)))
        coming = periods(agreed, around, thresholds())
        return {each.months for each in coming if each.display == WITHHELD}

    return not withheld([*contract.pauses, months]) <= withheld(contract.pauses)


def _lies_in(contract: Contract, months: MonthRange) -> bool:
    until = contract.months.until_month
    first = max(contract.months.from_month, contract.reported_until)
    inside = first < months.from_month and (until is None or months.until <= until)
    return inside and not any(pause.overlaps(months) for pause in contract.pauses)


def _billed(subscription: Subscription) -> QuerySet[BilledOccurrence]:
    kinds = [LineKind.FEE, LineKind.TIER_CHANGE]
    rows = BilledOccurrence.objects.filter(kind__in=kinds, subject_id=subscription.pk)
    return rows.exclude(state=OccurrenceState.CREDITED)


def paid_until(subscription: Subscription, contract: Contract) -> Month | None:
    """Give until when the fee is billed, by us or, of the interval of the first run, elsewhere."""
    billed = [*_billed(subscription).values_list("from_month", flat=True)]
    months = [month for month in (*billed, contract.first_run) if month in contract.months]
    return max((charges.interval_of(contract, month).until for month in months), default=None)
