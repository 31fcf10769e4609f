"""What our bank received, amount by amount: in parts, exactly, or too much."""

import django.db.models.deletion
import uuid
from django.db import migrations, models
from django.db.models import Sum

from agency.guards import RowGuard, append_only

TABLE = "subscriptions_receipt"
CAME_IN = (
    "coalesce((SELECT sum(receipt.amount_cents) FROM subscriptions_receipt receipt "
    "WHERE receipt.invoice_id = NEW.invoice_id), 0)"
)


def note_what_was_received(apps, schema_editor):
    """Write down of what was noted as received that it was all that was asked for then."""
    invoice = apps.get_model("subscriptions", "Invoice")
    receipt = apps.get_model("subscriptions", "Receipt")
    credited = dict(
        invoice.objects.filter(credit_of__isnull=False, state="paid")
        .order_by()
        .values_list("credit_of")
        .annotate(Sum("total_cents"))
    )
    rows = invoice.objects.exclude(received_on=None).only("received_on", "total_cents")
    receipt.objects.bulk_create(
        receipt(invoice=row, received_on=row.received_on, amount_cents=cents, mark="noted")
        for row in rows
        if (cents := row.total_cents + credited.get(row.pk, 0)) > 0
    )



class Migration(migrations.Migration):

    dependencies = [
        ("subscriptions", "0035_reminders"),
    ]

    operations = [
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('received', 'received by our bank'), ('paid_back', 'paid back'), ('set_off', 'set against another invoice')], default='received', max_length=10, verbose_name='kind')),
                ('received_on', models.DateField(verbose_name='received on')),
                ('amount_cents', models.BigIntegerField(verbose_name='amount')),
                ('mark', models.CharField(max_length=64)),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='subscriptions.invoice', verbose_name='invoice')),
            ],
            options={
                'verbose_name': 'receipt',
                'verbose_name_plural': 'receipts',
                'ordering': ['received_on', 'mark'],
                'constraints': [models.UniqueConstraint(fields=('invoice', 'mark'), name='receipt_is_noted_once'), models.CheckConstraint(condition=models.Q(models.Q(('amount_cents__gt', 0), ('kind', 'received')), models.Q(('amount_cents__lt', 0), ('kind', 'paid_back')), models.Q(('kind', 'set_off'), models.Q(('amount_cents', 0), _negated=True)), _connector='OR'), name='receipt_has_the_sign_of_its_kind')],
            },
        ),
        *append_only(TABLE, "What was received stays as it was noted."),
        RowGuard(
            TABLE,
            "pays_a_sent_invoice",
            "Only what was received for a sent invoice goes back.",
            when=(
                f"NEW.amount_cents + {CAME_IN} < 0 OR NOT EXISTS (SELECT 1 "
                "FROM subscriptions_invoice invoice WHERE invoice.id = NEW.invoice_id "
                "AND invoice.kind = 'invoice' AND invoice.number <> '')"
            ),
            one_at_a_time="invoice_id",
            events=("INSERT",),
        ),
        RowGuard(
            "subscriptions_writeoff",
            "takes_what_was_not_received",
            "No more is written off than was not received.",
            when=(
                f"NEW.net_cents + NEW.vat_cents + {CAME_IN} > (SELECT invoice.total_cents "
                "FROM subscriptions_invoice invoice WHERE invoice.id = NEW.invoice_id)"
            ),
            one_at_a_time="invoice_id",
        ),
        migrations.RunPython(note_what_was_received, migrations.RunPython.noop),
    ]
