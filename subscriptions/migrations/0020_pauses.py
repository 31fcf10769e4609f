"""Months in which a contract rests; triggers hold them inside it and apart."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import agency.fields
from agency.guards import Guard, RowGuard

PAUSE = "subscriptions_pause"
CLOSED = "EXISTS (SELECT 1 FROM advisors_closedmonth closed WHERE closed.month >= {row}.from_month - 1)"
OVERLAPS = (
    "EXISTS (SELECT 1 FROM subscriptions_pause other "
    "WHERE other.subscription_id = NEW.subscription_id AND other.id <> NEW.id "
    "AND NEW.from_month < other.until_month AND other.from_month < NEW.until_month)"
)
OUTSIDE = (
    "NOT EXISTS (SELECT 1 FROM subscriptions_subscription contract "
    "WHERE contract.id = NEW.subscription_id AND contract.start_month < NEW.from_month "
    "AND (contract.until_month IS NULL OR NEW.until_month <= contract.until_month))"
)
CUT = (
    "EXISTS (SELECT 1 FROM subscriptions_pause pause WHERE pause.subscription_id = NEW.id "
    "AND (pause.until_month > NEW.until_month OR pause.from_month <= NEW.start_month))"
)
PAUSED = (
    "NEW.quarters > 0 AND EXISTS (SELECT 1 FROM subscriptions_pause pause "
    "JOIN subscriptions_subscription contract ON contract.id = pause.subscription_id "
    "WHERE contract.organisation_id = NEW.organisation_id "
    "AND pause.from_month <= NEW.month AND NEW.month < pause.until_month)"
)


class Migration(migrations.Migration):
    dependencies = [
        ("advisors", "0004_known_choices"),
        ("subscriptions", "0019_bookkeeping_codes"),
    ]
    operations = [
        migrations.CreateModel(
            name="Pause",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("from_month", agency.fields.MonthField(verbose_name="from month")),
                ("until_month", agency.fields.MonthField(verbose_name="until month")),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pauses",
                        to="subscriptions.subscription",
                        verbose_name="subscription",
                    ),
                ),
            ],
            options={
                "verbose_name": "pause",
                "verbose_name_plural": "pauses",
                "ordering": ["subscription", "from_month"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subscription", "from_month"),
                        name="one_pause_per_subscription_and_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until_month__gt", models.F("from_month"))),
                        name="pause_ends_after_it_starts",
                        violation_error_message="A pause ends after it starts.",
                    ),
                ],
            },
        ),
        Guard(
            PAUSE,
            "never_changed",
            "UPDATE",
            "A pause keeps its months: withdraw it and agree on another one.",
        ),
        RowGuard(
            PAUSE,
            "inside_and_apart",
            "A pause lies inside its contract, after its first month, beside no other one.",
            when=f"{OVERLAPS} OR {OUTSIDE}",
            one_at_a_time="subscription_id",
            events=("INSERT",),
        ),
        RowGuard(
            PAUSE,
            "begins_later",
            "A pause begins after a month that is still open.",
            when=CLOSED.format(row="NEW"),
            one_at_a_time="subscription_id",
            events=("INSERT",),
        ),
        RowGuard(
            PAUSE,
            "stays_once_begun",
            "A pause that has begun stays.",
            when=CLOSED.format(row="OLD"),
            one_at_a_time="subscription_id",
            events=("DELETE",),
        ),
        RowGuard(
            "subscriptions_subscription",
            "ends_after_its_pauses",
            "A contract ends after its pauses: withdraw the pause first.",
            when=CUT,
            one_at_a_time="id",
            events=("UPDATE",),
        ),
        RowGuard(
            "advisors_drafthours",
            "none_in_a_pause",
            "The contract is paused in this month: no hours are noted.",
            when=PAUSED,
            one_at_a_time="organisation_id",
        ),
        RowGuard(
            "advisors_hoursadjustment",
            "none_in_a_pause",
            "The contract is paused in this month: nothing is corrected.",
            when=PAUSED.removeprefix("NEW.quarters > 0 AND "),
            one_at_a_time="organisation_id",
        ),
    ]
