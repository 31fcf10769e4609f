"""What differs between our documents and Stripe's, read past the gateway."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from subscriptions import reconcile, steps
from subscriptions.models import DifferenceKind, Invoice, InvoiceKind, InvoiceState
from subscriptions.sandbox.state import Json, State

# What a client or a person at Stripe did, and nothing here can undo.
THEIR_DEEDS = (DifferenceKind.DISPUTED, DifferenceKind.REFUNDED)


def differences(state: State) -> list[str]:
    """Say what differs; after a comparison with a Stripe that answers nothing does."""
    found = [*_of_invoices(state), *_of_credits(state)]
    customers = Counter(made["metadata"]["organisation"] for made in state.newest("customer"))
    found += [f"{name} is {number} customers" for name, number in customers.items() if number > 1]
    waiting = reconcile.waiting().exclude(kind__in=THEIR_DEEDS)
    return found + [f"waits: {one.kind} {one.object_id} {one.facts}" for one in waiting]


def _of_invoices(state: State) -> Iterator[str]:
    there = _by_document(state, "invoice")
    mails = Counter(
        event["data"]["object"]["id"]
        for event in state.newest("event")
        if event["type"] == "invoice.sent"
    )
    for invoice in Invoice.objects.filter(kind=InvoiceKind.INVOICE):
        name = f"{invoice.organisation} {invoice.run_month} {invoice.number}"
        final = [one for one in there[str(invoice.pk)] if one["status"] != "draft"]
        asked = [(one["id"], one["number"], one["status"], one["total"]) for one in final]
        ours = (invoice.stripe_id, invoice.number, invoice.state, invoice.total_cents)
        if asked != ([ours] if invoice.state in InvoiceState.released else []):
            yield f"{name}: {ours} here, {asked} there"
        sent = sum(mails[one["id"]] for one in final)
        waits = invoice.steps.filter(state__in=steps.UNFINISHED).exists()
        is_due = invoice.state == InvoiceState.OPEN and invoice.collection == "invoice"
        if sent > 1 or (is_due and not (sent or waits or invoice.parked_because)):
            yield f"{name}: mailed {sent} times"


def _of_credits(state: State) -> Iterator[str]:
    there = _by_document(state, "credit_note")
    for credit in Invoice.objects.filter(kind=InvoiceKind.CREDIT):
        given = [(one["id"], -one["total"]) for one in there[str(credit.pk)]]
        ours = [(credit.stripe_id, credit.total_cents)] if credit.stripe_id else []
        if given != ours:
            yield f"credit {credit.run_month} {credit.state}: {ours} here, {given} there"


def _by_document(state: State, kind: str) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = defaultdict(list)
    for one in state.newest(kind):
        found[one["metadata"].get("document", "")].append(one)
    return found
