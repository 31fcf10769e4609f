"""Contested invoices, and the call that tells Stripe whether to go on with an invoice by itself."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from agency.guards import Guard, KeepingTriggers, RowGuard, columns_frozen, undeletable

CONTEST = "subscriptions_contest"
KEPT = "What was noted of a contested invoice never changes."
KINDS = ["customer", "draft", "add_lines", "finalize", "send", "credit_note", "settle", "advance"]
STATES = ["todo", "attempting", "done", "unknown", "failed"]
REASONS = [
    ("amount", "price or amount wrong"),
    ("not_delivered", "not delivered"),
    ("twice", "billed twice"),
    ("paid", "paid already, it says"),
    ("particulars", "particulars or order number wrong"),
    ("addressee", "meant for somebody else"),
]
SAYERS = [
    ("contact", "contact of the client"),
    ("books", "accounts department of the client"),
    ("other", "somebody who acts for the client"),
]
ENDS = [
    ("resumed", "asked for again"),
    ("credited", "credited, the rest is asked for again"),
    ("lapsed", "its day came"),
    ("settled", "settled"),
    ("prolonged", "noted anew"),
]
NOT_OPEN = (
    "NOT EXISTS (SELECT 1 FROM subscriptions_invoice document WHERE document.id = NEW.invoice_id "
    "AND document.kind = 'invoice' AND document.state = 'open')"
)
CONTESTED = (
    "NEW.kind = 'advance' AND CAST(NEW.body AS TEXT) LIKE '%true%' "
    "AND EXISTS (SELECT 1 FROM subscriptions_contest contest "
    "WHERE contest.invoice_id = NEW.invoice_id AND contest.ended_on IS NULL)"
)


def somebody(label: str, *, needed: bool) -> "models.ForeignKey":
    return models.ForeignKey(
        blank=not needed,
        null=not needed,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        verbose_name=label,
    )


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("subscriptions", "0031_payers"),
    ]
    operations = [
        migrations.CreateModel(
            name="Contest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contests",
                        to="subscriptions.invoice",
                        verbose_name="invoice",
                    ),
                ),
                (
                    "reason",
                    models.CharField(choices=REASONS, max_length=20, verbose_name="reason"),
                ),
                (
                    "said_by",
                    models.CharField(choices=SAYERS, max_length=10, verbose_name="said by"),
                ),
                ("noted_on", models.DateField(verbose_name="noted on")),
                ("noted_by", somebody("noted by", needed=True)),
                (
                    "until_on",
                    models.DateField(blank=True, null=True, verbose_name="asked for again from"),
                ),
                ("ended_on", models.DateField(blank=True, null=True, verbose_name="ended on")),
                ("ended_by", somebody("ended by", needed=False)),
                (
                    "outcome",
                    models.CharField(
                        blank=True, choices=ENDS, max_length=10, verbose_name="outcome"
                    ),
                ),
            ],
            options={
                "verbose_name": "contested invoice",
                "verbose_name_plural": "contested invoices",
                "ordering": ["-noted_on"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["invoice"],
                        condition=Q(ended_on__isnull=True),
                        name="invoice_is_contested_once_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            reason__in=[reason for reason, _label in REASONS],
                            said_by__in=[sayer for sayer, _label in SAYERS],
                        ),
                        name="invoice_is_contested_for_a_known_reason",
                    ),
                    models.CheckConstraint(
                        condition=Q(until_on__isnull=True) | Q(until_on__gt=F("noted_on")),
                        name="contested_invoice_is_asked_for_later",
                        violation_error_message="It is asked for again on a day to come.",
                    ),
                    models.CheckConstraint(
                        condition=Q(ended_on__isnull=True, ended_by__isnull=True, outcome="")
                        | Q(
                            ended_on__isnull=False,
                            ended_on__gte=F("noted_on"),
                            outcome__in=[outcome for outcome, _label in ENDS],
                        ),
                        name="contest_that_ended_says_how",
                    ),
                ],
            },
        ),
        KeepingTriggers(
            [
                migrations.RemoveConstraint("stripestep", "step_is_of_a_known_kind_and_state"),
                migrations.AlterField(
                    "stripestep",
                    "kind",
                    models.CharField(
                        choices=[
                            ("customer", "customer"),
                            ("draft", "draft"),
                            ("add_lines", "lines"),
                            ("finalize", "finalize"),
                            ("send", "send"),
                            ("credit_note", "credit note"),
                            ("settle", "payment outside Stripe"),
                            ("advance", "debit and remind, or not"),
                        ],
                        max_length=20,
                    ),
                ),
                migrations.AddConstraint(
                    "stripestep",
                    models.CheckConstraint(
                        condition=Q(kind__in=KINDS) & Q(state__in=STATES),
                        name="step_is_of_a_known_kind_and_state",
                    ),
                ),
            ]
        ),
        RowGuard(
            CONTEST,
            "contests_what_is_open",
            "Only an open invoice is contested.",
            when=NOT_OPEN,
            one_at_a_time="invoice_id",
            events=("INSERT",),
        ),
        *columns_frozen(
            CONTEST,
            ("invoice_id", "reason", "said_by", "noted_on", "noted_by_id", "until_on"),
            KEPT,
        ),
        Guard(CONTEST, "ends_once", "UPDATE", KEPT, when="OLD.ended_on IS NOT NULL"),
        *undeletable(CONTEST, KEPT),
        RowGuard(
            "subscriptions_stripestep",
            "contested_waits",
            "A contested invoice is neither debited nor reminded of.",
            when=CONTESTED,
            one_at_a_time="invoice_id",
            events=("INSERT",),
        ),
    ]
