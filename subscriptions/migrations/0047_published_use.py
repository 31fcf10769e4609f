"""Published use of a year is added up from an index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0046_lists_by_month_and_state")]
    operations = [
        migrations.RemoveIndex("statement", "statement_by_organisation"),
        migrations.AddIndex(
            "statement",
            models.Index(
                fields=[
                    *("organisation", "from_month", "until_month", "display", "used_quarters"),
                    *("allowance_quarters", "subscription", "version"),
                ],
                name="statement_by_organisation",
            ),
        ),
    ]
