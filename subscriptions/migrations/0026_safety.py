"""Large documents take two people; parked organisations, and runs that somebody looked at."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import agency.fields
from agency.guards import Guard, KeepingTriggers

REASONS = [
    ("dispute", "a bill or the contract is contested"),
    ("particulars", "particulars are being sorted out"),
    ("takeover", "takeover or merger under way"),
    ("mistake", "a mistake of ours is being looked into"),
]
KEY = models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)


def somebody(label: str, *, needed: bool = False) -> "models.ForeignKey":
    return models.ForeignKey(
        blank=not needed,
        null=not needed,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        verbose_name=label,
    )


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("subscriptions", "0025_indexation_guards"),
    ]
    operations = [
        migrations.CreateModel(
            name="AcceptedRun",
            fields=[
                ("id", KEY),
                ("run_month", agency.fields.MonthField(unique=True, verbose_name="run")),
                ("accepted_by", somebody("accepted by", needed=True)),
                ("accepted_on", models.DateField(verbose_name="accepted on")),
            ],
            options={"verbose_name": "accepted run", "verbose_name_plural": "accepted runs"},
        ),
        migrations.CreateModel(
            name="ParkedOrganisation",
            fields=[
                ("id", KEY),
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parked",
                        to="agency.organisation",
                        verbose_name="organisation",
                    ),
                ),
                (
                    "reason",
                    models.CharField(choices=REASONS, max_length=20, verbose_name="reason"),
                ),
                (
                    "until_month",
                    agency.fields.MonthField(blank=True, null=True, verbose_name="until month"),
                ),
            ],
            options={
                "verbose_name": "parked organisation",
                "verbose_name_plural": "parked organisations",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reason__in", [reason for reason, _label in REASONS])
                        ),
                        name="organisation_is_parked_for_a_known_reason",
                    )
                ],
            },
        ),
        KeepingTriggers(
            [
                migrations.AddField("invoice", "approved_by", somebody("approved by")),
                migrations.AddField("invoice", "seconded_by", somebody("and by")),
                migrations.AddConstraint(
                    model_name="invoice",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("seconded_by__isnull", True),
                            models.Q(
                                ("approved_by__isnull", False),
                                models.Q(("seconded_by", models.F("approved_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="large_document_takes_two_people",
                    ),
                ),
            ]
        ),
        Guard(
            "subscriptions_invoice",
            "takes_two_people",
            "UPDATE",
            "A large document is approved by two people.",
            when=(
                "OLD.state = 'draft' AND NEW.state = 'approved' "
                "AND abs(NEW.total_cents) > 5000000 AND NEW.seconded_by_id IS NULL"
            ),
        ),
    ]
