"""Sentences and labels for what a form can break; the database does not change."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('advisors', '0003_sentences'),
        ('agency', '0006_sentences'),
        ('workshops', '0004_buyer_email'),
    ]

    operations = [
        migrations.AlterField(
            model_name='enrolment',
            name='organisation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='enrolments', to='agency.organisation', verbose_name='organisation'),
        ),
        migrations.AlterField(
            model_name='enrolment',
            name='session',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='enrolments', to='workshops.session', verbose_name='session'),
        ),
        migrations.AlterField(
            model_name='session',
            name='offering',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='workshops.offering', verbose_name='offering'),
        ),
        migrations.AlterField(
            model_name='session',
            name='organisation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='agency.organisation', verbose_name='organisation'),
        ),
        migrations.AlterField(
            model_name='session',
            name='trainer',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='advisors.advisor', verbose_name='trainer'),
        ),
        migrations.AlterConstraint(
            model_name='cancellationrung',
            name='cancellation_costs_at_most_the_price',
            constraint=models.CheckConstraint(condition=models.Q(('percent__lte', 100)), name='cancellation_costs_at_most_the_price', violation_error_message='Cancelling costs at most the price.'),
        ),
        migrations.AlterConstraint(
            model_name='enrolment',
            name='enrolment_has_a_buyer',
            constraint=models.CheckConstraint(condition=models.Q(('organisation__isnull', False), models.Q(('buyer_name', ''), _negated=True), _connector='OR'), name='enrolment_has_a_buyer', violation_error_message="Give the organisation that pays, or the buyer's name and address."),
        ),
        migrations.AlterConstraint(
            model_name='offering',
            name='offering_takes_time_and_people',
            constraint=models.CheckConstraint(condition=models.Q(('capacity__gte', 1), ('minutes__gte', 1)), name='offering_takes_time_and_people', violation_error_message='An offering takes at least a minute and one person.'),
        ),
        migrations.AlterConstraint(
            model_name='session',
            name='cancelled_session_says_when_and_by_whom',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cancelled_on__isnull', False), ('status', 'cancelled'), ('cancelled_by__in', ['client', 'agency'])), models.Q(models.Q(('status', 'cancelled'), _negated=True), ('cancelled_by', ''), ('cancelled_on__isnull', True)), _connector='OR'), name='cancelled_session_says_when_and_by_whom', violation_error_message='A cancelled session says when and by whom it was cancelled.'),
        ),
    ]
