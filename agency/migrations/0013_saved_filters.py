"""Filters of a list that colleagues save under a name."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("agency", "0011_legal_names")]
    operations = [
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("listed", models.CharField(max_length=60)),
                ("name", models.CharField(max_length=40, verbose_name="name")),
                ("query", models.CharField(max_length=300)),
                ("is_shared", models.BooleanField(default=False, verbose_name="for all colleagues")),
                ("owner", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "verbose_name": "saved filter",
                "verbose_name_plural": "saved filters",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("owner", "listed", "name"), name="one_saved_filter_of_a_name"),
                    models.CheckConstraint(condition=Q(query__regex="^[A-Za-z0-9_.=&-]+$"), name="saved_filter_holds_no_words"),
                    models.CheckConstraint(condition=~Q(name=""), name="saved_filter_has_a_name"),
                ],
            },
        ),
    ]
