"""The parameters of each operation: those that are modelled, and Stripe's others.

The names are held to Stripe's specification by a test, so that "unknown" here means unknown to
Stripe and "unmodelled" means known to it.
"""

from subscriptions.sandbox.parameters import (
    Flag,
    Integer,
    ListOf,
    Metadata,
    Nested,
    Number,
    OneOf,
    Text,
)


def names(words: str) -> frozenset[str]:
    return frozenset(words.split())


LIST = {"limit": Integer(), "starting_after": Text()}
LIST_UNMODELLED = frozenset({"ending_before", "expand"})
EXPAND = frozenset({"expand"})
BETWEEN = Nested({name: Integer() for name in ("gt", "gte", "lt", "lte")})

ADDRESS = Nested(
    {name: Text() for name in ("city", "country", "line1", "line2", "postal_code", "state")}
)
TAX_ID = {"type": OneOf(("eu_vat", "gb_vat", "ch_vat", "no_vat", "us_ein")), "value": Text()}
CUSTOMER = {
    "address": ADDRESS,
    "description": Text(),
    "email": Text(512),
    "invoice_settings": Nested(
        {"default_payment_method": Text()},
        unmodelled=frozenset({"custom_fields", "footer", "rendering_options"}),
    ),
    "metadata": Metadata(),
    "name": Text(256),
    "preferred_locales": ListOf(Text()),
    "tax_exempt": OneOf(("none", "exempt", "reverse")),
}
CUSTOMER_UNMODELLED = names(
    "balance business_name cash_balance expand individual_name invoice_prefix"
    " next_invoice_sequence phone shipping source tax"
)

TAX_AMOUNT = Nested(
    {
        "amount": Integer(),
        "taxable_amount": Integer(),
        "taxability_reason": OneOf(
            (
                "standard_rated",
                "reduced_rated",
                "reverse_charge",
                "product_exempt",
                "not_subject_to_tax",
                "zero_rated",
            ),
            unmodelled=(
                "customer_exempt",
                "not_collecting",
                "not_supported",
                "portion_product_exempt",
                "portion_reduced_rated",
                "portion_standard_rated",
                "product_exempt_holiday",
                "proportionally_rated",
                "taxable_basis_reduced",
            ),
        ),
        "tax_rate_data": Nested(
            {
                "country": Text(),
                "description": Text(),
                "display_name": Text(200),
                "inclusive": Flag(),
                "percentage": Number(),
                "tax_type": OneOf(("vat",)),
            },
            required=("display_name", "inclusive", "percentage"),
            unmodelled=frozenset({"jurisdiction", "jurisdiction_level", "state"}),
        ),
    },
    required=("amount", "tax_rate_data", "taxable_amount"),
)
LINE = Nested(
    {
        "amount": Integer(),
        "description": Text(),
        "metadata": Metadata(),
        "period": Nested({"start": Integer(), "end": Integer()}, required=("end", "start")),
        "quantity": Integer(),
        "quantity_decimal": Number(),
        "tax_amounts": ListOf(TAX_AMOUNT, 20),
    },
    unmodelled=frozenset(
        {"discountable", "discounts", "invoice_item", "price_data", "pricing", "tax_rates"}
    ),
)

