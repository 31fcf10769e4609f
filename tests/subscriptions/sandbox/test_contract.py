"""The sandbox keeps Stripe's contract: its parameters, the shape of its answers, its words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from subscriptions.sandbox.operations import OPERATIONS
from subscriptions.sandbox.parameters import ListOf, Nested, Number, OneOf, Shape
from subscriptions.sandbox.server import Sandbox
from subscriptions.sandbox.shapes import SHAPES
from tests.stripe.control import call, control, order
from tests.stripe.judge import judge_answer, specification

ADDRESS = {"address[line1]": "Straat 1", "address[city]": "Utrecht", "address[country]": "NL"}
LINES = {
    "lines[0][amount]": "10000",
    "lines[0][description]": "Subscription é",
    "lines[0][metadata][line]": "1",
    "lines[0][tax_amounts][0][amount]": "2100",
    "lines[0][tax_amounts][0][taxable_amount]": "10000",
    "lines[0][tax_amounts][0][taxability_reason]": "standard_rated",
    "lines[0][tax_amounts][0][tax_rate_data][display_name]": "VAT",
    "lines[0][tax_amounts][0][tax_rate_data][inclusive]": "false",
    "lines[0][tax_amounts][0][tax_rate_data][percentage]": "21",
}


class Client:
    """Calls the sandbox and holds every answer to Stripe's specification."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def __call__(self, operation: str, form: dict[str, Any] | None = None, **headers: str) -> Any:
        method, _, path = operation.partition(" ")
        answer = call(self.sandbox, method, path, form, **headers)
        if answer.status_code != 501:
            assert judge_answer(method, path, answer.status_code, answer.text) == []
        return answer.json()

    def customer(self, **form: str) -> str:
        return str(self("POST /v1/customers", {"name": "Someone", "email": "a@b.nl"} | form)["id"])

    def draft(self, **form: str) -> str:
        terms = {"collection_method": "send_invoice", "days_until_due": "30"}
        if form.get("collection_method"):
            terms = {}
        made = self("POST /v1/invoices", {"customer": self.customer()} | terms | form)
        return str(made["id"])

    def opened(self, **form: str) -> str:
        identity = self.draft(**form)
        self(f"POST /v1/invoices/{identity}/add_lines", LINES)
        self(f"POST /v1/invoices/{identity}/finalize")
        return identity


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)


# Shape


def test_the_sandbox_models_the_operations_of_the_reduced_specification() -> None:
    assert set(SHAPES) == set(OPERATIONS) == set(specification()["operations"])


@pytest.mark.parametrize("operation", SHAPES)
def test_unknown_to_the_sandbox_is_unknown_to_stripe(operation: str) -> None:
    """Modelled and unmodelled names together are exactly Stripe's, at every depth."""
    schema = specification()["operations"][operation]["request"]

    assert list(differences(SHAPES[operation], schema, operation)) == []


def differences(shape: Shape, schema: dict[str, Any], path: str) -> Iterator[str]:
    for alternative in schema.get("anyOf", ()):
        if alternative.get("type") in {"array", "object"}:
            schema = alternative
    kind = (schema.get("type"), schema.get("format"))
    match shape:
        case ListOf():
            yield from differences(shape.item, schema["items"], f"{path}[]")
        case Nested():
            yield from nested_differences(shape, schema, path)
        case OneOf() if not set(shape.values) <= set(schema.get("enum", shape.values)):
            yield path
        case Number() if kind not in {("number", None), ("string", "decimal")}:
            yield path


def nested_differences(shape: Nested, schema: dict[str, Any], path: str) -> Iterator[str]:
    ours, theirs = shape.fields.keys() | shape.unmodelled, schema.get("properties", {})
    if ours != theirs.keys() or set(shape.required) != set(schema.get("required", ())):
        yield f"{path}: {ours ^ theirs.keys()}"
    for name, item in shape.fields.items():
        yield from differences(item, theirs[name], f"{path}/{name}")


def test_customers_are_searched_by_one_value_of_their_metadata(client: Client) -> None:
    client.customer()
    ours = client.customer(**{"metadata[organisation]": "1"})

    found = client("GET /v1/customers/search", {"query": "metadata['organisation']:'1'"})
    assert [customer["id"] for customer in found["data"]] == [ours]
    by_name = client("GET /v1/customers/search", {"query": "name:'Someone'"})
    assert by_name["error"]["code"] == "sandbox_unmodelled"


