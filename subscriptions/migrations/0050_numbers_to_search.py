"""What a search reads instead of whole documents, calls and events."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0048_paid_by_bank'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('number', ''), _negated=True), fields=['number', 'id'], name='invoice_by_part_of_number'),
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('po_number', ''), _negated=True), fields=['po_number', 'id'], name='invoice_by_part_of_order'),
        ),
        migrations.AddIndex(
            model_name='stripestep',
            index=models.Index(fields=['answer_id'], name='step_by_answer'),
        ),
        migrations.AddIndex(
            model_name='stripeevent',
            index=models.Index(fields=['object_id'], name='event_by_object'),
        ),
    ]
