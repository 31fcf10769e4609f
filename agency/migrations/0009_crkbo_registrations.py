"""The registration with CRKBO is a fact of some months, no longer one of all times."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import agency.fields
from agency.guards import KeepingTriggers, RowGuard, columns_frozen
from agency.month import Month


def take_over(apps, schema_editor):
    """Who is registered now has been so in every month that was ever billed."""
    registrations = apps.get_model("agency", "CrkboRegistration").objects
    for row in apps.get_model("agency", "Agency").objects.filter(crkbo_registered=True):
        registrations.create(agency=row, from_month=Month.of(2000, 1))
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def give_back(apps, schema_editor):
    registered = apps.get_model("agency", "CrkboRegistration").objects.filter(until_month=None)
    agencies = apps.get_model("agency", "Agency").objects
    agencies.filter(pk__in=registered.values("agency")).update(crkbo_registered=True)


class Migration(migrations.Migration):
    dependencies = [("agency", "0008_vat_consultations")]
    operations = [
        migrations.CreateModel(
            name="CrkboRegistration",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("from_month", agency.fields.MonthField(verbose_name="from")),
                ("until_month", agency.fields.MonthField(blank=True, null=True, verbose_name="first month after the end")),
                ("agency", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="crkbo_registrations", to="agency.agency")),
            ],
            options={
                "verbose_name": "CRKBO registration",
                "verbose_name_plural": "CRKBO registrations",
                "ordering": ["from_month"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("until_month__isnull", True), ("until_month__gt", models.F("from_month")), _connector="OR"),
                        name="registration_ends_after_it_begins",
                        violation_error_message="A registration ends after it begins.",
                    ),
                ],
            },
        ),
        migrations.RunPython(take_over, give_back),
        KeepingTriggers([migrations.RemoveField(model_name="agency", name="crkbo_registered")]),
        *columns_frozen(
            "agency_crkboregistration",
            ["agency_id", "from_month"],
            "A registration begins in the month it was entered with: add another one.",
        ),
        RowGuard(
            "agency_crkboregistration",
            "no_overlap",
            "CRKBO registrations do not overlap.",
            when=(
                "EXISTS (SELECT 1 FROM agency_crkboregistration other WHERE other.id <> NEW.id "
                "AND (other.until_month IS NULL OR NEW.from_month < other.until_month) "
                "AND (NEW.until_month IS NULL OR other.from_month < NEW.until_month))"
            ),
            one_at_a_time="agency_id",
        ),
    ]
