"""Triggers: what was billed, used or published by stays as it was then."""

from django.db import migrations

from agency.guards import RowGuard

CARD = (
    "(EXISTS (SELECT 1 FROM subscriptions_billedoccurrence billed WHERE billed.kind = 'topup' "
    "AND billed.subject_id = OLD.id AND billed.state <> 'held') "
    "OR EXISTS (SELECT 1 FROM subscriptions_carduse used WHERE used.card_id = OLD.id))"
)
TREATMENT = (
    "EXISTS (SELECT 1 FROM subscriptions_invoiceline line "
    "JOIN subscriptions_invoice document ON document.id = line.invoice_id "
    "WHERE line.vat_category = OLD.category AND document.run_month >= OLD.valid_from)"
)
INDEX_VALUE = (
    "EXISTS (SELECT 1 FROM subscriptions_indexationrun run "
    "WHERE run.from_value_id = OLD.id OR run.to_value_id = OLD.id)"
)
CARRIED_OVER = (
    "(OLD.carry_over_basis_points <> NEW.carry_over_basis_points "
    "OR OLD.carry_over_cap_quarters <> NEW.carry_over_cap_quarters) "
    "AND EXISTS (SELECT 1 FROM subscriptions_statement stated "
    "WHERE stated.subscription_id = OLD.id)"
)
STAY = (
    (
        *("subscriptions_topupcard", CARD, "organisation_id"),
        "A card that was billed or used stays as it is: credit it instead.",
    ),
    (
        *("subscriptions_taxtreatment", TREATMENT, "category"),
        "A VAT treatment that documents were made with stays as it is: add a later one.",
    ),
    (
        *("subscriptions_cpivalue", INDEX_VALUE, "series"),
        "An index value that prices were raised by stays as it is.",
    ),
)


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0011_former_contacts")]
    operations = [
        *(
            RowGuard(
                table,
                f"stays_on_{event.lower()}",
                sentence,
                when=when,
                one_at_a_time=column,
                events=(event,),
            )
            for table, when, column, sentence in STAY
            for event in ("UPDATE", "DELETE")
        ),
        RowGuard(
            "subscriptions_subscription",
            "carries_over_as_published",
            "What is carried over stays as it was published.",
            when=CARRIED_OVER,
            one_at_a_time="organisation_id",
            events=("UPDATE",),
        ),
    ]
