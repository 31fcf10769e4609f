"""Debits that we announce ourselves, and the mandates that they go by."""

import django.core.validators
import django.db.models.deletion
import uuid

from agency.guards import Guard, KeepingTriggers, RowGuard, columns_frozen, undeletable
from django.db import migrations, models


NOTICE = "subscriptions_debitnotice"
KEPT = "An announcement that was sent stays as it was."
MANDATE_KEPT = "A mandate stays as it was signed; it can be withdrawn once."
OURS = (
    "EXISTS (SELECT 1 FROM subscriptions_collectionpolicy policy "
    "WHERE policy.announced_by = 'agency')"
)
NOT_OURS = (
    f"NOT {OURS} OR NOT EXISTS (SELECT 1 FROM subscriptions_invoice document "  # noqa: S608
    "JOIN subscriptions_mandate mandate ON mandate.organisation_id = document.organisation_id "
    "WHERE document.id = NEW.invoice_id AND mandate.id = NEW.mandate_id "
    "AND mandate.withdrawn_on IS NULL AND document.state = 'open' "
    "AND document.kind = 'invoice' AND document.collection = 'sepa')"
)
UNANNOUNCED = (
    "NEW.kind IN ('finalize', 'advance') AND CAST(NEW.body AS TEXT) LIKE '%true%' "
    f"AND {OURS} AND EXISTS (SELECT 1 FROM subscriptions_invoice document "  # noqa: S608
    "WHERE document.id = NEW.invoice_id AND document.collection = 'sepa' "
    "AND document.total_cents <= 1000000) "
    "AND NOT EXISTS (SELECT 1 FROM subscriptions_debitnotice notice "
    "WHERE notice.invoice_id = NEW.invoice_id AND notice.sent_on IS NOT NULL)"
)


