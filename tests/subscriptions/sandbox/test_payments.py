"""The sandbox's money: credit notes, refunds, disputes, Checkout and mandates."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from subscriptions.sandbox.server import Sandbox
from tests.stripe.control import call, control, listed
from tests.stripe.judge import judge_answer

TERMS = {"collection_method": "send_invoice", "days_until_due": "30"}


class Client:
    """Calls the sandbox and holds every answer to Stripe's specification."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def __call__(self, operation: str, form: dict[str, Any] | None = None) -> Any:
        method, _, path = operation.partition(" ")
        answer = call(self.sandbox, method, path, form)
        assert judge_answer(method, path, answer.status_code, answer.text) == []
        return answer.json()

    def opened(self) -> tuple[str, str, str]:
        """Open an invoice of 121.00; return its id, and those of its line and tax rate."""
        customer = self("POST /v1/customers", {"name": "Someone", "email": "a@b.nl"})["id"]
        made = self("POST /v1/invoices", {"customer": customer, **TERMS})["id"]
        tax = "lines[0][tax_amounts][0]"
        lines = {
            "lines[0][amount]": "10000",
            "lines[0][description]": "Subscription",
            f"{tax}[amount]": "2100",
            f"{tax}[taxable_amount]": "10000",
            f"{tax}[taxability_reason]": "standard_rated",
            f"{tax}[tax_rate_data][display_name]": "VAT",
            f"{tax}[tax_rate_data][inclusive]": "false",
            f"{tax}[tax_rate_data][percentage]": "21",
        }
        self(f"POST /v1/invoices/{made}/add_lines", lines)
        line = self(f"POST /v1/invoices/{made}/finalize")["lines"]["data"][0]
        return made, line["id"], line["taxes"][0]["tax_rate_details"]["tax_rate"]


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)


def credit(invoice: str, line: str, rate: str, net: int, vat: int, **more: Any) -> dict[str, Any]:
    return {
        "invoice": invoice,
        "lines[0][type]": "invoice_line_item",
        "lines[0][invoice_line_item]": line,
        "lines[0][amount]": net,
        "lines[0][tax_amounts][0][amount]": vat,
        "lines[0][tax_amounts][0][tax_rate]": rate,
        "lines[0][tax_amounts][0][taxable_amount]": net,
        **more,
    }


def test_every_answer_about_money_has_stripes_shape(client: Client) -> None:
    invoice, line, rate = client.opened()
    form = credit(invoice, line, rate, 1000, 210)
    client("GET /v1/credit_notes/preview", form)
    note = client("POST /v1/credit_notes", form)
    client(f"GET /v1/credit_notes/{note['id']}")
    client("GET /v1/credit_notes", {"invoice": invoice})
    client(f"POST /v1/credit_notes/{note['id']}/void")
    control(client.sandbox, f"pay/{invoice}")
    [payment] = client("GET /v1/invoice_payments", {"invoice": invoice})["data"]
    intent = payment["payment"]["payment_intent"]
    refund = client("POST /v1/refunds", {"payment_intent": intent, "amount": 100})
    client(f"GET /v1/refunds/{refund['id']}")
    client("GET /v1/refunds", {"payment_intent": intent})
    dispute = control(client.sandbox, f"dispute/{invoice}")
    client(f"GET /v1/disputes/{dispute['id']}")
    assert client("GET /v1/disputes", {"charge": dispute["charge"]})["data"] == [dispute]
    control(client.sandbox, f"close_dispute/{dispute['id']}", {"status": "won"})
    other, _line, _rate = client.opened()
    client(f"POST /v1/invoices/{other}/mark_uncollectible")
    client(f"POST /v1/invoices/{other}/void")
    third, _line, _rate = client.opened()
    assert client(f"POST /v1/invoices/{third}/pay", {"paid_out_of_band": "true"})[
        "amount_paid_off_stripe"
    ]
    events = client("GET /v1/events", {"limit": "100"})["data"]

    assert {event["type"] for event in events} >= {
        "credit_note.created", "credit_note.voided", "refund.created", "charge.refunded",
        "charge.dispute.created", "charge.dispute.closed", "invoice.voided", "invoice.paid",
        "invoice.marked_uncollectible",
    }  # fmt: skip


def test_a_preview_makes_nothing(client: Client) -> None:
    form = credit(*client.opened(), 1000, 210)

    assert client("GET /v1/credit_notes/preview", form)["total"] == 1210

    assert client("GET /v1/credit_notes")["data"] == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"invoice": "in_unknown"}, id="invoice"),
        pytest.param({"lines[0][invoice_line_item]": "il_unknown"}, id="line"),
        pytest.param({"lines[0][tax_amounts][0][tax_rate]": "txr_unknown"}, id="rate"),
        pytest.param({"lines[0][amount]": 10001}, id="more than the line"),
        pytest.param({"lines[0][amount]": 0}, id="nothing"),
        pytest.param({"refund_amount": 1210}, id="refund of what was not paid"),
        pytest.param({"lines[0][type]": "line"}, id="kind of line"),
    ],
)
def test_a_credit_that_stripe_would_refuse_is_refused(
    client: Client, change: dict[str, Any]
) -> None:
    form = credit(*client.opened(), 1000, 210) | change

    assert client("POST /v1/credit_notes", form)["error"]["type"] == "invalid_request_error"

    assert client("GET /v1/credit_notes")["data"] == []


