"""Triggers: audit events are written once."""

from django.db import migrations

from agency.guards import append_only, cache_table


class Migration(migrations.Migration):
    dependencies = [("agency", "0001_initial")]
    operations = [
        cache_table(),
        *append_only("agency_auditevent", "Audit events are written once."),
    ]
