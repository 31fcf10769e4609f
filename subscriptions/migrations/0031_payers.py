"""Who pays for a client, by months; documents say whose they are, and who was served."""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import agency.fields
from agency.guards import Guard, KeepingTriggers, RowGuard, columns_frozen, no_overlap

PAYER = "subscriptions_payer"
TOGETHER = (
    "(other.until_month IS NULL OR NEW.from_month < other.until_month) "
    "AND (NEW.until_month IS NULL OR other.from_month < NEW.until_month)"
)
CHAIN = "Nobody pays for who pays for others in the same months."


def organisation(name, label, **options):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT,
        related_name=name,
        to="agency.organisation",
        verbose_name=label,
        **options,
    )


def pay_themselves(apps, schema_editor):
    """Until now every client paid its own documents."""
    invoices = apps.get_model("subscriptions", "Invoice").objects
    invoices.filter(organisation__isnull=False).update(payer=F("organisation"))
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0030_quotes")]
    operations = [
        migrations.CreateModel(
            name="Payer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("from_month", agency.fields.MonthField(verbose_name="from month")),
                (
                    "until_month",
                    agency.fields.MonthField(blank=True, null=True, verbose_name="until month"),
                ),
                ("organisation", organisation("payers", "organisation")),
                ("payer", organisation("pays_for", "payer")),
            ],
            options={
                "verbose_name": "payer",
                "verbose_name_plural": "payers",
                "ordering": ["organisation", "from_month"],
                "constraints": [
                    models.CheckConstraint(
                        condition=~Q(payer=F("organisation")),
                        name="payer_is_another_organisation",
                        violation_error_message="Who pays is another organisation.",
                    ),
                    models.CheckConstraint(
                        condition=Q(until_month__isnull=True) | Q(until_month__gt=F("from_month")),
                        name="payer_pays_for_a_month",
                        violation_error_message="Paying ends after it begins.",
                    ),
                ],
            },
        ),
        KeepingTriggers(
            [
                migrations.AddField(
                    "invoice", "payer", organisation("payable", "payer", blank=True, null=True)
                ),
                migrations.AddField(
                    "invoice",
                    "served_name",
                    models.CharField(
                        blank=True, default="", max_length=200, verbose_name="for"
                    ),
                    preserve_default=False,
                ),
            ]
        ),
        migrations.RunPython(pay_themselves, migrations.RunPython.noop),
        KeepingTriggers(
            [
                migrations.AddConstraint(
                    "invoice",
                    models.CheckConstraint(
                        condition=Q(organisation__isnull=True, payer__isnull=True)
                        | Q(organisation__isnull=False, payer__isnull=False),
                        name="document_of_a_client_says_who_pays",
                    ),
                )
            ]
        ),
        *no_overlap(
            PAYER, "from_month", "until_month", "In each month one organisation pays for a client."
        ),
        *columns_frozen(
            PAYER,
            ["organisation_id", "payer_id", "from_month"],
            "Who pays from a month on stays: give it an end, and add who pays from then on.",
        ),
        RowGuard(
            PAYER,
            "pays_for_nobody",
            CHAIN,
            when=(
                "EXISTS (SELECT 1 FROM subscriptions_payer other "
                f"WHERE other.payer_id = NEW.organisation_id AND {TOGETHER})"
            ),
            one_at_a_time="organisation_id",
        ),
        RowGuard(
            PAYER,
            "pays_itself",
            CHAIN,
            when=(
                "EXISTS (SELECT 1 FROM subscriptions_payer other "
                f"WHERE other.organisation_id = NEW.payer_id AND {TOGETHER})"
            ),
            one_at_a_time="payer_id",
        ),
        RowGuard(
            PAYER,
            "stays_once_billed",
            "Documents were made out to who pays: give it an end instead.",
            when=(
                "EXISTS (SELECT 1 FROM subscriptions_invoice document "
                "WHERE document.organisation_id = OLD.organisation_id "
                "AND document.payer_id = OLD.payer_id AND document.kind = 'invoice' "
                "AND document.run_month + 1 >= OLD.from_month "
                "AND (OLD.until_month IS NULL OR document.run_month + 1 < OLD.until_month))"
            ),
            one_at_a_time="organisation_id",
            events=("DELETE",),
        ),
        RowGuard(
            "subscriptions_invoice",
            "goes_to_who_pays",
            "A document goes to the client, or to who pays for it in the month after the run.",
            when=(
                "NOT EXISTS (SELECT 1 FROM subscriptions_payer agreed "
                "WHERE agreed.organisation_id = NEW.organisation_id "
                "AND agreed.payer_id = NEW.payer_id AND agreed.from_month <= NEW.run_month + 1 "
                "AND (agreed.until_month IS NULL OR NEW.run_month + 1 < agreed.until_month))"
            ),
            one_at_a_time="organisation_id",
            events=("INSERT",),
            only="NEW.kind = 'invoice' AND NEW.payer_id <> NEW.organisation_id",
        ),
        Guard(
            "subscriptions_invoice",
            "keeps_its_payer",
            "UPDATE",
            "A document is written once: credit it instead.",
            columns=("payer_id", "served_name"),
        ),
    ]
