"""A country is two upper-case letters."""

from django.db import migrations, models
from django.db.models.functions import Trim, Upper


def write_as_kept(apps, schema_editor):
    for name in ("Agency", "Organisation"):
        apps.get_model("agency", name).objects.update(country=Upper(Trim("country")))


class Migration(migrations.Migration):

    dependencies = [
        ('agency', '0004_sealed_second_steps'),
    ]

    operations = [
        migrations.RunPython(write_as_kept, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='agency',
            constraint=models.CheckConstraint(condition=models.Q(('country__regex', '^[A-Z]{2}$')), name='agency_has_a_country_of_two_letters'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(('country__regex', '^[A-Z]{2}$')), name='organisation_has_a_country_of_two_letters'),
        ),
    ]
