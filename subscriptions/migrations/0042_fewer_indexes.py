"""Drop indexes that nobody looks anything up by: a run writes thousands of rows into each."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as Editor

INDEXED = (
    ("subscriptions_invoice", "approved_by_id"),
    ("subscriptions_invoice", "seconded_by_id"),
    ("subscriptions_invoice", "credit_of_id"),
    ("subscriptions_invoiceline", "credit_of_id"),
    ("subscriptions_invoiceline", "invoice_id"),
    ("subscriptions_yearprice", "subscription_id"),
)


def drop(apps: Any, schema_editor: Editor) -> None:
    """By their names: SQLite would make the tables anew."""
    connection = schema_editor.connection
    for table, column in INDEXED:
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, table)
        for name, what in found.items():
            if what["index"] and not what["unique"] and what["columns"] == [column]:
                schema_editor.execute(f'DROP INDEX "{name}"')


def make(apps: Any, schema_editor: Editor) -> None:
    for table, column in INDEXED:
        schema_editor.execute(f'CREATE INDEX "{table}_{column}" ON "{table}" ("{column}")')


class Migration(migrations.Migration):
    dependencies = [
        ("agency", "0011_legal_names"),
        ("subscriptions", "0041_debits_of_who_pays"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop, make)],
            state_operations=[
                migrations.AlterField(
                    model_name='invoice',
                    name='approved_by',
                    field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by'),
                ),
                migrations.AlterField(
                    model_name='invoice',
                    name='credit_of',
                    field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credits', to='subscriptions.invoice'),
                ),
                migrations.AlterField(
                    model_name='invoice',
                    name='seconded_by',
                    field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='and by'),
                ),
                migrations.AlterField(
                    model_name='invoiceline',
                    name='credit_of',
                    field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credits', to='subscriptions.invoiceline'),
                ),
                migrations.AlterField(
                    model_name='invoiceline',
                    name='invoice',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='subscriptions.invoice'),
                ),
                migrations.AlterField(
                    model_name='yearprice',
                    name='subscription',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='year_prices', to='subscriptions.subscription'),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('credit_of__isnull', False)), fields=['credit_of'], name='credits_of_an_invoice'),
        ),
        migrations.AddIndex(
            model_name='invoiceline',
            index=models.Index(condition=models.Q(('credit_of__isnull', False)), fields=['credit_of'], name='credits_of_a_line'),
        ),
    ]
