"""Triggers: what was announced to clients stays, and indexed terms come from an approved run."""

from django.db import migrations

from agency.guards import Guard, RowGuard, columns_frozen, undeletable

RUN, CONTRACT = "subscriptions_indexationrun", "subscriptions_indexedcontract"
KEPT = "What a run announced never changes."
SAID = (
    *("from_value_id", "to_value_id", "effective_month", "announcement_months"),
    *("cap_basis_points", "floor_basis_points", "announced_by_id", "announced_on"),
)
PROMISED = (
    *("run_id", "subscription_id", "from_month", "is_postponed"),
    *("old_annual_fee_cents", "new_annual_fee_cents"),
    *("old_overage_rate_cents", "new_overage_rate_cents"),
)
DIFFERENT = (
    "EXISTS (SELECT 1 FROM subscriptions_cpivalue older, subscriptions_cpivalue newer "
    "WHERE older.id = NEW.from_value_id AND newer.id = NEW.to_value_id "
    "AND (older.series <> newer.series OR older.reference_year <> newer.reference_year "
    "OR older.month >= newer.month))"
)
UNANNOUNCED = (
    "NEW.reason = 'indexation' AND NOT EXISTS (SELECT 1 FROM subscriptions_indexedcontract said "
    "JOIN subscriptions_indexationrun run ON run.id = said.run_id "
    "WHERE said.subscription_id = NEW.subscription_id AND said.from_month = NEW.from_month "
    "AND said.left_out = '' AND said.sent_on IS NOT NULL AND run.state = 'approved' "
    "AND coalesce(said.new_annual_fee_cents, -1) = coalesce(NEW.own_annual_fee_cents, -1) "
    "AND coalesce(said.new_overage_rate_cents, -1) = coalesce(NEW.own_overage_rate_cents, -1))"
)


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0024_indexation_runs")]
    operations = [
        RowGuard(
            RUN,
            "compares_like_with_like",
            "Prices follow two values of one series and reference year, the later one second.",
            when=DIFFERENT,
            one_at_a_time="id",
        ),
        *columns_frozen(
            RUN, SAID, KEPT, when="OLD.state <> 'draft'"
        ),
        Guard(
            RUN,
            "stays_as_it_ended",
            "UPDATE",
            KEPT,
            when="OLD.state IN ('applied', 'withdrawn')",
        ),
        Guard(
            RUN,
            "never_back",
            "UPDATE",
            KEPT,
            when=(
                "OLD.state <> 'draft' AND NEW.state = 'draft' "
                "OR OLD.state = 'approved' AND NEW.state = 'announced'"
            ),
        ),
        Guard(
            RUN,
            "approved_once",
            "UPDATE",
            KEPT,
            columns=("approved_by_id", "approved_on"),
            when="OLD.approved_on IS NOT NULL",
        ),
        *undeletable(
            RUN, "What was announced to clients stays on record.", when="OLD.state <> 'draft'"
        ),
        RowGuard(
            RUN,
            "applied_whole",
            KEPT,
            when=(
                "NEW.state = 'applied' AND EXISTS (SELECT 1 FROM subscriptions_indexedcontract said "
                "WHERE said.run_id = NEW.id AND said.left_out = '' AND said.terms_id IS NULL)"
            ),
            one_at_a_time="id",
            events=("UPDATE",),
        ),
        RowGuard(
            CONTRACT,
            "announced_at_once",
            "A run that was announced takes no more contracts.",
            when=(
                "EXISTS (SELECT 1 FROM subscriptions_indexationrun run "
                "WHERE run.id = NEW.run_id AND run.state <> 'draft')"
            ),
            one_at_a_time="run_id",
            events=("INSERT",),
        ),
        *columns_frozen(CONTRACT, PROMISED, "What a client was told never changes."),
        Guard(
            CONTRACT,
            "sent_once",
            "UPDATE",
            "The day of a letter that was sent never changes.",
            columns=("sent_on",),
            when="OLD.sent_on IS NOT NULL",
        ),
        Guard(
            CONTRACT,
            "decided_once",
            "UPDATE",
            "What a run did with a contract never changes.",
            columns=("left_out", "terms_id"),
            when="OLD.left_out <> '' OR OLD.terms_id IS NOT NULL",
        ),
        *undeletable(CONTRACT, "What was announced to clients stays on record."),
        RowGuard(
            "subscriptions_terms",
            "indexed_as_announced",
            "Indexed prices come from an approved run, as the client was told.",
            when=UNANNOUNCED,
            one_at_a_time="subscription_id",
            events=("INSERT",),
        ),
    ]
