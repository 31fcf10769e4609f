"""Invitations of clients: of an address, until whoever has it signs in."""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Lower

ROLES = [("owner", "owner"), ("billing", "billing"), ("reader", "reader")]
LANGUAGES = [("nl", "Dutch"), ("en", "English")]


class Migration(migrations.Migration):
    dependencies = [("agency", "0014_sector")]
    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("role", models.CharField(choices=ROLES, max_length=20, verbose_name="role")),
                ("language", models.CharField(choices=LANGUAGES, default="nl", max_length=2, verbose_name="language")),
                ("invited_on", models.DateField(verbose_name="invited on")),
                ("is_sent", models.BooleanField(default=False, verbose_name="sent")),
                ("organisation", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="invitations", to="agency.organisation", verbose_name="organisation")),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
                "ordering": ["organisation", "name"],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "email"), name="one_invitation_per_organisation_and_address"),
                    models.CheckConstraint(condition=Q(email=Lower("email")), name="invited_email_is_in_small_letters"),
                    models.CheckConstraint(condition=Q(role__in=[role for role, _label in ROLES]), name="invitation_has_a_known_role"),
                    models.CheckConstraint(condition=Q(language__in=[code for code, _label in LANGUAGES]), name="invitation_has_a_known_language"),
                ],
            },
        ),
    ]
