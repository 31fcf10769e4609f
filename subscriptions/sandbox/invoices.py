"""The life of an invoice: draft, lines, finalized, sent, paid or refused."""

from subscriptions.sandbox import objects, payments
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.errors import ApiError, UnmodelledError, missing_parameter, no_such
from subscriptions.sandbox.state import Json, State, new_id

NUMBER_PREFIX = "SANDBOX"
SECONDS_PER_DAY = 86_400
MAX_LINES = 250


def create(call: Call) -> Json:
    customer_id = call.given.get("customer")
    if not customer_id:
        raise missing_parameter("customer")
    customer = call.state.find("customer", customer_id)
    if customer is None:
        raise no_such("customer", customer_id, param="customer", status=400)
    check_terms(call.given, customer)
    made = call.state.add(
        objects.invoice(call.state, call.given), kind="invoice", parent=customer_id
    )
    # Stripe keeps the days, but shows only the date that follows from them at finalizing.
    terms = {"id": terms_of(made), "days": call.given.get("days_until_due")}
    call.state.add(terms, kind="payment_terms", parent=made["id"])
    call.record("invoice.created", shown(call.state, made))
    return made


def terms_of(invoice: Json) -> str:
    return f"terms_{invoice['id']}"


def check_terms(given: Json, customer: Json) -> None:
    sent = given.get("collection_method") == "send_invoice"
    if sent and "days_until_due" not in given:
        raise ApiError(
            400,
            "If you set `collection_method=send_invoice`, you must also pass `days_until_due` or "
            "`due_date`.",
            code="parameter_missing",
            param="days_until_due",
        )
    if sent and not customer["email"]:
        raise ApiError(
            400,
            "Missing email. In order to create invoices that are sent to the customer, the "
            "customer must have a valid email.",
        )
    if not sent and "days_until_due" in given:
        raise ApiError(
            400,
            "You can only specify `days_until_due` if `collection_method=send_invoice`.",
            param="days_until_due",
        )


def retrieve(call: Call) -> Json:
    return shown(call.state, call.fetch("invoice"))


def update(call: Call) -> Json:
    """Have the invoice go on by itself, or not: its draft is changed in no other way here."""
    invoice = call.fetch("invoice")
    before = dict(invoice)
    if invoice["status"] not in {"draft", "open"}:
        raise ApiError(
            400,
            f"`auto_advance` can only be changed of a draft or open invoice. This invoice is "
            f"{invoice['status']}.",
            param="auto_advance",
        )
    invoice["auto_advance"] = call.given.get("auto_advance", invoice["auto_advance"])
    call.state.save(invoice)
    call.record("invoice.updated", shown(call.state, invoice), before=before)
    return invoice


def listing(call: Call) -> Json:
    kept = (
        shown(call.state, invoice)
        for invoice in list(call.state.newest("invoice", call.given.get("customer") or ""))
        if all(
            invoice[name] == call.given[name]
            for name in ("status", "collection_method")
            if name in call.given
        )
    )
    return call.listed(kept, "/v1/invoices")


def list_lines(call: Call) -> Json:
    identity = call.fetch("invoice")["id"]
    return call.listed(all_lines(call.state, identity), f"/v1/invoices/{identity}/lines")


def all_lines(state: State, identity: str) -> list[Json]:
    return list(state.newest("line_item", identity))[::-1]


def shown(state: State, invoice: Json) -> Json:
    """Fill in the first lines, and in a draft the customer as it is now."""
    lines = all_lines(state, invoice["id"])
    invoice["lines"] = objects.page(
        lines[: objects.SHOWN_LINES],
        f"/v1/invoices/{invoice['id']}/lines",
        has_more=len(lines) > objects.SHOWN_LINES,
    )
    if invoice["status"] == "draft":
        customer = state.find("customer", invoice["customer"]) or {}
        for name in ("address", "email", "name", "tax_exempt"):
            invoice[f"customer_{name}"] = customer.get(name)
        invoice["customer_tax_ids"] = [
            {"type": tax_id["type"], "value": tax_id["value"]}
            for tax_id in state.newest("tax_id", invoice["customer"])
        ]
    return invoice


