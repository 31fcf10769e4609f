"""Invoices as a run makes them, and what must hold at Stripe and here however they got there."""

from __future__ import annotations

from subscriptions import billing, steps
from subscriptions.audit import audit
from subscriptions.models import Invoice, StripeStep
from subscriptions.sandbox.state import Json, State
from tests.clients import client, close_and_bill


def approved(clients: int = 1) -> list[Invoice]:
    """Sign contracts, close the month before they start, bill it and approve what was drafted."""
    for number in range(1, clients + 1):
        client(f"ORG{number}")
    close_and_bill("2025-12")
    billing.approve(Invoice.objects.all())
    made = list(Invoice.objects.order_by("organisation__code"))
    assert {invoice.state for invoice in made} == {"approved"}
    return made


def at_stripe(state: State, invoice: Invoice) -> list[Json]:
    return [
        document
        for document in state.newest("invoice")
        if document["metadata"].get("document") == str(invoice.pk)
    ]


def assert_delivered_once(state: State, invoice: Invoice, standing: str = "open") -> None:
    """Hold Stripe to exactly one document, right and mailed once, and the books to the audit."""
    invoice.refresh_from_db()
    assert (invoice.state, invoice.parked_because) == (standing, "")
    [there] = at_stripe(state, invoice)
    lines = list(state.newest("line_item", there["id"]))
    assert (there["id"], there["number"]) == (invoice.stripe_id, invoice.number)
    assert (there["status"], there["total"]) == (standing, invoice.total_cents)
    assert len(lines) == invoice.lines.count()
    mails = [event for event in state.newest("event") if event["type"] == "invoice.sent"]
    assert [mail["data"]["object"]["id"] for mail in mails].count(there["id"]) == 1
    organisation = str(invoice.organisation_id)
    customers = [made["metadata"]["organisation"] for made in state.newest("customer")]
    assert customers.count(organisation) == 1
    assert not StripeStep.objects.filter(invoice=invoice, state__in=steps.UNFINISHED).exists()
    assert audit().violations == []
