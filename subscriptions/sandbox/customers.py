"""Customers and their tax ids."""

import re

from subscriptions.sandbox import objects
from subscriptions.sandbox.call import Call
from subscriptions.sandbox.errors import UnmodelledError, no_such
from subscriptions.sandbox.state import Json


def create(call: Call) -> Json:
    made = call.state.add(objects.customer(call.state, call.given), kind="customer")
    for given in call.given.get("tax_id_data", []):
        call.state.add(
            objects.tax_id(call.state, made["id"], given), kind="tax_id", parent=made["id"]
        )
    call.record("customer.created", made)
    return made


def retrieve(call: Call) -> Json:
    deleted = call.state.find("deleted_customer", call.ids["customer"])
    return deleted or call.fetch("customer")


def delete(call: Call) -> Json:
    """Delete a customer; its invoices stay, and its id is still known as one that was deleted."""
    found = call.fetch("customer")
    call.record("customer.deleted", found)
    call.state.connection.execute("delete from object where id = ?", [found["id"]])
    gone = {"id": found["id"], "object": "customer", "deleted": True}
    return call.state.add(gone, kind="deleted_customer")


def listing(call: Call) -> Json:
    wanted = call.given.get("email")
    found = (item for item in call.state.newest("customer") if wanted in {None, item["email"]})
    return call.listed(found, "/v1/customers")


def search(call: Call) -> Json:
    """Search by one value of the metadata. Stripe's runs behind what was written; this does not."""
    wanted = re.fullmatch(r"metadata\['(\w+)'\]:'([^']+)'", call.given["query"] or "")
    if wanted is None:
        raise UnmodelledError("any search but by one value of the metadata", param="query")
    found = [
        item
        for item in call.state.newest("customer")
        if item["metadata"].get(wanted[1]) == wanted[2]
    ]
    shown = call.listed(found, "/v1/customers/search")
    return shown | {"object": "search_result", "next_page": None}


def update(call: Call) -> Json:
    """Change what is given; metadata and the address are merged, key by key."""
    before = call.fetch("customer")
    changed = before | call.given
    changed["metadata"] = before["metadata"] | call.given.get("metadata", {})
    settings = before["invoice_settings"] | call.given.get("invoice_settings", {})
    changed["invoice_settings"] = settings
    if "address" in call.given:
        changed["address"] = objects.address((before["address"] or {}) | call.given["address"])
    call.state.save(changed)
    call.record("customer.updated", changed, before=before)
    return changed


def list_tax_ids(call: Call) -> Json:
    customer_id = call.fetch("customer")["id"]
    return call.listed(
        call.state.newest("tax_id", customer_id), f"/v1/customers/{customer_id}/tax_ids"
    )


def add_tax_id(call: Call) -> Json:
    customer_id = call.fetch("customer")["id"]
    made = objects.tax_id(call.state, customer_id, call.given)
    call.state.add(made, kind="tax_id", parent=customer_id)
    call.record("customer.tax_id.created", made)
    return made


def delete_tax_id(call: Call) -> Json:
    customer_id = call.fetch("customer")["id"]
    found = call.fetch("tax_id", "id")
    if found["customer"] != customer_id:
        raise no_such("tax id", found["id"], param="id")
    call.record("customer.tax_id.deleted", found)
    call.state.remove(found["id"])
    return {"id": found["id"], "object": "tax_id", "deleted": True}