def add_lines(call: Call) -> Json:
    """Add all lines or none."""
    invoice = call.fetch("invoice")
    before = dict(invoice)
    must_be_draft(
        invoice, f"This invoice is no longer editable: its status is {invoice['status']}."
    )
    if len(all_lines(call.state, invoice["id"])) + len(call.given["lines"]) > MAX_LINES:
        raise ApiError(400, f"Invoices can have at most {MAX_LINES} line items.", param="lines")
    for index, given in enumerate(call.given["lines"]):
        check_line(given, f"lines[{index}]")
        line = objects.line(call.state, invoice, given)
        call.state.add(line, kind="line_item", parent=invoice["id"])
    total_up(invoice, all_lines(call.state, invoice["id"]))
    call.state.save(invoice)
    call.record("invoice.updated", shown(call.state, invoice), before=before)
    return invoice


def must_be_draft(invoice: Json, refusal: str) -> None:
    if invoice["status"] != "draft":
        raise ApiError(400, refusal, code="invoice_not_editable")


def check_line(given: Json, name: str) -> None:
    for quantity in ("quantity", "quantity_decimal"):
        if "amount" in given and quantity in given:
            raise ApiError(
                400,
                f"You may only specify one of these parameters: amount, {quantity}.",
                param=f"{name}[{quantity}]",
            )
    if "amount" not in given:
        raise UnmodelledError("a line without an amount", param=f"{name}[amount]")
    for position, tax in enumerate(given.get("tax_amounts", [])):
        if tax["tax_rate_data"]["inclusive"]:
            raise UnmodelledError(
                "inclusive taxes",
                param=f"{name}[tax_amounts][{position}][tax_rate_data][inclusive]",
            )


def total_up(invoice: Json, lines: list[Json]) -> None:
    """Add up the lines and the tax amounts that were sent; no tax is worked out here."""
    taxes: dict[tuple[str, str], Json] = {}
    for tax in (tax for line in lines for tax in line["taxes"]):
        key = (tax["tax_rate_details"]["tax_rate"], tax["taxability_reason"])
        group = taxes.setdefault(key, {**tax, "amount": 0, "taxable_amount": 0})
        group["amount"] += tax["amount"]
        group["taxable_amount"] += tax["taxable_amount"]
    net = sum(line["amount"] for line in lines)
    total = net + sum(group["amount"] for group in taxes.values())
    invoice |= dict.fromkeys(("subtotal", "subtotal_excluding_tax", "total_excluding_tax"), net)
    invoice |= {"total": total, "total_taxes": list(taxes.values())}
    invoice |= dict.fromkeys(("amount_due", "amount_remaining"), max(0, total))


def finalize(call: Call) -> Json:
    """Give the next number of the account; an invoice of nothing is paid at once."""
    invoice = call.fetch("invoice")
    must_be_draft(
        invoice, "This invoice is already finalized, you can't re-finalize a non-draft invoice."
    )
    if invoice["total"] < 0:
        raise UnmodelledError("an invoice with a negative total")
    now = call.state.now()
    days = (call.state.find("payment_terms", terms_of(invoice)) or {}).get("days")
    page_url = f"{call.base_url}/i/{new_id('test')}"
    shown(call.state, invoice)  # the customer's particulars stay as they are now
    invoice |= {
        "auto_advance": call.given.get("auto_advance", invoice["auto_advance"]),
        "due_date": None if days is None else now + days * SECONDS_PER_DAY,
        "effective_at": now,
        "ending_balance": 0,
        "hosted_invoice_url": page_url,
        "invoice_pdf": f"{page_url}/pdf",
        "number": f"{NUMBER_PREFIX}-{call.state.next_number('invoice_number'):04}",
        "status": "open",
        "status_transitions": {**invoice["status_transitions"], "finalized_at": now},
    }
    call.state.save(invoice)
    call.record("invoice.finalized", invoice)
    return pay(call) if invoice["total"] == 0 else invoice


