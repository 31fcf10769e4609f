"""Sentences and labels for what a form can break; the database does not change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('advisors', '0002_guards'),
        ('agency', '0006_sentences'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='absence',
            name='advisor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='absences', to='advisors.advisor', verbose_name='advisor'),
        ),
        migrations.AlterField(
            model_name='advisor',
            name='user',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='advisor', to=settings.AUTH_USER_MODEL, verbose_name='user'),
        ),
        migrations.AlterField(
            model_name='assignment',
            name='advisor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='advisors.advisor', verbose_name='advisor'),
        ),
        migrations.AlterField(
            model_name='assignment',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='agency.organisation', verbose_name='organisation'),
        ),
        migrations.AlterField(
            model_name='costrate',
            name='advisor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cost_rates', to='advisors.advisor', verbose_name='advisor'),
        ),
        migrations.AlterField(
            model_name='cpdentry',
            name='qualification',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cpd_entries', to='advisors.qualification', verbose_name='qualification'),
        ),
        migrations.AlterField(
            model_name='qualification',
            name='advisor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='qualifications', to='advisors.advisor', verbose_name='advisor'),
        ),
        migrations.AlterConstraint(
            model_name='absence',
            name='absence_ends_after_it_starts',
            constraint=models.CheckConstraint(condition=models.Q(('until_on__isnull', True), ('until_on__gt', models.F('from_on')), _connector='OR'), name='absence_ends_after_it_starts', violation_error_message='An absence ends after it starts.'),
        ),
        migrations.AlterConstraint(
            model_name='assignment',
            name='assignment_ends_after_it_starts',
            constraint=models.CheckConstraint(condition=models.Q(('until_month__isnull', True), ('until_month__gt', models.F('from_month')), _connector='OR'), name='assignment_ends_after_it_starts', violation_error_message='An assignment ends after it starts.'),
        ),
        migrations.AlterConstraint(
            model_name='cpdentry',
            name='cpd_entry_has_hours',
            constraint=models.CheckConstraint(condition=models.Q(('quarters__gte', 1)), name='cpd_entry_has_hours', violation_error_message='A CPD entry has at least a quarter of an hour.'),
        ),
    ]
