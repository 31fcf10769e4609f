"""What organisations are called from a day on; once there is such a row, they are called nothing else."""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from agency.guards import RowGuard, append_only

CALLED = ("legal_name", "kvk_number", "vat_id")


class Migration(migrations.Migration):
    dependencies = [("agency", "0010_einvoice_email")]
    operations = [
        migrations.CreateModel(
            name="LegalName",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("from_on", models.DateField(verbose_name="from")),
                ("legal_name", models.CharField(max_length=200, verbose_name="legal name")),
                ("kvk_number", models.CharField(blank=True, max_length=8, verbose_name="KVK number")),
                ("vat_id", models.CharField(blank=True, max_length=20, verbose_name="VAT id")),
                ("entered_on", models.DateField(verbose_name="entered on")),
                ("organisation", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="legal_names", to="agency.organisation", verbose_name="organisation")),
            ],
            options={
                "verbose_name": "legal name",
                "verbose_name_plural": "legal names",
                "ordering": ["organisation", "-from_on"],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "from_on"), name="one_legal_name_per_organisation_and_day"),
                    models.CheckConstraint(condition=~Q(legal_name=""), name="legal_name_is_given"),
                ],
            },
        ),
        *append_only("agency_legalname", "What an organisation was called stays on record: add a later name."),
        RowGuard(
            "agency_legalname",
            "comes_later",
            "A name counts from a later day than the one before it.",
            when=(
                "EXISTS (SELECT 1 FROM agency_legalname other "
                "WHERE other.organisation_id = NEW.organisation_id AND other.from_on >= NEW.from_on)"
            ),
            one_at_a_time="organisation_id",
            events=("INSERT",),
        ),
        RowGuard(
            "agency_organisation",
            "is_called_so",
            "This name counts from a day on: add another legal name instead.",
            when=(
                "(" + " OR ".join(f"OLD.{name} <> NEW.{name}" for name in CALLED) + ") "
                "AND EXISTS (SELECT 1 FROM agency_legalname dated WHERE dated.organisation_id = NEW.id) "
                "AND NOT EXISTS (SELECT 1 FROM agency_legalname called WHERE called.organisation_id = NEW.id "
                + " ".join(f"AND called.{name} = NEW.{name}" for name in CALLED)
                + ")"
            ),
            one_at_a_time="id",
            events=("UPDATE",),
        ),
    ]
