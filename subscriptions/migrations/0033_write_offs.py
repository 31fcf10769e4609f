"""What of an invoice is written off: by two people where it is much, and never changed."""

import django.db.models.deletion
import django.db.models.expressions
import uuid
from django.conf import settings
from django.db import migrations, models

from agency.guards import KeepingTriggers, RowGuard, columns_frozen, undeletable

TABLE = "subscriptions_writeoff"
SENTENCE = "What was written off stays written off."


def add_code(apps, schema_editor):
    code = apps.get_model("subscriptions", "BookkeepingCode")
    code.objects.create(what="written_off", vat_category="", code="4750")



class Migration(migrations.Migration):

    dependencies = [
        ("subscriptions", "0032_contests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WriteOff',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(choices=[('bankrupt', 'bankrupt or wound up'), ('untraceable', 'cannot be found'), ('agreed', 'agreed to let the rest go'), ('barred', 'time-barred'), ('costs', 'collecting it costs more than it brings')], max_length=20, verbose_name='reason')),
                ('net_cents', models.BigIntegerField(verbose_name='net')),
                ('vat_cents', models.BigIntegerField(verbose_name='VAT')),
                ('written_off_on', models.DateField(blank=True, null=True, verbose_name='written off on')),
                ('vat_on', models.DateField(blank=True, null=True, verbose_name='VAT claimed back as of')),
            ],
            options={
                'verbose_name': 'write-off',
                'verbose_name_plural': 'write-offs',
                'ordering': ['-written_off_on', 'invoice'],
            },
        ),
        KeepingTriggers([
            migrations.RemoveConstraint(
                model_name='bookkeepingcode',
                name='bookkeeping_code_is_of_a_known_thing',
            ),
            migrations.RemoveConstraint(
                model_name='stripestep',
                name='step_is_of_a_known_kind_and_state',
            ),
            migrations.AlterField(
                model_name='bookkeepingcode',
                name='what',
                field=models.CharField(choices=[('fee', 'subscription'), ('setup', 'setup'), ('tier_change', 'tier change'), ('overage', 'overage'), ('session', 'session'), ('travel', 'travel'), ('cancellation', 'cancellation'), ('topup', 'top-up card'), ('seat', 'seat'), ('service', 'service'), ('interest', 'interest'), ('vat', 'VAT code'), ('debtors', 'debtors'), ('deferred', 'invoiced in advance'), ('written_off', 'written off'), ('one_off', 'debtor number of one-off buyers')], max_length=20, verbose_name='stands for'),
            ),
            migrations.AlterField(
                model_name='stripestep',
                name='kind',
                field=models.CharField(choices=[('customer', 'customer'), ('draft', 'draft'), ('add_lines', 'lines'), ('finalize', 'finalize'), ('send', 'send'), ('credit_note', 'credit note'), ('settle', 'payment outside Stripe'), ('advance', 'debit and remind, or not'), ('write_off', 'write-off')], max_length=20),
            ),
            migrations.AddConstraint(
                model_name='bookkeepingcode',
                constraint=models.CheckConstraint(condition=models.Q(('what__in', ['fee', 'setup', 'tier_change', 'overage', 'session', 'travel', 'cancellation', 'topup', 'seat', 'service', 'interest', 'vat', 'debtors', 'deferred', 'written_off', 'one_off']), ('vat_category__in', ['', 'S', 'E', 'AE', 'O'])), name='bookkeeping_code_is_of_a_known_thing'),
            ),
            migrations.AddConstraint(
                model_name='stripestep',
                constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['customer', 'draft', 'add_lines', 'finalize', 'send', 'credit_note', 'settle', 'advance', 'write_off']), ('state__in', ['todo', 'attempting', 'done', 'unknown', 'failed'])), name='step_is_of_a_known_kind_and_state'),
            ),
        ]),
        migrations.AddField(
            model_name='writeoff',
            name='approved_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='written off by'),
        ),
        migrations.AddField(
            model_name='writeoff',
            name='invoice',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='write_off', to='subscriptions.invoice', verbose_name='invoice'),
        ),
        migrations.AddField(
            model_name='writeoff',
            name='seconded_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='and by'),
        ),
        migrations.AddConstraint(
            model_name='writeoff',
            constraint=models.CheckConstraint(condition=models.Q(('net_cents__gt', django.db.models.expressions.CombinedExpression(models.F('vat_cents'), '*', models.Value(-1)))), name='write_off_is_of_something'),
        ),
        migrations.AddConstraint(
            model_name='writeoff',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['bankrupt', 'untraceable', 'agreed', 'barred', 'costs'])), name='invoice_is_written_off_for_a_known_reason'),
        ),
        migrations.AddConstraint(
            model_name='writeoff',
            constraint=models.CheckConstraint(condition=models.Q(('seconded_by__isnull', True), models.Q(('seconded_by', models.F('approved_by')), _negated=True), _connector='OR'), name='write_off_is_seconded_by_another'),
        ),
        migrations.AddConstraint(
            model_name='writeoff',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('vat_on__isnull', True), ('written_off_on__isnull', True)), models.Q(('vat_on__isnull', False), ('written_off_on__isnull', False), ('vat_on__lte', models.F('written_off_on')), models.Q(('seconded_by__isnull', False), ('net_cents__lte', django.db.models.expressions.CombinedExpression(models.Value(5000000), '-', models.F('vat_cents'))), _connector='OR')), _connector='OR'), name='large_write_off_takes_two_people'),
        ),
        *columns_frozen(
            TABLE,
            [
                *("invoice_id", "reason", "net_cents", "vat_cents", "approved_by_id"),
                *("seconded_by_id", "written_off_on", "vat_on"),
            ],
            SENTENCE,
            when="OLD.written_off_on IS NOT NULL",
        ),
        *undeletable(TABLE, SENTENCE, when="OLD.written_off_on IS NOT NULL"),
        RowGuard(
            TABLE,
            "takes_what_is_left",
            "No more is written off than a sent invoice and its credits leave.",
            when=(
                "NOT EXISTS (SELECT 1 FROM subscriptions_invoice invoice "
                "WHERE invoice.id = NEW.invoice_id AND invoice.kind = 'invoice' "
                "AND invoice.state IN ('open', 'uncollectible') "
                "AND NEW.net_cents + NEW.vat_cents <= invoice.total_cents + coalesce("
                "(SELECT sum(credit.total_cents) FROM subscriptions_invoice credit "
                "WHERE credit.credit_of_id = invoice.id AND credit.state = 'paid'), 0))"
            ),
            one_at_a_time="invoice_id",
        ),
        migrations.RunPython(add_code, migrations.RunPython.noop),
    ]
