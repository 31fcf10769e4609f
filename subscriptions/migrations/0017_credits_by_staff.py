"""Credits that staff give: their reason, and no document is credited above its sums."""

from django.db import migrations, models

from agency.guards import Guard, KeepingTriggers, RowGuard

TAKEN_BACK = (
    "(SELECT coalesce(sum(other.{column}), 0) FROM subscriptions_invoice other "
    "WHERE other.credit_of_id = NEW.credit_of_id AND other.state <> 'void')"
)
PASSES = "abs(original.{column}) < abs(NEW.{column} + " + TAKEN_BACK + ")"
SAME_SIGN = "original.{column} * NEW.{column} > 0"
REASONS = ["particulars", "amount", "twice", "not_delivered", "contract", "goodwill"]


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0016_treatments_to_come")]
    operations = [
        KeepingTriggers(
            [
                migrations.AddField(
                    model_name="invoice",
                    name="credit_reason",
                    field=models.CharField(
                        blank=True,
                        choices=[
                            ("particulars", "particulars or order number wrong"),
                            ("amount", "price or amount wrong"),
                            ("twice", "billed twice"),
                            ("not_delivered", "not delivered"),
                            ("contract", "contract ended or changed"),
                            ("goodwill", "goodwill"),
                        ],
                        default="",
                        max_length=20,
                        verbose_name="credited because",
                    ),
                    preserve_default=False,
                ),
                migrations.AddConstraint(
                    model_name="invoice",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("credit_reason", ""),
                            models.Q(("credit_reason__in", REASONS), ("kind", "credit")),
                            _connector="OR",
                        ),
                        name="credit_is_given_for_a_known_reason",
                    ),
                ),
            ]
        ),
        Guard(
            "subscriptions_invoice",
            "keeps_its_reason",
            "UPDATE",
            "A document is written once: credit it instead.",
            columns=("credit_reason",),
        ),
        Guard(
            "subscriptions_invoice",
            "stays_void",
            "UPDATE",
            "A void document stays void.",
            when="OLD.state = 'void' AND NEW.state <> 'void'",
        ),
        RowGuard(
            "subscriptions_invoice",
            "credits_within",
            "Credits of a document never exceed what the document billed.",
            when=(
                "NEW.credit_of_id IS NOT NULL AND EXISTS "
                "(SELECT 1 FROM subscriptions_invoice original "
                "WHERE original.id = NEW.credit_of_id AND "
                f"({PASSES.format(column='net_cents')} OR {PASSES.format(column='vat_cents')}))"
            ),
            one_at_a_time="credit_of_id",
            events=("INSERT",),
        ),
        RowGuard(
            "subscriptions_invoiceline",
            "credits_take_back",
            "A credit of a line takes back what the line billed.",
            when=(
                "NEW.credit_of_id IS NOT NULL AND EXISTS "
                "(SELECT 1 FROM subscriptions_invoiceline original "
                "WHERE original.id = NEW.credit_of_id AND "
                f"({SAME_SIGN.format(column='net_cents')}"
                f" OR {SAME_SIGN.format(column='vat_cents')}))"
            ),
            one_at_a_time="credit_of_id",
            events=("INSERT",),
        ),
    ]
