"""The one module that talks to Stripe: its settings, its errors, its long lists."""

from __future__ import annotations

import ast
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import stripe
from django.conf import settings as django_settings

from subscriptions import gateway
from subscriptions.sandbox.server import Sandbox
from tests.stripe.control import TOO_OFTEN, order

TERMS = {"collection_method": "send_invoice", "days_until_due": 30}


def draft(key: str = "draft") -> gateway.Document:
    customer = gateway.create_customer(
        {"name": "Someone", "email": "a@b.nl"}, f"customer for {key}"
    )
    return gateway.create_draft({"customer": customer.id, **TERMS}, key)


def test_the_api_version_of_the_settings_is_the_librarys() -> None:
    assert stripe.api_version == django_settings.STRIPE_API_VERSION


def test_another_api_version_than_the_librarys_is_refused(sandbox: Sandbox, settings: Any) -> None:
    settings.STRIPE_API_VERSION = "2026-08-26.dahlia"

    with pytest.raises(gateway.MisconfiguredError, match="other_api_version"):
        gateway.read("in_1")


def test_without_a_key_nothing_is_asked(sandbox: Sandbox, settings: Any) -> None:
    settings.STRIPE_API_KEY = ""

    with pytest.raises(gateway.MisconfiguredError, match="no_api_key"):
        gateway.read("in_1")


def test_a_key_that_stripe_does_not_know_is_a_matter_of_settings(
    sandbox: Sandbox, settings: Any
) -> None:
    settings.STRIPE_API_KEY = "sk_test_no good"

    with pytest.raises(gateway.MisconfiguredError):
        gateway.read("in_1")


def test_with_another_address_no_service_of_the_library_is_left_at_stripe(
    sandbox: Sandbox,
) -> None:
    client = gateway._client()

    assert set(client._requestor._options.base_addresses.values()) == {sandbox.base_url}


def test_an_unknown_object_is_missing(sandbox: Sandbox) -> None:
    with pytest.raises(gateway.MissingError, match="resource_missing"):
        gateway.read("in_unknown")


def test_a_refusal_is_final_and_keeps_only_the_code(sandbox: Sandbox) -> None:
    document = draft()
    gateway.finalize(document.id, {}, "first")

    with pytest.raises(gateway.RefusedError) as refused:
        gateway.finalize(document.id, {}, "second")

    assert str(refused.value) == "invoice_not_editable"
    assert refused.value.__cause__ is None  # its text may repeat what was sent


def test_another_body_under_the_same_key_is_refused(sandbox: Sandbox) -> None:
    gateway.create_customer({"name": "One"}, "key")

    with pytest.raises(gateway.RefusedError):
        gateway.create_customer({"name": "Two"}, "key")


def test_too_many_requests_are_for_later(sandbox: Sandbox) -> None:
    order(sandbox, "POST /v1/customers", "429", times=TOO_OFTEN)

    with pytest.raises(gateway.BusyError):
        gateway.create_customer({"name": "One"}, "key")


def test_the_first_500_leaves_it_open_and_a_repeated_one_is_final(sandbox: Sandbox) -> None:
    order(sandbox, "POST /v1/customers", "500_before")

    answers = []
    for _ in range(2):
        with pytest.raises(gateway.UnknownOutcomeError) as unknown:
            gateway.create_customer({"name": "One"}, "key")
        answers.append(unknown.value.is_final)

    assert answers == [False, True]


def test_a_lost_answer_is_asked_for_again_with_the_same_key(sandbox: Sandbox) -> None:
    order(sandbox, "POST /v1/customers", "drop_response")

    made = gateway.create_customer({"name": "One", "email": "a@one.example"}, "key")

    assert [customer.id for customer in gateway.customers_with_email("a@one.example")] == [made.id]


def test_what_is_not_implemented_was_not_done(sandbox: Sandbox) -> None:
    with pytest.raises(gateway.RefusedError, match="sandbox_unmodelled"):
        gateway.send(draft().id, "key")


def test_every_line_is_read_however_many_there_are(sandbox: Sandbox) -> None:
    document = draft()
    lines = [
        {"amount": number, "metadata": {"line": str(number)}, "description": f"Line {number}"}
        for number in range(120)
    ]
    gateway.add_lines(document.id, {"lines": lines}, "lines")

    found = gateway.lines_of(document.id)

    assert [line.net_cents for line in found] == list(range(120))
    assert found[7] == gateway.Line("7", "Line 7", 7, ())


def test_every_document_of_a_customer_is_found_and_no_one_elses(sandbox: Sandbox) -> None:
    first = draft("first")
    others = draft("others")
    made = {
        gateway.create_draft({"customer": first.customer_id, **TERMS}, f"key {number}").id
        for number in range(105)
    }

    found = {document.id for document in gateway.documents_of(first.customer_id)}

    assert found == made | {first.id}
    assert others.id not in found


def test_a_document_shows_what_stripe_made_of_it(sandbox: Sandbox) -> None:
    customer = gateway.create_customer(
        {
            "name": "Someone B.V.",
            "email": "a@one.example",
            "address": {"line1": "Straat 1", "city": "Utrecht", "country": "NL"},
            "tax_id_data": [{"type": "eu_vat", "value": "NL001234567B01"}],
        },
        "customer",
    )
    body = {"customer": customer.id, "metadata": {"document": "ours"}, **TERMS}
    made = gateway.create_draft(body, "draft")
    gateway.finalize(made.id, {}, "finalize")

    document = gateway.read(made.id)

    assert document.buyer == {
        "name": "Someone B.V.",
        "email": "a@one.example",
        "line1": "Straat 1",
        "postal_code": "",
        "city": "Utrecht",
        "country": "NL",
        "tax_ids": "NL001234567B01",
    }
    assert (document.document, document.livemode) == ("ours", False)
    assert document.finalized_at is not None
    assert document.finalized_at.tzinfo is dt.UTC


def test_deleting_a_draft_twice_is_fine(sandbox: Sandbox) -> None:
    document = draft()

    gateway.delete_draft(document.id)
    gateway.delete_draft(document.id)

    with pytest.raises(gateway.MissingError):
        gateway.read(document.id)


@pytest.mark.attack(27)
def test_no_other_module_imports_stripe_at_run_time() -> None:
    """Types for the checker are fine; a call is not."""
    root = Path(gateway.__file__).parents[1]
    apps = ("agency", "advisors", "workshops", "subscriptions")
    importing = {
        path.relative_to(root).as_posix()
        for app in apps
        for path in (root / app).rglob("*.py")
        if "stripe" in imported_at_run_time(path)
    }

    assert importing == {"subscriptions/gateway.py"}


def imported_at_run_time(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = [ast.Pass()]
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").partition(".")[0])
    return names
