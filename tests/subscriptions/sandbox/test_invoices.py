"""The life of an invoice in the sandbox, and the pages that a client sees."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from subscriptions.sandbox.server import Sandbox
from tests.stripe.control import call, control, listed


def draft(sandbox: Sandbox, **form: str) -> str:
    particulars = {"name": "Someone", "email": "a@b.nl"}
    customer = call(sandbox, "POST", "/v1/customers", particulars).json()["id"]
    terms = {} if form else {"collection_method": "send_invoice", "days_until_due": "14"}
    made = call(sandbox, "POST", "/v1/invoices", {"customer": customer} | terms | form)
    return str(made.json()["id"])


def add(sandbox: Sandbox, invoice: str, *amounts: tuple[int, int]) -> dict[str, Any]:
    """Add lines of (net, VAT) in cents."""
    form: dict[str, str] = {}
    for index, (net, vat) in enumerate(amounts):
        line, tax = f"lines[{index}]", f"lines[{index}][tax_amounts][0]"
        form |= {
            f"{line}[amount]": str(net),
            f"{line}[description]": f"Line {index} <b>",
            f"{tax}[amount]": str(vat),
            f"{tax}[taxable_amount]": str(net),
            f"{tax}[taxability_reason]": "standard_rated" if vat else "reverse_charge",
            f"{tax}[tax_rate_data][display_name]": "VAT",
            f"{tax}[tax_rate_data][inclusive]": "false",
            f"{tax}[tax_rate_data][percentage]": "21" if vat else "0",
        }
    answer = call(sandbox, "POST", f"/v1/invoices/{invoice}/add_lines", form).json()
    assert isinstance(answer, dict)
    return answer


def do(sandbox: Sandbox, invoice: str, verb: str) -> dict[str, Any]:
    answer = call(sandbox, "POST", f"/v1/invoices/{invoice}/{verb}", {}).json()
    assert isinstance(answer, dict)
    return answer


def opened(sandbox: Sandbox, **form: str) -> dict[str, Any]:
    invoice = draft(sandbox, **form)
    add(sandbox, invoice, (10000, 2100))
    return do(sandbox, invoice, "finalize")


def test_the_sandbox_adds_up_what_was_sent_and_works_out_no_tax(sandbox: Sandbox) -> None:
    invoice = add(sandbox, draft(sandbox), (10000, 2101), (5000, 0), (-1000, -210))

    assert (invoice["subtotal"], invoice["total"], invoice["amount_due"]) == (14000, 15891, 15891)
    sums = {tax["taxability_reason"]: tax["amount"] for tax in invoice["total_taxes"]}
    assert sums == {"standard_rated": 1891, "reverse_charge": 0}


def test_equal_rates_share_one_tax_rate(sandbox: Sandbox) -> None:
    first = add(sandbox, draft(sandbox), (10000, 2100))
    second = add(sandbox, draft(sandbox), (20000, 4200))

    rates = [
        invoice["lines"]["data"][0]["taxes"][0]["tax_rate_details"]["tax_rate"]
        for invoice in (first, second)
    ]
    assert rates[0] == rates[1]


def test_one_bad_line_adds_none(sandbox: Sandbox) -> None:
    invoice = draft(sandbox)
    form = {"lines[0][amount]": "1", "lines[1][amount]": "2", "lines[1][quantity]": "2"}

    refused = call(sandbox, "POST", f"/v1/invoices/{invoice}/add_lines", form)

    assert refused.json()["error"]["message"] == (
        "You may only specify one of these parameters: amount, quantity."
    )
    assert call(sandbox, "GET", f"/v1/invoices/{invoice}").json()["lines"]["data"] == []


def test_numbers_are_given_at_finalizing_without_gaps(sandbox: Sandbox) -> None:
    kept, deleted, last = draft(sandbox), draft(sandbox), draft(sandbox)
    assert call(sandbox, "GET", f"/v1/invoices/{kept}").json()["number"] is None
    for invoice in (kept, deleted, last):
        add(sandbox, invoice, (100, 21))

    call(sandbox, "DELETE", f"/v1/invoices/{deleted}")
    numbers = [do(sandbox, invoice, "finalize")["number"] for invoice in (last, kept)]

    assert numbers == ["SANDBOX-0001", "SANDBOX-0002"]


def test_an_invoice_is_due_after_the_days_that_were_agreed(sandbox: Sandbox) -> None:
    invoice = opened(sandbox)

    assert invoice["due_date"] - invoice["effective_at"] == 14 * 86400
    assert opened(sandbox, collection_method="charge_automatically")["due_date"] is None


def test_the_buyer_stays_as_he_was_at_finalizing(sandbox: Sandbox) -> None:
    invoice = opened(sandbox)

    call(sandbox, "POST", f"/v1/customers/{invoice['customer']}", {"name": "Someone else"})

    kept = call(sandbox, "GET", f"/v1/invoices/{invoice['id']}").json()
    assert kept["customer_name"] == "Someone"


def test_an_invoice_of_nothing_is_paid_at_once(sandbox: Sandbox) -> None:
    assert do(sandbox, draft(sandbox), "finalize")["status"] == "paid"


@pytest.mark.parametrize(
    ("verb", "code"), [("finalize", "invoice_not_editable"), ("add_lines", "parameter_missing")]
)
def test_what_is_finalized_is_not_changed(sandbox: Sandbox, verb: str, code: str) -> None:
    assert do(sandbox, opened(sandbox)["id"], verb)["error"]["code"] == code


def test_what_is_finalized_takes_no_lines_and_is_not_deleted(sandbox: Sandbox) -> None:
    invoice = opened(sandbox)["id"]

    assert add(sandbox, invoice, (1, 0))["error"]["code"] == "invoice_not_editable"
    refused = call(sandbox, "DELETE", f"/v1/invoices/{invoice}")
    assert refused.json()["error"]["code"] == "invoice_not_editable"


def test_only_an_open_invoice_for_transfer_is_sent(sandbox: Sandbox) -> None:
    debited = opened(sandbox, collection_method="charge_automatically")["id"]

    assert "error" in do(sandbox, debited, "send")
    assert do(sandbox, opened(sandbox)["id"], "send")["status"] == "open"


def test_a_client_pays_on_the_hosted_page(sandbox: Sandbox) -> None:
    invoice = opened(sandbox)
    url = invoice["hosted_invoice_url"]
    page = requests.get(url, timeout=60).text
    assert "Pay € 121.00" in page
    assert "Line 0 &lt;b&gt;" in page
    assert "direct debit" not in page

    paid = requests.post(url, data={"outcome": "pay"}, timeout=60)

    assert "<button" not in paid.text
    assert listed(sandbox)[0]["status"] == "paid"
    assert listed(sandbox)[0]["amount_remaining"] == 0
    again = requests.post(url, data={"outcome": "pay"}, timeout=60)
    assert again.status_code == 400


def test_a_direct_debit_is_refused_and_then_settles_on_the_hosted_page(sandbox: Sandbox) -> None:
    url = opened(sandbox, collection_method="charge_automatically")["hosted_invoice_url"]

    refused = requests.post(url, data={"outcome": "refuse"}, timeout=60)
    assert "refused 1 times" in refused.text
    assert (listed(sandbox)[0]["status"], listed(sandbox)[0]["attempt_count"]) == ("open", 1)
    requests.post(url, data={"outcome": "settle"}, timeout=60)

    assert listed(sandbox)[0]["status"] == "paid"
    kinds = [event["type"] for event in listed(sandbox, "events")]
    assert kinds.count("invoice.payment_failed") == kinds.count("invoice.paid") == 1


def test_the_control_routes_pay_and_refuse(sandbox: Sandbox) -> None:
    transfer = opened(sandbox)["id"]
    debit = opened(sandbox, collection_method="charge_automatically")["id"]

    assert control(sandbox, f"pay/{transfer}")["status"] == "paid"
    assert control(sandbox, f"fail_debit/{debit}")["attempt_count"] == 1
    with pytest.raises(AssertionError, match="not open"):
        control(sandbox, f"pay/{transfer}")
    with pytest.raises(AssertionError, match="no control route"):
        control(sandbox, "explode")


DAY = 86_400


def test_a_direct_debit_settles_or_fails_days_later_by_itself(sandbox: Sandbox) -> None:
    """Each as at its own moment, though the clock is moved past both at once."""
    first, second = (opened(sandbox, collection_method="charge_automatically") for _ in "ab")
    control(sandbox, f"pay/{first['id']}", {"after_seconds": 5 * DAY})
    control(sandbox, f"fail_debit/{second['id']}", {"after_seconds": 3 * DAY})
    control(sandbox, "clock", {"advance_seconds": 2 * DAY})
    assert [invoice["attempt_count"] for invoice in listed(sandbox)] == [0, 0]

    control(sandbox, "clock", {"advance_seconds": 10 * DAY})

    failed, settled = listed(sandbox)
    assert (failed["status"], failed["attempt_count"]) == ("open", 1)
    assert settled["status"] == "paid"
    days = {
        event["type"]: (event["created"] - first["created"]) / DAY
        for event in listed(sandbox, "events")
    }
    assert days["invoice.payment_failed"] == pytest.approx(3, abs=0.01)
    assert days["invoice.paid"] == pytest.approx(5, abs=0.01)


def test_what_was_put_off_comes_by_itself_and_too_late_for_what_is_over(sandbox: Sandbox) -> None:
    debit = opened(sandbox, collection_method="charge_automatically")["id"]
    given_up = opened(sandbox, collection_method="charge_automatically")["id"]
    for invoice in (debit, given_up):
        control(sandbox, f"pay/{invoice}", {"after_seconds": DAY})
    do(sandbox, given_up, "void")
    with sandbox.state.transaction():
        sandbox.state.set_setting("clock_offset", DAY + 1)  # as if a day went by

    sandbox.courier.deliver_next()

    assert [invoice["status"] for invoice in listed(sandbox)] == ["void", "paid"]


def test_the_pdf_is_one(sandbox: Sandbox) -> None:
    answer = requests.get(opened(sandbox)["invoice_pdf"], timeout=60)

    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-1.4")
    assert b"Total: \x80 121.00" in answer.content
    table = int(answer.content.split(b"startxref\n")[1].split(b"\n")[0])
    assert answer.content[table:].startswith(b"xref")


def test_the_start_page_lists_the_invoices(sandbox: Sandbox) -> None:
    assert "None yet" in requests.get(sandbox.base_url, timeout=60).text
    url = opened(sandbox)["hosted_invoice_url"]

    page = requests.get(sandbox.base_url, timeout=60).text

    assert f'href="{url}"' in page
    assert "SANDBOX-0001" in page


@pytest.mark.parametrize("path", ["/i/unknown", "/i/unknown/pdf", "/elsewhere", "/i"])
def test_another_address_is_not_found(sandbox: Sandbox, path: str) -> None:
    assert requests.get(sandbox.base_url + path, timeout=60).status_code == 404