def send(call: Call) -> Json:
    invoice = call.fetch("invoice")
    if invoice["status"] == "draft":
        raise UnmodelledError("sending a draft")
    if invoice["status"] != "open" or invoice["collection_method"] != "send_invoice":
        raise ApiError(
            400,
            f"You can only manually send an invoice if its collection method is 'send_invoice' and "
            f"its status is open. This invoice is {invoice['collection_method']} and "
            f"{invoice['status']}.",
        )
    call.record("invoice.sent", invoice)
    return invoice


def delete(call: Call) -> Json:
    invoice = call.fetch("invoice")
    must_be_draft(
        invoice,
        "You can only delete draft invoices. This invoice is finalized: void it instead.",
    )
    call.record("invoice.deleted", shown(call.state, invoice))
    call.state.remove(invoice["id"])
    return {"id": invoice["id"], "object": "invoice", "deleted": True}


def pay(call: Call, *, elsewhere: bool = False) -> Json:
    """Receive the whole amount: by the hosted page, a transfer or a debit that settled.

    What came in ``elsewhere`` is only noted, as a person does in the dashboard.
    """
    invoice = call.fetch("invoice")
    before = dict(invoice)
    if invoice["status"] != "uncollectible":  # Stripe takes a payment all the same
        must_be_open(invoice)
    amount = invoice["amount_remaining"]
    if elsewhere:
        invoice["amount_paid_off_stripe"] = amount
    else:
        invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
        payments.receive(call.state, amount=amount, invoice_id=invoice["id"])
    invoice |= {"amount_paid": invoice["amount_due"], "amount_remaining": 0}
    set_status(call, invoice, "paid", "paid_at")
    call.state.save(invoice)
    call.record("invoice.updated", invoice, before=before)
    for event in ("invoice.paid", "invoice.payment_succeeded"):
        call.record(event, invoice)
    return invoice


def pay_by_hand(call: Call) -> Json:
    if not call.given.get("paid_out_of_band"):
        raise UnmodelledError("a payment by a stored method")
    return pay(call, elsewhere=True)


def set_status(call: Call, invoice: Json, status: str, moment: str) -> None:
    transitions = {**invoice["status_transitions"], moment: call.state.now()}
    invoice |= {"status": status, "status_transitions": transitions}


def void(call: Call) -> Json:
    """Void it: its number stays, nothing is asked for any more."""
    return leave(call, "void", "voided_at", "invoice.voided", amount_remaining=0)


def mark_uncollectible(call: Call) -> Json:
    return leave(call, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")


def leave(call: Call, status: str, moment: str, event: str, **more: int) -> Json:
    invoice = call.fetch("invoice")
    before = dict(invoice)
    if invoice["status"] not in {"open", "uncollectible"} or invoice["status"] == status:
        raise ApiError(
            400,
            f"You can only pass in open or uncollectible invoices. This invoice is "
            f"{invoice['status']}.",
            param="invoice",
        )
    invoice |= more
    set_status(call, invoice, status, moment)
    call.state.save(invoice)
    call.record("invoice.updated", invoice, before=before)
    call.record(event, invoice)
    return invoice


def fail_debit(call: Call) -> Json:
    """Let the bank refuse the direct debit: the invoice stays open."""
    invoice = call.fetch("invoice")
    before = dict(invoice)
    must_be_open(invoice)
    if invoice["collection_method"] != "charge_automatically":
        raise ApiError(400, "This invoice is not collected by direct debit.", param="invoice")
    invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
    call.state.save(invoice)
    call.record("invoice.updated", invoice, before=before)
    call.record("invoice.payment_failed", invoice)
    return invoice


def must_be_open(invoice: Json) -> None:
    if invoice["status"] != "open":
        raise ApiError(400, f"This invoice is {invoice['status']}, not open.", param="invoice")


def by_token(state: State, token: str) -> Json:
    """Return the finalized invoice behind a hosted page's address."""
    for invoice in state.newest("invoice"):
        if (invoice["hosted_invoice_url"] or "").endswith(f"/i/{token}"):
            return invoice
    raise no_such("invoice", token, param="invoice")
