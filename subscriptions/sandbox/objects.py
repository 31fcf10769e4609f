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


RESTING_DISPUTE: Json = {
    "object": "dispute",
    "balance_transactions": [],
    "currency": "eur",
    "enhanced_eligibility_types": [],
    "evidence": {},
    "evidence_details": {
        "due_by": None,
        "enhanced_eligibility": {},
        "has_evidence": False,
        "past_due": False,
        "submission_count": 0,
    },
    "is_charge_refundable": False,
    "livemode": False,
    "metadata": {},
}


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
            "default_payment_method": given.get("invoice_settings", {}).get(
                "default_payment_method"
            ),
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


def credit_note(state: State, invoice: Json, given: Json, lines: list[Json]) -> Json:
    identity = new_id("cn")
    now = state.now()
    net = sum(line["amount"] for line in lines)
    taxes = [tax for line in lines for tax in line["taxes"]]
    total = net + sum(tax["amount"] for tax in taxes)
    before_payment = min(total, invoice["amount_remaining"])
    return {
        "id": identity,
        "object": "credit_note",
        "amount": total,
        "amount_shipping": 0,
        "created": now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": now,
        "invoice": invoice["id"],
        "lines": page(lines, f"/v1/credit_notes/{identity}/lines"),
        "livemode": False,
        "memo": given.get("memo"),
        "metadata": given.get("metadata", {}),
        "out_of_band_amount": given.get("out_of_band_amount"),
        "pdf": f"{invoice['invoice_pdf']}?credit_note={identity}",
        "post_payment_amount": total - before_payment,
        "pre_payment_amount": before_payment,
        "pretax_credit_amounts": [],
        "reason": given.get("reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": net,
        "subtotal_excluding_tax": net,
        "total": total,
        "total_excluding_tax": net,
        "total_taxes": taxes,
        "type": "post_payment" if before_payment == 0 else "pre_payment",
        "voided_at": None,
    }


def credit_line(line: Json, given: Json, rates: dict[str, Json]) -> Json:
    return {
        "id": new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": given["amount"],
        "description": line["description"],
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": line["id"],
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "pretax_credit_amounts": [],
        "quantity": None,
        "tax_rates": [],
        "taxes": [
            {
                **rates[tax["tax_rate"]],
                "amount": tax["amount"],
                "taxable_amount": tax["taxable_amount"],
            }
            for tax in given.get("tax_amounts", [])
        ],
        "type": "invoice_line_item",
        "unit_amount": None,
        "unit_amount_decimal": None,
    }


def checkout_session(state: State, given: Json, base_url: str) -> Json:
    now = state.now()
    identity = new_id("cs_test")
    return {
        "id": identity,
        "object": "checkout.session",
        "amount_subtotal": None,
        "amount_total": None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": given.get("cancel_url"),
        "client_reference_id": given.get("client_reference_id"),
        "created": now,
        "currency": given.get("currency", "eur"),
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        ),
        "customer": given.get("customer"),
        "expires_at": now + 24 * 60 * 60,
        "livemode": False,
        "locale": given.get("locale"),
        "metadata": given.get("metadata", {}),
        "mode": given["mode"],
        "payment_intent": None,
        "payment_method_types": given.get("payment_method_types") or ["card", "sepa_debit"],
        "payment_status": "no_payment_required" if given["mode"] == "setup" else "unpaid",
        "setup_intent": None,
        "shipping_options": [],
        "status": "open",
        "success_url": given["success_url"],
        "ui_mode": "hosted_page",
        "url": f"{base_url}/c/{identity}",
    }


def setup_intent(state: State, session: Json) -> Json:
    return {
        "id": new_id("seti"),
        "object": "setup_intent",
        "created": state.now(),
        "customer": session["customer"],
        "livemode": False,
        "mandate": None,
        "metadata": {},
        "payment_method": None,
        "payment_method_types": session["payment_method_types"],
        "status": "requires_payment_method",
        "usage": "off_session",
    }


def mandate(payment_method: str) -> Json:
    identity = new_id("mandate")
    return {
        "id": identity,
        "object": "mandate",
        "customer_acceptance": {
            "accepted_at": None,
            "online": {"ip_address": "127.0.0.1", "user_agent": "sandbox"},
            "type": "online",
        },
        "livemode": False,
        "multi_use": {},
        "payment_method": payment_method,
        "payment_method_details": {
            "sepa_debit": {"reference": identity[-12:].upper(), "url": "https://stripe.com/"},
            "type": "sepa_debit",
        },
        "status": "active",
        "type": "multi_use",
    }


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
