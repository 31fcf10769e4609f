"""What the lists of documents and of statements are read in the order of, instead of all of them."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agency', '0014_sector'),
        ('subscriptions', '0045_jobs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(fields=['state', '-run_month', 'buyer_name', 'kind', 'due_on', 'total_cents'], name='invoice_by_state'),
        ),
        migrations.AddIndex(
            model_name='statement',
            index=models.Index(fields=['-from_month'], name='statement_by_month'),
        ),
    ]
