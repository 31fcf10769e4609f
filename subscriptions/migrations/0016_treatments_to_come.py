"""Triggers: a VAT treatment begins after the months whose documents have its category."""

from django.db import migrations

from agency.guards import RowGuard


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0015_cleared_differences")]
    operations = [
        RowGuard(
            "subscriptions_taxtreatment",
            "is_to_come",
            "Documents were made for this month or a later one: choose a month after them.",
            when=(
                "EXISTS (SELECT 1 FROM subscriptions_invoiceline line "
                "JOIN subscriptions_invoice document ON document.id = line.invoice_id "
                "WHERE line.vat_category = NEW.category AND document.run_month >= NEW.valid_from)"
            ),
            one_at_a_time="category",
        ),
    ]
