"""Triggers: no registration with CRKBO changes in months whose vocational education is billed."""

from django.db import migrations

from agency.guards import RowGuard

SENTENCE = "Vocational education was billed by what holds now: credit it first, then change this."


def billed(*months):
    """Ask whether vocational education due in one of some months or later stands on a document.

    A session is due in its month, one that was called off at the latest in that of its run.
    """
    reached = " OR ".join(
        f"line.from_month >= {month} OR line.kind = 'cancellation' AND document.run_month >= {month}"
        for month in months
    )
    return (
        "EXISTS (SELECT 1 FROM subscriptions_invoiceline line "
        "JOIN subscriptions_invoice document ON document.id = line.invoice_id "
        "JOIN subscriptions_billedoccurrence billed ON billed.id = line.occurrence_id "
        "LEFT JOIN workshops_enrolment seat ON seat.id = billed.subject_id "
        "JOIN workshops_session held ON held.id = coalesce(seat.session_id, billed.subject_id) "
        "JOIN workshops_offering offering ON offering.id = held.offering_id "
        f"WHERE offering.vocational AND billed.state <> 'credited' AND ({reached}))"
    )


def guard(name, event, when):
    return RowGuard(
        "agency_crkboregistration",
        name,
        SENTENCE,
        when=when,
        one_at_a_time="agency_id",
        events=(event,),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("agency", "0009_crkbo_registrations"),
        ("subscriptions", "0017_credits_by_staff"),
        ("workshops", "0005_sentences"),
    ]
    operations = [
        guard("begins_unbilled", "INSERT", billed("NEW.from_month")),
        guard(
            "ends_unbilled",
            "UPDATE",
            "coalesce(OLD.until_month, -1) <> coalesce(NEW.until_month, -1) AND "
            + billed("OLD.until_month", "NEW.until_month"),
        ),
        guard("goes_unbilled", "DELETE", billed("OLD.from_month")),
    ]
