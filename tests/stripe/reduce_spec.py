"""Reduce Stripe's OpenAPI specification to the operations that Discreet calls.

usage: python tests/stripe/reduce_spec.py OPENAPI3.json > tests/stripe/openapi-VERSION.json

What is left are JSON Schemas: of each operation its request ("body" or "query") and its answer,
and the schemas that those refer to. On the way

* texts (descriptions, titles) go, and so do Stripe's own x- remarks;
* objects with named fields are closed, in requests and answers alike, so that a misspelt name
  counts wherever it stands;
* what Stripe expands only when asked is cut to "text or object", or else nearly every schema of
  the specification would come along;
* a few large objects that no answer of ours holds are cut to "object".
"""

import json
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]

OPERATIONS = """
GET /v1/customers
POST /v1/customers
GET /v1/customers/search
GET /v1/customers/{customer}
POST /v1/customers/{customer}
DELETE /v1/customers/{customer}
GET /v1/customers/{customer}/tax_ids
POST /v1/customers/{customer}/tax_ids
DELETE /v1/customers/{customer}/tax_ids/{id}
GET /v1/invoices
POST /v1/invoices
GET /v1/invoices/{invoice}
POST /v1/invoices/{invoice}
DELETE /v1/invoices/{invoice}
POST /v1/invoices/{invoice}/add_lines
GET /v1/invoices/{invoice}/lines
POST /v1/invoices/{invoice}/finalize
POST /v1/invoices/{invoice}/send
POST /v1/invoices/{invoice}/pay
POST /v1/invoices/{invoice}/void
POST /v1/invoices/{invoice}/mark_uncollectible
GET /v1/invoice_payments
GET /v1/credit_notes
POST /v1/credit_notes
GET /v1/credit_notes/preview
GET /v1/credit_notes/{id}
POST /v1/credit_notes/{id}/void
GET /v1/refunds
POST /v1/refunds
GET /v1/refunds/{refund}
GET /v1/disputes
GET /v1/disputes/{dispute}
POST /v1/checkout/sessions
GET /v1/checkout/sessions/{session}
GET /v1/setup_intents/{intent}
GET /v1/mandates/{mandate}
GET /v1/events
GET /v1/events/{id}
GET /v1/webhook_endpoints
POST /v1/webhook_endpoints
GET /v1/webhook_endpoints/{webhook_endpoint}
DELETE /v1/webhook_endpoints/{webhook_endpoint}
"""
# What errors are, and what events carry.
OBJECTS = (
    *("error", "invoice", "customer", "tax_id", "credit_note", "refund", "dispute", "mandate"),
    *("setup_intent", "checkout.session", "invoice_payment", "charge"),
)
CUT = frozenset(
    {
        "balance_transaction",
        "bank_account",
        "card",
        "cash_balance",
        "checkout_session_payment_method_options",
        "discount",
        "dispute_enhanced_evidence",
        "dispute_evidence",
        "dispute_payment_method_details",
        "item",
        "mandate_payto",
        "payment_intent",
        "payment_method",
        "payment_method_details",
        "payment_pages_checkout_session_branding_settings",
        "payment_pages_checkout_session_invoice_settings",
        "payment_pages_checkout_session_optional_item",
        "payment_pages_checkout_session_shipping_address_collection",
        "payment_pages_checkout_session_shipping_option",
        "refund_destination_details",
        "refund_next_action",
        "setup_intent_next_action",
        "setup_intent_payment_method_options",
        "source",
        "subscription",
        "invoices_payment_method_options",
    }
)
# Parameters of large requests that nobody here sends: their names stay, what is in them goes.
SENT: dict[str, frozenset[str]] = {
    "POST /v1/checkout/sessions": frozenset(
        {"customer", "line_items", "locale", "metadata", "mode", "payment_method_types"}
        | {"cancel_url", "currency", "expires_at", "success_url", "payment_intent_data"}
        | {"setup_intent_data", "client_reference_id"}
    )
}
PREFIX = "#/components/schemas/"
KEPT = frozenset(
    {
        "additionalProperties",
        "anyOf",
        "enum",
        "format",
        "items",
        "maxLength",
        "oneOf",
        "pattern",
        "properties",
        "required",
        "type",
    }
)


def reduce_spec(spec: Json) -> Json:
    """Return the reduced specification."""
    schemas: Json = {}
    operations = {name: operation(spec, name, schemas) for name in OPERATIONS.strip().splitlines()}
    for name in OBJECTS:
        reduce_schema({"$ref": PREFIX + name}, spec, schemas)
    return {
        "version": spec["info"]["version"],
        "operations": operations,
        "schemas": dict(sorted(schemas.items())),
    }


def operation(spec: Json, name: str, schemas: Json) -> Json:
    method, path = name.split()
    given = spec["paths"][path][method.lower()]
    answer = given["responses"]["200"]["content"]["application/json"]["schema"]
    parameters = [item for item in given.get("parameters", []) if item["in"] == "query"]
    query = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            item["name"]: reduce_schema(item["schema"], spec, schemas) for item in parameters
        },
        "required": [item["name"] for item in parameters if item.get("required")],
    }
    form = given["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    return {
        "request": query
        if method == "GET"
        else reduce_schema(without_cut(name, form), spec, schemas),
        "answer": reduce_schema(answer, spec, schemas),
    }


def reduce_schema(schema: Json, spec: Json, schemas: Json) -> Json:
    """Return a schema as JSON Schema, putting what it refers to into ``schemas``."""
    if "$ref" in schema:
        return reference(schema["$ref"].removeprefix(PREFIX), spec, schemas)
    if "x-expansionResources" in schema:
        return nullable(schema, {"type": ["string", "object"]})
    reduced = {
        name: reduce_value(name, value, spec, schemas)
        for name, value in schema.items()
        if name in KEPT
    }
    if "properties" in reduced:
        reduced.setdefault("additionalProperties", False)
    return nullable(schema, reduced)


def reduce_value(name: str, value: Any, spec: Json, schemas: Json) -> Any:
    match name, value:
        case "properties", dict():
            return {key: reduce_schema(item, spec, schemas) for key, item in value.items()}
        case (("anyOf" | "oneOf"), list()):
            return [reduce_schema(item, spec, schemas) for item in value]
        case (("items" | "additionalProperties"), dict()):
            return reduce_schema(value, spec, schemas)
    return value


def without_cut(operation: str, form: Json) -> Json:
    sent = SENT.get(operation, frozenset(form.get("properties", {})))
    fields = {
        name: schema if name in sent else {"type": schema.get("type", "object")}
        for name, schema in form.get("properties", {}).items()
    }
    return form | {"properties": fields}


def reference(name: str, spec: Json, schemas: Json) -> Json:
    if name in CUT:
        return {"type": "object"}
    if name not in schemas:
        schemas[name] = {}  # holds the place: schemas refer to one another in circles
        schemas[name] = reduce_schema(spec["components"]["schemas"][name], spec, schemas)
    return {"$ref": f"#/schemas/{name}"}


def nullable(schema: Json, reduced: Json) -> Json:
    """Say in JSON Schema what OpenAPI 3.0 says with ``nullable``."""
    if not schema.get("nullable"):
        return reduced
    return {"anyOf": [reduced, {"type": "null"}]}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    reduced = reduce_spec(json.loads(Path(sys.argv[1]).read_text()))
    json.dump(reduced, sys.stdout, separators=(",", ":"), sort_keys=True)
