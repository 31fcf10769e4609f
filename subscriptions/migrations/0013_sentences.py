"""Sentences and labels for what a form can break; the database does not change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agency', '0006_sentences'),
        ('subscriptions', '0012_used_facts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='booksopening',
            name='statement',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='books_openings', to='subscriptions.statement', verbose_name='statement'),
        ),
        migrations.AlterField(
            model_name='headcountdeclaration',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='headcount_declarations', to='agency.organisation', verbose_name='organisation'),
        ),
        migrations.AlterField(
            model_name='priceband',
            name='book',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bands', to='subscriptions.pricebook', verbose_name='price book'),
        ),
        migrations.AlterField(
            model_name='purchaseorder',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='purchase_orders', to='agency.organisation', verbose_name='organisation'),
        ),
        migrations.AlterField(
            model_name='subscription',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='agency.organisation', verbose_name='organisation'),
        ),
        migrations.AlterField(
            model_name='terms',
            name='subscription',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='terms', to='subscriptions.subscription', verbose_name='subscription'),
        ),
        migrations.AlterField(
            model_name='topupcard',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='top_up_cards', to='agency.organisation', verbose_name='organisation'),
        ),
        migrations.AlterConstraint(
            model_name='headcountdeclaration',
            name='one_open_declaration_per_organisation',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('organisation',), name='one_open_declaration_per_organisation', violation_error_message='Another headcount of this organisation waits: confirm or decline it first.'),
        ),
        migrations.AlterConstraint(
            model_name='headcountdeclaration',
            name='declaration_is_of_somebody',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'confirmed', 'declined']), ('headcount__gte', 1)), name='declaration_is_of_somebody', violation_error_message='A headcount is at least one.'),
        ),
        migrations.AlterConstraint(
            model_name='priceband',
            name='band_ends_after_it_starts',
            constraint=models.CheckConstraint(condition=models.Q(('max_headcount__isnull', True), ('max_headcount__gte', models.F('min_headcount')), _connector='OR'), name='band_ends_after_it_starts', violation_error_message='A band does not end below the headcount it starts with.'),
        ),
        migrations.AlterConstraint(
            model_name='purchaseorder',
            name='purchase_order_ends_after_it_starts',
            constraint=models.CheckConstraint(condition=models.Q(('until_month__isnull', True), ('until_month__gt', models.F('from_month')), _connector='OR'), name='purchase_order_ends_after_it_starts', violation_error_message='A purchase order ends after it starts.'),
        ),
        migrations.AlterConstraint(
            model_name='subscription',
            name='one_running_subscription_per_organisation',
            constraint=models.UniqueConstraint(condition=models.Q(('until_month__isnull', True)), fields=('organisation',), name='one_running_subscription_per_organisation', violation_error_message='This organisation has a contract without an end: give that an end first.'),
        ),
        migrations.AlterConstraint(
            model_name='subscription',
            name='subscription_ends_after_it_starts',
            constraint=models.CheckConstraint(condition=models.Q(('until_month__isnull', True), ('until_month__gt', models.F('start_month')), _connector='OR'), name='subscription_ends_after_it_starts', violation_error_message='A contract ends after it starts.'),
        ),
        migrations.AlterConstraint(
            model_name='subscription',
            name='contract_year_starts_in_a_month_of_the_year',
            constraint=models.CheckConstraint(condition=models.Q(('year_starts_in__isnull', True), ('year_starts_in__range', (1, 12)), _connector='OR'), name='contract_year_starts_in_a_month_of_the_year', violation_error_message='A contract year starts in a month from 1 to 12.'),
        ),
        migrations.AlterConstraint(
            model_name='subscription',
            name='notice_is_not_longer_than_the_term',
            constraint=models.CheckConstraint(condition=models.Q(('notice_months__lte', models.F('term_months'))), name='notice_is_not_longer_than_the_term', violation_error_message='The notice is not longer than the term.'),
        ),
        migrations.AlterConstraint(
            model_name='subscription',
            name='at_most_all_unused_hours_are_carried_over',
            constraint=models.CheckConstraint(condition=models.Q(('carry_over_basis_points__lte', 10000)), name='at_most_all_unused_hours_are_carried_over', violation_error_message='At most all unused hours are carried over.'),
        ),
        migrations.AlterConstraint(
            model_name='subscription',
            name='former_system_reported_inside_the_contract',
            constraint=models.CheckConstraint(condition=models.Q(('reported_until__gte', models.F('start_month')), models.Q(('until_month__isnull', True), ('reported_until__lte', models.F('until_month')), _connector='OR')), name='former_system_reported_inside_the_contract', violation_error_message='The months that a former system reported lie within the contract.'),
        ),
        migrations.AlterConstraint(
            model_name='taxtreatment',
            name='only_the_standard_category_has_a_rate',
            constraint=models.CheckConstraint(condition=models.Q(('category', 'S'), ('rate_basis_points', 0), _connector='OR'), name='only_the_standard_category_has_a_rate', violation_error_message='Only the standard rate is above zero.'),
        ),
        migrations.AlterConstraint(
            model_name='terms',
            name='a_subscription_starts_once',
            constraint=models.UniqueConstraint(condition=models.Q(('reason', 'start')), fields=('subscription',), name='a_subscription_starts_once', violation_error_message='A contract starts once: choose another reason.'),
        ),
        migrations.AlterConstraint(
            model_name='topupcard',
            name='card_is_valid_for_a_month',
            constraint=models.CheckConstraint(condition=models.Q(('expires_month__gt', models.F('bought_month'))), name='card_is_valid_for_a_month', violation_error_message='A card expires after the month it was bought in.'),
        ),
        migrations.AlterConstraint(
            model_name='topupcard',
            name='card_has_at_most_its_hours_left',
            constraint=models.CheckConstraint(condition=models.Q(('remaining_quarters__lte', models.F('bought_quarters'))), name='card_has_at_most_its_hours_left', violation_error_message='No more hours are left than were bought.'),
        ),
    ]
