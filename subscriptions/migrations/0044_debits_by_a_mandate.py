"""Stripe is told to debit nothing of who has withdrawn every mandate that is known."""

from django.db import migrations

from agency.guards import RowGuard

KNOWN = "(SELECT 1 FROM subscriptions_mandate mandate WHERE mandate.organisation_id = document.payer_id"


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0043_credits_of_what_is_given_up")]
    operations = [
        RowGuard(
            "subscriptions_stripestep",
            "debits_by_a_mandate",
            "A mandate that was withdrawn debits nothing.",
            when=(
                "CAST(NEW.body AS TEXT) LIKE '%true%' "
                "AND EXISTS (SELECT 1 FROM subscriptions_invoice document "
                "WHERE document.id = NEW.invoice_id AND document.collection = 'sepa' "
                f"AND document.total_cents <= 1000000 AND EXISTS {KNOWN}) "
                f"AND NOT EXISTS {KNOWN} AND mandate.withdrawn_on IS NULL))"
            ),
            one_at_a_time="invoice_id",
            events=("INSERT",),
            only="NEW.kind IN ('finalize', 'advance')",
        ),
    ]
