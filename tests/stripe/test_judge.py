"""The judge bites: what Stripe would refuse, and what Stripe never answers, is found."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
import stripe

from subscriptions import bodies, gateway
from subscriptions.sandbox.server import Sandbox
from tests.stripe.control import call
from tests.stripe.judge import (
    KNOWN_DIFFERENCES,
    SDK_VERSION,
    judge_answer,
    judge_request,
    load,
    problems,
    specification,
)

INVOICES = "https://api.stripe.com/v1/invoices"
ADD_LINES = f"{INVOICES}/in_1/add_lines"
LINE = {
    "lines[0][amount]": "100",
    "lines[0][description]": "Subscription",
    "lines[0][tax_amounts][0][amount]": "21",
    "lines[0][tax_amounts][0][taxable_amount]": "100",
    "lines[0][tax_amounts][0][taxability_reason]": "standard_rated",
    "lines[0][tax_amounts][0][tax_rate_data][display_name]": "VAT",
    "lines[0][tax_amounts][0][tax_rate_data][inclusive]": "false",
    "lines[0][tax_amounts][0][tax_rate_data][percentage]": "21",
}


def test_a_request_that_stripe_takes_is_let_through() -> None:
    assert judge_request("post", ADD_LINES, urlencode(LINE)) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"lines[0][desciption]": "x"}, id="misspelt field of a line"),
        pytest.param({"lines[0][amount]": "1.50"}, id="amount in euros"),
        pytest.param({"lines[0][amount]": "many"}, id="amount in words"),
        pytest.param(
            {"lines[0][tax_amounts][0][tax_rate_data][percent]": "21"}, id="misspelt at depth 4"
        ),
        pytest.param({"lines[0][tax_amounts][0][tax_rate_data][inclusive]": "no"}, id="no boolean"),
        pytest.param(
            {"lines[0][tax_amounts][0][taxability_reason]": "normal"}, id="value not listed"
        ),
        pytest.param({"lines[0][period][start]": "1"}, id="half a period"),
        pytest.param({"lines[0][metadata][line][id]": "1"}, id="object as metadata"),
        pytest.param({"line": "x"}, id="unknown parameter"),
        pytest.param({"lines[0][description]": "x" * 5001}, id="too long"),
    ],
)
def test_a_request_that_stripe_would_refuse_is_found(change: dict[str, str]) -> None:
    assert judge_request("post", ADD_LINES, urlencode(LINE | change)) != []


def test_a_missing_parameter_is_found() -> None:
    [found] = judge_request("post", ADD_LINES, "")

    assert "'lines' is a required property" in found


def test_a_query_is_judged_too() -> None:
    assert judge_request("get", f"{INVOICES}?limit=3&created[gte]=5", "") == []
    assert judge_request("get", f"{INVOICES}?limit=three", "") != []
    assert judge_request("get", f"{INVOICES}?metadata[document]=1", "") != []
    assert judge_request("get", "https://api.stripe.com/v1/credit_notes/preview", "") != []


def test_an_operation_that_was_not_foreseen_is_found() -> None:
    assert judge_request("post", "https://api.stripe.com/v1/charges", "") != []


def test_an_answer_that_stripe_never_gives_is_found(sandbox: Sandbox) -> None:
    customer = call(sandbox, "POST", "/v1/customers", {"name": "Someone"})
    path = f"/v1/customers/{customer.json()['id']}"
    given = customer.json()

    assert judge_answer("get", path, 200, customer.text) == []
    for change in (
        {"nmae": "misspelt"},
        {"created": "2026-03-01"},
        {"livemode": None},
        {"address": {"street": "x"}},
        {"tax_exempt": "sometimes"},
    ):
        assert judge_answer("get", path, 200, json.dumps(given | change)) != []
    assert judge_answer("get", path, 200, "not JSON") != []
    assert judge_answer("get", path, 400, '{"error": "a text"}') != []


def test_an_object_inside_an_event_is_judged_by_its_kind(sandbox: Sandbox) -> None:
    call(sandbox, "POST", "/v1/customers", {"name": "Someone"})
    listed = call(sandbox, "GET", "/v1/events").json()
    assert judge_answer("get", "/v1/events", 200, json.dumps(listed)) == []

    listed["data"][0]["data"]["object"]["balance"] = "nothing"

    assert judge_answer("get", "/v1/events", 200, json.dumps(listed)) != []


def test_the_judge_listens_to_whoever_uses_the_library(sandbox: Sandbox, judged: list[str]) -> None:
    gateway.create_customer({"name": "Someone"}, "key")
    assert judged == []

    with pytest.raises(gateway.RefusedError):
        gateway.create_customer({"nmae": "Someone"}, "another key")

    assert any("'nmae' was unexpected" in problem for problem in judged)
    judged.clear()


def test_every_nested_object_with_named_fields_is_closed() -> None:
    assert list(open_objects(specification()["operations"], "operations")) == []


def open_objects(schema: Any, path: str) -> Any:
    if isinstance(schema, dict):
        named = isinstance(schema.get("type"), str) and "properties" in schema
        if named and schema.get("additionalProperties") is not False:
            yield path
        for name, item in schema.items():
            yield from open_objects(item, f"{path}/{name}")
    elif isinstance(schema, list):
        for item in schema:
            yield from open_objects(item, path)


@pytest.mark.parametrize("difference", KNOWN_DIFFERENCES, ids=lambda difference: difference.name)
def test_a_known_difference_is_one(difference: Any) -> None:
    """An entry that the specification has grown out of must go."""
    spec = load(())
    for step in difference.where:
        spec = spec[step]

    assert difference.why
    assert spec.get(difference.name) != difference.schema
    if difference.name in spec:
        assert problems(SDK_VERSION, spec[difference.name]) != []


def test_the_version_that_is_judged_for_is_the_librarys() -> None:
    assert stripe.api_version == SDK_VERSION
    assert specification()["version"] == "2026-08-26.dahlia"


def test_the_reasons_for_no_tax_are_stripes() -> None:
    line = specification()["operations"]["POST /v1/invoices/{invoice}/add_lines"]["request"]
    taxes = line["properties"]["lines"]["items"]["properties"]["tax_amounts"]["anyOf"][0]

    reasons = taxes["items"]["properties"]["taxability_reason"]["enum"]
    assert set(bodies.TAXABILITY.values()) <= set(reasons)
