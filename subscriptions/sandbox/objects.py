"""Objects as Stripe shows them. Money is in integer cents, moments are Unix seconds."""

from subscriptions.sandbox.state import Json, State, new_id

API_VERSION = "2026-10-28.endive"
SHOWN_LINES = 10  # an invoice shows its first lines only; the rest is a list of its own
ABSENT_FROM_A_DRAFT = (
    "account_tax_ids application automatically_finalizes_at customer_account customer_address"
    " customer_email customer_name customer_phone customer_shipping default_payment_method"
    " default_source due_date effective_at ending_balance from_invoice hosted_invoice_url"
    " invoice_pdf last_finalization_error latest_revision next_payment_attempt number"
    " on_behalf_of parent receipt_number rendering shipping_cost shipping_details"
    " statement_descriptor status_details test_clock webhooks_delivered_at"
)
ZERO_ON_A_DRAFT = (
    "amount_due amount_overpaid amount_paid amount_paid_off_stripe amount_remaining"
    " amount_shipping attempt_count post_payment_credit_notes_amount"
    " pre_payment_credit_notes_amount starting_balance subtotal subtotal_excluding_tax total"
    " total_excluding_tax"
)


def page(items: list[Json], url: str, *, has_more: bool = False) -> Json:
    return {"object": "list", "data": items, "has_more": has_more, "url": url}


def customer(state: State, given: Json) -> Json:
    return {
        "id": new_id("cus"),
        "object": "customer",
        "address": address(given.get("address")),
        "balance": 0,
        "created": state.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": given.get("description"),
        "discount": None,
        "email": given.get("email"),
        "invoice_prefix": None,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "name": given.get("name"),
        "phone": None,
        "preferred_locales": given.get("preferred_locales", []),
        "shipping": None,
        "tax_exempt": given.get("tax_exempt", "none"),
        "test_clock": None,
    }


def address(given: Json | None) -> Json | None:
    if given is None:
        return None
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {name: given.get(name) for name in names}


def tax_id(state: State, customer_id: str, given: Json) -> Json:
    return {
        "id": new_id("txi"),
        "object": "tax_id",
        "country": given["value"][:2] if given["type"] == "eu_vat" else None,
        "created": state.now(),
        "customer": customer_id,
        "customer_account": None,
        "livemode": False,
        "owner": {"type": "customer", "customer": customer_id, "customer_account": None},
        "type": given["type"],
        "value": given["value"],
        "verification": {"status": "pending", "verified_address": None, "verified_name": None},
    }


def invoice(state: State, given: Json) -> Json:
    """Return a draft; the customer's particulars are filled in whenever it is shown."""
    now = state.now()
    identity = new_id("in")
    method = given.get("collection_method", "charge_automatically")
    return {
        "id": identity,
        "object": "invoice",
        **dict.fromkeys(ABSENT_FROM_A_DRAFT.split(), None),
        **dict.fromkeys(ZERO_ON_A_DRAFT.split(), 0),
        "account_country": "NL",
        "account_name": "Discreet sandbox",
        "attempted": False,
        "auto_advance": given.get("auto_advance", False),
        "automatic_tax": {
            **dict.fromkeys(("disabled_reason", "liability", "provider", "status")),
            "enabled": False,
        },
        "billing_reason": "manual",
        "collection_method": method,
        "created": now,
        "currency": given.get("currency", "eur"),
        "custom_fields": given.get("custom_fields") or None,
        "customer": given["customer"],
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "description": given.get("description"),
        "discounts": [],
        "footer": given.get("footer"),
        "issuer": {"type": "self"},
        "lines": page([], f"/v1/invoices/{identity}/lines"),
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": given.get("payment_settings", {}).get("payment_method_types"),
        },
        "period_end": now,
        "period_start": now,
        "status": "draft",
        "status_transitions": dict.fromkeys(
            ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
        ),
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    }


def line(state: State, invoice: Json, given: Json) -> Json:
    amount: int = given["amount"]
    now = state.now()
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": invoice["currency"],
        "description": given.get("description"),
        "discount_amounts": [],
        "discountable": amount >= 0,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "parent": {
            "type": "invoice_item_details",
            "invoice_item_details": {
                "invoice_item": new_id("ii"),
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": None,
            },
            "subscription_item_details": None,
        },
        "period": given.get("period") or {"start": now, "end": now},
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details",
            "price_details": {"price": new_id("price"), "product": new_id("prod")},
            "unit_amount_decimal": str(amount),
        },
        "quantity": 1,
        "quantity_decimal": "1",
        "subscription": None,
        "subtotal": amount,
        "taxes": [tax(state, item) for item in given.get("tax_amounts", [])],
    }


def tax(state: State, given: Json) -> Json:
    """Return a tax amount sent by the caller, under the tax rate that Stripe makes for it."""
    return {
        "type": "tax_rate_details",
        "amount": given["amount"],
        "tax_behavior": "exclusive",
        "tax_rate_details": {"tax_rate": tax_rate(state, given["tax_rate_data"])},
        "taxability_reason": given.get("taxability_reason", "not_available"),
        "taxable_amount": given["taxable_amount"],
    }


def tax_rate(state: State, given: Json) -> str:
    """Return the id of the one archived rate that stands for equal ``tax_rate_data``."""
    for known in state.newest("tax_rate"):
        if known["given"] == given:
            return str(known["id"])
    return str(state.add({"id": new_id("txr"), "given": given}, kind="tax_rate")["id"])


def webhook_endpoint(state: State, given: Json) -> Json:
    return {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": given.get("api_version"),
        "application": None,
        "created": state.now(),
        "description": given.get("description"),
        "enabled_events": given["enabled_events"],
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "secret": given.get("secret") or new_id("whsec"),
        "status": "enabled",
        "url": given["url"],
    }
