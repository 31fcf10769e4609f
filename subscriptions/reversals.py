"""Payments that went back to the client: disputed by it or its bank, or refunded by hand.

For Stripe the invoice stays paid, so no comparison of documents shows either.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from agency.month import day_of
from subscriptions import gateway
from subscriptions.models import Invoice

# Stripe's id, the day, what had been paid, and how it stands.
Reversal = tuple[str, dt.date, Invoice | None, str]

DISPUTES_LAST = dt.timedelta(days=400)
LOST_IS_TOLD_FOR = dt.timedelta(days=40)
CLOSING_IS_TOLD_FOR = dt.timedelta(days=30)  # Stripe keeps events as long
NOTHING_WENT_BACK = frozenset({"won", "prevented", "warning_closed"})
NO_REFUND = frozenset({"failed", "canceled"})


def disputed(at: dt.datetime) -> Iterator[Reversal]:
    """Yield the disputes that can be answered, and those that were lost a short while ago.

    Stripe does not say when a dispute was lost: how old it is tells, or its event.
    """
    disputes = [
        dispute
        for dispute in gateway.disputes_since(at - DISPUTES_LAST)
        if dispute.status not in NOTHING_WENT_BACK
    ]
    lost = {
        dispute.id
        for dispute in disputes
        if dispute.status == "lost" and dispute.created_at < at - LOST_IS_TOLD_FOR
    }
    if lost:
        closed = gateway.events_since(at - CLOSING_IS_TOLD_FOR, "charge.dispute.closed")
        lost -= {event.object_id for event in closed}
    return (_reversal(dispute) for dispute in disputes if dispute.id not in lost)


def refunded(start: dt.datetime) -> Iterator[Reversal]:
    """Yield the refunds since a moment that no credit note accounts for."""
    credited = {
        refund_id
        for note in gateway.credit_notes_since(start - dt.timedelta(days=1))  # made just before?
        for refund_id in note.refund_ids
    }
    for refund in gateway.refunds_since(start):
        if refund.status not in NO_REFUND and refund.id not in credited:
            yield _reversal(refund)


def _reversal(gone: gateway.Dispute | gateway.Refund) -> Reversal:
    stripe_id = gateway.invoice_paid_by(gone.payment_intent)
    invoice = Invoice.objects.filter(stripe_id=stripe_id).exclude(stripe_id="").first()
    return gone.id, day_of(gone.created_at), invoice, gone.status
