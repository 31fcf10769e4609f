"""Payments that our own bank received, and the call that tells Stripe of them."""

from django.db import migrations, models
from django.db.models import Q

from agency.guards import KeepingTriggers

KINDS = ["customer", "draft", "add_lines", "finalize", "send", "credit_note", "settle"]
STATES = ["todo", "attempting", "done", "unknown", "failed"]


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0020_pauses")]
    operations = [
        KeepingTriggers(
            [
                migrations.RemoveConstraint("stripestep", "step_is_of_a_known_kind_and_state"),
                migrations.AddField(
                    "invoice",
                    "received_on",
                    models.DateField(blank=True, null=True, verbose_name="received by the bank on"),
                ),
                migrations.AlterField(
                    "stripestep",
                    "kind",
                    models.CharField(
                        choices=[
                            ("customer", "customer"),
                            ("draft", "draft"),
                            ("add_lines", "lines"),
                            ("finalize", "finalize"),
                            ("send", "send"),
                            ("credit_note", "credit note"),
                            ("settle", "payment outside Stripe"),
                        ],
                        max_length=20,
                    ),
                ),
                migrations.AddConstraint(
                    "invoice",
                    models.CheckConstraint(
                        condition=Q(received_on__isnull=True) | ~Q(number="") & Q(kind="invoice"),
                        name="what_the_bank_received_pays_a_sent_invoice",
                    ),
                ),
                migrations.AddConstraint(
                    "stripestep",
                    models.CheckConstraint(
                        condition=Q(kind__in=KINDS) & Q(state__in=STATES),
                        name="step_is_of_a_known_kind_and_state",
                    ),
                ),
            ]
        )
    ]
