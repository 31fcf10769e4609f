"""The same conversation with the sandbox and, where a key of its test mode is given, with Stripe.

`STRIPE_TEST_KEY=sk_test_... python -m pytest tests/stripe/test_test_mode.py` has Stripe answer:
what the sandbox claims about Stripe is then held to Stripe itself. Nothing is paid or mailed.
"""

from __future__ import annotations

import _socket
import datetime as dt
import os
import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from subscriptions import gateway

KEY = os.environ.get("STRIPE_TEST_KEY", "")
TERMS = {"collection_method": "send_invoice", "days_until_due": 30}


@pytest.fixture(params=["sandbox", "stripe"])
def place(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """Point the gateway at one of the two."""
    if request.param == "sandbox":
        request.getfixturevalue("sandbox")
        yield "sandbox"
        return
    if not KEY.startswith(("sk_test_", "rk_test_")):
        pytest.skip("STRIPE_TEST_KEY holds no key of Stripe's test mode")
    settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = KEY, ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _socket.socket.connect)
        yield "stripe"


def customer() -> gateway.Customer:
    body = {
        "name": "Test organisation B.V.",
        "email": "test@organisation.example",
        "address": {"line1": "Dorpsstraat 1", "city": "Utrecht", "country": "NL"},
        "metadata": {"organisation": str(uuid4())},
    }
    return gateway.create_customer(body, str(uuid4()))


def draft(owner: gateway.Customer, key: str = "") -> gateway.Document:
    body = {
        **TERMS,
        "customer": owner.id,
        "currency": "eur",
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "metadata": {"document": str(uuid4()), "run": "2026-03"},
    }
    return gateway.create_draft(body, key or str(uuid4()))


def with_line(document: gateway.Document) -> gateway.Document:
    rate = {"display_name": "VAT", "inclusive": False, "percentage": "21"}
    tax = {"amount": 20318, "taxable_amount": 96750, "tax_rate_data": rate}
    line = {
        "amount": 96750,
        "description": "Subscription",
        "metadata": {"line": "1"},
        "tax_amounts": [tax | {"taxability_reason": "standard_rated"}],
    }
    return gateway.add_lines(document.id, {"lines": [line]}, str(uuid4()))


def test_our_amounts_survive_to_the_cent(place: str) -> None:
    document = with_line(draft(customer()))

    final = gateway.finalize(document.id, {"auto_advance": False}, str(uuid4()))

    assert (final.net_cents, final.vat_cents, final.total_cents) == (96750, 20318, 117068)
    assert (final.status, final.livemode, final.run) == ("open", False, "2026-03")
    assert final.number
    [line] = gateway.lines_of(document.id)
    tax = gateway.Tax(20318, 96750, "standard_rated")
    assert line == gateway.Line("1", "Subscription", 96750, (tax,))


def test_a_repeated_key_makes_nothing_new(place: str) -> None:
    owner = customer()
    body = {**TERMS, "customer": owner.id}
    key = str(uuid4())

    made = gateway.create_draft(body, key)

    assert gateway.create_draft(body, key).id == made.id
    assert [document.id for document in gateway.documents_of(owner.id)] == [made.id]
    with pytest.raises(gateway.RefusedError):
        gateway.create_draft({**body, "days_until_due": 7}, key)


def test_a_finalized_invoice_takes_no_lines_and_is_not_finalized_again(place: str) -> None:
    document = with_line(draft(customer()))
    gateway.finalize(document.id, {"auto_advance": False}, str(uuid4()))

    with pytest.raises(gateway.RefusedError):
        with_line(document)
    with pytest.raises(gateway.RefusedError):
        gateway.finalize(document.id, {"auto_advance": False}, str(uuid4()))


def test_a_deleted_draft_is_missing(place: str) -> None:
    document = draft(customer())

    gateway.delete_draft(document.id)

    with pytest.raises(gateway.MissingError):
        gateway.read(document.id)


def test_a_credit_note_is_what_its_preview_said(place: str) -> None:
    document = with_line(draft(customer()))
    gateway.finalize(document.id, {"auto_advance": False}, str(uuid4()))
    [line] = gateway.lines_of(document.id)
    taxes = [{"amount": 2100, "taxable_amount": 10000, "tax_rate": line.taxes[0].rate_id}]
    body = {
        "invoice": document.id,
        "lines": [
            {
                "type": "invoice_line_item",
                "invoice_line_item": line.id,
                "amount": 10000,
                "tax_amounts": taxes,
            }
        ],
        "metadata": {"document": "ours"},
        "email_type": "none",
    }

    preview = gateway.preview_credit_note(body)
    made = gateway.create_credit_note(body, str(uuid4()))

    for there in (preview, made):
        assert (there.net_cents, there.vat_cents, there.total_cents) == (10000, 2100, 12100)
    assert [note.id for note in gateway.credit_notes_of(document.id)] == [made.id]
    assert gateway.read(document.id).remaining_cents == 117068 - 12100


def test_events_tell_of_what_happened(place: str) -> None:
    document = with_line(draft(customer()))
    final = gateway.finalize(document.id, {"auto_advance": False}, str(uuid4()))

    found = gateway.events_since(final.created_at, "invoice.finalized", "invoice.paid")

    assert document.id in {event.object_id for event in found}


def test_the_answers_tell_the_time(place: str) -> None:
    assert abs(gateway.clock_is_ahead_by()) < dt.timedelta(minutes=5)
