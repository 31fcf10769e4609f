"""What was agreed with an organisation."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agency.fields import MonthField, MonthRangeField
from agency.models import Entity, Organisation, User
from subscriptions.models.conditions import (
    BillingInterval,
    Chosen,
    Collection,
    Conditions,
    OveragePolicy,
    ReleaseChoice,
)
from subscriptions.models.prices import Tier


class Subscription(Conditions):
    """A contract: its term, how it is billed and how hours are carried over.

    What may change during the contract stands in its `Terms`; contracts of one organisation
    never overlap, which a database trigger guards. Of one that was brought in as it ran, the day
    it was signed on is not known; a day that is known stays.
    """

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="subscriptions", verbose_name=_("organisation")
    )
    start_month = MonthField(_("starts in"))
    until_month = MonthField(_("first month after the end"), null=True, blank=True)
    months = MonthRangeField("start_month", "until_month")
    signed_on = models.DateField(_("signed on"), null=True, blank=True)
    first_run = MonthField(_("first run"))
    reported_until = MonthField(_("reported by a former system until"))

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        ordering: ClassVar = ["organisation", "start_month"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(until_month__isnull=True),
                name="one_running_subscription_per_organisation",
                violation_error_message=_(
                    "This organisation has a contract without an end: give that an end first."
                ),
            ),
            models.UniqueConstraint(
                fields=["organisation", "start_month"],
                name="one_subscription_per_organisation_and_start",
            ),
            models.CheckConstraint(
                condition=Q(until_month__isnull=True) | Q(until_month__gt=F("start_month")),
                name="subscription_ends_after_it_starts",
                violation_error_message=_("A contract ends after it starts."),
            ),
            models.CheckConstraint(
                condition=Q(year_starts_in__isnull=True) | Q(year_starts_in__range=(1, 12)),
                name="contract_year_starts_in_a_month_of_the_year",
                violation_error_message=_("A contract year starts in a month from 1 to 12."),
            ),
            models.CheckConstraint(
                condition=Q(billing_interval__in=BillingInterval.values),
                name="billing_interval_is_a_month_a_quarter_or_a_year",
            ),
            models.CheckConstraint(
                condition=Q(notice_months__lte=F("term_months")),
                name="notice_is_not_longer_than_the_term",
                violation_error_message=_("The notice is not longer than the term."),
            ),
            models.CheckConstraint(
                condition=Q(carry_over_basis_points__lte=10_000),
                name="at_most_all_unused_hours_are_carried_over",
                violation_error_message=_("At most all unused hours are carried over."),
            ),
            models.CheckConstraint(
                condition=Q(reported_until__gte=F("start_month"))
                & (Q(until_month__isnull=True) | Q(reported_until__lte=F("until_month"))),
                name="former_system_reported_inside_the_contract",
                violation_error_message=_(
                    "The months that a former system reported lie within the contract."
                ),
            ),
            models.CheckConstraint(
                condition=Q(collection__in=Collection.values),
                name="subscription_has_a_known_collection",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.start_month}"


class TermsReason(models.TextChoices):
    START = "start", _("start")
    TIER_CHANGE = "tier_change", _("tier change")
    HEADCOUNT = "headcount", _("headcount")
    OWN_PRICE = "own_price", _("own price")
    INDEXATION = "indexation", _("indexation")
    CORRECTION = "correction", _("correction")


class Terms(Chosen):
    """A version of what was agreed, from a month on; versions are added and never changed.

    The version of a tier change says in which month it was asked for; when it takes effect follows
    from `subscriptions.agreements`. Own prices hold for the tier of the version of the start.
    """

    subscription = models.ForeignKey(
        Subscription, models.PROTECT, related_name="terms", verbose_name=_("subscription")
    )
    from_month = MonthField(_("from month"))
    reason = models.CharField(_("reason"), max_length=20, choices=TermsReason)

    class Meta:
        verbose_name = _("terms")
        verbose_name_plural = _("terms")
        ordering: ClassVar = ["subscription", "from_month"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscription", "from_month", "reason"],
                name="one_version_of_the_terms_per_month_and_reason",
            ),
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(reason="start"),
                name="a_subscription_starts_once",
                violation_error_message=_("A contract starts once: choose another reason."),
            ),
            models.CheckConstraint(
                condition=Q(tier__in=Tier.values)
                & Q(overage__in=OveragePolicy.values)
                & Q(release__in=["", *ReleaseChoice.values])
                & Q(reason__in=TermsReason.values),
                name="terms_are_from_the_known_choices",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.from_month}"


class Pause(Entity):
    """Months in which a contract rests: no fee, no included hours or sessions, no hours.

    Its months never change; a pause that has not begun may be withdrawn (`subscriptions.pauses`).
    Triggers guard that pauses of one contract lie inside it and never overlap.
    """

    subscription = models.ForeignKey(
        Subscription, models.PROTECT, related_name="pauses", verbose_name=_("subscription")
    )
    from_month = MonthField(_("from month"))
    until_month = MonthField(_("until month"))
    months = MonthRangeField()

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        ordering: ClassVar = ["subscription", "from_month"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscription", "from_month"], name="one_pause_per_subscription_and_start"
            ),
            models.CheckConstraint(
                condition=Q(until_month__gt=F("from_month")),
                name="pause_ends_after_it_starts",
                violation_error_message=_("A pause ends after it starts."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.from_month)


class RequestState(models.TextChoices):
    OPEN = "open", _("waits for the agency")
    CONFIRMED = "confirmed", _("confirmed")
    DECLINED = "declined", _("declined")


class TierChangeRequest(Entity):
    """A client's wish for another tier, which staff confirm into `Terms` or decline."""

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="tier_requests")
    tier = models.CharField(_("tier"), max_length=10, choices=Tier)
    from_month = MonthField(_("from month"))
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_on = models.DateField(_("requested on"))
    state = models.CharField(
        _("state"), max_length=10, choices=RequestState, default=RequestState.OPEN
    )

    class Meta:
        verbose_name = _("request for a tier change")
        verbose_name_plural = _("requests for a tier change")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(state="open"),
                name="one_open_request_per_subscription",
            ),
            models.CheckConstraint(
                condition=Q(tier__in=Tier.values) & Q(state__in=RequestState.values),
                name="request_is_of_a_known_tier_and_state",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tier_display()} {self.from_month}"


