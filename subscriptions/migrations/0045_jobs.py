"""Long work that somebody waits for, with how far it is."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import agency.fields

KINDS = [
    ("close", "closing a month"),
    ("draft", "drafting invoices"),
    ("push", "sending invoices by Stripe"),
    ("workbooks", "writing workbooks"),
]


class Migration(migrations.Migration):
    dependencies = [("agency", "0011_legal_names"), ("subscriptions", "0044_debits_by_a_mandate")]
    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=KINDS, max_length=20, verbose_name="kind")),
                ("month", agency.fields.MonthField(verbose_name="month")),
                ("started_on", models.DateField(verbose_name="started on")),
                ("subjects", models.JSONField(default=list)),
                ("total", models.PositiveIntegerField(verbose_name="in all")),
                ("done", models.PositiveIntegerField(default=0, verbose_name="done")),
                ("seen_done", models.PositiveIntegerField(null=True)),
                ("failures", models.JSONField(default=list)),
                ("finished_on", models.DateField(null=True, verbose_name="finished on")),
                ("result", models.CharField(blank=True, max_length=100, verbose_name="result")),
                ("started_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL, verbose_name="started by")),
            ],
            options={
                "verbose_name": "job",
                "verbose_name_plural": "jobs",
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "month"), name="one_job_of_a_kind_and_month"),
                    models.CheckConstraint(condition=Q(kind__in=[kind for kind, _ in KINDS]), name="job_is_of_a_known_kind"),
                    models.CheckConstraint(condition=Q(done__lte=F("total")), name="job_does_no_more_than_all"),
                ],
            },
        ),
    ]
