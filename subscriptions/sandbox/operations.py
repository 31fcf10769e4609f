"""Which function carries out which operation."""

from collections.abc import Callable

from subscriptions.sandbox import customers, events, invoices, webhooks
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.state import Json

OPERATIONS: dict[str, Callable[[Call], Json]] = {
    "POST /v1/customers": customers.create,
    "GET /v1/customers": customers.listing,
    "GET /v1/customers/{customer}": customers.retrieve,
    "POST /v1/customers/{customer}": customers.update,
    "GET /v1/customers/{customer}/tax_ids": customers.list_tax_ids,
    "POST /v1/customers/{customer}/tax_ids": customers.add_tax_id,
    "DELETE /v1/customers/{customer}/tax_ids/{id}": customers.delete_tax_id,
    "POST /v1/invoices": invoices.create,
    "GET /v1/invoices": invoices.listing,
    "GET /v1/invoices/{invoice}": invoices.retrieve,
    "DELETE /v1/invoices/{invoice}": invoices.delete,
    "POST /v1/invoices/{invoice}/add_lines": invoices.add_lines,
    "GET /v1/invoices/{invoice}/lines": invoices.list_lines,
    "POST /v1/invoices/{invoice}/finalize": invoices.finalize,
    "POST /v1/invoices/{invoice}/send": invoices.send,
    "GET /v1/events": lambda call: call.listed(
        events.selected(call.state, call.given), "/v1/events"
    ),
    "GET /v1/events/{id}": lambda call: events.shown(call.state, call.fetch("event", "id")),
    "POST /v1/webhook_endpoints": webhooks.register,
    "GET /v1/webhook_endpoints": webhooks.listing,
    "GET /v1/webhook_endpoints/{webhook_endpoint}": webhooks.retrieve,
    "DELETE /v1/webhook_endpoints/{webhook_endpoint}": webhooks.delete,
}
