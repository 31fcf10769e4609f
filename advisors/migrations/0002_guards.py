"""Triggers: posted hours never change, and nobody stands both beside and between."""

from django.db import migrations

from agency.guards import RowGuard, append_only

BESIDE = "('counsellor', 'deputy', 'contact_counsellor')"
BETWEEN = "('mediator', 'investigator')"
CLOSED = "EXISTS (SELECT 1 FROM advisors_closedmonth c WHERE c.month >= {row}.month)"


class Migration(migrations.Migration):
    dependencies = [("advisors", "0001_initial")]
    operations = [
        *append_only("advisors_monthhours", "Posted hours never change: book an adjustment."),
        *append_only("advisors_closedmonth", "A closed month stays closed."),
        RowGuard(
            "advisors_hoursadjustment",
            "month_is_open",
            "A closed month takes no adjustments.",
            when=CLOSED.format(row="NEW"),
            one_at_a_time="month",
        ),
        *(
            RowGuard(
                "advisors_hoursadjustment",
                f"closed_month_keeps_them_{event.lower()}",
                "Adjustments of a closed month stay.",
                when=CLOSED.format(row="OLD"),
                one_at_a_time="month",
                events=(event,),
            )
            for event in ("UPDATE", "DELETE")
        ),
        RowGuard(
            "advisors_assignment",
            "beside_or_between",
            "An advisor beside the employees of an organisation is never its mediator or investigator.",
            when=(
                "EXISTS (SELECT 1 FROM advisors_assignment other "
                "WHERE other.advisor_id = NEW.advisor_id "
                "AND other.organisation_id = NEW.organisation_id AND other.id <> NEW.id "
                f"AND ((NEW.role IN {BESIDE} AND other.role IN {BETWEEN}) "
                f"OR (NEW.role IN {BETWEEN} AND other.role IN {BESIDE})))"
            ),
            one_at_a_time="organisation_id",
        ),
    ]