CREDIT_LINE = Nested(
    {
        "amount": Integer(),
        "invoice_line_item": Text(),
        "metadata": Metadata(),
        "tax_amounts": ListOf(
            Nested(
                {"amount": Integer(), "tax_rate": Text(), "taxable_amount": Integer()},
                required=("amount", "tax_rate", "taxable_amount"),
            ),
            10,
        ),
        "type": OneOf(("invoice_line_item",), unmodelled=("custom_line_item",)),
    },
    required=("type",),
    unmodelled=names("description quantity tax_rates unit_amount unit_amount_decimal"),
)
CREDIT_NOTE = Nested(
    {
        "credit_amount": Integer(),
        "email_type": OneOf(("credit_note", "none")),
        "invoice": Text(),
        "lines": ListOf(CREDIT_LINE),
        "memo": Text(),
        "metadata": Metadata(),
        "out_of_band_amount": Integer(),
        "reason": OneOf(
            ("duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
        ),
        "refund_amount": Integer(),
        "refunds": ListOf(
            Nested(
                {
                    "amount_refunded": Integer(),
                    "refund": Text(),
                    "type": OneOf(("refund",), unmodelled=("payment_record_refund",)),
                },
                unmodelled=frozenset({"payment_record_refund"}),
            )
        ),
    },
    required=("invoice",),
    unmodelled=names("amount effective_at expand shipping_cost"),
)
CHECKOUT_PRODUCT = Nested(
    {"name": Text(), "description": Text(40000), "metadata": Metadata()},
    required=("name",),
    unmodelled=names("images tax_code unit_label"),
)
CHECKOUT_LINE = Nested(
    {
        "price_data": Nested(
            {"currency": Text(), "product_data": CHECKOUT_PRODUCT, "unit_amount": Integer()},
            required=("currency",),
            unmodelled=names("product recurring tax_behavior unit_amount_decimal"),
        ),
        "quantity": Integer(),
    },
    unmodelled=names("adjustable_quantity metadata price tax_rates"),
)
CHECKOUT_UNMODELLED = names(
    "adaptive_pricing after_expiration allow_promotion_codes automatic_tax"
    " billing_address_collection branding_settings consent_collection custom_fields custom_text"
    " customer_account customer_creation customer_email customer_update discounts"
    " excluded_payment_method_types expand expires_at integration_identifier invoice_creation"
    " managed_payments name_collection optional_items origin_context payment_intent_data"
    " payment_method_collection payment_method_configuration payment_method_data"
    " payment_method_options permissions phone_number_collection redirect_on_completion return_url"
    " saved_payment_method_options setup_intent_data shipping_address_collection shipping_options"
    " submit_type subscription_data tax_id_collection ui_mode wallet_options"
)
PAYMENTS = {**LIST, "charge": Text(), "created": BETWEEN, "payment_intent": Text()}

SHAPES = {
    "POST /v1/customers": Nested(
        {**CUSTOMER, "tax_id_data": ListOf(Nested(TAX_ID, required=("type", "value")), 5)},
        unmodelled=CUSTOMER_UNMODELLED | {"payment_method", "test_clock"},
    ),
    "GET /v1/customers": Nested(
        {**LIST, "created": BETWEEN, "email": Text(512)},
        unmodelled=LIST_UNMODELLED | {"test_clock"},
    ),
    "GET /v1/customers/search": Nested(
        {"limit": Integer(), "query": Text()},
        required=("query",),
        unmodelled=frozenset({"expand", "page"}),
    ),
    "GET /v1/customers/{customer}": Nested(unmodelled=EXPAND),
    "POST /v1/customers/{customer}": Nested(
        CUSTOMER,
        unmodelled=CUSTOMER_UNMODELLED
        | {"bank_account", "card", "default_alipay_account", "default_bank_account"}
        | {"default_card", "default_source"},
    ),
    "DELETE /v1/customers/{customer}": Nested(),
    "GET /v1/customers/{customer}/tax_ids": Nested(LIST, unmodelled=LIST_UNMODELLED),
    "POST /v1/customers/{customer}/tax_ids": Nested(
        TAX_ID, required=("type", "value"), unmodelled=EXPAND
    ),
    "DELETE /v1/customers/{customer}/tax_ids/{id}": Nested(),
    "POST /v1/invoices": Nested(
        {
            "auto_advance": Flag(),
            "collection_method": OneOf(("charge_automatically", "send_invoice")),
            "currency": OneOf(("eur",)),
            "custom_fields": ListOf(
                Nested({"name": Text(40), "value": Text(140)}, required=("name", "value")), 4
            ),
            "customer": Text(),
            "days_until_due": Integer(),
            "description": Text(1500),
            "footer": Text(),
            "metadata": Metadata(),
            "payment_settings": Nested(
                {"payment_method_types": ListOf(Text())},
                unmodelled=frozenset({"default_mandate", "payment_method_options"}),
            ),
            "pending_invoice_items_behavior": OneOf(("exclude",), unmodelled=("include",)),
        },
        unmodelled=names(
            "account_tax_ids application_fee_amount automatic_tax automatically_finalizes_at"
            " customer_account default_payment_method default_source default_tax_rates discounts"
            " due_date effective_at expand from_invoice issuer number on_behalf_of rendering"
            " shipping_cost shipping_details statement_descriptor subscription transfer_data"
        ),
    ),
    "GET /v1/invoices": Nested(
        {
            **LIST,
            "collection_method": OneOf(("charge_automatically", "send_invoice")),
            "created": BETWEEN,
            "customer": Text(),
            "status": OneOf(("draft", "open", "paid", "uncollectible", "void")),
        },
        unmodelled=LIST_UNMODELLED | {"customer_account", "due_date", "subscription"},
    ),
    "GET /v1/invoices/{invoice}": Nested(unmodelled=EXPAND),
    "POST /v1/invoices/{invoice}": Nested(
        {"auto_advance": Flag()},
        unmodelled=names(
            "account_tax_ids application_fee_amount automatic_tax automatically_finalizes_at"
            " collection_method custom_fields days_until_due default_payment_method default_source"
            " default_tax_rates description discounts due_date effective_at expand footer issuer"
            " metadata number on_behalf_of payment_settings rendering shipping_cost"
            " shipping_details statement_descriptor transfer_data"
        ),
    ),
    "DELETE /v1/invoices/{invoice}": Nested(),
    "POST /v1/invoices/{invoice}/add_lines": Nested(
        {"lines": ListOf(LINE)},
        required=("lines",),
        unmodelled=frozenset({"expand", "invoice_metadata"}),
    ),
    "GET /v1/invoices/{invoice}/lines": Nested(LIST, unmodelled=LIST_UNMODELLED),
    "POST /v1/invoices/{invoice}/finalize": Nested({"auto_advance": Flag()}, unmodelled=EXPAND),
    "POST /v1/invoices/{invoice}/send": Nested(unmodelled=EXPAND),
    "POST /v1/invoices/{invoice}/pay": Nested(
        {"paid_out_of_band": Flag()},
        unmodelled=names("expand forgive mandate off_session payment_method source"),
    ),
    "POST /v1/invoices/{invoice}/void": Nested(unmodelled=EXPAND),
    "POST /v1/invoices/{invoice}/mark_uncollectible": Nested(unmodelled=EXPAND),
    "GET /v1/invoice_payments": Nested(
        {
            **LIST,
            "invoice": Text(),
            "payment": Nested(
                {"type": OneOf(("payment_intent",)), "payment_intent": Text()},
                required=("type",),
                unmodelled=frozenset({"payment_record"}),
            ),
        },
        unmodelled=LIST_UNMODELLED | {"created", "status"},
    ),
    "POST /v1/credit_notes": CREDIT_NOTE,
    "GET /v1/credit_notes/preview": CREDIT_NOTE,
    "GET /v1/credit_notes": Nested(
        {**LIST, "created": BETWEEN, "customer": Text(), "invoice": Text()},
        unmodelled=LIST_UNMODELLED | {"customer_account"},
    ),
    "GET /v1/credit_notes/{id}": Nested(unmodelled=EXPAND),
    "POST /v1/credit_notes/{id}/void": Nested(unmodelled=EXPAND),
    "POST /v1/refunds": Nested(
        {
            "amount": Integer(),
            "charge": Text(),
            "metadata": Metadata(),
            "payment_intent": Text(),
            "reason": OneOf(("duplicate", "fraudulent", "requested_by_customer")),
        },
        unmodelled=names(
            "currency customer expand instructions_email origin refund_application_fee"
            " reverse_transfer"
        ),
    ),
    "GET /v1/refunds": Nested(PAYMENTS, unmodelled=LIST_UNMODELLED),
    "GET /v1/refunds/{refund}": Nested(unmodelled=EXPAND),
    "GET /v1/disputes": Nested(PAYMENTS, unmodelled=LIST_UNMODELLED),
    "GET /v1/disputes/{dispute}": Nested(unmodelled=EXPAND),
    "POST /v1/checkout/sessions": Nested(
        {
            "cancel_url": Text(),
            "client_reference_id": Text(200),
            "currency": OneOf(("eur",)),
            "customer": Text(),
            "line_items": ListOf(CHECKOUT_LINE),
            "locale": OneOf(("auto", "en", "nl")),
            "metadata": Metadata(),
            "mode": OneOf(("payment", "setup"), unmodelled=("subscription",)),
            "payment_method_types": ListOf(OneOf(("card", "ideal", "sepa_debit"))),
            "success_url": Text(),
        },
        unmodelled=CHECKOUT_UNMODELLED,
    ),
    "GET /v1/checkout/sessions/{session}": Nested(unmodelled=EXPAND),
    "GET /v1/setup_intents/{intent}": Nested(unmodelled=EXPAND | {"client_secret"}),
    "GET /v1/mandates/{mandate}": Nested(unmodelled=EXPAND),
    "GET /v1/events": Nested(
        {
            **LIST,
            "created": BETWEEN,
            "delivery_success": Flag(),
            "type": Text(),
            "types": ListOf(Text(), 20),
        },
        unmodelled=LIST_UNMODELLED,
    ),
    "GET /v1/events/{id}": Nested(unmodelled=EXPAND),
    "POST /v1/webhook_endpoints": Nested(
        {
            "api_version": Text(),
            "description": Text(),
            "enabled_events": ListOf(Text()),
            "metadata": Metadata(),
            "url": Text(),
        },
        required=("enabled_events", "url"),
        unmodelled=frozenset({"connect", "expand"}),
    ),
    "GET /v1/webhook_endpoints": Nested(LIST, unmodelled=LIST_UNMODELLED),
    "GET /v1/webhook_endpoints/{webhook_endpoint}": Nested(unmodelled=EXPAND),
    "DELETE /v1/webhook_endpoints/{webhook_endpoint}": Nested(),
}
