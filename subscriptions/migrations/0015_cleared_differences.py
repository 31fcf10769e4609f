"""A difference with Stripe that was dealt with by hand, until its facts change."""

from django.db import migrations, models

from agency.guards import KeepingTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0014_known_choices'),
    ]

    operations = [
        KeepingTriggers([
            migrations.AddField(
                model_name='stripedifference',
                name='facts',
                field=models.CharField(blank=True, default='', max_length=200),
                preserve_default=False,
            ),
            migrations.AddField(
                model_name='stripedifference',
                name='cleared_because',
                field=models.CharField(blank=True, choices=[('booked', 'entered in the books by hand'), ('agreed', 'settled with the client outside Stripe'), ('noted', 'noted for the auditor')], default='', max_length=10, verbose_name='dealt with'),
                preserve_default=False,
            ),
            migrations.AddField(
                model_name='stripedifference',
                name='cleared_on',
                field=models.DateField(null=True),
            ),
            migrations.AddConstraint(
                model_name='stripedifference',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('cleared_because', ''), ('cleared_on', None)), models.Q(('cleared_because__in', ['booked', 'agreed', 'noted']), ('cleared_on__isnull', False)), _connector='OR'), name='difference_is_cleared_for_a_known_reason'),
            ),
        ]),
    ]
