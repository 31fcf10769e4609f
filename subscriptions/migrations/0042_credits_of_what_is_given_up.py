"""Nothing is credited of what is written off, and nothing written off while a credit is under way.

Both would give the same VAT back. As in 0029, only a credit is asked for what it credits.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as Editor

from agency.guards import RowGuard

TABLE, NAME = "subscriptions_invoice", "credits_what_is_asked_for"


def ask_credits_alone(apps: Any, schema_editor: Editor) -> None:
    """Make the trigger anew; SQLite asks a trigger's whole condition before it runs anything."""
    if schema_editor.connection.vendor == "postgresql":
        trigger = f"{TABLE}_{NAME}"
        schema_editor.execute(f'DROP TRIGGER "{trigger}" ON "{TABLE}"', params=None)
        schema_editor.execute(
            f'CREATE TRIGGER "{trigger}" BEFORE INSERT ON "{TABLE}" '
            f"FOR EACH ROW WHEN (NEW.credit_of_id IS NOT NULL) "
            f'EXECUTE FUNCTION "{trigger}"()',
            params=None,
        )


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0041_debits_of_who_pays")]
    operations = [
        RowGuard(
            TABLE,
            NAME,
            "What is written off is credited only once it is paid after all.",
            when=(
                "NEW.credit_of_id IS NOT NULL AND EXISTS (SELECT 1 FROM subscriptions_writeoff lost "
                "JOIN subscriptions_invoice original ON original.id = lost.invoice_id "
                "WHERE lost.invoice_id = NEW.credit_of_id AND lost.written_off_on IS NOT NULL "
                "AND original.state IN ('open', 'uncollectible'))"
            ),
            one_at_a_time="credit_of_id",
            events=("INSERT",),
        ),
        migrations.RunPython(ask_credits_alone, migrations.RunPython.noop),
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
