"""The agency itself: the seller on every invoice."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agency import particulars
from agency.fields import MonthField, MonthRangeField
from agency.models.entity import Entity
from agency.month import Month
from agency.particulars import ParticularField

COUNTRY = "^[A-Z]{2}$"


class Agency(Entity):
    """The agency itself, the seller on every invoice; there is one row."""

    name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=200)
    street = models.CharField(max_length=200)
    postcode = models.CharField(max_length=20)
    city = models.CharField(max_length=100)
    country = ParticularField(max_length=2, default="NL", read=particulars.country)
    kvk_number = ParticularField(max_length=8, read=particulars.kvk_number)
    vat_id = ParticularField(max_length=20, read=particulars.eu_vat_id)
    iban = ParticularField(max_length=34, read=particulars.iban)
    km_rate_cents = models.PositiveIntegerField(default=0)
    is_only_one = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        verbose_name = _("agency")
        verbose_name_plural = _("agency")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(is_only_one=True), name="there_is_one_agency"),
            models.CheckConstraint(
                condition=Q(country__regex=COUNTRY), name="agency_has_a_country_of_two_letters"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_crkbo_registered(self, month: Month) -> bool:
        return any(month in row.months for row in self.crkbo_registrations.all())


class CrkboRegistration(Entity):
    """Months in which the agency stands in the register of vocational education (CRKBO).

    Vocational education held in them is exempt from VAT.
    """

    agency = models.ForeignKey(Agency, models.PROTECT, related_name="crkbo_registrations")
    from_month = MonthField(_("from"))
    until_month = MonthField(_("first month after the end"), null=True, blank=True)
    months = MonthRangeField("from_month", "until_month")

    class Meta:
        verbose_name = _("CRKBO registration")
        verbose_name_plural = _("CRKBO registrations")
        ordering: ClassVar = ["from_month"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(until_month__isnull=True) | Q(until_month__gt=F("from_month")),
                name="registration_ends_after_it_begins",
                violation_error_message=_("A registration ends after it begins."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.from_month)
