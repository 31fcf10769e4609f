"""A client is taken over by another one, or two merge: what ends, what goes along, what stays.

Its contract ends by the ordinary rules of ends, and sessions planned from then on are the
successor's. All else stays where it was: statements, documents, what is open of them, and who sees
them. Hours left on cards or in a contract year go nowhere: what was left of them tells of use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from advisors.hours import is_closed
from agency.turns import take_turns
from subscriptions import ends
from subscriptions.models import Payer, Subscription, Takeover
from workshops import scheduling

if TYPE_CHECKING:
    from agency.models import Organisation
    from agency.month import Month


class TakeoverRefusedError(ValidationError):
    """A takeover that cannot be; its message is the sentence to show."""


def contract_in(organisation: Organisation, month: Month) -> Subscription | None:
    """Give the contract that a takeover from a month on would end."""
    goes_on = Q(until_month=None) | Q(until_month__gt=month)
    return organisation.subscriptions.filter(goes_on, start_month__lt=month).first()


def refuse(takeover: Takeover, *, client_knows: bool, successor_pays: bool) -> None:
    """Raise TakeoverRefusedError or EndRefusedError where a takeover may not be."""
    client, successor, month = takeover.organisation, takeover.successor, takeover.from_month
    if is_closed(month - 1):
        raise TakeoverRefusedError(_("A takeover begins after a month that is still open."))
    if client.subscriptions.filter(start_month__gte=month).exists():
        raise TakeoverRefusedError(
            _("A contract of %(client)s begins in that month or later: it has to end before.")
            % {"client": client}
        )
    gone = Q(organisation=successor, from_month__lte=month)
    if Takeover.objects.filter(gone | Q(successor=client, from_month__gte=month)).exists():
        raise TakeoverRefusedError(
            _("Who takes over is there in that month, and is not taken over itself.")
        )
    later = Q(until_month=None) | Q(until_month__gt=month)
    others = Q(organisation=client) | Q(payer=client) | Q(organisation=successor)
    if successor_pays and Payer.objects.filter(others, later).exists():
        raise TakeoverRefusedError(
            _("Another organisation pays for one of them, or it pays for others: end that first.")
        )
    if contract := contract_in(client, month):
        ends.refuse(contract, month, client_knows=client_knows)


@transaction.atomic
def take_over(
    takeover: Takeover, *, client_knows: bool = False, successor_pays: bool = False
) -> Takeover:
    """End a client's contract, pass on what is planned, and keep who took it over.

    With ``successor_pays`` documents of the client dated from that month on, such as those of its
    last overage, go to the successor. Raises what `refuse` raises.
    """
    take_turns()
    refuse(takeover, client_knows=client_knows, successor_pays=successor_pays)
    client, successor, month = takeover.organisation, takeover.successor, takeover.from_month
    if contract := contract_in(client, month):
        contract.until_month = month
        contract.save(update_fields=["until_month"])
    if successor_pays:
        Payer.objects.create(organisation=client, payer=successor, from_month=month)
    scheduling.pass_on(client, successor, since=month)
    takeover.save(force_insert=True)
    return takeover
