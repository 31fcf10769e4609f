"""Sessions that are planned are found among all that ever were."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workshops", "0005_sentences")]
    operations = [
        migrations.AddIndex(
            "session", models.Index(fields=["status", "starts_at"], name="session_by_status")
        ),
    ]
