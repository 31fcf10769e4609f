"""What our bank received is compared with what was asked for from two indexes alone."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from agency.guards import KeepingTriggers


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0047_published_use")]
    operations = [
        migrations.AddIndex(
            "invoice",
            models.Index(
                condition=Q(received_on__isnull=False),
                fields=["id", "received_on", "state", "total_cents"],
                name="invoices_paid_by_bank",
            ),
        ),
        KeepingTriggers(
            [
                migrations.AlterField(
                    "receipt",
                    "invoice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="subscriptions.invoice",
                        verbose_name="invoice",
                    ),
                ),
                migrations.AddIndex(
                    "receipt",
                    models.Index(fields=["invoice", "amount_cents"], name="receipts_of_an_invoice"),
                ),
            ]
        ),
    ]
