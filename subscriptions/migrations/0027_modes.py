"""Whether what was made at Stripe is of real money; nothing of the other mode is ever used."""

from django.db import migrations, models

from agency.guards import Guard, KeepingTriggers


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0026_safety")]
    operations = [
        KeepingTriggers(
            [
                migrations.AddField(
                    "invoice", "livemode", models.BooleanField(null=True, verbose_name="real money")
                ),
                migrations.AddField("stripestep", "livemode", models.BooleanField(null=True)),
            ]
        ),
        Guard(
            "subscriptions_invoice",
            "keeps_its_mode",
            "UPDATE",
            "A document keeps the mode that it was sent in.",
            columns=("livemode",),
            when="OLD.number <> '' AND OLD.livemode IS NOT NULL",
        ),
    ]