class HeadcountDeclaration(Entity):
    """A headcount that was declared for a month to come; confirmed, it becomes a `Headcount`.

    Where it makes the published periods shorter a second person of staff has to confirm it: more
    would be shown of fewer months (`subscriptions.declarations`).
    """

    organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        related_name="headcount_declarations",
        verbose_name=_("organisation"),
    )
    month = MonthField(_("from month"))
    headcount = models.PositiveIntegerField(_("headcount"))
    declared_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name=_("declared by")
    )
    declared_on = models.DateField(_("declared on"))
    confirmed_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("confirmed by")
    )
    seconded_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("and by")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=RequestState, default=RequestState.OPEN
    )

    class Meta:
        verbose_name = _("declared headcount")
        verbose_name_plural = _("declared headcounts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(state="open"),
                name="one_open_declaration_per_organisation",
                violation_error_message=_(
                    "Another headcount of this organisation waits: confirm or decline it first."
                ),
            ),
            models.CheckConstraint(
                condition=Q(state__in=RequestState.values) & Q(headcount__gte=1),
                name="declaration_is_of_somebody",
                violation_error_message=_("A headcount is at least one."),
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(confirmed_by__isnull=False),
                name="confirmed_declaration_says_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(seconded_by__isnull=True)
                | Q(confirmed_by__isnull=False) & ~Q(seconded_by=F("confirmed_by")),
                name="two_people_are_not_one",
            ),
        ]

    def __str__(self) -> str:
        return str(self.month)


class PurchaseOrder(Entity):
    """A client's order number, valid in a range of months; orders of one client do not overlap."""

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="purchase_orders", verbose_name=_("organisation")
    )
    number = models.CharField(_("number"), max_length=100)
    from_month = MonthField(_("from month"))
    until_month = MonthField(_("until month"), null=True, blank=True)
    budget_cents = models.BigIntegerField(_("budget, without VAT"), null=True, blank=True)
    months = MonthRangeField()

    class Meta:
        verbose_name = _("purchase order")
        verbose_name_plural = _("purchase orders")
        ordering: ClassVar = ["organisation", "from_month"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "from_month"], name="one_purchase_order_per_start"
            ),
            models.CheckConstraint(
                condition=Q(until_month__isnull=True) | Q(until_month__gt=F("from_month")),
                name="purchase_order_ends_after_it_starts",
                violation_error_message=_("A purchase order ends after it starts."),
            ),
            models.CheckConstraint(
                condition=Q(budget_cents__isnull=True) | Q(budget_cents__gt=0),
                name="budget_is_above_zero",
                violation_error_message=_(
                    "A budget is above zero; leave it empty if there is none."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class TopUpCard(Entity):
    """Hours bought beside the contract, oldest used first, until the month they expire.

    ``remaining_quarters`` is what was left when the card was bought or brought over from a
    former system; use since then is worked out from the statements.
    """

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="top_up_cards", verbose_name=_("organisation")
    )
    bought_quarters = models.PositiveIntegerField(_("hours"))
    remaining_quarters = models.PositiveIntegerField(_("hours left at the start"))
    price_cents = models.PositiveIntegerField(_("price"))
    bought_month = MonthField(_("bought in"))
    expires_month = MonthField(_("expires in"))
    months = MonthRangeField("bought_month", "expires_month")

    class Meta:
        verbose_name = _("top-up card")
        verbose_name_plural = _("top-up cards")
        ordering: ClassVar = ["organisation", "bought_month"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(expires_month__gt=F("bought_month")),
                name="card_is_valid_for_a_month",
                violation_error_message=_("A card expires after the month it was bought in."),
            ),
            models.CheckConstraint(
                condition=Q(remaining_quarters__lte=F("bought_quarters")),
                name="card_has_at_most_its_hours_left",
                violation_error_message=_("No more hours are left than were bought."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.bought_month)
