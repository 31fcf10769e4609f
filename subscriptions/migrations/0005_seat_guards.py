"""Triggers: what a seat cost and who bought it stays as it was billed."""

from django.db import migrations

from agency.guards import RowGuard

BILLED = (
    "EXISTS (SELECT 1 FROM subscriptions_billedoccurrence billed WHERE billed.kind = 'seat' "
    "AND billed.subject_id = OLD.id AND billed.state <> 'held')"
)
CHANGED = (
    "(OLD.session_id <> NEW.session_id OR OLD.price_cents <> NEW.price_cents OR "
    "coalesce(OLD.organisation_id, OLD.id) <> coalesce(NEW.organisation_id, OLD.id))"
)


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0004_stripe_differences"),
        ("workshops", "0004_buyer_email"),
    ]
    operations = [
        RowGuard(
            "workshops_enrolment",
            "stays_as_billed",
            "A seat that was billed keeps its session, price and buyer: credit it instead.",
            when=f"{CHANGED} AND {BILLED}",
            one_at_a_time="session_id",
            events=("UPDATE",),
        ),
        RowGuard(
            "workshops_enrolment",
            "never_deleted",
            "A seat that was billed is never deleted: credit it instead.",
            when=BILLED,
            one_at_a_time="session_id",
            events=("DELETE",),
        ),
    ]
