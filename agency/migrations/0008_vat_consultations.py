"""What VIES answered, for good; a VAT id that was changed, or found not valid, is not checked."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from agency.guards import RowGuard, append_only, columns_frozen


class Migration(migrations.Migration):
    dependencies = [("agency", "0007_known_choices")]
    operations = [
        migrations.CreateModel(
            name="VatConsultation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("vat_id", models.CharField(max_length=20, verbose_name="VAT id")),
                ("on", models.DateField(verbose_name="day")),
                ("answer", models.CharField(choices=[("valid", "valid"), ("invalid", "not valid"), ("unavailable", "no answer")], max_length=11, verbose_name="answer")),
                ("reference", models.CharField(blank=True, max_length=50, verbose_name="consultation reference")),
                ("organisation", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="vat_consultations", to="agency.organisation", verbose_name="organisation")),
            ],
            options={
                "verbose_name": "consultation of VIES",
                "verbose_name_plural": "consultations of VIES",
                "ordering": ["organisation", "-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "number"), name="consultations_of_a_client_are_numbered"),
                    models.CheckConstraint(condition=models.Q(("answer__in", ["valid", "invalid", "unavailable"])), name="consultation_has_a_known_answer"),
                ],
            },
        ),
        *append_only("agency_vatconsultation", "What VIES answered stays as it was."),
        *columns_frozen(
            "agency_organisation",
            ["vat_id"],
            "This VAT id was changed: it is not checked yet.",
            when="OLD.vat_id_checked AND NEW.vat_id_checked",
        ),
        RowGuard(
            "agency_organisation",
            "is_not_refused",
            "VIES answered that this VAT id is not valid.",
            when=(
                "NEW.vat_id_checked AND EXISTS (SELECT 1 FROM agency_vatconsultation refused "
                "WHERE refused.organisation_id = NEW.id AND refused.vat_id = NEW.vat_id "
                "AND refused.answer = 'invalid' AND NOT EXISTS (SELECT 1 "
                "FROM agency_vatconsultation later WHERE later.organisation_id = NEW.id "
                "AND later.vat_id = NEW.vat_id AND later.answer = 'valid' "
                "AND later.number > refused.number))"
            ),
            one_at_a_time="id",
        ),
    ]
