"""Contracts that are offered; triggers keep an offer, and the day of a signature, as they were."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import agency.fields
from agency.guards import Guard, RowGuard, columns_frozen, undeletable

QUOTE, CONTRACT = "subscriptions_quote", "subscriptions_subscription"
AS_OFFERED = (
    *("organisation_id", "start_month", "valid_until", "offered_on", "headcount"),
    *("year_starts_in", "term_months", "renewal_months", "notice_months"),
    *("billing_interval", "collection", "payment_days", "po_required"),
    *("carry_over_basis_points", "carry_over_cap_quarters", "tier", "overage", "release"),
    *("own_annual_fee_cents", "own_included_quarters"),
    *("own_included_sessions", "own_overage_rate_cents"),
    *("annual_fee_cents", "setup_fee_cents", "included_quarters"),
    *("included_sessions", "overage_rate_cents"),
)
STAYS = "A quote stays as it was offered: withdraw it and offer another one."
ANOTHER = (
    "(OLD.organisation_id <> NEW.organisation_id OR OLD.start_month <> NEW.start_month "
    "OR coalesce(OLD.year_starts_in, 0) <> coalesce(NEW.year_starts_in, 0)) "
    "AND EXISTS (SELECT 1 FROM subscriptions_yearprice price WHERE price.subscription_id = OLD.id)"
)


class Migration(migrations.Migration):

    dependencies = [
        ('agency', '0009_crkbo_registrations'),
        ("subscriptions", "0029_lines_written_sooner"),
    ]

    operations = [
        migrations.AddField(
            model_name='subscription',
            name='signed_on',
            field=models.DateField(blank=True, null=True, verbose_name='signed on'),
        ),
        migrations.CreateModel(
            name='Quote',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('year_starts_in', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='contract year starts in month')),
                ('term_months', models.PositiveSmallIntegerField(default=12, verbose_name='term in months')),
                ('renewal_months', models.PositiveSmallIntegerField(default=12, verbose_name='renewal in months')),
                ('notice_months', models.PositiveSmallIntegerField(default=1, verbose_name='notice in months')),
                ('billing_interval', models.PositiveSmallIntegerField(choices=[(1, 'monthly'), (3, 'quarterly'), (12, 'yearly')], default=12, verbose_name='billing interval')),
                ('collection', models.CharField(choices=[('invoice', 'invoice, paid by transfer'), ('sepa', 'SEPA direct debit')], default='invoice', max_length=10, verbose_name='collection')),
                ('payment_days', models.PositiveSmallIntegerField(default=30, verbose_name='payment days')),
                ('po_required', models.BooleanField(default=False, verbose_name='purchase order required')),
                ('carry_over_basis_points', models.PositiveSmallIntegerField(default=0, verbose_name='carried over')),
                ('carry_over_cap_quarters', models.PositiveIntegerField(default=0, verbose_name='carried over at most')),
                ('tier', models.CharField(choices=[('basic', 'basic'), ('extended', 'extended')], max_length=10, verbose_name='tier')),
                ('overage', models.CharField(choices=[('bill', 'billed'), ('cap', 'capped: not charged'), ('all_in', 'all-in: no figures, nothing charged')], default='bill', max_length=10, verbose_name='overage')),
                ('release', models.CharField(blank=True, choices=[('quarter', 'per quarter'), ('year', 'per contract year'), ('band', 'per contract year, as a band')], max_length=10, verbose_name='release')),
                ('own_annual_fee_cents', models.PositiveIntegerField(blank=True, null=True, verbose_name='own annual fee')),
                ('own_included_quarters', models.PositiveIntegerField(blank=True, null=True, verbose_name='own included hours')),
                ('own_included_sessions', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='own included sessions')),
                ('own_overage_rate_cents', models.PositiveIntegerField(blank=True, null=True, verbose_name='own rate per hour of overage')),
                ('start_month', agency.fields.MonthField(verbose_name='starts in')),
                ('valid_until', models.DateField(verbose_name='holds until')),
                ('offered_on', models.DateField(editable=False, null=True, verbose_name='offered on')),
                ('withdrawn_on', models.DateField(editable=False, null=True, verbose_name='withdrawn on')),
                ('headcount', models.PositiveIntegerField(editable=False, null=True, verbose_name='headcount')),
                ('annual_fee_cents', models.PositiveIntegerField(editable=False, null=True, verbose_name='annual fee')),
                ('setup_fee_cents', models.PositiveIntegerField(editable=False, null=True, verbose_name='setup fee')),
                ('included_quarters', models.PositiveIntegerField(editable=False, null=True, verbose_name='included hours')),
                ('included_sessions', models.PositiveSmallIntegerField(editable=False, null=True, verbose_name='included sessions')),
                ('overage_rate_cents', models.PositiveIntegerField(editable=False, null=True, verbose_name='rate per hour of overage')),
                ('contract', models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='quote', to='subscriptions.subscription', verbose_name='contract')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quotes', to='agency.organisation', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'quote',
                'verbose_name_plural': 'quotes',
                'ordering': ['organisation', 'start_month'],
                'constraints': [models.CheckConstraint(condition=models.Q(('tier__in', ['basic', 'extended']), ('overage__in', ['bill', 'cap', 'all_in']), ('release__in', ['', 'quarter', 'year', 'band']), ('billing_interval__in', [1, 3, 12]), ('collection__in', ['invoice', 'sepa'])), name='quote_is_from_the_known_choices'), models.CheckConstraint(condition=models.Q(models.Q(('annual_fee_cents__isnull', True), ('headcount__isnull', True), ('included_quarters__isnull', True), ('included_sessions__isnull', True), ('offered_on__isnull', True), ('overage_rate_cents__isnull', True), ('setup_fee_cents__isnull', True)), models.Q(('annual_fee_cents__isnull', False), ('headcount__isnull', False), ('included_quarters__isnull', False), ('included_sessions__isnull', False), ('offered_on__isnull', False), ('overage_rate_cents__isnull', False), ('setup_fee_cents__isnull', False)), _connector='OR'), name='quote_is_offered_with_its_prices'), models.CheckConstraint(condition=models.Q(('offered_on__isnull', True), ('valid_until__gte', models.F('offered_on')), _connector='OR'), name='quote_holds_from_the_day_it_is_offered'), models.CheckConstraint(condition=models.Q(('contract__isnull', True), models.Q(('offered_on__isnull', False), ('withdrawn_on__isnull', True)), _connector='OR'), name='only_what_is_offered_is_signed')],
            },
        ),
        *columns_frozen(QUOTE, AS_OFFERED, STAYS, when="OLD.offered_on IS NOT NULL"),
        Guard(
            QUOTE,
            "stays_withdrawn",
            "UPDATE",
            "A quote that was withdrawn stays withdrawn.",
            columns=("withdrawn_on",),
            when="OLD.withdrawn_on IS NOT NULL",
        ),
        Guard(
            QUOTE,
            "is_signed_once",
            "UPDATE",
            "A quote becomes one contract.",
            columns=("contract_id",),
            when="OLD.contract_id IS NOT NULL AND NEW.contract_id IS NOT NULL",
        ),
        *undeletable(QUOTE, STAYS, when="OLD.offered_on IS NOT NULL"),
        *columns_frozen(
            CONTRACT,
            ("signed_on",),
            "The day on which a contract was signed stays.",
            when="OLD.signed_on IS NOT NULL",
        ),
        RowGuard(
            CONTRACT,
            "keeps_what_its_prices_are_for",
            "A contract keeps the client and the start that its prices were frozen for.",
            when=ANOTHER,
            one_at_a_time="organisation_id",
            events=("UPDATE",),
        ),
    ]
