"""Clients that others took over; no contract of theirs goes on after it."""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import agency.fields
from agency.guards import Guard, RowGuard

TAKEOVER = "subscriptions_takeover"
GONE = "Who takes over is there in that month, and is not taken over itself."
BEYOND = "A client that was taken over has no contract from that month on: end it first."
CIRCLE = (
    "EXISTS (SELECT 1 FROM subscriptions_takeover other WHERE other.id <> NEW.id AND ("
    "other.organisation_id = NEW.successor_id AND other.from_month <= NEW.from_month "
    "OR other.successor_id = NEW.organisation_id AND other.from_month >= NEW.from_month))"
)


def gone(name, one_at_a_time):
    return RowGuard(
        TAKEOVER, name, GONE, when=CIRCLE, one_at_a_time=one_at_a_time, events=("INSERT",)
    )


class Migration(migrations.Migration):
    dependencies = [("advisors", "0004_known_choices"), ("subscriptions", "0037_names_of_their_day")]
    operations = [
        migrations.CreateModel(
            name="Takeover",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("from_month", agency.fields.MonthField(verbose_name="from month")),
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="taken_over",
                        to="agency.organisation",
                        verbose_name="organisation",
                    ),
                ),
                (
                    "successor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="takeovers",
                        to="agency.organisation",
                        verbose_name="taken over by",
                    ),
                ),
            ],
            options={
                "verbose_name": "takeover",
                "verbose_name_plural": "takeovers",
                "ordering": ["-from_month", "organisation"],
                "constraints": [
                    models.CheckConstraint(
                        condition=~Q(successor=F("organisation")),
                        name="successor_is_another_organisation",
                        violation_error_message="Another organisation takes over.",
                    )
                ],
            },
        ),
        Guard(
            TAKEOVER,
            "never_changed",
            "UPDATE",
            "A takeover keeps its month and successor: withdraw it and enter another one.",
        ),
        RowGuard(
            TAKEOVER,
            "stays_once_begun",
            "A takeover that has begun stays.",
            when=(
                "EXISTS (SELECT 1 FROM advisors_closedmonth closed "
                "WHERE closed.month >= OLD.from_month - 1)"
            ),
            one_at_a_time="organisation_id",
            events=("DELETE",),
        ),
        gone("goes_to_who_is_there", "successor_id"),
        gone("leaves_nobody_behind", "organisation_id"),
        RowGuard(
            TAKEOVER,
            "ends_the_contract",
            BEYOND,
            when=(
                "EXISTS (SELECT 1 FROM subscriptions_subscription contract "
                "WHERE contract.organisation_id = NEW.organisation_id "
                "AND (contract.until_month IS NULL OR contract.until_month > NEW.from_month))"
            ),
            one_at_a_time="organisation_id",
            events=("INSERT",),
        ),
        RowGuard(
            "subscriptions_subscription",
            "ends_with_a_takeover",
            BEYOND,
            when=(
                "EXISTS (SELECT 1 FROM subscriptions_takeover gone "
                "WHERE gone.organisation_id = NEW.organisation_id "
                "AND (NEW.until_month IS NULL OR NEW.until_month > gone.from_month))"
            ),
            one_at_a_time="organisation_id",
        ),
    ]
