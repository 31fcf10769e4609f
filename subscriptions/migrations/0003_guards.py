"""Triggers: what was published or billed never changes, and contracts never overlap."""

from django.db import migrations

from agency.guards import Guard, RowGuard, append_only, columns_frozen, no_overlap, undeletable

SENT = "('open', 'paid', 'void', 'uncollectible')"
APPROVED = (
    "EXISTS (SELECT 1 FROM subscriptions_invoice document "
    "WHERE document.id = {row}.invoice_id AND document.state NOT IN ('draft', 'blocked'))"
)
NOT_A_DRAFT = "OLD.state NOT IN ('draft', 'blocked')"
WRITTEN_ONCE = (
    *("kind", "run_month", "organisation_id", "credit_of_id", "po_number", "currency"),
    *("net_cents", "vat_cents", "total_cents", "due_days", "collection", "language"),
    *("buyer_name", "buyer_street", "buyer_postcode", "buyer_city", "buyer_country"),
    *("buyer_kvk_number", "buyer_vat_id"),
    *("seller_name", "seller_street", "seller_postcode", "seller_city", "seller_country"),
    *("seller_kvk_number", "seller_vat_id", "seller_iban"),
)


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0002_first_policy")]
    operations = [
        *append_only("subscriptions_statement", "A statement never changes once it is published."),
        *append_only("subscriptions_publication", "A publication never changes."),
        *append_only("subscriptions_carduse", "What a statement took from a card never changes."),
        *append_only("subscriptions_releasepolicy", "A release policy gets a new version instead."),
        *append_only("subscriptions_terms", "Terms get a new version instead."),
        *append_only("subscriptions_yearprice", "The prices of a contract year are frozen."),
        Guard(
            "subscriptions_invoiceline",
            "never_changed",
            "UPDATE",
            "A line never changes: credit it instead.",
        ),
        RowGuard(
            "subscriptions_invoiceline",
            "never_added_later",
            "A document that was approved takes no more lines.",
            when=APPROVED.format(row="NEW"),
            one_at_a_time="invoice_id",
            events=("INSERT",),
        ),
        RowGuard(
            "subscriptions_invoiceline",
            "never_deleted",
            "A line of a document that was approved is never deleted: credit it instead.",
            when=APPROVED.format(row="OLD"),
            one_at_a_time="invoice_id",
            events=("DELETE",),
        ),
        *columns_frozen(
            "subscriptions_invoice", WRITTEN_ONCE, "A document is written once: credit it instead."
        ),
        Guard(
            "subscriptions_invoice",
            "never_back",
            "UPDATE",
            "A document that was sent never becomes a draft again.",
            when=f"OLD.state IN {SENT} AND NEW.state NOT IN {SENT}",
        ),
        Guard(
            "subscriptions_invoice",
            "keeps_its_number",
            "UPDATE",
            "A document keeps the number and date that it was sent with.",
            columns=("number", "invoice_on", "stripe_id"),
            when="OLD.number <> ''",
        ),
        Guard(
            "subscriptions_billedoccurrence",
            "never_held_again",
            "UPDATE",
            "What was billed is not held again.",
            when="OLD.state <> 'held' AND NEW.state = 'held'",
        ),
        *columns_frozen(
            "subscriptions_billedoccurrence",
            ("kind", "subject_id", "from_month", "revision"),
            "What was billed stays billed: credit it instead.",
        ),
        *columns_frozen(
            "subscriptions_stripestep",
            ("invoice_id", "kind", "generation", "idempotency_key", "body_hash"),
            "What was sent to Stripe is kept as it was sent.",
        ),
        *undeletable(
            "subscriptions_invoice", "A document is never deleted: credit it instead.", when=NOT_A_DRAFT
        ),
        *undeletable(
            "subscriptions_billedoccurrence",
            "What was billed stays billed: credit it instead.",
            when="OLD.state <> 'held'",
        ),
        *no_overlap(
            "subscriptions_subscription",
            "start_month",
            "until_month",
            "Contracts of one organisation never overlap.",
        ),
        *no_overlap(
            "subscriptions_purchaseorder",
            "from_month",
            "until_month",
            "Purchase orders of one organisation do not overlap.",
        ),
    ]
