"""Contracts that are offered and not signed yet."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agency.fields import MonthField
from agency.models import Organisation
from subscriptions.models.conditions import (
    BillingInterval,
    Chosen,
    Collection,
    Conditions,
    OveragePolicy,
    ReleaseChoice,
)
from subscriptions.models.contracts import Subscription
from subscriptions.models.prices import Tier

PROMISED = (
    *("headcount", "annual_fee_cents", "setup_fee_cents"),
    *("included_quarters", "included_sessions", "overage_rate_cents"),
)


class QuoteState(models.TextChoices):
    """Where a quote stands; it follows from its days, and is not kept."""

    DRAFT = "draft", _("draft")
    OFFERED = "offered", _("offered")
    LAPSED = "lapsed", _("lapsed")
    SIGNED = "signed", _("signed")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Quote(Conditions, Chosen):
    """A contract as it is offered; what is signed becomes a `Subscription` with its `Terms`.

    It stands in a table of its own, which nothing that bills, publishes or shows a client anything
    reads. Once offered it never changes (triggers); the prices of its first contract year, and the
    headcount that they are for, are kept with it from that day.
    """

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="quotes", verbose_name=_("organisation")
    )
    start_month = MonthField(_("starts in"))
    valid_until = models.DateField(_("holds until"))
    offered_on = models.DateField(_("offered on"), null=True, editable=False)
    withdrawn_on = models.DateField(_("withdrawn on"), null=True, editable=False)
    contract = models.OneToOneField(
        Subscription,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="quote",
        verbose_name=_("contract"),
    )
    headcount = models.PositiveIntegerField(_("headcount"), null=True, editable=False)
    annual_fee_cents = models.PositiveIntegerField(_("annual fee"), null=True, editable=False)
    setup_fee_cents = models.PositiveIntegerField(_("setup fee"), null=True, editable=False)
    included_quarters = models.PositiveIntegerField(_("included hours"), null=True, editable=False)
    included_sessions = models.PositiveSmallIntegerField(
        _("included sessions"), null=True, editable=False
    )
    overage_rate_cents = models.PositiveIntegerField(
        _("rate per hour of overage"), null=True, editable=False
    )

    class Meta:
        verbose_name = _("quote")
        verbose_name_plural = _("quotes")
        ordering: ClassVar = ["organisation", "start_month"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(tier__in=Tier.values)
                & Q(overage__in=OveragePolicy.values)
                & Q(release__in=["", *ReleaseChoice.values])
                & Q(billing_interval__in=BillingInterval.values)
                & Q(collection__in=Collection.values),
                name="quote_is_from_the_known_choices",
            ),
            models.CheckConstraint(
                condition=Q(
                    offered_on__isnull=True, **{f"{name}__isnull": True for name in PROMISED}
                )
                | Q(offered_on__isnull=False, **{f"{name}__isnull": False for name in PROMISED}),
                name="quote_is_offered_with_its_prices",
            ),
            models.CheckConstraint(
                condition=Q(offered_on__isnull=True) | Q(valid_until__gte=F("offered_on")),
                name="quote_holds_from_the_day_it_is_offered",
            ),
            models.CheckConstraint(
                condition=Q(contract__isnull=True)
                | Q(offered_on__isnull=False, withdrawn_on__isnull=True),
                name="only_what_is_offered_is_signed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.start_month}"
