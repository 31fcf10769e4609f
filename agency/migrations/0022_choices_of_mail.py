"""What each contact is mailed about of the own choice."""

from django.db import migrations, models

from agency.guards import KeepingTriggers


class Migration(migrations.Migration):
    dependencies = [("agency", "0021_invitations")]
    operations = [
        KeepingTriggers([
            migrations.AddField("contact", "wants_publications", models.BooleanField(default=True, verbose_name="mail at a publication")),
            migrations.AddField("contact", "wants_invoices", models.BooleanField(default=False, verbose_name="mail at an invoice")),
            migrations.AddField("contact", "wants_failed_payments", models.BooleanField(default=False, verbose_name="mail at a failed payment")),
            migrations.AddField("contact", "wants_sessions", models.BooleanField(default=False, verbose_name="mail at a session")),
        ]),
    ]
