"""Credits of overage, published with their statement; and no credit ever passes its line."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from agency.guards import RowGuard, append_only

TAKEN_BACK = (
    "(SELECT coalesce(sum(other.{column}), 0) FROM subscriptions_invoiceline other "
    "JOIN subscriptions_invoice document ON document.id = other.invoice_id "
    "WHERE other.credit_of_id = NEW.credit_of_id AND document.state <> 'void')"
)
PASSES = "abs(original.{column}) < abs(NEW.{column} + " + TAKEN_BACK + ")"


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0005_seat_guards")]
    operations = [
        migrations.CreateModel(
            name="OverageCredit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("quarters", models.PositiveIntegerField()),
                (
                    "statement",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="overage_credit",
                        to="subscriptions.statement",
                    ),
                ),
            ],
            options={
                "verbose_name": "credit of overage",
                "verbose_name_plural": "credits of overage",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("quarters__gte", 1)), name="overage_credit_has_hours"
                    )
                ],
            },
        ),
        *append_only(
            "subscriptions_overagecredit", "What a statement credits of overage never changes."
        ),
        RowGuard(
            "subscriptions_invoiceline",
            "credits_within",
            "Credits of a line never exceed what the line billed.",
            when=(
                "NEW.credit_of_id IS NOT NULL AND EXISTS "
                "(SELECT 1 FROM subscriptions_invoiceline original "
                "WHERE original.id = NEW.credit_of_id AND "
                f"({PASSES.format(column='net_cents')} OR {PASSES.format(column='vat_cents')}))"
            ),
            one_at_a_time="credit_of_id",
            events=("INSERT",),
        ),
    ]
