"""E-invoices are mailed to clients that take them in that way."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("subscriptions", "0033_write_offs"),
    ]

    operations = [
        migrations.CreateModel(
            name='EInvoiceMail',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('sent_on', models.DateField(null=True, verbose_name='mailed on')),
                ('problem', models.CharField(blank=True, choices=[('einvoice', 'no e-invoice can be made of it'), ('pdf', 'Stripe did not give its PDF'), ('mail', 'the mail server did not take it')], max_length=10, verbose_name='what is wrong')),
                ('invoice', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='einvoice_mail', to='subscriptions.invoice', verbose_name='invoice')),
            ],
            options={
                'verbose_name': 'mailed e-invoice',
                'verbose_name_plural': 'mailed e-invoices',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('problem__in', ['einvoice', 'pdf', 'mail']), ('sent_on', None)), models.Q(('problem', ''), ('sent_on__isnull', False)), _connector='OR'), name='einvoice_is_mailed_or_has_a_problem')],
            },
        ),
    ]
