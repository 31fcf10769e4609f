"""The cancellation ladder that the agency starts with (design 5.7)."""

from django.db import migrations

RUNGS = ((42, 0), (14, 50), (0, 100))


def write(apps, schema_editor):
    rung = apps.get_model("workshops", "CancellationRung")
    rung.objects.bulk_create(rung(days_before=days, percent=percent) for days, percent in RUNGS)


class Migration(migrations.Migration):
    dependencies = [("workshops", "0001_initial")]
    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
