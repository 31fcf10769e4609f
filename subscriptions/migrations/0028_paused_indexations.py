"""A run of the index leaves out a contract that is paused when its contract year starts."""

from django.db import migrations, models

from agency.guards import KeepingTriggers


class Migration(migrations.Migration):

    dependencies = [
        ("subscriptions", "0027_modes"),
    ]

    operations = [
        KeepingTriggers([
            migrations.RemoveConstraint(
                model_name='indexedcontract',
                name='contract_is_left_out_for_a_known_reason',
            ),
            migrations.AlterField(
                model_name='indexedcontract',
                name='left_out',
                field=models.CharField(blank=True, choices=[('no_own_prices', 'follows the price list'), ('ended', 'ends before a contract year that could be indexed'), ('other_tier', 'own prices are of the tier that is not in force then'), ('paused', 'is paused when that contract year starts'), ('agreed', 'other prices are agreed for that contract year or a later one'), ('indexed', 'indexed over these months by another run, or about to be'), ('unchanged', 'the price stays the same'), ('nobody', 'no owner or billing contact to write to'), ('billed', 'the contract year was billed before the run was applied'), ('untold', 'the letter was not sent in time')], max_length=15, verbose_name='left out'),
            ),
            migrations.AddConstraint(
                model_name='indexedcontract',
                constraint=models.CheckConstraint(condition=models.Q(('left_out__in', ['', 'no_own_prices', 'ended', 'other_tier', 'paused', 'agreed', 'indexed', 'unchanged', 'nobody', 'billed', 'untold'])), name='contract_is_left_out_for_a_known_reason'),
            ),
        ]),
    ]
