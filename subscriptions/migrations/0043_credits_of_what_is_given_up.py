"""Nothing is credited of what is written off, and nothing written off while a credit is under way.

Both would give the same VAT back.
"""

from django.db import migrations

from agency.guards import RowGuard


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0042_fewer_indexes")]
    operations = [
        RowGuard(
            "subscriptions_invoice",
            "credits_what_is_asked_for",
            "What is written off is credited only once it is paid after all.",
            when=(
                "EXISTS (SELECT 1 FROM subscriptions_writeoff lost "
                "JOIN subscriptions_invoice original ON original.id = lost.invoice_id "
                "WHERE lost.invoice_id = NEW.credit_of_id AND lost.written_off_on IS NOT NULL "
                "AND original.state IN ('open', 'uncollectible'))"
            ),
            one_at_a_time="credit_of_id",
            events=("INSERT",),
            only="NEW.credit_of_id IS NOT NULL",
        ),
        RowGuard(
            "subscriptions_writeoff",
            "waits_for_credits",
            "A credit of it is under way: what it leaves is not known yet.",
            when=(
                "NEW.written_off_on IS NOT NULL AND EXISTS (SELECT 1 "
                "FROM subscriptions_invoice credit WHERE credit.credit_of_id = NEW.invoice_id "
                "AND credit.state IN ('draft', 'blocked', 'approved', 'parked'))"
            ),
            one_at_a_time="invoice_id",
        ),
    ]
