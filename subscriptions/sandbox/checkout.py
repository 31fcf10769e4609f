"""Checkout: a page where a client gives a mandate (setup) or pays once (payment)."""

from subscriptions.sandbox import objects, payments
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.errors import ApiError, UnmodelledError, missing_parameter, no_such
from subscriptions.sandbox.state import Json, new_id


def create(call: Call) -> Json:
    given = call.given
    for name in ("mode", "success_url"):
        if not given.get(name):
            raise missing_parameter(name)
    customer = given.get("customer")
    if customer and call.state.find("customer", customer) is None:
        raise no_such("customer", customer, param="customer", status=400)
    made = objects.checkout_session(call.state, given, call.base_url)
    if given["mode"] == "setup":
        if not customer:
            raise UnmodelledError("a setup without a customer", param="customer")
        if "currency" not in given and "payment_method_types" not in given:
            raise missing_parameter("currency")
        intent = objects.setup_intent(call.state, made)
        call.state.add(intent, kind="setup_intent", parent=made["id"])
        made["setup_intent"] = intent["id"]
    else:
        made["amount_total"] = made["amount_subtotal"] = total(given.get("line_items", []))
    return call.state.add(made, kind="session")


def total(items: list[Json]) -> int:
    if not items:
        raise missing_parameter("line_items")
    amounts = [item.get("price_data", {}).get("unit_amount") for item in items]
    if None in amounts:
        raise missing_parameter("line_items[0][price_data][unit_amount]")
    return sum(item["price_data"]["unit_amount"] * item.get("quantity", 1) for item in items)


def complete(call: Call) -> Json:
    """Let the client finish: the debit is mandated, or the amount paid."""
    session = call.fetch("session")
    if session["status"] != "open":
        raise ApiError(400, f"This Checkout Session is {session['status']}.", param="session")
    session |= {"status": "complete", "url": None}
    if session["mode"] == "setup":
        mandate(call, session)
    else:
        payment = payments.receive(call.state, amount=session["amount_total"])
        session |= {"payment_intent": payment["id"], "payment_status": "paid"}
    call.state.save(session)
    call.record("checkout.session.completed", session)
    return session


def mandate(call: Call, session: Json) -> None:
    intent = call.state.find("setup_intent", session["setup_intent"]) or {}
    before = dict(intent)
    method = new_id("pm")
    made = objects.mandate(method)
    call.state.add(made, kind="mandate")
    intent |= {"mandate": made["id"], "payment_method": method, "status": "succeeded"}
    call.state.save(intent)
    call.record("setup_intent.succeeded", intent, before=before)


def expire(call: Call) -> Json:
    """Let the client go away until the page is of no use any more."""
    session = call.fetch("session")
    if session["status"] != "open":
        raise ApiError(400, f"This Checkout Session is {session['status']}.", param="session")
    session |= {"status": "expired", "url": None}
    call.state.save(session)
    call.record("checkout.session.expired", session)
    return session


def revoke_mandate(call: Call) -> Json:
    """Let the client, or its bank, withdraw a mandate."""
    found = call.fetch("mandate")
    before = dict(found)
    found["status"] = "inactive"
    call.state.save(found)
    call.record("mandate.updated", found, before=before)
    return found
