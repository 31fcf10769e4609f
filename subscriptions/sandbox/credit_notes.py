"""Credit notes: issued at once, on lines of a finalized invoice, with the taxes that are sent."""

from subscriptions.sandbox import invoices, objects, payments
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.errors import ApiError, UnmodelledError, missing_parameter, no_such
from subscriptions.sandbox.state import Json

WAYS_BACK = ("credit_amount", "refund_amount", "out_of_band_amount")


def create(call: Call) -> Json:
    """Issue it: less is asked for, and what was paid already goes back as the caller says."""
    made, invoice = worked_out(call)
    before = dict(invoice)
    made["refunds"] = [linked(call, given) for given in call.given.get("refunds", [])]
    if call.given.get("refund_amount"):
        made["refunds"].append(refunded(call, invoice))
    call.state.add(made, kind="credit_note", parent=invoice["id"])
    for line in made["lines"]["data"]:
        call.state.add(line, kind="credit_note_line", parent=made["id"])
    lower(invoice, made["pre_payment_amount"])
    invoice["post_payment_credit_notes_amount"] += made["post_payment_amount"]
    is_settled = invoice["status"] == "open" and invoice["amount_remaining"] == 0
    if is_settled:
        invoices.set_status(call, invoice, "paid", "paid_at")
    call.state.save(invoice)
    call.record("credit_note.created", made)
    call.record("invoice.updated", invoices.shown(call.state, invoice), before=before)
    if is_settled:
        call.record("invoice.paid", invoice)
    return made


def preview(call: Call) -> Json:
    return worked_out(call)[0]


def listing(call: Call) -> Json:
    found = call.state.newest("credit_note", call.given.get("invoice") or "")
    wanted = call.given.get("customer")
    kept = (note for note in found if wanted in {None, note["customer"]})
    return call.listed(kept, "/v1/credit_notes")


def void(call: Call) -> Json:
    """Take back a credit note of an invoice that is still open."""
    found = call.fetch("credit_note", "id")
    invoice = call.state.find("invoice", found["invoice"]) or {}
    if found["status"] == "void" or invoice["status"] != "open":
        raise ApiError(400, "You can only void a credit note on an open invoice.")
    before = dict(found)
    found |= {"status": "void", "voided_at": call.state.now()}
    lower(invoice, -found["pre_payment_amount"])
    call.state.save(found)
    call.state.save(invoice)
    call.record("credit_note.voided", found, before=before)
    return found


def worked_out(call: Call) -> tuple[Json, Json]:
    """Return the credit note and its invoice, of which nothing is changed yet."""
    given = call.given
    invoice = call.state.find("invoice", given["invoice"] or "")
    if invoice is None:
        raise no_such("invoice", given["invoice"], param="invoice", status=400)
    if invoice["status"] not in {"open", "paid"}:
        raise ApiError(
            400,
            f"You can only create a credit note for an open or paid invoice. This invoice is "
            f"{invoice['status']}.",
            param="invoice",
        )
    lines = [credit_line(call, invoice, line) for line in given.get("lines", [])]
    if not lines:
        raise UnmodelledError("a credit note without lines", param="lines")
    made = objects.credit_note(call.state, invoice, given, lines)
    made["number"] = f"{invoice['number']}-CN-{len(issued(call, invoice['id'])) + 1:02}"
    check_amounts(call, invoice, made)
    return made, invoice


def issued(call: Call, invoice_id: str) -> list[Json]:
    return list(call.state.newest("credit_note", invoice_id))


def credit_line(call: Call, invoice: Json, given: Json) -> Json:
    identity = given.get("invoice_line_item")
    if not identity:
        raise missing_parameter("lines[0][invoice_line_item]")
    line = call.state.find("line_item", identity)
    if line is None or line["invoice"] != invoice["id"]:
        raise no_such("invoice line item", identity, param="lines", status=400)
    if "amount" not in given:
        raise UnmodelledError("a line without an amount", param="lines[0][amount]")
    rates = {tax["tax_rate_details"]["tax_rate"]: tax for tax in line["taxes"]}
    for tax in given.get("tax_amounts", []):
        if tax["tax_rate"] not in rates:
            raise no_such("tax rate", tax["tax_rate"], param="lines", status=400)
    earlier = sum(
        credited["amount"]
        for note in issued(call, invoice["id"])
        if note["status"] == "issued"
        for credited in note["lines"]["data"]
        if credited["invoice_line_item"] == identity
    )
    if not 0 < given["amount"] <= line["amount"] - earlier:
        raise ApiError(
            400,
            f"The credit note line amount of {given['amount']} must be above 0 and at most what "
            f"is left of the line, {line['amount'] - earlier}.",
            param="lines[0][amount]",
        )
    return objects.credit_line(line, given, rates)


def check_amounts(call: Call, invoice: Json, made: Json) -> None:
    """Hold the ways back to what was paid already, and refunds to what came in here."""
    earlier = call.given.get("refunds", [])
    if any("amount_refunded" not in refund for refund in earlier):
        raise UnmodelledError("a refund without its amount", param="refunds[0][amount_refunded]")
    back = sum(call.given.get(name, 0) for name in WAYS_BACK)
    back += sum(refund["amount_refunded"] for refund in earlier)
    if back != made["post_payment_amount"]:
        raise ApiError(
            400,
            f"The sum of credit amount, refund amount and out of band amount ({back}) must equal "
            f"the post payment credit note amount ({made['post_payment_amount']}).",
        )
    if call.given.get("credit_amount"):
        raise UnmodelledError("customer balances", param="credit_amount")
    received = sum(
        payment["amount"] - payment["refunded"]
        for payment in payments.of_invoice(call.state, invoice["id"])
    )
    if call.given.get("refund_amount", 0) > received:
        raise ApiError(
            400,
            f"The refund amount is greater than what can be refunded ({received}).",
            param="refund_amount",
        )


def refunded(call: Call, invoice: Json) -> Json:
    payment = payments.of_invoice(call.state, invoice["id"])[0]
    amount = call.given["refund_amount"]
    return link(payments.refund(call, payment, amount)["id"], amount)


def linked(call: Call, given: Json) -> Json:
    """Account for a refund that was made before."""
    found = call.state.find("refund", given.get("refund") or "")
    if found is None:
        raise no_such("refund", given.get("refund") or "", param="refunds", status=400)
    return link(found["id"], given["amount_refunded"])


def link(refund_id: str, amount: int) -> Json:
    return {
        "amount_refunded": amount,
        "payment_record_refund": None,
        "refund": refund_id,
        "type": "refund",
    }


def lower(invoice: Json, amount: int) -> None:
    """Ask for so much less than before."""
    invoice["amount_due"] -= amount
    invoice["amount_remaining"] -= amount
    invoice["pre_payment_credit_notes_amount"] += amount
