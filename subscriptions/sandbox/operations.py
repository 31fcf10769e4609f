"""Which function carries out which operation."""

from collections.abc import Callable

from subscriptions.sandbox import (
    checkout,
    credit_notes,
    customers,
    events,
    invoices,
    payments,
    webhooks,
)
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.state import Json

OPERATIONS: dict[str, Callable[[Call], Json]] = {
    "POST /v1/customers": customers.create,
    "GET /v1/customers": customers.listing,
    "GET /v1/customers/search": customers.search,
    "GET /v1/customers/{customer}": customers.retrieve,
    "POST /v1/customers/{customer}": customers.update,
    "DELETE /v1/customers/{customer}": customers.delete,
    "GET /v1/customers/{customer}/tax_ids": customers.list_tax_ids,
    "POST /v1/customers/{customer}/tax_ids": customers.add_tax_id,
    "DELETE /v1/customers/{customer}/tax_ids/{id}": customers.delete_tax_id,
    "POST /v1/invoices": invoices.create,
    "GET /v1/invoices": invoices.listing,
    "GET /v1/invoices/{invoice}": invoices.retrieve,
    "POST /v1/invoices/{invoice}": invoices.update,
    "DELETE /v1/invoices/{invoice}": invoices.delete,
    "POST /v1/invoices/{invoice}/add_lines": invoices.add_lines,
    "GET /v1/invoices/{invoice}/lines": invoices.list_lines,
    "POST /v1/invoices/{invoice}/finalize": invoices.finalize,
    "POST /v1/invoices/{invoice}/send": invoices.send,
    "POST /v1/invoices/{invoice}/pay": invoices.pay_by_hand,
    "POST /v1/invoices/{invoice}/void": invoices.void,
    "POST /v1/invoices/{invoice}/mark_uncollectible": invoices.mark_uncollectible,
    "GET /v1/invoice_payments": payments.listing,
    "POST /v1/credit_notes": credit_notes.create,
    "GET /v1/credit_notes/preview": credit_notes.preview,
    "GET /v1/credit_notes": credit_notes.listing,
    "GET /v1/credit_notes/{id}": lambda call: call.fetch("credit_note", "id"),
    "POST /v1/credit_notes/{id}/void": credit_notes.void,
    "POST /v1/refunds": payments.create_refund,
    "GET /v1/refunds": payments.list_refunds,
    "GET /v1/refunds/{refund}": lambda call: call.fetch("refund"),
    "GET /v1/disputes": payments.list_disputes,
    "GET /v1/disputes/{dispute}": lambda call: call.fetch("dispute"),
    "POST /v1/checkout/sessions": checkout.create,
    "GET /v1/checkout/sessions/{session}": lambda call: call.fetch("session"),
    "GET /v1/setup_intents/{intent}": lambda call: call.fetch("setup_intent", "intent"),
    "GET /v1/mandates/{mandate}": lambda call: call.fetch("mandate"),
    "GET /v1/events": lambda call: call.listed(
        events.selected(call.state, call.given), "/v1/events"
    ),
    "GET /v1/events/{id}": lambda call: events.shown(call.state, call.fetch("event", "id")),
    "POST /v1/webhook_endpoints": webhooks.register,
    "GET /v1/webhook_endpoints": webhooks.listing,
    "GET /v1/webhook_endpoints/{webhook_endpoint}": webhooks.retrieve,
    "DELETE /v1/webhook_endpoints/{webhook_endpoint}": webhooks.delete,
}
