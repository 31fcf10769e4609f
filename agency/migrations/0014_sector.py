"""Clients may say which sector they are in: of some it is known whether a counsellor is asked for."""

from django.db import migrations, models
from django.db.models import Q

from agency.guards import KeepingTriggers

SECTORS = [
    ("university", "university"),
    ("education", "other education"),
    ("care", "care and welfare"),
    ("childcare", "childcare"),
    ("sport", "sport"),
    ("culture", "culture and media"),
    ("government", "government"),
    ("housing", "social housing"),
    ("business", "business"),
]


class Migration(migrations.Migration):
    dependencies = [("agency", "0013_saved_filters")]
    operations = [
        KeepingTriggers([
            migrations.AddField(
                model_name="organisation",
                name="sector",
                field=models.CharField(blank=True, choices=SECTORS, default="", help_text="The page of the client says what is known of its rules for a counsellor.", max_length=20, verbose_name="sector"),
                preserve_default=False,
            ),
            migrations.AddConstraint(
                model_name="organisation",
                constraint=models.CheckConstraint(
                    condition=Q(sector__in=["", *(sector for sector, _label in SECTORS)]),
                    name="organisation_has_a_known_sector",
                ),
            ),
        ]),
    ]
