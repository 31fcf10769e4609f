"""The database holds every column with choices to them."""

from django.conf import settings
from django.db import migrations, models

from agency.guards import KeepingTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('agency', '0007_known_choices'),
        ('subscriptions', '0013_sentences'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        KeepingTriggers([
            migrations.AddConstraint(
                model_name='billedoccurrence',
                constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['fee', 'setup', 'tier_change', 'overage', 'session', 'travel', 'cancellation', 'topup', 'seat', 'service', 'interest', 'credit']), ('state__in', ['billed', 'held', 'settled', 'credited'])), name='occurrence_is_of_a_known_kind_and_state'),
            ),
            migrations.AddConstraint(
                model_name='invoice',
                constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['invoice', 'credit']), ('collection__in', ['invoice', 'sepa']), ('blocked_reason__in', ['', 'vat_id_pending', 'incomplete', 'po_missing', 'bound'])), name='invoice_is_of_a_known_kind_and_collection'),
            ),
            migrations.AddConstraint(
                model_name='stripedifference',
                constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['made_by_hand', 'unknown_here', 'not_approved', 'missing_there', 'doubled', 'amount', 'number', 'state', 'draft_left', 'gap', 'customer_doubled', 'disputed', 'refunded', 'clock'])), name='difference_is_of_a_known_kind'),
            ),
            migrations.AddConstraint(
                model_name='stripeevent',
                constraint=models.CheckConstraint(condition=models.Q(('state__in', ['received', 'handled', 'ignored', 'waiting', 'failed'])), name='event_has_a_known_state'),
            ),
            migrations.AddConstraint(
                model_name='stripestep',
                constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['customer', 'draft', 'add_lines', 'finalize', 'send', 'credit_note']), ('state__in', ['todo', 'attempting', 'done', 'unknown', 'failed'])), name='step_is_of_a_known_kind_and_state'),
            ),
            migrations.AddConstraint(
                model_name='subscription',
                constraint=models.CheckConstraint(condition=models.Q(('collection__in', ['invoice', 'sepa'])), name='subscription_has_a_known_collection'),
            ),
            migrations.AddConstraint(
                model_name='taxtreatment',
                constraint=models.CheckConstraint(condition=models.Q(('category__in', ['S', 'E', 'AE', 'O'])), name='treatment_is_of_a_known_category'),
            ),
            migrations.AddConstraint(
                model_name='tierchangerequest',
                constraint=models.CheckConstraint(condition=models.Q(('tier__in', ['basic', 'extended']), ('state__in', ['open', 'confirmed', 'declined'])), name='request_is_of_a_known_tier_and_state'),
            ),
            migrations.AddConstraint(
                model_name='yearprice',
                constraint=models.CheckConstraint(condition=models.Q(('tier__in', ['basic', 'extended'])), name='frozen_price_is_of_a_known_tier'),
            ),
        ]),
    ]