def test_credits_never_exceed_the_line(client: Client) -> None:
    invoice = client.opened()
    client("POST /v1/credit_notes", credit(*invoice, 9000, 1890))

    assert "error" in client("POST /v1/credit_notes", credit(*invoice, 1001, 210))
    note = client("POST /v1/credit_notes", credit(*invoice, 1000, 210))

    assert note["number"] == "SANDBOX-0001-CN-02"
    assert client(f"GET /v1/invoices/{invoice[0]}")["status"] == "paid"


def test_a_paid_invoice_says_how_a_credit_goes_back(client: Client) -> None:
    invoice = client.opened()
    control(client.sandbox, f"pay/{invoice[0]}")
    form = credit(*invoice, 1000, 210)

    assert "must equal" in client("POST /v1/credit_notes", form)["error"]["message"]
    client("POST /v1/credit_notes", form | {"refund_amount": 1210})
    client("POST /v1/credit_notes", form | {"out_of_band_amount": 1210})

    assert [refund["amount"] for refund in listed(client.sandbox, "refunds")] == [1210]


def test_refunds_never_exceed_the_payment(client: Client) -> None:
    invoice, _line, _rate = client.opened()
    control(client.sandbox, f"pay/{invoice}")
    [payment] = client("GET /v1/invoice_payments")["data"]
    form = {"payment_intent": payment["payment"]["payment_intent"]}

    assert "error" in client("POST /v1/refunds", form | {"amount": 12101})
    client("POST /v1/refunds", form | {"amount": 12000})
    assert client("POST /v1/refunds", form)["amount"] == 100
    assert client("POST /v1/refunds", form)["error"]["code"] == "charge_already_refunded"
    assert "error" in client("POST /v1/refunds")
    assert "error" in client("POST /v1/refunds", {"charge": "ch_unknown"})


def test_a_client_gives_a_mandate_on_the_checkout_page(client: Client) -> None:
    customer = client("POST /v1/customers", {"name": "Someone"})["id"]
    back = f"{client.sandbox.base_url}/?session={{CHECKOUT_SESSION_ID}}"
    form = {"mode": "setup", "customer": customer, "currency": "eur", "success_url": back}
    session = client("POST /v1/checkout/sessions", form)

    assert "mandate" in requests.get(session["url"], timeout=60).text
    answer = requests.post(
        session["url"], data={"outcome": "complete"}, timeout=60, allow_redirects=False
    )

    assert answer.headers["Location"].endswith(f"session={session['id']}")
    assert client(f"GET /v1/checkout/sessions/{session['id']}")["status"] == "complete"
    intent = client(f"GET /v1/setup_intents/{session['setup_intent']}")
    assert intent["status"] == "succeeded"
    assert client(f"GET /v1/mandates/{intent['mandate']}")["status"] == "active"
    settings = {"invoice_settings[default_payment_method]": intent["payment_method"]}
    changed = client(f"POST /v1/customers/{customer}", settings)
    assert changed["invoice_settings"]["default_payment_method"] == intent["payment_method"]
    control(client.sandbox, f"revoke/{intent['mandate']}")
    assert client(f"GET /v1/mandates/{intent['mandate']}")["status"] == "inactive"
    kinds = [event["type"] for event in client("GET /v1/events")["data"]]
    assert kinds[0] == "mandate.updated"
    assert {"checkout.session.completed", "setup_intent.succeeded"} <= set(kinds)


def test_somebody_pays_once_on_the_checkout_page(client: Client) -> None:
    form = {
        "mode": "payment",
        "success_url": "http://127.0.0.1/done",
        "line_items[0][quantity]": "2",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "95000",
        "line_items[0][price_data][product_data][name]": "Masterclass",
    }
    session = client("POST /v1/checkout/sessions", form)
    assert session["amount_total"] == 190000
    assert requests.post(session["url"], data={"outcome": "cancel"}, timeout=60).status_code == 200

    control(client.sandbox, f"complete/{session['id']}")

    paid = client(f"GET /v1/checkout/sessions/{session['id']}")
    assert (paid["payment_status"], paid["status"]) == ("paid", "complete")
    assert (
        client("POST /v1/refunds", {"payment_intent": paid["payment_intent"]})["amount"] == 190000
    )


@pytest.mark.parametrize(
    "form",
    [
        {"mode": "setup"},
        {"success_url": "http://127.0.0.1/"},
        {"mode": "setup", "success_url": "http://127.0.0.1/", "customer": "cus_unknown"},
        {"mode": "payment", "success_url": "http://127.0.0.1/"},
        {"mode": "payment", "success_url": "http://127.0.0.1/", "line_items[0][quantity]": "1"},
        {"mode": "forever", "success_url": "http://127.0.0.1/"},
    ],
)
def test_a_checkout_that_cannot_be_is_refused(client: Client, form: dict[str, str]) -> None:
    assert client("POST /v1/checkout/sessions", form)["error"]["type"] == "invalid_request_error"


def test_a_checkout_ends_once(client: Client) -> None:
    customer = client("POST /v1/customers", {"name": "Someone"})["id"]
    form = {"mode": "setup", "customer": customer, "currency": "eur", "success_url": "http://x/"}
    session = client("POST /v1/checkout/sessions", form)["id"]
    control(client.sandbox, f"expire/{session}")

    with pytest.raises(AssertionError, match="expired"):
        control(client.sandbox, f"complete/{session}")


def test_a_deleted_customer_is_remembered_as_deleted(client: Client) -> None:
    customer = client("POST /v1/customers", {"name": "Someone"})["id"]

    client(f"DELETE /v1/customers/{customer}")

    assert client(f"GET /v1/customers/{customer}")["deleted"] is True
    assert client("GET /v1/customers")["data"] == []
    refused = client("POST /v1/invoices", {"customer": customer})
    assert refused["error"]["code"] == "resource_missing"
