"""Who reminds of unpaid invoices, and the reminders that we sent ourselves."""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from agency.guards import Guard, RowGuard, columns_frozen, undeletable

REMINDER = "subscriptions_reminder"
KEPT = "A reminder that was sent stays as it was."
KEY = models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)
STEPS = [
    ("first", "first reminder"),
    ("second", "second reminder"),
    ("final", "final demand"),
]
SIDES = [("stripe", "Stripe, by its own settings"), ("agency", "this system")]
NOT_OURS = (
    "NOT EXISTS (SELECT 1 FROM subscriptions_collectionpolicy policy "
    "WHERE policy.reminded_by = 'agency') "
    "OR NOT EXISTS (SELECT 1 FROM subscriptions_invoice document WHERE document.id = NEW.invoice_id "
    "AND document.kind = 'invoice' AND document.state = 'open' AND document.received_on IS NULL) "
    "OR EXISTS (SELECT 1 FROM subscriptions_contest contest "
    "WHERE contest.invoice_id = NEW.invoice_id AND contest.ended_on IS NULL)"
)


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0034_einvoice_mails")]
    operations = [
        migrations.CreateModel(
            name="CollectionPolicy",
            fields=[
                ("id", KEY),
                (
                    "reminded_by",
                    models.CharField(
                        choices=SIDES,
                        help_text=(
                            "Never by both. Stripe is told of each invoice whether it may remind; "
                            "how often it then does is set at Stripe, and cannot be seen from here."
                        ),
                        max_length=10,
                        verbose_name="reminders are sent by",
                    ),
                ),
                (
                    "first_days",
                    models.PositiveSmallIntegerField(
                        default=7, verbose_name="days until the first reminder"
                    ),
                ),
                (
                    "second_days",
                    models.PositiveSmallIntegerField(
                        default=14, verbose_name="days until the second one"
                    ),
                ),
                (
                    "final_days",
                    models.PositiveSmallIntegerField(
                        default=14, verbose_name="days until the final demand"
                    ),
                ),
                (
                    "term_days",
                    models.PositiveSmallIntegerField(
                        default=14,
                        help_text=(
                            "14 at least: before that, a consumer owes no collection cost by "
                            "Dutch law."
                        ),
                        verbose_name="days to pay after the final demand",
                    ),
                ),
                ("is_only_one", models.BooleanField(default=True, editable=False, unique=True)),
            ],
            options={
                "verbose_name": "rules of collecting",
                "verbose_name_plural": "rules of collecting",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(is_only_one=True),
                        name="invoices_are_collected_by_one_set_of_rules",
                    ),
                    models.CheckConstraint(
                        condition=Q(reminded_by__in=[side for side, _label in SIDES]),
                        name="reminders_come_from_a_known_side",
                    ),
                    models.CheckConstraint(
                        condition=Q(first_days__range=(1, 90))
                        & Q(second_days__range=(7, 90))
                        & Q(final_days__range=(7, 90))
                        & Q(term_days__range=(14, 90)),
                        name="reminders_leave_time_to_pay",
                        violation_error_message=(
                            "The first reminder comes after 1 to 90 days, each later one after 7 "
                            "to 90, and the final demand leaves 14 to 90 days to pay."
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", KEY),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="subscriptions.invoice",
                        verbose_name="invoice",
                    ),
                ),
                ("step", models.CharField(choices=STEPS, max_length=10, verbose_name="step")),
                ("asked_cents", models.BigIntegerField(verbose_name="asked for")),
                ("sent_on", models.DateField(blank=True, null=True, verbose_name="sent on")),
                ("pay_by_on", models.DateField(blank=True, null=True, verbose_name="pay by")),
            ],
            options={
                "verbose_name": "reminder",
                "verbose_name_plural": "reminders",
                "ordering": ["-sent_on"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["invoice", "step"], name="invoice_is_reminded_of_once_a_step"
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            step__in=[step for step, _label in STEPS], asked_cents__gt=0
                        ),
                        name="reminder_asks_for_money_at_a_known_step",
                    ),
                    models.CheckConstraint(
                        condition=Q(sent_on__isnull=True, pay_by_on__isnull=True)
                        | Q(
                            sent_on__isnull=False,
                            pay_by_on__isnull=False,
                            pay_by_on__gt=F("sent_on"),
                        ),
                        name="reminder_that_was_sent_says_by_when",
                    ),
                ],
            },
        ),
        RowGuard(
            REMINDER,
            "asks_for_what_is_ours_to_ask",
            "We remind only of open invoices that nobody contests, and only where Stripe does not.",
            when=NOT_OURS,
            one_at_a_time="invoice_id",
            events=("INSERT",),
        ),
        *columns_frozen(REMINDER, ("invoice_id", "step", "asked_cents"), KEPT),
        Guard(REMINDER, "sent_once", "UPDATE", KEPT, when="OLD.sent_on IS NOT NULL"),
        *undeletable(REMINDER, KEPT, when="OLD.sent_on IS NOT NULL"),
    ]
