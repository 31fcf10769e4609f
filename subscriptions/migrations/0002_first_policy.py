"""The release policy and the VAT treatments that the agency starts with (design 5.6 and 5.8)."""

from django.db import migrations

from agency.month import Month

SINCE = Month.of(2012, 10)  # the Dutch standard rate became 21 %
TREATMENTS = (
    ("S", 2100, ""),
    ("E", 0, "VATEX-EU-132-1I"),
    ("AE", 0, "VATEX-EU-AE"),
    ("O", 0, "VATEX-EU-O"),
)


def write(apps, schema_editor):
    apps.get_model("subscriptions", "ReleasePolicy").objects.create(version=1)
    treatment = apps.get_model("subscriptions", "TaxTreatment")
    treatment.objects.bulk_create(
        treatment(category=category, valid_from=SINCE, rate_basis_points=rate, exemption_code=code)
        for category, rate, code in TREATMENTS
    )


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0001_initial")]
    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
