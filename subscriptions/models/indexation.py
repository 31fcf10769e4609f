"""Index values, and the runs that raise own prices by two of them (design 5.12)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agency.fields import MonthField
from agency.models import Entity, User
from subscriptions.models.contracts import Subscription, Terms


class CpiValue(Entity):
    """A published value of a price index, in thousandths; published values are not revised."""

    series = models.CharField(_("series"), max_length=100)
    reference_year = models.PositiveSmallIntegerField(_("reference year"))
    month = MonthField(_("month"))
    value_thousandths = models.PositiveIntegerField(_("value"))
    source = models.CharField(_("source"), max_length=200)

    class Meta:
        verbose_name = _("index value")
        verbose_name_plural = _("index values")
        ordering: ClassVar = ["series", "-month"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["series", "reference_year", "month"], name="one_index_value_per_month"
            ),
            models.CheckConstraint(
                condition=Q(value_thousandths__gt=0),
                name="index_value_is_above_zero",
                violation_error_message=_("An index value is above zero."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series} ({self.reference_year} = 100), {self.month}"


class RunState(models.TextChoices):
    DRAFT = "draft", _("draft")
    ANNOUNCED = "announced", _("announced")
    APPROVED = "approved", _("approved")
    APPLIED = "applied", _("applied")
    WITHDRAWN = "withdrawn", _("withdrawn")


class IndexationRun(Entity):
    """A rise of own prices by two index values, announced to each client beforehand.

    ``effective_month`` is the first month in which a contract year that it counts for may start;
    from which month a client pays more stands in `IndexedContract`. Cap and floor limit the rise.
    """

    from_value = models.ForeignKey(
        CpiValue, models.PROTECT, related_name="+", verbose_name=_("index value before")
    )
    to_value = models.ForeignKey(
        CpiValue, models.PROTECT, related_name="+", verbose_name=_("index value after")
    )
    effective_month = MonthField(_("for contract years from"))
    announcement_months = models.PositiveSmallIntegerField(
        _("announced so many months before"), default=1
    )
    cap_basis_points = models.PositiveIntegerField(_("rise at most"), null=True, blank=True)
    floor_basis_points = models.PositiveIntegerField(_("rise at least"), null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=RunState, default=RunState.DRAFT, editable=False
    )
    announced_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("announced by")
    )
    announced_on = models.DateField(_("announced on"), null=True)
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("approved by")
    )
    approved_on = models.DateField(_("approved on"), null=True)
    applied_on = models.DateField(_("applied on"), null=True)

    class Meta:
        verbose_name = _("indexation run")
        verbose_name_plural = _("indexation runs")
        ordering: ClassVar = ["-effective_month"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=RunState.values), name="run_is_in_a_known_state"
            ),
            models.CheckConstraint(
                condition=Q(announcement_months__gte=1),
                name="run_is_announced_a_month_before",
                violation_error_message=_("A rise is announced at least one month before."),
            ),
            models.CheckConstraint(
                condition=Q(cap_basis_points__isnull=True)
                | Q(floor_basis_points__isnull=True)
                | Q(floor_basis_points__lte=F("cap_basis_points")),
                name="least_rise_is_below_the_highest",
                violation_error_message=_("The least rise is not above the highest one."),
            ),
            models.CheckConstraint(
                condition=Q(state="draft", announced_by__isnull=True, announced_on__isnull=True)
                | ~Q(state="draft") & Q(announced_by__isnull=False, announced_on__isnull=False),
                name="announced_run_says_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "announced", "withdrawn"])
                | Q(approved_by__isnull=False, approved_on__isnull=False),
                name="approved_run_says_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("announced_by")),
                name="prices_are_raised_by_two_people",
            ),
            models.CheckConstraint(
                condition=Q(state="applied", applied_on__isnull=False)
                | ~Q(state="applied") & Q(applied_on__isnull=True),
                name="applied_run_says_when",
            ),
        ]

    def __str__(self) -> str:
        return str(self.effective_month)


class LeftOut(models.TextChoices):
    """Why a run does not raise the prices of a contract."""

    NO_OWN_PRICES = "no_own_prices", _("follows the price list")
    ENDED = "ended", _("ends before a contract year that could be indexed")
    OTHER_TIER = "other_tier", _("own prices are of the tier that is not in force then")
    PAUSED = "paused", _("is paused when that contract year starts")
    AGREED = "agreed", _("other prices are agreed for that contract year or a later one")
    INDEXED = "indexed", _("indexed over these months by another run, or about to be")
    UNCHANGED = "unchanged", _("the price stays the same")
    NOBODY = "nobody", _("no owner or billing contact to write to")
    BILLED = "billed", _("the contract year was billed before the run was applied")
    UNTOLD = "untold", _("the letter was not sent in time")


class IndexedContract(Entity):
    """What a run does with one contract: new prices from a contract year on, or why none.

    Written when the run is announced, with the letter that goes to the client. A price that is None
    is not the contract's own. ``terms`` are what applying it wrote.
    """

    run = models.ForeignKey(IndexationRun, models.PROTECT, related_name="contracts")
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="indexations")
    from_month = MonthField(_("from"), null=True)
    is_postponed = models.BooleanField(default=False)
    old_annual_fee_cents = models.PositiveIntegerField(null=True)
    new_annual_fee_cents = models.PositiveIntegerField(null=True)
    old_overage_rate_cents = models.PositiveIntegerField(null=True)
    new_overage_rate_cents = models.PositiveIntegerField(null=True)
    sent_on = models.DateField(_("letter sent on"), null=True)
    left_out = models.CharField(_("left out"), max_length=15, choices=LeftOut, blank=True)
    terms = models.OneToOneField(Terms, models.PROTECT, null=True, related_name="indexed")

    class Meta:
        verbose_name = _("indexed contract")
        verbose_name_plural = _("indexed contracts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "subscription"], name="run_indexes_a_contract_once"
            ),
            models.CheckConstraint(
                condition=Q(left_out__in=["", *LeftOut.values]),
                name="contract_is_left_out_for_a_known_reason",
            ),
            models.CheckConstraint(
                condition=Q(left_out="", from_month__isnull=False)
                | ~Q(left_out="") & Q(terms__isnull=True),
                name="contract_is_indexed_or_left_out",
            ),
            models.CheckConstraint(
                condition=Q(old_annual_fee_cents__isnull=True, new_annual_fee_cents__isnull=True)
                | Q(old_annual_fee_cents__isnull=False, new_annual_fee_cents__isnull=False),
                name="indexed_fee_has_an_old_and_a_new",
            ),
            models.CheckConstraint(
                condition=Q(
                    old_overage_rate_cents__isnull=True, new_overage_rate_cents__isnull=True
                )
                | Q(old_overage_rate_cents__isnull=False, new_overage_rate_cents__isnull=False),
                name="indexed_rate_has_an_old_and_a_new",
            ),
        ]

    def __str__(self) -> str:
        return str(self.from_month or "")
