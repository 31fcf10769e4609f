"""The database holds every column with choices to them."""

from django.db import migrations, models

from agency.guards import KeepingTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('agency', '0006_sentences'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        KeepingTriggers([
            migrations.AddConstraint(
                model_name='organisation',
                constraint=models.CheckConstraint(condition=models.Q(('language__in', ['nl', 'en'])), name='organisation_has_a_known_language'),
            ),
            migrations.AddConstraint(
                model_name='user',
                constraint=models.CheckConstraint(condition=models.Q(('language__in', ['nl', 'en'])), name='user_has_a_known_language'),
            ),
        ]),
    ]
