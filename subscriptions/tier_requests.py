"""A client asks for another tier; staff confirm it into new terms or decline it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext

from advisors.hours import is_closed
from agency.turns import take_turns
from subscriptions import versions
from subscriptions.agreements import Choices
from subscriptions.models import RequestState, Subscription, Terms, TermsReason, TierChangeRequest

if TYPE_CHECKING:
    import datetime as dt

    from agency.models import User
    from agency.month import Month


class RequestRefusedError(ValidationError):
    """A request that cannot be made or confirmed; its message is the sentence to show."""


@transaction.atomic
def ask(
    subscription: Subscription, *, tier: str, from_month: Month, by: User, on: dt.date
) -> TierChangeRequest:
    """Note the request; nothing changes until staff confirm it.

    Raises RequestRefusedError while another request waits, for a month that has begun and for one
    outside the contract.
    """
    Subscription.objects.select_for_update().get(pk=subscription.pk)
    if subscription.tier_requests.filter(state=RequestState.OPEN).exists():
        raise RequestRefusedError(gettext("A request is waiting for us already."))
    if from_month.first_day <= on or from_month not in subscription.months:
        raise RequestRefusedError(gettext("Choose a month that has not begun yet."))
    return TierChangeRequest.objects.create(
        subscription=subscription,
        tier=tier,
        from_month=from_month,
        requested_by=by,
        requested_on=on,
    )


@transaction.atomic
def confirm(request: TierChangeRequest) -> Terms:
    """Write the terms that the request asks for; confirming twice gives the same terms.

    Raises RequestRefusedError for one that was declined, for a month that is closed, and where
    another change was agreed for the same month.
    """
    take_turns()
    request = TierChangeRequest.objects.select_for_update().get(pk=request.pk)
    if request.state == RequestState.DECLINED:
        raise RequestRefusedError(gettext("This request was declined."))
    if request.state == RequestState.OPEN and is_closed(request.from_month):
        raise RequestRefusedError(
            gettext("%(month)s is closed: decline the request and agree on a later month.")
            % {"month": request.from_month}
        )
    wanted = {
        "from_month": request.from_month,
        "tier": request.tier,
        "reason": TermsReason.TIER_CHANGE,
    }
    try:
        versions.refuse_on_request(request.subscription, wanted)
    except versions.VersionRefusedError as refused:
        raise RequestRefusedError(refused.messages) from refused
    terms, _ = Terms.objects.get_or_create(
        subscription=request.subscription,
        from_month=request.from_month,
        reason=TermsReason.TIER_CHANGE,
        defaults={"tier": request.tier, **_choices_in_force(request)},
    )
    if terms.tier != request.tier:
        raise RequestRefusedError(gettext("Another change was agreed for that month already."))
    request.state = RequestState.CONFIRMED
    request.save(update_fields=["state"])
    return terms


@transaction.atomic
def decline(request: TierChangeRequest) -> None:
    """Close the request without a change. Raises RequestRefusedError for a confirmed one."""
    request = TierChangeRequest.objects.select_for_update().get(pk=request.pk)
    if request.state == RequestState.CONFIRMED:
        raise RequestRefusedError(gettext("This request was confirmed already."))
    request.state = RequestState.DECLINED
    request.save(update_fields=["state"])


def _choices_in_force(request: TierChangeRequest) -> dict[str, object]:
    before = request.subscription.terms.filter(from_month__lte=request.from_month)
    latest = before.order_by("from_month").last()
    kept = set(Choices._fields) - {"from_month"} if latest else ()
    return {name: getattr(latest, name) for name in kept}
