"""What became of an e-invoice that a client takes in by mail."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agency.models import Entity
from subscriptions.models.invoices import Invoice


class EInvoiceProblem(models.TextChoices):
    EINVOICE = "einvoice", _("no e-invoice can be made of it")
    PDF = "pdf", _("Stripe did not give its PDF")
    MAIL = "mail", _("the mail server did not take it")


class EInvoiceMail(Entity):
    """A document's e-invoice, mailed to whom it was made out to, or the reason why not yet."""

    invoice = models.OneToOneField(
        Invoice, models.PROTECT, related_name="einvoice_mail", verbose_name=_("invoice")
    )
    sent_on = models.DateField(_("mailed on"), null=True)
    problem = models.CharField(
        _("what is wrong"), max_length=10, choices=EInvoiceProblem, blank=True
    )

    class Meta:
        verbose_name = _("mailed e-invoice")
        verbose_name_plural = _("mailed e-invoices")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(sent_on=None, problem__in=EInvoiceProblem.values)
                | Q(sent_on__isnull=False, problem=""),
                name="einvoice_is_mailed_or_has_a_problem",
            ),
        ]

    def __str__(self) -> str:
        return str(self.invoice)
