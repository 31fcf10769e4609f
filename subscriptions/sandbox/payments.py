"""Money that came in for an invoice or a Checkout, and what becomes of it: refunds, disputes."""

from subscriptions.sandbox.call import Call
from subscriptions.sandbox.errors import ApiError, missing_parameter, no_such
from subscriptions.sandbox.objects import RESTING_DISPUTE
from subscriptions.sandbox.state import Json, State, new_id


def receive(state: State, *, amount: int, invoice_id: str = "") -> Json:
    """Note a payment; it is an object of the sandbox's own, with the ids that Stripe's have."""
    payment: Json = {
        "id": new_id("pi"),
        "charge": new_id("ch"),
        "amount": amount,
        "refunded": 0,
        "invoice": invoice_id or None,
        "created": state.now(),
    }
    return state.add(payment, kind="payment", parent=invoice_id)


def of_invoice(state: State, invoice_id: str) -> list[Json]:
    return list(state.newest("payment", invoice_id)) if invoice_id else []


def listing(call: Call) -> Json:
    intent = call.given.get("payment", {}).get("payment_intent")
    shown = [
        invoice_payment(payment)
        for payment in call.state.newest("payment", call.given.get("invoice") or "")
        if payment["invoice"] and intent in {None, payment["id"]}
    ]
    return call.listed(shown, "/v1/invoice_payments")


def invoice_payment(payment: Json) -> Json:
    return {
        "id": payment["id"].replace("pi_", "inpay_"),
        "object": "invoice_payment",
        "amount_paid": payment["amount"],
        "amount_requested": payment["amount"],
        "created": payment["created"],
        "currency": "eur",
        "invoice": payment["invoice"],
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": payment["id"]},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": payment["created"]},
    }


def create_refund(call: Call) -> Json:
    """Refund what is given, else the rest."""
    payment = find(call.state, call.given)
    rest = payment["amount"] - payment["refunded"]
    return refund(call, payment, call.given.get("amount", rest))


def find(state: State, given: Json) -> Json:
    for name, column in (("payment_intent", "id"), ("charge", "charge")):
        if wanted := given.get(name):
            for payment in state.newest("payment"):
                if payment[column] == wanted:
                    return payment
            raise no_such(name, wanted, param=name, status=400)
    raise missing_parameter("payment_intent")


def refund(call: Call, payment: Json, amount: int) -> Json:
    rest = payment["amount"] - payment["refunded"]
    if rest == 0:
        raise ApiError(
            400,
            f"Charge {payment['charge']} has already been refunded.",
            code="charge_already_refunded",
        )
    if not 0 < amount <= rest:
        raise ApiError(
            400,
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({rest})",
            param="amount",
        )
    payment["refunded"] += amount
    call.state.save(payment)
    made: Json = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "charge": payment["charge"],
        "created": call.state.now(),
        "currency": "eur",
        "metadata": call.given.get("metadata", {}),
        "payment_intent": payment["id"],
        "reason": call.given.get("reason"),
        "status": "succeeded",
    }
    call.state.add(made, kind="refund", parent=payment["id"])
    call.record("charge.refunded", charge(payment))
    call.record("refund.created", made)
    return made


def charge(payment: Json) -> Json:
    return {
        "id": payment["charge"],
        "object": "charge",
        "amount": payment["amount"],
        "amount_captured": payment["amount"],
        "amount_refunded": payment["refunded"],
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "captured": True,
        "created": payment["created"],
        "currency": "eur",
        "disputed": False,
        "livemode": False,
        "metadata": {},
        "paid": True,
        "payment_intent": payment["id"],
        "refunded": payment["refunded"] == payment["amount"],
        "status": "succeeded",
    }


def list_refunds(call: Call) -> Json:
    return call.listed(of_payment(call, "refund"), "/v1/refunds")


def list_disputes(call: Call) -> Json:
    return call.listed(of_payment(call, "dispute"), "/v1/disputes")


def of_payment(call: Call, kind: str) -> list[Json]:
    wanted = {name: call.given[name] for name in ("charge", "payment_intent") if name in call.given}
    return [
        item
        for item in call.state.newest(kind)
        if all(item[name] == value for name, value in wanted.items())
    ]


def dispute(call: Call) -> Json:
    """Let the client, or its bank, take the payment of an invoice back."""
    invoice = call.fetch("invoice")
    payment = next(iter(of_invoice(call.state, invoice["id"])), None)
    if payment is None:
        raise ApiError(400, "This invoice was not paid through Stripe.", param="invoice")
    made: Json = {
        **RESTING_DISPUTE,
        "id": new_id("du"),
        "amount": payment["amount"],
        "charge": payment["charge"],
        "created": call.state.now(),
        "payment_intent": payment["id"],
        "reason": "debit_not_authorized",
        "status": "needs_response",
    }
    call.state.add(made, kind="dispute", parent=payment["id"])
    call.record("charge.dispute.created", made)
    return made


def close_dispute(call: Call, status: str) -> Json:
    """End a dispute as ``won`` or ``lost``."""
    found = call.fetch("dispute")
    if status not in {"won", "lost"} or found["status"] != "needs_response":
        raise ApiError(400, "A dispute that needs a response is won or lost.", param="status")
    before = dict(found)
    found["status"] = status
    call.state.save(found)
    call.record("charge.dispute.closed", found, before=before)
    return found