def test_every_operation_answers_in_stripes_shape(client: Client) -> None:
    tax_id = {"tax_id_data[0][type]": "eu_vat", "tax_id_data[0][value]": "NL001234567B01"}
    customer = client.customer(**ADDRESS, **tax_id)
    client(f"GET /v1/customers/{customer}")
    client(f"POST /v1/customers/{customer}", {"name": "Other", "address[line1]": "Weg 2"})
    client("GET /v1/customers", {"email": "a@b.nl"})
    added = client(f"POST /v1/customers/{customer}/tax_ids", {"type": "eu_vat", "value": "BE1"})
    client(f"GET /v1/customers/{customer}/tax_ids")
    client(f"DELETE /v1/customers/{customer}/tax_ids/{added['id']}")
    invoice = client.opened()
    client(f"POST /v1/invoices/{invoice}/send")
    client(f"GET /v1/invoices/{invoice}")
    client(f"GET /v1/invoices/{invoice}/lines")
    client("GET /v1/invoices", {"status": "open"})
    assert client(f"DELETE /v1/invoices/{client.draft()}")["deleted"]
    endpoint = client(
        "POST /v1/webhook_endpoints",
        {"url": "http://127.0.0.1:9/", "enabled_events[0]": "*"},
    )
    client(f"GET /v1/webhook_endpoints/{endpoint['id']}")
    client("GET /v1/webhook_endpoints")
    client(f"DELETE /v1/webhook_endpoints/{endpoint['id']}")
    control(client.sandbox, f"pay/{invoice}")
    events = client("GET /v1/events", {"limit": "100"})["data"]
    client(f"GET /v1/events/{events[0]['id']}")

    assert {event["type"] for event in events} >= {
        "customer.created", "customer.updated", "customer.tax_id.created", "invoice.created",
        "invoice.updated", "invoice.finalized", "invoice.sent", "invoice.paid", "invoice.deleted",
    }  # fmt: skip


# Refusals, in Stripe's words


@pytest.mark.parametrize(
    ("form", "message", "code", "param"),
    [
        ({"foo": "1"}, "Received unknown parameter: foo", "parameter_unknown", "foo"),
        (
            {"foo": "1", "bar": "2"},
            "Received unknown parameters: bar, foo",
            "parameter_unknown",
            "bar",
        ),
        (
            {"custom_fields[0][nmae]": "x", "custom_fields[0][value]": "y"},
            "Received unknown parameter: custom_fields[0][nmae]",
            "parameter_unknown",
            "custom_fields[0][nmae]",
        ),
        (
            {"custom_fields[0][name]": "x"},
            "Missing required param: custom_fields[0][value].",
            "parameter_missing",
            "custom_fields[0][value]",
        ),
        ({}, "Missing required param: customer.", "parameter_missing", "customer"),
        (
            {"customer": "cus_1", "days_until_due": "soon"},
            "Invalid integer: soon",
            "parameter_invalid_integer",
            "days_until_due",
        ),
        (
            {"customer": "cus_unknown"},
            "No such customer: 'cus_unknown'",
            "resource_missing",
            "customer",
        ),
    ],
)
def test_a_bad_parameter_is_refused_by_name(
    client: Client, form: dict[str, str], message: str, code: str, param: str
) -> None:
    assert client("POST /v1/invoices", form)["error"] == {
        "message": message,
        "type": "invalid_request_error",
        "code": code,
        "param": param,
    }


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"auto_advance": "maybe"}, id="boolean"),
        pytest.param({"collection_method": "cash"}, id="listed value"),
        pytest.param({"custom_fields": "x"}, id="list"),
        pytest.param({"custom_fields[x][name]": "x"}, id="index"),
        pytest.param({f"custom_fields[{n}][name]": "x" for n in range(5)}, id="length of a list"),
        pytest.param({"metadata": "x"}, id="metadata"),
        pytest.param({"metadata[a]": "x" * 501}, id="length of metadata"),
        pytest.param({"description": "x" * 1501}, id="length of text"),
        pytest.param({"customer[id]": "x"}, id="object for text"),
        pytest.param({"payment_settings": "x"}, id="text for object"),
        pytest.param({"collection_method": "send_invoice"}, id="terms missing"),
        pytest.param({"days_until_due": "3"}, id="terms of a debit"),
        pytest.param(
            {"collection_method": "send_invoice", "days_until_due": "3"}, id="nobody to send it to"
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(client: Client, form: dict[str, str]) -> None:
    customer = {"customer": client.customer(email="")}
    answer = call(client.sandbox, "POST", "/v1/invoices", customer | form)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert client("GET /v1/invoices")["data"] == []


@pytest.mark.parametrize(
    ("operation", "form"),
    [
        ("POST /v1/charges", {}),
        ("POST /v1/invoices", {"discounts": ""}),
        ("POST /v1/invoices", {"pending_invoice_items_behavior": "include"}),
        ("POST /v1/invoices/{draft}/add_lines", {"lines[0][pricing][price]": "price_1"}),
        ("POST /v1/invoices/{draft}/add_lines", {"lines[0][quantity]": "2"}),
        ("POST /v1/invoices/{draft}/send", {}),
    ],
)
def test_what_the_sandbox_does_not_model_is_no_refusal_of_stripes(
    client: Client, operation: str, form: dict[str, str]
) -> None:
    method, _, path = operation.replace("{draft}", client.draft()).partition(" ")

    answer = call(client.sandbox, method, path, form)

    assert answer.status_code == 501
    assert answer.json()["error"]["code"] == "sandbox_unmodelled"
    assert answer.headers["Stripe-Should-Retry"] == "false"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer ", "Bearer nonsense", "Bearer sk_live_1234567890", "Basic !!", "Digest x"],
)
def test_a_key_that_is_no_test_key_is_refused(sandbox: Sandbox, header: str) -> None:
    answer = call(sandbox, "GET", "/v1/customers", Authorization=header)

    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_key_may_come_as_a_user_name(sandbox: Sandbox) -> None:
    basic = "Basic c2tfdGVzdF8xMjM0NTY3ODo="  # sk_test_12345678:

    assert call(sandbox, "GET", "/v1/customers", Authorization=basic).status_code == 200


