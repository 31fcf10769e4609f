"""What a run of the index does with each contract, and the people and days of a run."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import agency.fields
from agency.guards import KeepingTriggers


class Migration(migrations.Migration):

    dependencies = [
        ("subscriptions", "0023_bands_on_request"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        KeepingTriggers([
            migrations.CreateModel(
                name='IndexedContract',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('from_month', agency.fields.MonthField(null=True, verbose_name='from')),
                    ('is_postponed', models.BooleanField(default=False)),
                    ('old_annual_fee_cents', models.PositiveIntegerField(null=True)),
                    ('new_annual_fee_cents', models.PositiveIntegerField(null=True)),
                    ('old_overage_rate_cents', models.PositiveIntegerField(null=True)),
                    ('new_overage_rate_cents', models.PositiveIntegerField(null=True)),
                    ('sent_on', models.DateField(null=True, verbose_name='letter sent on')),
                    ('left_out', models.CharField(blank=True, choices=[('no_own_prices', 'follows the price list'), ('ended', 'ends before a contract year that could be indexed'), ('other_tier', 'own prices are of the tier that is not in force then'), ('agreed', 'other prices are agreed for that contract year or a later one'), ('indexed', 'indexed over these months by another run, or about to be'), ('unchanged', 'the price stays the same'), ('nobody', 'no owner or billing contact to write to'), ('billed', 'the contract year was billed before the run was applied'), ('untold', 'the letter was not sent in time')], max_length=15, verbose_name='left out')),
                ],
                options={
                    'verbose_name': 'indexed contract',
                    'verbose_name_plural': 'indexed contracts',
                },
            ),
            migrations.AlterModelOptions(
                name='cpivalue',
                options={'ordering': ['series', '-month'], 'verbose_name': 'index value', 'verbose_name_plural': 'index values'},
            ),
            migrations.AlterModelOptions(
                name='indexationrun',
                options={'ordering': ['-effective_month'], 'verbose_name': 'indexation run', 'verbose_name_plural': 'indexation runs'},
            ),
            # No run was ever announced: what tells by whom comes with this.
            migrations.RunSQL(
                "UPDATE subscriptions_indexationrun SET announced_on = NULL",
                migrations.RunSQL.noop,
            ),
            migrations.AddField(
                model_name='indexationrun',
                name='announced_by',
                field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='announced by'),
            ),
            migrations.AddField(
                model_name='indexationrun',
                name='announcement_months',
                field=models.PositiveSmallIntegerField(default=1, verbose_name='announced so many months before'),
            ),
            migrations.AddField(
                model_name='indexationrun',
                name='applied_on',
                field=models.DateField(null=True, verbose_name='applied on'),
            ),
            migrations.AddField(
                model_name='indexationrun',
                name='approved_by',
                field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by'),
            ),
            migrations.AddField(
                model_name='indexationrun',
                name='approved_on',
                field=models.DateField(null=True, verbose_name='approved on'),
            ),
            migrations.AddField(
                model_name='indexationrun',
                name='state',
                field=models.CharField(choices=[('draft', 'draft'), ('announced', 'announced'), ('approved', 'approved'), ('applied', 'applied'), ('withdrawn', 'withdrawn')], default='draft', editable=False, max_length=10, verbose_name='state'),
            ),
            migrations.AlterField(
                model_name='cpivalue',
                name='value_thousandths',
                field=models.PositiveIntegerField(verbose_name='value'),
            ),
            migrations.AlterField(
                model_name='indexationrun',
                name='announced_on',
                field=models.DateField(null=True, verbose_name='announced on'),
            ),
            migrations.AlterField(
                model_name='indexationrun',
                name='cap_basis_points',
                field=models.PositiveIntegerField(blank=True, null=True, verbose_name='rise at most'),
            ),
            migrations.AlterField(
                model_name='indexationrun',
                name='effective_month',
                field=agency.fields.MonthField(verbose_name='for contract years from'),
            ),
            migrations.AlterField(
                model_name='indexationrun',
                name='floor_basis_points',
                field=models.PositiveIntegerField(blank=True, null=True, verbose_name='rise at least'),
            ),
            migrations.AlterField(
                model_name='indexationrun',
                name='from_value',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subscriptions.cpivalue', verbose_name='index value before'),
            ),
            migrations.AlterField(
                model_name='indexationrun',
                name='to_value',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subscriptions.cpivalue', verbose_name='index value after'),
            ),
            migrations.AddConstraint(
                model_name='cpivalue',
                constraint=models.CheckConstraint(condition=models.Q(('value_thousandths__gt', 0)), name='index_value_is_above_zero', violation_error_message='An index value is above zero.'),
            ),
            migrations.AddConstraint(
                model_name='indexationrun',
                constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'announced', 'approved', 'applied', 'withdrawn'])), name='run_is_in_a_known_state'),
            ),
            migrations.AddConstraint(
                model_name='indexationrun',
                constraint=models.CheckConstraint(condition=models.Q(('announcement_months__gte', 1)), name='run_is_announced_a_month_before', violation_error_message='A rise is announced at least one month before.'),
            ),
            migrations.AddConstraint(
                model_name='indexationrun',
                constraint=models.CheckConstraint(condition=models.Q(('cap_basis_points__isnull', True), ('floor_basis_points__isnull', True), ('floor_basis_points__lte', models.F('cap_basis_points')), _connector='OR'), name='least_rise_is_below_the_highest', violation_error_message='The least rise is not above the highest one.'),
            ),
            migrations.AddConstraint(
                model_name='indexationrun',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('announced_by__isnull', True), ('announced_on__isnull', True), ('state', 'draft')), models.Q(models.Q(('state', 'draft'), _negated=True), ('announced_by__isnull', False), ('announced_on__isnull', False)), _connector='OR'), name='announced_run_says_by_whom'),
            ),
            migrations.AddConstraint(
                model_name='indexationrun',
                constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'announced', 'withdrawn']), models.Q(('approved_by__isnull', False), ('approved_on__isnull', False)), _connector='OR'), name='approved_run_says_by_whom'),
            ),
            migrations.AddConstraint(
                model_name='indexationrun',
                constraint=models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('approved_by', models.F('announced_by')), _negated=True), _connector='OR'), name='prices_are_raised_by_two_people'),
            ),
            migrations.AddConstraint(
                model_name='indexationrun',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('applied_on__isnull', False), ('state', 'applied')), models.Q(models.Q(('state', 'applied'), _negated=True), ('applied_on__isnull', True)), _connector='OR'), name='applied_run_says_when'),
            ),
            migrations.AddField(
                model_name='indexedcontract',
                name='run',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contracts', to='subscriptions.indexationrun'),
            ),
            migrations.AddField(
                model_name='indexedcontract',
                name='subscription',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='indexations', to='subscriptions.subscription'),
            ),
            migrations.AddField(
                model_name='indexedcontract',
                name='terms',
                field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='indexed', to='subscriptions.terms'),
            ),
            migrations.AddConstraint(
                model_name='indexedcontract',
                constraint=models.UniqueConstraint(fields=('run', 'subscription'), name='run_indexes_a_contract_once'),
            ),
            migrations.AddConstraint(
                model_name='indexedcontract',
                constraint=models.CheckConstraint(condition=models.Q(('left_out__in', ['', 'no_own_prices', 'ended', 'other_tier', 'agreed', 'indexed', 'unchanged', 'nobody', 'billed', 'untold'])), name='contract_is_left_out_for_a_known_reason'),
            ),
            migrations.AddConstraint(
                model_name='indexedcontract',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('from_month__isnull', False), ('left_out', '')), models.Q(models.Q(('left_out', ''), _negated=True), ('terms__isnull', True)), _connector='OR'), name='contract_is_indexed_or_left_out'),
            ),
            migrations.AddConstraint(
                model_name='indexedcontract',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('new_annual_fee_cents__isnull', True), ('old_annual_fee_cents__isnull', True)), models.Q(('new_annual_fee_cents__isnull', False), ('old_annual_fee_cents__isnull', False)), _connector='OR'), name='indexed_fee_has_an_old_and_a_new'),
            ),
            migrations.AddConstraint(
                model_name='indexedcontract',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('new_overage_rate_cents__isnull', True), ('old_overage_rate_cents__isnull', True)), models.Q(('new_overage_rate_cents__isnull', False), ('old_overage_rate_cents__isnull', False)), _connector='OR'), name='indexed_rate_has_an_old_and_a_new'),
            ),
        ]),
    ]
