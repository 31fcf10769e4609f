"""Where an invoice stands for those who send it, and what can be done with it then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext

from subscriptions import push
from subscriptions.models import BlockedReason, Invoice, InvoiceState
from subscriptions.wording import Standing, invoice_standing

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import QuerySet

TAKES = {  # the state in which an action finds what it does something with
    "approve": InvoiceState.DRAFT,
    "push": InvoiceState.APPROVED,
    "take_back": InvoiceState.APPROVED,
    "throw_away": InvoiceState.DRAFT,
    "draft_anew": InvoiceState.BLOCKED,
}
DEEDS = {
    InvoiceState.DRAFT: ("approve",),
    InvoiceState.APPROVED: ("push", "take_back"),
    InvoiceState.BLOCKED: ("draft_anew",),
    InvoiceState.PARKED: ("unpark",),
}


def standing(invoice: Invoice, on: dt.date) -> Standing:
    """Say where a document stands for those who send it."""
    if invoice.state == InvoiceState.BLOCKED:
        return Standing(invoice.get_blocked_reason_display(), "wait")
    if invoice.state == InvoiceState.PARKED:
        return Standing(str(InvoiceState.PARKED.label), "bad")
    if invoice.state == InvoiceState.UNCOLLECTIBLE:
        return Standing(str(InvoiceState.UNCOLLECTIBLE.label), "bad")
    if invoice.state in InvoiceState.released:
        return invoice_standing(invoice, on)
    if invoice.state == InvoiceState.DRAFT and invoice.approved_by_id:
        return Standing(gettext("waits for a second person"), "wait")
    tone = "way" if invoice.state == InvoiceState.APPROVED else ""
    return Standing(str(InvoiceState(invoice.state).label), tone)


def deeds(invoice: Invoice) -> tuple[str, ...]:
    """Name the actions in which an invoice takes part, as `part` finds them; the next one first."""
    if invoice.state == InvoiceState.BLOCKED and invoice.blocked_reason == BlockedReason.BOUND:
        return ("accept", "draft_anew")
    if invoice.state == InvoiceState.DRAFT and invoice.credit_reason:
        return ("approve", "throw_away")
    if invoice.state in InvoiceState.payable and invoice.parked_because:
        return ("unpark",)
    return DEEDS.get(InvoiceState(invoice.state), ())


def part(action: str, rows: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Give the invoices, of those chosen, with which an action does something."""
    if action == "unpark":
        return rows.filter(state=InvoiceState.PARKED) | rows & push.unmailed()
    if action == "accept":
        return rows.filter(state=InvoiceState.BLOCKED, blocked_reason=BlockedReason.BOUND)
    taken = rows.filter(state=TAKES[action])
    return taken.exclude(credit_reason="") if action == "throw_away" else taken


def why_not(action: str, invoice: Invoice, *, on: dt.date) -> str:
    """Say why an invoice is no `part` of an action: how it stands, nearly always."""
    if action == "throw_away" and invoice.state == InvoiceState.DRAFT:
        return gettext("not a credit that staff gave")
    return standing(invoice, on).word
