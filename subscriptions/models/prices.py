"""Price books and VAT treatments: all rows with a month from which they count."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agency.fields import MonthField
from agency.models import Entity
from agency.money import plain_decimal


class Tier(models.TextChoices):
    BASIC = "basic", _("basic")
    EXTENDED = "extended", _("extended")


# What a contract may agree for itself instead of the book's, as ``own_`` and the same name.
OF_A_YEAR = (
    *("annual_fee_cents", "included_quarters", "included_sessions"),
    "overage_rate_cents",
)


class PriceBook(Entity):
    """The agency's prices for contract years that start in or after a month."""

    valid_from = MonthField(_("valid from"), unique=True)

    class Meta:
        verbose_name = _("price book")
        verbose_name_plural = _("price books")
        ordering: ClassVar = ["valid_from"]

    def __str__(self) -> str:
        return str(self.valid_from)


class PriceBand(Entity):
    """What a tier costs and includes for a band of headcounts; the bands of a tier have no gaps.

    Without prices they are on request: a contract needs all four of its own. Set-up has its price.
    """

    book = models.ForeignKey(
        PriceBook, models.PROTECT, related_name="bands", verbose_name=_("price book")
    )
    tier = models.CharField(_("tier"), max_length=10, choices=Tier)
    min_headcount = models.PositiveIntegerField(_("from headcount"))
    max_headcount = models.PositiveIntegerField(_("up to headcount"), null=True, blank=True)
    annual_fee_cents = models.PositiveIntegerField(_("annual fee"), null=True, blank=True)
    setup_fee_cents = models.PositiveIntegerField(_("setup fee"))
    included_quarters = models.PositiveIntegerField(
        _("included hours a year"), null=True, blank=True
    )
    included_sessions = models.PositiveSmallIntegerField(
        _("included sessions a year"), null=True, blank=True
    )
    overage_rate_cents = models.PositiveIntegerField(
        _("rate per hour of overage"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("price band")
        verbose_name_plural = _("price bands")
        ordering: ClassVar = ["book", "tier", "min_headcount"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["book", "tier", "min_headcount"], name="one_band_per_tier_and_headcount"
            ),
            models.CheckConstraint(condition=Q(tier__in=Tier.values), name="band_has_a_known_tier"),
            models.CheckConstraint(
                condition=Q(max_headcount__isnull=True) | Q(max_headcount__gte=F("min_headcount")),
                name="band_ends_after_it_starts",
                violation_error_message=_(
                    "A band does not end below the headcount it starts with."
                ),
            ),
            models.CheckConstraint(
                condition=Q(**{f"{name}__isnull": True for name in OF_A_YEAR})
                | Q(**{f"{name}__isnull": False for name in OF_A_YEAR}),
                name="band_has_all_its_prices_or_none",
                violation_error_message=_(
                    "A band has all four prices, or none of them: then they are on request."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tier_display()} {self.min_headcount}–{self.max_headcount or ''}"


class YearPrice(Entity):
    """A contract year's prices in one tier, frozen when its first line is drafted (design 5.1)."""

    # The unique month finds the prices of a contract.
    subscription = models.ForeignKey(
        "subscriptions.Subscription", models.PROTECT, related_name="year_prices", db_index=False
    )
    year_month = MonthField()
    tier = models.CharField(max_length=10, choices=Tier)
    annual_fee_cents = models.PositiveIntegerField()
    setup_fee_cents = models.PositiveIntegerField()
    included_quarters = models.PositiveIntegerField()
    included_sessions = models.PositiveSmallIntegerField()
    overage_rate_cents = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("frozen price")
        verbose_name_plural = _("frozen prices")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscription", "year_month", "tier"],
                name="prices_of_a_year_are_frozen_once",
            ),
            models.CheckConstraint(
                condition=Q(tier__in=Tier.values), name="frozen_price_is_of_a_known_tier"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year_month} {self.get_tier_display()}"


class VatCategory(models.TextChoices):
    """EN 16931 categories that the agency uses."""

    STANDARD = "S", _("standard rate")
    EXEMPT = "E", _("exempt education")
    REVERSE_CHARGE = "AE", _("reverse charge")
    OUTSIDE_SCOPE = "O", _("outside the EU")


class TaxTreatment(Entity):
    """The rate and the printed reason of a VAT category, from a month on."""

    category = models.CharField(_("category"), max_length=2, choices=VatCategory)
    valid_from = MonthField(_("valid from"))
    rate_basis_points = models.PositiveSmallIntegerField(_("rate"))
    exemption_code = models.CharField(_("exemption code"), max_length=30, blank=True)

    class Meta:
        verbose_name = _("VAT treatment")
        verbose_name_plural = _("VAT treatments")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["category", "valid_from"], name="one_treatment_per_category_and_month"
            ),
            models.CheckConstraint(
                condition=Q(category="S") | Q(rate_basis_points=0),
                name="only_the_standard_category_has_a_rate",
                violation_error_message=_("Only the standard rate is above zero."),
            ),
            models.CheckConstraint(
                condition=Q(category__in=VatCategory.values),
                name="treatment_is_of_a_known_category",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} {plain_decimal(self.rate_basis_points)} %"
