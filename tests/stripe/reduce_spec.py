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
GET /v1/customers/{customer}
POST /v1/customers/{customer}
GET /v1/customers/{customer}/tax_ids
POST /v1/customers/{customer}/tax_ids
DELETE /v1/customers/{customer}/tax_ids/{id}
GET /v1/invoices
POST /v1/invoices
GET /v1/invoices/{invoice}
DELETE /v1/invoices/{invoice}
POST /v1/invoices/{invoice}/add_lines
GET /v1/invoices/{invoice}/lines
POST /v1/invoices/{invoice}/finalize
POST /v1/invoices/{invoice}/send
GET /v1/events
GET /v1/events/{id}
GET /v1/webhook_endpoints
POST /v1/webhook_endpoints
GET /v1/webhook_endpoints/{webhook_endpoint}
DELETE /v1/webhook_endpoints/{webhook_endpoint}
"""
CUT = frozenset(
    {
        "bank_account",
        "card",
        "cash_balance",
        "discount",
        "invoice_payment",
        "payment_intent",
        "payment_method",
        "setup_intent",
        "source",
        "subscription",
        "invoices_payment_method_options",
    }
)
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
    # Errors are the answer of every operation that did not succeed; events carry any object.
    for name in ("error", "invoice", "customer", "tax_id"):
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
    query = {
        parameter["name"]: reduce_schema(parameter["schema"], spec, schemas)
        for parameter in given.get("parameters", [])
        if parameter["in"] == "query"
    }
    form = given["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    return {
        "request": {"type": "object", "additionalProperties": False, "properties": query}
        if method == "GET"
        else reduce_schema(form, spec, schemas),
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
