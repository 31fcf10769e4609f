"""The buyer's address for the invoice, added without a rebuild of the table.

SQLite refuses one while a trigger of another table asks this one.
"""

from django.db import migrations, models

COLUMN = "ALTER TABLE workshops_enrolment ADD COLUMN buyer_email varchar(254) NOT NULL DEFAULT ''"


class Migration(migrations.Migration):
    dependencies = [("workshops", "0003_guards")]
    operations = [
        migrations.RunSQL(
            COLUMN,
            "ALTER TABLE workshops_enrolment DROP COLUMN buyer_email",
            state_operations=[
                migrations.AddField(
                    model_name="enrolment",
                    name="buyer_email",
                    field=models.EmailField(
                        blank=True, max_length=254, verbose_name="e-mail address of the buyer"
                    ),
                ),
            ],
        ),
    ]
