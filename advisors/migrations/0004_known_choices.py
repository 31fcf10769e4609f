"""The database holds every column with choices to them."""

from django.db import migrations, models

from agency.guards import KeepingTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('advisors', '0003_sentences'),
    ]

    operations = [
        KeepingTriggers([
            migrations.AddConstraint(
                model_name='cpdentry',
                constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['training', 'peer_review', 'extra'])), name='cpd_entry_is_of_a_known_kind'),
            ),
            migrations.AddConstraint(
                model_name='qualification',
                constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['lvv', 'oval'])), name='qualification_is_of_a_known_kind'),
            ),
        ]),
    ]
