"""Budgets of purchase orders, and documents that wait because one is used up."""

from django.db import migrations, models

from agency.guards import KeepingTriggers

REASONS = [
    ("vat_id_pending", "VAT id not checked"),
    ("incomplete", "address or KVK number missing"),
    ("po_missing", "purchase order missing"),
    ("po_spent", "budget of the purchase order used up"),
    ("bound", "unusually high: look first"),
]
KNOWN = models.Q(
    ("kind__in", ["invoice", "credit"]),
    ("collection__in", ["invoice", "sepa"]),
    ("blocked_reason__in", ["", *(value for value, _label in REASONS)]),
)


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0021_receipts")]
    operations = [
        KeepingTriggers(
            [
                migrations.AddField(
                    model_name="purchaseorder",
                    name="budget_cents",
                    field=models.BigIntegerField(
                        blank=True, null=True, verbose_name="budget, without VAT"
                    ),
                ),
                migrations.AddConstraint(
                    model_name="purchaseorder",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("budget_cents__isnull", True),
                            ("budget_cents__gt", 0),
                            _connector="OR",
                        ),
                        name="budget_is_above_zero",
                        violation_error_message=(
                            "A budget is above zero; leave it empty if there is none."
                        ),
                    ),
                ),
                migrations.AlterField(
                    model_name="invoice",
                    name="blocked_reason",
                    field=models.CharField(
                        blank=True, choices=REASONS, max_length=20, verbose_name="blocked because"
                    ),
                ),
                migrations.RemoveConstraint(
                    model_name="invoice", name="invoice_is_of_a_known_kind_and_collection"
                ),
                migrations.AddConstraint(
                    model_name="invoice",
                    constraint=models.CheckConstraint(
                        condition=KNOWN, name="invoice_is_of_a_known_kind_and_collection"
                    ),
                ),
            ]
        ),
    ]
