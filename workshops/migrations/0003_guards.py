"""Triggers: in-house sessions hold no names of participants."""

from django.db import migrations

from agency.guards import RowGuard


class Migration(migrations.Migration):
    dependencies = [("workshops", "0002_default_ladder")]
    operations = [
        RowGuard(
            "workshops_enrolment",
            "open_sessions_only",
            "Only sessions of open enrolment have names of participants.",
            when=(
                "EXISTS (SELECT 1 FROM workshops_session session "
                "WHERE session.id = NEW.session_id AND session.organisation_id IS NOT NULL)"
            ),
            one_at_a_time="session_id",
        ),
        RowGuard(
            "workshops_session",
            "stays_open",
            "A session with names of participants stays one of open enrolment.",
            when=(
                "NEW.organisation_id IS NOT NULL AND EXISTS "
                "(SELECT 1 FROM workshops_enrolment seat WHERE seat.session_id = NEW.id)"
            ),
            one_at_a_time="id",
            events=("UPDATE",),
        ),
    ]
