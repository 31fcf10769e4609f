"""How an open invoice is asked for: who contests, reminds of and announces what."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agency.models import Entity, Organisation, User
from subscriptions.models.invoices import Invoice

LAST_DIGITS = r"^[0-9A-Z]{4}$"
CREDITOR = r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}$"


class ContestReason(models.TextChoices):
    """Why a client does not agree with an invoice; a closed list, no words of its own."""

    AMOUNT = "amount", _("price or amount wrong")
    NOT_DELIVERED = "not_delivered", _("not delivered")
    TWICE = "twice", _("billed twice")
    PAID = "paid", _("paid already, it says")
    PARTICULARS = "particulars", _("particulars or order number wrong")
    ADDRESSEE = "addressee", _("meant for somebody else")


class ContestedBy(models.TextChoices):
    """Who said so, by what they are to the client."""

    CONTACT = "contact", _("contact of the client")
    BOOKS = "books", _("accounts department of the client")
    OTHER = "other", _("somebody who acts for the client")


class ContestEnd(models.TextChoices):
    RESUMED = "resumed", _("asked for again")
    CREDITED = "credited", _("credited, the rest is asked for again")
    LAPSED = "lapsed", _("its day came")
    SETTLED = "settled", _("settled")
    PROLONGED = "prolonged", _("noted anew")


class Contest(Entity):
    """That a client contests an invoice: until it ends, neither a reminder nor a debit follows.

    ``until_on`` is the first day on which it is asked for again; without one, that waits until the
    invoice is settled or somebody ends it.
    """

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="contests", verbose_name=_("invoice")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=ContestReason)
    said_by = models.CharField(_("said by"), max_length=10, choices=ContestedBy)
    noted_on = models.DateField(_("noted on"))
    noted_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("noted by"))
    until_on = models.DateField(_("asked for again from"), null=True, blank=True)
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    ended_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ended by")
    )
    outcome = models.CharField(_("outcome"), max_length=10, choices=ContestEnd, blank=True)

    class Meta:
        verbose_name = _("contested invoice")
        verbose_name_plural = _("contested invoices")
        ordering: ClassVar = ["-noted_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(ended_on__isnull=True),
                name="invoice_is_contested_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(reason__in=ContestReason.values, said_by__in=ContestedBy.values),
                name="invoice_is_contested_for_a_known_reason",
            ),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gt=F("noted_on")),
                name="contested_invoice_is_asked_for_later",
                violation_error_message=_("It is asked for again on a day to come."),
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True, ended_by__isnull=True, outcome="")
                | Q(
                    ended_on__isnull=False,
                    ended_on__gte=F("noted_on"),
                    outcome__in=ContestEnd.values,
                ),
                name="contest_that_ended_says_how",
            ),
        ]

    def __str__(self) -> str:
        return str(self.invoice)


class Reminds(models.TextChoices):
    STRIPE = "stripe", _("Stripe, by its own settings")
    AGENCY = "agency", _("this system")


class CollectionPolicy(Entity):
    """Who reminds of unpaid invoices, and when; there is one row, and without it nobody does.

    The days of the first reminder run from the due date, or from the day on which a debit failed;
    those of each later one from the reminder before it.
    """

    reminded_by = models.CharField(
        _("reminders are sent by"),
        max_length=10,
        choices=Reminds,
        help_text=_(
            "Never by both. Stripe is told of each invoice whether it may remind; how often it "
            "then does is set at Stripe, and cannot be seen from here."
        ),
    )
    first_days = models.PositiveSmallIntegerField(_("days until the first reminder"), default=7)
    second_days = models.PositiveSmallIntegerField(_("days until the second one"), default=14)
    final_days = models.PositiveSmallIntegerField(_("days until the final demand"), default=14)
    term_days = models.PositiveSmallIntegerField(
        _("days to pay after the final demand"),
        default=14,
        help_text=_("14 at least: before that, a consumer owes no collection cost by Dutch law."),
    )
    announced_by = models.CharField(
        _("debits are announced by"),
        max_length=10,
        choices=Reminds,
        default=Reminds.STRIPE,
        help_text=_(
            "Never by both: where it is this system, turn the mails about debits off at Stripe, "
            "which cannot be seen from here."
        ),
    )
    notice_days = models.PositiveSmallIntegerField(
        _("days from announcement to debit"),
        default=14,
        help_text=_("14, or what the mandates agree on instead."),
    )
    creditor_id = models.CharField(_("creditor identifier (SEPA)"), max_length=35, blank=True)
    is_only_one = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        verbose_name = _("rules of collecting")
        verbose_name_plural = _("rules of collecting")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(is_only_one=True), name="invoices_are_collected_by_one_set_of_rules"
            ),
            models.CheckConstraint(
                condition=Q(reminded_by__in=Reminds.values), name="reminders_come_from_a_known_side"
            ),
            models.CheckConstraint(
                condition=Q(announced_by__in=Reminds.values, notice_days__range=(1, 30))
                & (Q(announced_by=Reminds.STRIPE) | Q(creditor_id__regex=CREDITOR)),
                name="debits_are_announced_by_a_creditor",
                violation_error_message=_(
                    "Debits are announced 1 to 30 days before, with the creditor identifier, such "
                    "as NL12ZZZ123456780000."
                ),
            ),
            models.CheckConstraint(
                condition=Q(first_days__range=(1, 90))
                & Q(second_days__range=(7, 90))
                & Q(final_days__range=(7, 90))
                & Q(term_days__range=(14, 90)),
                name="reminders_leave_time_to_pay",
                violation_error_message=_(
                    "The first reminder comes after 1 to 90 days, each later one after 7 to 90, "
                    "and the final demand leaves 14 to 90 days to pay."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.get_reminded_by_display()


class ReminderStep(models.TextChoices):
    """In their order."""

    FIRST = "first", _("first reminder")
    SECOND = "second", _("second reminder")
    FINAL = "final", _("final demand")


class Reminder(Entity):
    """A reminder of an invoice: each step once, without a day while its mail is on its way."""

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="reminders", verbose_name=_("invoice")
    )
    step = models.CharField(_("step"), max_length=10, choices=ReminderStep)
    asked_cents = models.BigIntegerField(_("asked for"))
    sent_on = models.DateField(_("sent on"), null=True, blank=True)
    pay_by_on = models.DateField(_("pay by"), null=True, blank=True)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering: ClassVar = ["-sent_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["invoice", "step"], name="invoice_is_reminded_of_once_a_step"
            ),
            models.CheckConstraint(
                condition=Q(step__in=ReminderStep.values, asked_cents__gt=0),
                name="reminder_asks_for_money_at_a_known_step",
            ),
            models.CheckConstraint(
                condition=Q(sent_on__isnull=True, pay_by_on__isnull=True)
                | Q(sent_on__isnull=False, pay_by_on__isnull=False, pay_by_on__gt=F("sent_on")),
                name="reminder_that_was_sent_says_by_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice}, {self.get_step_display()}"


class Mandate(Entity):
    """A client's leave to debit, as Stripe has it: reference, day and the account's last digits."""

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="mandates", verbose_name=_("organisation")
    )
    reference = models.CharField(_("mandate reference"), max_length=35, unique=True)
    signed_on = models.DateField(_("signed on"))
    last_digits = models.CharField(
        _("last four characters of the account"),
        max_length=4,
        validators=[RegexValidator(LAST_DIGITS, _("The last four characters of an IBAN."))],
    )
    withdrawn_on = models.DateField(_("withdrawn on"), null=True, blank=True)

    class Meta:
        verbose_name = _("mandate")
        verbose_name_plural = _("mandates")
        ordering: ClassVar = ["organisation", "-signed_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(withdrawn_on__isnull=True),
                name="organisation_has_one_mandate",
                violation_error_message=_("Withdraw the mandate first that it has."),
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gte=F("signed_on")),
                name="mandate_is_withdrawn_after_it_was_signed",
                violation_error_message=_("It is withdrawn on or after the day it was signed."),
            ),
            models.CheckConstraint(
                condition=Q(last_digits__regex=LAST_DIGITS),
                name="mandate_holds_four_characters_of_an_account",
                violation_error_message=_("Four capitals or digits: the last ones of the account."),
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class DebitNotice(Entity):
    """The announcement of a debit, without a day while its mail is on its way."""

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="notices", verbose_name=_("invoice")
    )
    mandate = models.ForeignKey(
        Mandate, models.PROTECT, related_name="notices", verbose_name=_("mandate")
    )
    amount_cents = models.BigIntegerField(_("amount"))
    sent_on = models.DateField(_("sent on"), null=True, blank=True)
    debit_on = models.DateField(_("debit on"), null=True, blank=True)

    class Meta:
        verbose_name = _("announcement of a debit")
        verbose_name_plural = _("announcements of debits")
        ordering: ClassVar = ["-sent_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(sent_on__isnull=True),
                name="debit_is_announced_by_one_mail_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["invoice", "sent_on"], name="debit_is_announced_once_a_day"
            ),
            models.CheckConstraint(
                condition=Q(sent_on__isnull=True, debit_on__isnull=True)
                | Q(sent_on__isnull=False, debit_on__isnull=False, debit_on__gt=F("sent_on")),
                name="debit_is_announced_before_its_day",
            ),
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0), name="debit_is_announced_of_an_amount"
            ),
        ]

    def __str__(self) -> str:
        return str(self.invoice)
