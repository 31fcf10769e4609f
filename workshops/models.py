"""Facts: what can be booked, and the sessions planned, held and cancelled."""

from __future__ import annotations

from enum import nonmember
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from advisors.models import Advisor
from agency import particulars
from agency.models import Entity, OfClients, Organisation, Role, User
from agency.month import Month, day_of
from agency.particulars import ParticularField

if TYPE_CHECKING:
    import datetime as dt


class OfferingKind(models.TextChoices):
    WORKSHOP = "workshop", _("workshop")
    INFORMATION_SESSION = "information_session", _("information session")
    MASTERCLASS = "masterclass", _("masterclass")
    AGGRESSION_TRAINING = "aggression_training", _("aggression training")
    ADVICE = "advice", _("management advice")
    SERVICE = "service", _("service")


class Offering(Entity):
    """Something an organisation can book, with its price excluding VAT."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    kind = models.CharField(_("kind"), max_length=30, choices=OfferingKind)
    title_nl = models.CharField(_("title in Dutch"), max_length=200)
    title_en = models.CharField(_("title in English"), max_length=200)
    minutes = models.PositiveSmallIntegerField(_("minutes"))
    capacity = models.PositiveSmallIntegerField(_("capacity"))
    price_cents = models.PositiveIntegerField(_("price"))
    vocational = models.BooleanField(_("vocational education"), default=False)
    included_eligible = models.BooleanField(_("can be included in a subscription"), default=False)

    class Meta:
        verbose_name = _("offering")
        verbose_name_plural = _("offerings")
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=OfferingKind.values), name="offering_has_a_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(minutes__gte=1, capacity__gte=1),
                name="offering_takes_time_and_people",
                violation_error_message=_("An offering takes at least a minute and one person."),
            ),
        ]

    def __str__(self) -> str:
        return self.title_nl

    def title(self, language: str) -> str:
        return self.title_en if language == "en" else self.title_nl


class SessionStatus(models.TextChoices):
    """Where a session stands; `workshops.scheduling` alone moves it."""

    REQUESTED = "requested", _("requested")
    SCHEDULED = "scheduled", _("scheduled")
    HELD = "held", _("held")
    CANCELLED = "cancelled", _("cancelled")

    takes_the_trainer = nonmember(frozenset({"scheduled", "held"}))


class CancelledBy(models.TextChoices):
    CLIENT = "client", _("client")
    AGENCY = "agency", _("agency")


class SessionQuerySet(OfClients["Session"]):
    def visible_to(self, user: User) -> SessionQuerySet:
        """Sessions this person may read; open enrolment shows to staff and the trainer only."""
        if user.role == Role.ADVISOR:
            return self.filter(trainer__user=user)
        return super().visible_to(user)


class Session(Entity):
    """A dated meeting that a client ordered, or one of open enrolment (no organisation).

    In-house sessions hold a count of people and no names.
    """

    reference = models.CharField(_("reference"), max_length=20, unique=True)
    offering = models.ForeignKey(
        Offering, models.PROTECT, related_name="sessions", verbose_name=_("offering")
    )
    organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sessions",
        verbose_name=_("organisation"),
    )
    trainer = models.ForeignKey(
        Advisor,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sessions",
        verbose_name=_("trainer"),
    )
    starts_at = models.DateTimeField(_("starts at"))
    location = models.CharField(_("location"), max_length=200, blank=True)
    on_site_km = models.PositiveIntegerField(_("kilometres on site"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=20, choices=SessionStatus)
    group_size = models.PositiveSmallIntegerField(_("group size"), null=True, blank=True)
    cancelled_on = models.DateField(_("cancelled on"), null=True, blank=True)
    cancelled_by = models.CharField(
        _("cancelled by"), max_length=10, choices=CancelledBy, blank=True
    )

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering: ClassVar = ["starts_at", "reference"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=SessionStatus.values), name="session_has_a_known_status"
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_on__isnull=False)
                & Q(cancelled_by__in=CancelledBy.values)
                | ~Q(status="cancelled") & Q(cancelled_on__isnull=True, cancelled_by=""),
                name="cancelled_session_says_when_and_by_whom",
                violation_error_message=_(
                    "A cancelled session says when and by whom it was cancelled."
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organisation", "starts_at"], name="session_by_organisation"),
            models.Index(fields=["trainer", "starts_at"], name="session_by_trainer"),
            models.Index(fields=["status", "starts_at"], name="session_by_status"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def month(self) -> Month:
        """The month, in Amsterdam, that the session is planned for."""
        return Month.containing(self.starts_at)

    @property
    def month_due(self) -> Month:
        """The month in which it was held, or cancelled (design 5.7)."""
        if self.cancelled_on is None:
            return self.month
        return Month.containing(self.cancelled_on)

    @property
    def starts_on(self) -> dt.date:
        return day_of(self.starts_at)


class CancellationRung(Entity):
    """A step of the cancellation ladder: so many whole days before, that percentage of the price.

    The rung with the most days that the notice still reaches counts; there is one of 0 days.
    """

    days_before = models.PositiveSmallIntegerField(_("days before"), unique=True)
    percent = models.PositiveSmallIntegerField(_("percentage of the price"))

    class Meta:
        verbose_name = _("rung of the cancellation ladder")
        verbose_name_plural = _("cancellation ladder")
        ordering: ClassVar = ["-days_before"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(percent__lte=100),
                name="cancellation_costs_at_most_the_price",
                violation_error_message=_("Cancelling costs at most the price."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.days_before}: {self.percent} %"


class Enrolment(Entity):
    """A seat at a session of open enrolment; name and e-mail are erased after the retention term.

    The buyer is an organisation or, for anybody else, the address given here: the invoice goes
    there, and never says who sits on the seat. What a seat cost and who bought it is frozen once
    it is billed (a trigger of subscriptions, which knows what is billed).
    """

    session = models.ForeignKey(
        Session, models.PROTECT, related_name="enrolments", verbose_name=_("session")
    )
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail address"))
    price_cents = models.PositiveIntegerField(_("price"))
    organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="enrolments",
        verbose_name=_("organisation"),
    )
    buyer_name = models.CharField(_("buyer"), max_length=200, blank=True)
    buyer_street = models.CharField(_("street"), max_length=200, blank=True)
    buyer_postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    buyer_city = models.CharField(_("city"), max_length=100, blank=True)
    buyer_country = ParticularField(
        _("country"), max_length=2, blank=True, read=particulars.country
    )
    buyer_email = models.EmailField(_("e-mail address of the buyer"), blank=True)

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["session", "email"], name="one_seat_per_session_and_address"
            ),
            models.CheckConstraint(
                condition=Q(organisation__isnull=False) | ~Q(buyer_name=""),
                name="enrolment_has_a_buyer",
                violation_error_message=_(
                    "Give the organisation that pays, or the buyer's name and address."
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.session)
