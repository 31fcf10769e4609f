"""What the end of a contract does to figures that are not published yet (design 5.6 and 5.11)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from advisors.hours import is_closed
from agency.month import Month, MonthRange
from agency.templatetags.figures import period
from subscriptions import contracts
from subscriptions.models import InvoiceLine, LineKind, Statement, Subscription
from subscriptions.release import QUARTER, WITHHELD, YEAR, lowest_headcount, periods
from subscriptions.statements import thresholds

if TYPE_CHECKING:
    from subscriptions.agreements import Contract
    from subscriptions.release import Thresholds


ENDS_WITH = {
    QUARTER: _(
        "With this headcount a contract ends with a quarter of its contract year. "
        "Nearest: %(months)s."
    ),
    YEAR: _("With this headcount a contract ends with its contract year. Nearest: %(months)s."),
}


class EndRefusedError(ValidationError):
    """An end that a contract may not have; its message is the sentence to show."""


def refuse(contract: Subscription, until: Month | None, *, client_knows: bool = False) -> None:
    """Raise EndRefusedError where a contract's end may not become this one, or none (design 5.11).

    A new end lies where the contract year has one. What it withholds from the figures is said
    beforehand, and it is agreed on only when the client knows.
    """
    if until == contract.until_month:
        return
    _refuse_for_what_was_done(contract, until)
    if until is None:
        return
    if not Subscription.objects.filter(pk=contract.pk).exists():
        raise EndRefusedError(
            _(
                "Save the contract without an end first: only then can be said what the end "
                "withholds."
            )
        )
    length, nearest = nearest_ends(contract, until)
    if nearest:
        raise EndRefusedError(ENDS_WITH[length] % {"months": ", ".join(map(str, nearest))})
    withheld = withheld_by(contract, until)
    if withheld and not client_knows:
        raise EndRefusedError(
            _(
                "With this end, use in %(months)s is neither shown nor charged: too short a "
                "period. Choose another end, or tick that the client knows."
            )
            % {"months": ", ".join(map(period, withheld))}
        )


def _refuse_for_what_was_done(contract: Subscription, until: Month | None) -> None:
    """Let a contract end, or its end be withdrawn, only while its last month is open."""
    before = contract.until_month
    if not contracts.is_in_use(contract):
        return
    if any(end is not None and is_closed(end - 1) for end in (before, until)):
        raise EndRefusedError(_("The last month of a contract is one that is still open."))
    if before is not None and (until is None or until > before) and _is_paid(contract, before):
        raise EndRefusedError(
            _("The fee was billed until this end: agree on a new contract from then on.")
        )


def _is_paid(contract: Subscription, until: Month) -> bool:
    """Tell whether a fee was billed until a contract's end, and so less than its whole interval."""
    lines = InvoiceLine.objects.filter(kind=LineKind.FEE, until_month=until)
    return lines.filter(occurrence__subject_id=contract.pk).exists()


def nearest_ends(subscription: Subscription, until: Month) -> tuple[int, list[Month]]:
    """Give the nearest ends that may be agreed on, where this one may not (design 5.11).

    Beside them the months, 3 or 12, of the part of the contract year with which it has to end. No
    ends where this one may be, nor for a contract without terms or headcount. Contracts that are
    brought in with an end that was agreed before are not asked.
    """
    contract, begun = _agreed(subscription)
    if contract is None or begun >= until:
        return YEAR, []
    policy = thresholds()
    length, is_one = _end(contract, begun, until, policy)
    if is_one:
        return length, []
    earlier = (until - step for step in range(1, min(YEAR, until.since(begun))))
    later = (until + step for step in range(1, YEAR))
    nearest = [
        next((month for month in months if _end(contract, begun, month, policy)[1]), None)
        for months in (earlier, later)
    ]
    return length, [m for m in nearest if m and (m > until or not is_closed(m - 1))]


def withheld_by(subscription: Subscription, until: Month) -> list[MonthRange]:
    """Give the periods whose use would neither be shown nor charged if the contract ended then.

    They are too short for that. Empty for a contract without terms or headcount. Worked out
    without any hours; writes nothing.
    """
    contract, begun = _agreed(subscription)
    if contract is None or begun >= until:
        return []
    policy = thresholds()
    coming = periods(_ending(contract, until), MonthRange(begun, until), policy)
    return [each.months for each in coming if each.display == WITHHELD]


def _agreed(subscription: Subscription) -> tuple[Contract | None, Month]:
    """Give a contract that has terms and headcounts, and where its open period began."""
    contract = contracts.load([subscription.organisation_id]).get(subscription.pk)
    if contract is None or not contract.headcounts:
        return None, subscription.start_month
    return contract, open_from(subscription, contract)


def open_from(subscription: Subscription, contract: Contract) -> Month:
    """Give the month in which the period of a contract that is open began, or a pause before it."""
    last = Statement.objects.filter(subscription=subscription).order_by("from_month").last()
    begun = last.until_month if last else contract.months.from_month
    return max(begun, contract.reported_until)


def _ending(contract: Contract, until: Month) -> Contract:
    return replace(contract, months=MonthRange(contract.months.from_month, until))


def _end(contract: Contract, begun: Month, until: Month, policy: Thresholds) -> tuple[int, bool]:
    """Give the part of the contract year, in months, that an end closes, and whether it does."""
    year = _ending(contract, until).year_of(until - 1)
    months = MonthRange(max(begun, year.first_month), until)
    people = lowest_headcount(contract, year, months)
    length = QUARTER if people >= policy.quarter_from_headcount else YEAR
    return length, until.since(year.whole_start) % length == 0
