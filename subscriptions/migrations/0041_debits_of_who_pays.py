"""A debit goes by a mandate of who pays the document, also where that serves another client."""

from django.db import migrations

from agency.guards import RowGuard


def announces(owner):
    return RowGuard(
        "subscriptions_debitnotice",
        "announces_what_is_ours",
        "Debits are announced here only where Stripe does not, and by a mandate of the client.",
        when=(
            "NOT EXISTS (SELECT 1 FROM subscriptions_collectionpolicy policy "
            "WHERE policy.announced_by = 'agency') "
            "OR NOT EXISTS (SELECT 1 FROM subscriptions_invoice document "
            f"JOIN subscriptions_mandate mandate ON mandate.organisation_id = document.{owner} "
            "WHERE document.id = NEW.invoice_id AND mandate.id = NEW.mandate_id "
            "AND mandate.withdrawn_on IS NULL AND document.state = 'open' "
            "AND document.kind = 'invoice' AND document.collection = 'sepa')"
        ),
        one_at_a_time="invoice_id",
        events=("INSERT",),
    )


BEFORE = announces("organisation_id")


def take_away(apps, schema_editor):
    BEFORE.database_backwards("subscriptions", schema_editor)


def put_back(apps, schema_editor):
    BEFORE.database_forwards("subscriptions", schema_editor)


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0040_debit_notices")]
    operations = [migrations.RunPython(take_away, put_back), announces("payer_id")]
