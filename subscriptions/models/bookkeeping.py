"""What the agency's bookkeeping calls the things that documents are made of."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agency.models import Entity
from subscriptions.models.invoices import LineKind
from subscriptions.models.prices import VatCategory


class Booked(models.TextChoices):
    """What has a code in the bookkeeping beside the kinds of lines."""

    VAT = "vat", _("VAT code")
    DEBTORS = "debtors", _("debtors")
    DEFERRED = "deferred", _("invoiced in advance")
    WRITTEN_OFF = "written_off", _("written off")
    ONE_OFF = "one_off", _("debtor number of one-off buyers")


# A credit is booked where the line was that it gives back.
BOOKABLE = [*(one for one in LineKind.choices if one[0] != LineKind.CREDIT), *Booked.choices]


class BookkeepingCode(Entity):
    """An account or code of the bookkeeping package, of what it stands for.

    Without a VAT category it holds for all of them that have no row of their own.
    """

    what = models.CharField(_("stands for"), max_length=20, choices=BOOKABLE)
    vat_category = models.CharField(
        _("VAT category"), max_length=2, choices=VatCategory, blank=True
    )
    code = models.CharField(_("account or code"), max_length=20)

    class Meta:
        verbose_name = _("bookkeeping code")
        verbose_name_plural = _("bookkeeping codes")
        ordering: ClassVar = ["code", "what"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["what", "vat_category"],
                name="one_bookkeeping_code_per_thing",
                violation_error_message=_("This has a code already."),
            ),
            models.CheckConstraint(
                condition=Q(what__in=[value for value, _label in BOOKABLE])
                & Q(vat_category__in=["", *VatCategory.values]),
                name="bookkeeping_code_is_of_a_known_thing",
            ),
        ]

    def __str__(self) -> str:
        return self.code