@pytest.mark.parametrize(
    ("version", "status"),
    [("2026-10-28.endive", 200), ("tomorrow", 400), ("2026-08-26.dahlia", 501)],
)
def test_the_api_version_is_honoured(sandbox: Sandbox, version: str, status: int) -> None:
    answer = call(sandbox, "GET", "/v1/customers", Stripe_Version=version)

    assert answer.status_code == status
    assert answer.headers["Stripe-Version"] == "2026-10-28.endive"
    assert answer.headers["Request-Id"].startswith("req_")


@pytest.mark.parametrize("limit", ["0", "101"])
def test_a_page_holds_1_to_100(client: Client, limit: str) -> None:
    assert client("GET /v1/invoices", {"limit": limit})["error"]["param"] == "limit"


# Lists


def test_pages_follow_one_another_without_gap_or_repeat(client: Client) -> None:
    made = [client.customer(name=f"Customer {number}") for number in range(7)]

    found: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = client("GET /v1/customers", {"limit": "3"} | more)
        found += [item["id"] for item in page["data"]]
        if not page["has_more"]:
            break
        more = {"starting_after": found[-1]}

    assert found == made[::-1]


def test_a_list_keeps_to_what_was_asked(client: Client) -> None:
    opened = client.opened()
    draft = client.draft()
    customer = client(f"GET /v1/invoices/{opened}")["customer"]

    def ids(**query: str) -> list[str]:
        return [item["id"] for item in client("GET /v1/invoices", query)["data"]]

    assert ids() == [draft, opened]
    assert ids(status="open") == ids(customer=customer) == [opened]
    assert ids(collection_method="charge_automatically") == []
    assert ids(**{"created[gt]": "9999999999"}) == []
    assert ids(**{"created[gte]": "1", "created[lt]": "9999999999"}) == [draft, opened]


def test_events_are_listed_by_type(client: Client) -> None:
    client.opened()

    def types(query: dict[str, str]) -> set[str]:
        return {event["type"] for event in client("GET /v1/events", query)["data"]}

    assert types({"type": "invoice.finalized"}) == {"invoice.finalized"}
    assert types({"type": "customer.*"}) == {"customer.created"}
    assert types({"types[0]": "invoice.created", "types[1]": "invoice.finalized"}) == {
        "invoice.created",
        "invoice.finalized",
    }


# Faults


@pytest.mark.parametrize(
    "wish",
    [
        {"operation": "POST /v1/charges", "fault": "429"},
        {"operation": "POST /v1/invoices", "fault": "explode"},
        {"operation": "POST /v1/invoices", "fault": "dropped"},
        {"operation": "webhook", "fault": "429"},
    ],
)
def test_a_fault_that_cannot_be_is_not_ordered(sandbox: Sandbox, wish: dict[str, str]) -> None:
    answer = call(sandbox, "POST", "/_sandbox/faults")
    assert answer.status_code == 200

    with pytest.raises(AssertionError, match="Unknown"):
        order(sandbox, **wish)


def test_a_fault_falls_on_the_next_requests_of_its_operation_only(client: Client) -> None:
    order(client.sandbox, "POST /v1/customers", "429", times=2)

    statuses = [
        call(client.sandbox, method, "/v1/customers", {}).status_code
        for method in ("GET", "POST", "POST", "POST")
    ]

    assert statuses == [200, 429, 429, 200]


def test_a_slow_answer_is_complete(sandbox: Sandbox) -> None:
    order(sandbox, "POST /v1/customers", "slow", seconds=0.3)

    answer = call(sandbox, "POST", "/v1/customers", {})

    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.3
