"""A document that is not sent may take over what its buyer is called from a day on, and only that."""

from django.db import migrations

from agency.guards import Guard, RowGuard, columns_frozen

TABLE = "subscriptions_invoice"
SENTENCE = "A document is written once: credit it instead."
CALLED = ("buyer_name", "buyer_kvk_number", "buyer_vat_id")
WRITTEN_ONCE = (
    *("kind", "run_month", "organisation_id", "credit_of_id", "po_number", "currency"),
    *("net_cents", "vat_cents", "total_cents", "due_days", "collection", "language"),
    *("buyer_street", "buyer_postcode", "buyer_city", "buyer_country"),
    *("seller_name", "seller_street", "seller_postcode", "seller_city", "seller_country"),
    *("seller_kvk_number", "seller_vat_id", "seller_iban"),
)
(BEFORE,) = columns_frozen(TABLE, [*WRITTEN_ONCE, *CALLED], SENTENCE)


def take_away(apps, schema_editor):
    BEFORE.database_backwards("subscriptions", schema_editor)


def put_back(apps, schema_editor):
    BEFORE.database_forwards("subscriptions", schema_editor)


class Migration(migrations.Migration):
    dependencies = [("agency", "0011_legal_names"), ("subscriptions", "0036_receipts_in_parts")]
    operations = [
        migrations.RunPython(take_away, put_back),
        *columns_frozen(TABLE, WRITTEN_ONCE, SENTENCE),
        Guard(
            TABLE,
            "is_called_as_it_was_sent",
            "UPDATE",
            SENTENCE,
            columns=CALLED,
            when="OLD.number <> '' OR OLD.kind <> 'invoice' OR OLD.payer_id IS NULL",
        ),
        RowGuard(
            TABLE,
            "bears_a_name_of_its_buyer",
            "A document bears what its buyer is called from a day on.",
            when=(
                "(" + " OR ".join(f"OLD.{name} <> NEW.{name}" for name in CALLED) + ") "
                "AND NOT EXISTS (SELECT 1 FROM agency_legalname called "
                "WHERE called.organisation_id = NEW.payer_id AND called.legal_name = NEW.buyer_name "
                "AND called.vat_id = NEW.buyer_vat_id AND (called.kvk_number = NEW.buyer_kvk_number "
                "OR called.kvk_number = '' AND NEW.buyer_kvk_number = OLD.buyer_kvk_number))"
            ),
            one_at_a_time="payer_id",
            events=("UPDATE",),
        ),
    ]
