"""Clients that take e-invoices in by mail say where."""

from django.db import migrations, models

from agency.guards import KeepingTriggers


class Migration(migrations.Migration):
    dependencies = [("agency", "0009_crkbo_registrations")]
    operations = [
        KeepingTriggers([
            migrations.AddField(
                model_name="organisation",
                name="einvoice_email",
                field=models.EmailField(blank=True, default="", help_text="Each document goes there as UBL and PDF; Stripe mails the invoice itself.", max_length=254, verbose_name="e-mail address for e-invoices"),
                preserve_default=False,
            ),
        ]),
    ]
