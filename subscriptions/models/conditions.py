"""What a contract consists of, as it was offered and as it was agreed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from agency.models import Entity
from subscriptions.models.prices import Tier


class BillingInterval(models.IntegerChoices):
    MONTH = 1, _("monthly")
    QUARTER = 3, _("quarterly")
    YEAR = 12, _("yearly")


class Collection(models.TextChoices):
    INVOICE = "invoice", _("invoice, paid by transfer")
    SEPA = "sepa", _("SEPA direct debit")


class OveragePolicy(models.TextChoices):
    """What happens to use above the included hours (design 5.4)."""

    BILL = "bill", _("billed")
    CAP = "cap", _("capped: not charged")
    ALL_IN = "all_in", _("all-in: no figures, nothing charged")


class ReleaseChoice(models.TextChoices):
    """A coarser release class than the headcount asks for (design 5.6)."""

    QUARTER = "quarter", _("per quarter")
    YEAR = "year", _("per contract year")
    BAND = "band", _("per contract year, as a band")


class Conditions(Entity):
    """How a contract runs and is billed, as it was offered and as it was agreed."""

    year_starts_in = models.PositiveSmallIntegerField(
        _("contract year starts in month"), null=True, blank=True
    )
    term_months = models.PositiveSmallIntegerField(_("term in months"), default=12)
    renewal_months = models.PositiveSmallIntegerField(_("renewal in months"), default=12)
    notice_months = models.PositiveSmallIntegerField(_("notice in months"), default=1)
    billing_interval = models.PositiveSmallIntegerField(
        _("billing interval"), choices=BillingInterval, default=BillingInterval.YEAR
    )
    collection = models.CharField(
        _("collection"), max_length=10, choices=Collection, default=Collection.INVOICE
    )
    payment_days = models.PositiveSmallIntegerField(_("payment days"), default=30)
    po_required = models.BooleanField(_("purchase order required"), default=False)
    carry_over_basis_points = models.PositiveSmallIntegerField(_("carried over"), default=0)
    carry_over_cap_quarters = models.PositiveIntegerField(_("carried over at most"), default=0)

    class Meta:
        abstract = True


class Chosen(Entity):
    """What was chosen for the hours, with the prices agreed instead of the book's."""

    tier = models.CharField(_("tier"), max_length=10, choices=Tier)
    overage = models.CharField(
        _("overage"), max_length=10, choices=OveragePolicy, default=OveragePolicy.BILL
    )
    release = models.CharField(_("release"), max_length=10, choices=ReleaseChoice, blank=True)
    own_annual_fee_cents = models.PositiveIntegerField(_("own annual fee"), null=True, blank=True)
    own_included_quarters = models.PositiveIntegerField(
        _("own included hours"), null=True, blank=True
    )
    own_included_sessions = models.PositiveSmallIntegerField(
        _("own included sessions"), null=True, blank=True
    )
    own_overage_rate_cents = models.PositiveIntegerField(
        _("own rate per hour of overage"), null=True, blank=True
    )

    class Meta:
        abstract = True
