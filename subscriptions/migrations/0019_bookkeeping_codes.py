"""The codes that a bookkeeping begins with: staff put those of their own package in their place."""

import uuid
from django.db import migrations, models

CODES = (
    ("debtors", "", "1300"),
    ("deferred", "", "1850"),
    ("fee", "", "8000"),
    ("setup", "", "8010"),
    ("tier_change", "", "8000"),
    ("overage", "", "8020"),
    ("topup", "", "8030"),
    ("session", "", "8100"),
    ("session", "E", "8105"),
    ("seat", "", "8110"),
    ("seat", "E", "8115"),
    ("service", "", "8120"),
    ("cancellation", "", "8130"),
    ("travel", "", "8140"),
    ("interest", "", "8900"),
    ("vat", "S", "VH"),
    ("vat", "E", "VVR"),
    ("vat", "AE", "VVL"),
    ("vat", "O", "VBU"),
    ("one_off", "", "DIVERSEN"),
)


def write(apps, schema_editor):
    code = apps.get_model("subscriptions", "BookkeepingCode")
    code.objects.bulk_create(
        code(what=what, vat_category=category, code=text) for what, category, text in CODES
    )


class Migration(migrations.Migration):

    dependencies = [
        ("subscriptions", "0018_registrations_as_billed"),
    ]

    operations = [
        migrations.CreateModel(
            name='BookkeepingCode',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('what', models.CharField(choices=[('fee', 'subscription'), ('setup', 'setup'), ('tier_change', 'tier change'), ('overage', 'overage'), ('session', 'session'), ('travel', 'travel'), ('cancellation', 'cancellation'), ('topup', 'top-up card'), ('seat', 'seat'), ('service', 'service'), ('interest', 'interest'), ('vat', 'VAT code'), ('debtors', 'debtors'), ('deferred', 'invoiced in advance'), ('one_off', 'debtor number of one-off buyers')], max_length=20, verbose_name='stands for')),
                ('vat_category', models.CharField(blank=True, choices=[('S', 'standard rate'), ('E', 'exempt education'), ('AE', 'reverse charge'), ('O', 'outside the EU')], max_length=2, verbose_name='VAT category')),
                ('code', models.CharField(max_length=20, verbose_name='account or code')),
            ],
            options={
                'verbose_name': 'bookkeeping code',
                'verbose_name_plural': 'bookkeeping codes',
                'ordering': ['code', 'what'],
                'constraints': [models.UniqueConstraint(fields=('what', 'vat_category'), name='one_bookkeeping_code_per_thing', violation_error_message='This has a code already.'), models.CheckConstraint(condition=models.Q(('what__in', ['fee', 'setup', 'tier_change', 'overage', 'session', 'travel', 'cancellation', 'topup', 'seat', 'service', 'interest', 'vat', 'debtors', 'deferred', 'one_off']), ('vat_category__in', ['', 'S', 'E', 'AE', 'O'])), name='bookkeeping_code_is_of_a_known_thing')],
            },
        ),
        migrations.RunPython(write, migrations.RunPython.noop),
    ]
