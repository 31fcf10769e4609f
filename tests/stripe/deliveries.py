"""Invoices as a run makes them, and what must hold at Stripe and here however they got there."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from subscriptions import billing, push, steps
from subscriptions.audit import audit
from subscriptions.models import Invoice, StripeStep
from subscriptions.sandbox.state import Json, State
from tests import factories as make
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


def approved_credits(clients: int = 1) -> list[Invoice]:
    """Make credits of one euro and its VAT on invoices that are at Stripe."""
    return [_credit_of(invoice) for invoice in approved(clients)]


def _credit_of(invoice: Invoice) -> Invoice:
    assert push.push(invoice.pk, at=timezone.now()) == push.Outcome.PUSHED
    invoice.refresh_from_db()
    back: dict[str, Any] = {"kind": "credit", "net_cents": -100, "vat_cents": -21}
    back |= {"unit_cents": -100, "credit_of": invoice.lines.first()}
    return make.invoice(
        invoice.organisation, kind="credit", credit_of=invoice, lines=[back], state="approved"
    )


def assert_credited_once(state: State, credit: Invoice) -> None:
    credit.refresh_from_db()
    mine = {"document": str(credit.pk)}
    [there] = [
        note for note in state.newest("credit_note") if note["metadata"].items() >= mine.items()
    ]
    assert (credit.state, credit.parked_because) == ("paid", "")
    assert (there["id"], there["number"]) == (credit.stripe_id, credit.number)
    assert (there["status"], there["total"]) == ("issued", 121)
    assert not StripeStep.objects.filter(invoice=credit, state__in=steps.UNFINISHED).exists()


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
