"""How an open invoice is asked for: who contests it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agency.models import Entity, User
from subscriptions.models.invoices import Invoice


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
