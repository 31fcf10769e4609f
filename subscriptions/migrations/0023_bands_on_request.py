"""A price band without prices: they are on request."""

from django.db import migrations, models

from agency.guards import KeepingTriggers


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0022_order_budgets")]
    operations = [
        KeepingTriggers([
            migrations.AlterField("priceband", "annual_fee_cents", models.PositiveIntegerField(blank=True, null=True, verbose_name="annual fee")),
            migrations.AlterField("priceband", "included_quarters", models.PositiveIntegerField(blank=True, null=True, verbose_name="included hours a year")),
            migrations.AlterField("priceband", "included_sessions", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="included sessions a year")),
            migrations.AlterField("priceband", "overage_rate_cents", models.PositiveIntegerField(blank=True, null=True, verbose_name="rate per hour of overage")),
            migrations.AddConstraint(
                model_name="priceband",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("annual_fee_cents__isnull", True), ("included_quarters__isnull", True), ("included_sessions__isnull", True), ("overage_rate_cents__isnull", True)),
                        models.Q(("annual_fee_cents__isnull", False), ("included_quarters__isnull", False), ("included_sessions__isnull", False), ("overage_rate_cents__isnull", False)),
                        _connector="OR",
                    ),
                    name="band_has_all_its_prices_or_none",
                    violation_error_message="A band has all four prices, or none of them: then they are on request.",
                ),
            ),
        ]),
    ]
