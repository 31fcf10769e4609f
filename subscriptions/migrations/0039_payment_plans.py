"""Payment plans, whose parts add up to what was open; and dated rates of statutory interest."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

from agency.guards import RowGuard, columns_frozen, undeletable

PLAN, PART = "subscriptions_paymentplan", "subscriptions_planpart"
SENTENCE = "A plan stays as it was agreed on."
IS_AGREED = (
    "EXISTS (SELECT 1 FROM subscriptions_paymentplan plan "
    "WHERE plan.id = {row}.plan_id AND plan.agreed_on IS NOT NULL)"
)
TOGETHER = (
    "coalesce((SELECT sum(part.amount_cents) FROM subscriptions_planpart part "
    "WHERE part.plan_id = NEW.id), 0)"
)
OPEN = (
    "(SELECT invoice.total_cents FROM subscriptions_invoice invoice "
    "WHERE invoice.id = NEW.invoice_id AND invoice.kind = 'invoice' AND invoice.state = 'open') "
    "+ coalesce((SELECT sum(credit.total_cents) FROM subscriptions_invoice credit "
    "WHERE credit.credit_of_id = NEW.invoice_id AND credit.state = 'paid'), 0) "
    "- coalesce((SELECT sum(receipt.amount_cents) FROM subscriptions_receipt receipt "
    "WHERE receipt.invoice_id = NEW.invoice_id), 0)"
)


class Migration(migrations.Migration):

    dependencies = [
        ("subscriptions", "0038_takeovers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='InterestRate',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('valid_from', models.DateField(unique=True, verbose_name='valid from')),
                ('rate_basis_points', models.PositiveIntegerField(verbose_name='rate')),
                ('source', models.CharField(max_length=200, verbose_name='source')),
            ],
            options={
                'verbose_name': 'rate of statutory interest',
                'verbose_name_plural': 'rates of statutory interest',
                'ordering': ['-valid_from'],
                'constraints': [models.CheckConstraint(condition=models.Q(('rate_basis_points__gt', 0), ('rate_basis_points__lte', 10000)), name='interest_is_between_nothing_and_all', violation_error_message='Interest is above 0 and at most 100 percent.'), models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='interest_has_a_source', violation_error_message='Say where the rate was published.')],
            },
        ),
        migrations.CreateModel(
            name='PaymentPlan',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('total_cents', models.BigIntegerField(verbose_name='together')),
                ('agreed_on', models.DateField(blank=True, null=True, verbose_name='agreed on')),
                ('ended_on', models.DateField(blank=True, null=True, verbose_name='ended on')),
                ('agreed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='agreed by')),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payment_plans', to='subscriptions.invoice', verbose_name='invoice')),
            ],
            options={
                'verbose_name': 'payment plan',
                'verbose_name_plural': 'payment plans',
                'ordering': ['-agreed_on', 'invoice'],
            },
        ),
        migrations.CreateModel(
            name='PlanPart',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('due_on', models.DateField(verbose_name='due on')),
                ('amount_cents', models.BigIntegerField(verbose_name='amount')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='subscriptions.paymentplan')),
            ],
            options={
                'verbose_name': 'part of a payment plan',
                'verbose_name_plural': 'parts of payment plans',
                'ordering': ['plan', 'due_on'],
            },
        ),
        migrations.AddConstraint(
            model_name='paymentplan',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_on', None)), fields=('invoice',), name='one_plan_in_force_per_invoice'),
        ),
        migrations.AddConstraint(
            model_name='planpart',
            constraint=models.UniqueConstraint(fields=('plan', 'due_on'), name='one_part_of_a_plan_per_day'),
        ),
        migrations.AddConstraint(
            model_name='planpart',
            constraint=models.CheckConstraint(condition=models.Q(('amount_cents__gt', 0)), name='part_is_of_something'),
        ),
        *columns_frozen(
            PLAN,
            ["invoice_id", "total_cents", "agreed_by_id", "agreed_on"],
            SENTENCE,
            when="OLD.agreed_on IS NOT NULL",
        ),
        *undeletable(PLAN, SENTENCE, when="OLD.agreed_on IS NOT NULL"),
        RowGuard(
            PLAN,
            "adds_up",
            "The parts of a plan add up to what is open.",
            when=(
                "NEW.agreed_on IS NOT NULL AND NEW.ended_on IS NULL "
                f"AND (NEW.total_cents <> {TOGETHER} OR NEW.total_cents <> coalesce({OPEN}, 0))"
            ),
            one_at_a_time="invoice_id",
        ),
        RowGuard(
            PART,
            "never_changed",
            SENTENCE,
            when=IS_AGREED.format(row="NEW"),
            one_at_a_time="plan_id",
        ),
        RowGuard(
            PART,
            "never_deleted",
            SENTENCE,
            when=IS_AGREED.format(row="OLD"),
            one_at_a_time="plan_id",
            events=("DELETE",),
        ),
    ]
