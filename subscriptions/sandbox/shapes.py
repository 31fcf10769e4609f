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
    "metadata": Metadata(),
    "name": Text(256),
    "preferred_locales": ListOf(Text()),
    "tax_exempt": OneOf(("none", "exempt", "reverse")),
}
CUSTOMER_UNMODELLED = names(
    "balance business_name cash_balance expand individual_name invoice_prefix invoice_settings"
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

SHAPES = {
    "POST /v1/customers": Nested(
        {**CUSTOMER, "tax_id_data": ListOf(Nested(TAX_ID, required=("type", "value")), 5)},
        unmodelled=CUSTOMER_UNMODELLED | {"payment_method", "test_clock"},
    ),
    "GET /v1/customers": Nested(
        {**LIST, "created": BETWEEN, "email": Text(512)},
        unmodelled=LIST_UNMODELLED | {"test_clock"},
    ),
    "GET /v1/customers/{customer}": Nested(unmodelled=EXPAND),
    "POST /v1/customers/{customer}": Nested(
        CUSTOMER,
        unmodelled=CUSTOMER_UNMODELLED
        | {"bank_account", "card", "default_alipay_account", "default_bank_account"}
        | {"default_card", "default_source"},
    ),
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
    "DELETE /v1/invoices/{invoice}": Nested(),
    "POST /v1/invoices/{invoice}/add_lines": Nested(
        {"lines": ListOf(LINE)},
        required=("lines",),
        unmodelled=frozenset({"expand", "invoice_metadata"}),
    ),
    "GET /v1/invoices/{invoice}/lines": Nested(LIST, unmodelled=LIST_UNMODELLED),
    "POST /v1/invoices/{invoice}/finalize": Nested({"auto_advance": Flag()}, unmodelled=EXPAND),
    "POST /v1/invoices/{invoice}/send": Nested(unmodelled=EXPAND),
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
