"""What becomes of an invoice that is not paid in time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from agency.models import Entity, User
from subscriptions.bounds import ONE_PERSON_APPROVES_CENTS
from subscriptions.models.invoices import Invoice


class ReceiptKind(models.TextChoices):
    RECEIVED = "received", _("received by our bank")
    PAID_BACK = "paid_back", _("paid back")
    SET_OFF = "set_off", _("set against another invoice")


class Receipt(Entity):
    """An amount that our bank received for an invoice, or what of it went elsewhere: negative.

    ``mark`` is a digest of the bank's line, by which it is known again: what it says is not kept.
    """

    # The index of amounts finds the receipts of an invoice.
    invoice = models.ForeignKey(
        Invoice,
        models.PROTECT,
        related_name="receipts",
        verbose_name=_("invoice"),
        db_index=False,
    )
    kind = models.CharField(_("kind"), max_length=10, choices=ReceiptKind, default="received")
    received_on = models.DateField(_("received on"))
    amount_cents = models.BigIntegerField(_("amount"))
    mark = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        ordering: ClassVar = ["received_on", "mark"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice", "mark"], name="receipt_is_noted_once"),
            models.CheckConstraint(
                condition=Q(kind="received", amount_cents__gt=0)
                | Q(kind="paid_back", amount_cents__lt=0)
                | Q(kind="set_off") & ~Q(amount_cents=0),
                name="receipt_has_the_sign_of_its_kind",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["invoice", "amount_cents"], name="receipts_of_an_invoice"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice} {self.received_on}"


class WrittenOffBecause(models.TextChoices):
    BANKRUPT = "bankrupt", _("bankrupt or wound up")
    UNTRACEABLE = "untraceable", _("cannot be found")
    AGREED = "agreed", _("agreed to let the rest go")
    BARRED = "barred", _("time-barred")
    COSTS = "costs", _("collecting it costs more than it brings")


class WriteOff(Entity):
    """What was left of a sent invoice and will not be paid; without a day while it waits.

    A large one is written off by two people. ``vat_on`` decides which VAT return takes its VAT
    back: the day of writing off, or the day one year after it fell due if that came first.
    """

    invoice = models.OneToOneField(
        Invoice, models.PROTECT, related_name="write_off", verbose_name=_("invoice")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=WrittenOffBecause)
    net_cents = models.BigIntegerField(_("net"))
    vat_cents = models.BigIntegerField(_("VAT"))
    approved_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name=_("written off by")
    )
    seconded_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("and by")
    )
    written_off_on = models.DateField(_("written off on"), null=True, blank=True)
    vat_on = models.DateField(_("VAT claimed back as of"), null=True, blank=True)

    class Meta:
        verbose_name = _("write-off")
        verbose_name_plural = _("write-offs")
        ordering: ClassVar = ["-written_off_on", "invoice"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(net_cents__gt=-F("vat_cents")), name="write_off_is_of_something"
            ),
            models.CheckConstraint(
                condition=Q(reason__in=WrittenOffBecause.values),
                name="invoice_is_written_off_for_a_known_reason",
            ),
            models.CheckConstraint(
                condition=Q(seconded_by__isnull=True) | ~Q(seconded_by=F("approved_by")),
                name="write_off_is_seconded_by_another",
            ),
            models.CheckConstraint(
                condition=Q(written_off_on__isnull=True, vat_on__isnull=True)
                | Q(written_off_on__isnull=False, vat_on__isnull=False)
                & Q(vat_on__lte=F("written_off_on"))
                & (
                    Q(seconded_by__isnull=False)
                    | Q(net_cents__lte=ONE_PERSON_APPROVES_CENTS - F("vat_cents"))
                ),
                name="large_write_off_takes_two_people",
            ),
        ]

    def __str__(self) -> str:
        return str(self.invoice)

    @property
    def total_cents(self) -> int:
        return self.net_cents + self.vat_cents


class PaymentPlan(Entity):
    """Parts in which what is left of an invoice is paid, as a person agreed with the client.

    Its parts are written first: once it is agreed on, neither they nor it change. What is paid
    counts to them in order; see `subscriptions.payment_plans`.
    """

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="payment_plans", verbose_name=_("invoice")
    )
    total_cents = models.BigIntegerField(_("together"))
    agreed_by = models.ForeignKey(
        User,
        models.PROTECT,
        related_name="+",
        verbose_name=pgettext_lazy("payment plan", "agreed by"),
    )
    agreed_on = models.DateField(pgettext_lazy("payment plan", "agreed on"), null=True, blank=True)
    ended_on = models.DateField(_("ended on"), null=True, blank=True)

    class Meta:
        verbose_name = _("payment plan")
        verbose_name_plural = _("payment plans")
        ordering: ClassVar = ["-agreed_on", "invoice"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["invoice"], condition=Q(ended_on=None), name="one_plan_in_force_per_invoice"
            ),
        ]

    def __str__(self) -> str:
        return str(self.invoice)


class PlanPart(Entity):
    plan = models.ForeignKey(PaymentPlan, models.CASCADE, related_name="parts")
    due_on = models.DateField(_("due on"))
    amount_cents = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("part of a payment plan")
        verbose_name_plural = _("parts of payment plans")
        ordering: ClassVar = ["plan", "due_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "due_on"], name="one_part_of_a_plan_per_day"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="part_is_of_something"),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.due_on}"


class InterestRate(Entity):
    """The statutory interest on trade debts from a day on, as it was published."""

    valid_from = models.DateField(_("valid from"), unique=True)
    rate_basis_points = models.PositiveIntegerField(_("rate"))
    source = models.CharField(_("source"), max_length=200)

    class Meta:
        verbose_name = _("rate of statutory interest")
        verbose_name_plural = _("rates of statutory interest")
        ordering: ClassVar = ["-valid_from"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(rate_basis_points__gt=0, rate_basis_points__lte=10_000),
                name="interest_is_between_nothing_and_all",
                violation_error_message=_("Interest is above 0 and at most 100 percent."),
            ),
            models.CheckConstraint(
                condition=~Q(source=""),
                name="interest_has_a_source",
                violation_error_message=_("Say where the rate was published."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.valid_from)