class Migration(migrations.Migration):

    dependencies = [
        ('agency', '0009_crkbo_registrations'),
        ("subscriptions", "0039_payment_plans"),
    ]

    operations = [
        migrations.CreateModel(
            name='DebitNotice',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('amount_cents', models.BigIntegerField(verbose_name='amount')),
                ('sent_on', models.DateField(blank=True, null=True, verbose_name='sent on')),
                ('debit_on', models.DateField(blank=True, null=True, verbose_name='debit on')),
            ],
            options={
                'verbose_name': 'announcement of a debit',
                'verbose_name_plural': 'announcements of debits',
                'ordering': ['-sent_on'],
            },
        ),
        migrations.CreateModel(
            name='Mandate',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=35, unique=True, verbose_name='mandate reference')),
                ('signed_on', models.DateField(verbose_name='signed on')),
                ('last_digits', models.CharField(max_length=4, validators=[django.core.validators.RegexValidator('^[0-9A-Z]{4}$', 'The last four characters of an IBAN.')], verbose_name='last four characters of the account')),
                ('withdrawn_on', models.DateField(blank=True, null=True, verbose_name='withdrawn on')),
            ],
            options={
                'verbose_name': 'mandate',
                'verbose_name_plural': 'mandates',
                'ordering': ['organisation', '-signed_on'],
            },
        ),
        KeepingTriggers([
        migrations.AddField(
            model_name='collectionpolicy',
            name='announced_by',
            field=models.CharField(choices=[('stripe', 'Stripe, by its own settings'), ('agency', 'this system')], default='stripe', help_text='Never by both: where it is this system, turn the mails about debits off at Stripe, which cannot be seen from here.', max_length=10, verbose_name='debits are announced by'),
        ),
        migrations.AddField(
            model_name='collectionpolicy',
            name='creditor_id',
            field=models.CharField(blank=True, max_length=35, verbose_name='creditor identifier (SEPA)'),
        ),
        migrations.AddField(
            model_name='collectionpolicy',
            name='notice_days',
            field=models.PositiveSmallIntegerField(default=14, help_text='14, or what the mandates agree on instead.', verbose_name='days from announcement to debit'),
        ),
        migrations.AddConstraint(
            model_name='collectionpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('announced_by__in', ['stripe', 'agency']), ('notice_days__range', (1, 30)), models.Q(('announced_by', 'stripe'), ('creditor_id__regex', '^[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}$'), _connector='OR')), name='debits_are_announced_by_a_creditor', violation_error_message='Debits are announced 1 to 30 days before, with the creditor identifier, such as NL12ZZZ123456780000.'),
        ),
        ]),
        migrations.AddField(
            model_name='debitnotice',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='subscriptions.invoice', verbose_name='invoice'),
        ),
        migrations.AddField(
            model_name='mandate',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mandates', to='agency.organisation', verbose_name='organisation'),
        ),
        migrations.AddField(
            model_name='debitnotice',
            name='mandate',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='subscriptions.mandate', verbose_name='mandate'),
        ),
        migrations.AddConstraint(
            model_name='mandate',
            constraint=models.UniqueConstraint(condition=models.Q(('withdrawn_on__isnull', True)), fields=('organisation',), name='organisation_has_one_mandate', violation_error_message='Withdraw the mandate first that it has.'),
        ),
        migrations.AddConstraint(
            model_name='mandate',
            constraint=models.CheckConstraint(condition=models.Q(('withdrawn_on__isnull', True), ('withdrawn_on__gte', models.F('signed_on')), _connector='OR'), name='mandate_is_withdrawn_after_it_was_signed', violation_error_message='It is withdrawn on or after the day it was signed.'),
        ),
        migrations.AddConstraint(
            model_name='mandate',
            constraint=models.CheckConstraint(condition=models.Q(('last_digits__regex', '^[0-9A-Z]{4}$')), name='mandate_holds_four_characters_of_an_account', violation_error_message='Four capitals or digits: the last ones of the account.'),
        ),
        migrations.AddConstraint(
            model_name='debitnotice',
            constraint=models.UniqueConstraint(condition=models.Q(('sent_on__isnull', True)), fields=('invoice',), name='debit_is_announced_by_one_mail_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='debitnotice',
            constraint=models.UniqueConstraint(fields=('invoice', 'sent_on'), name='debit_is_announced_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='debitnotice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('debit_on__isnull', True), ('sent_on__isnull', True)), models.Q(('debit_on__gt', models.F('sent_on')), ('debit_on__isnull', False), ('sent_on__isnull', False)), _connector='OR'), name='debit_is_announced_before_its_day'),
        ),
        migrations.AddConstraint(
            model_name='debitnotice',
            constraint=models.CheckConstraint(condition=models.Q(('amount_cents__gt', 0)), name='debit_is_announced_of_an_amount'),
        ),
        Guard(
            "subscriptions_mandate",
            "stays_as_signed",
            "UPDATE",
            MANDATE_KEPT,
            when="OLD.withdrawn_on IS NOT NULL",
        ),
        *columns_frozen(
            "subscriptions_mandate",
            ("organisation_id", "reference", "signed_on", "last_digits"),
            MANDATE_KEPT,
        ),
        *undeletable("subscriptions_mandate", MANDATE_KEPT),
        RowGuard(
            NOTICE,
            "announces_what_is_ours",
            "Debits are announced here only where Stripe does not, and by a mandate of the client.",
            when=NOT_OURS,
            one_at_a_time="invoice_id",
            events=("INSERT",),
        ),
        *columns_frozen(NOTICE, ("invoice_id", "mandate_id", "amount_cents"), KEPT),
        Guard(NOTICE, "sent_once", "UPDATE", KEPT, when="OLD.sent_on IS NOT NULL"),
        *undeletable(NOTICE, KEPT, when="OLD.sent_on IS NOT NULL"),
        RowGuard(
            "subscriptions_stripestep",
            "debit_was_announced",
            "A debit is announced before Stripe makes it.",
            when=UNANNOUNCED,
            one_at_a_time="invoice_id",
            events=("INSERT",),
        ),
    ]
