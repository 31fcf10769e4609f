"""What was published of hours: the only release channel (design section 2, decision 3)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agency.fields import MonthField, MonthRangeField
from agency.models import Contact, Entity, OfClients, Organisation, User
from agency.month import Month
from subscriptions.models.contracts import Subscription, TopUpCard


class ReleasePolicy(Entity):
    """A version of the thresholds by which periods are published (design 5.6); append-only."""

    version = models.PositiveSmallIntegerField(unique=True)
    month_from_headcount = models.PositiveIntegerField(default=251)
    quarter_from_headcount = models.PositiveIntegerField(default=26)
    figures_from_headcount = models.PositiveIntegerField(default=11)
    quarter_least_months = models.PositiveSmallIntegerField(default=3)
    year_least_months = models.PositiveSmallIntegerField(default=6)

    class Meta:
        verbose_name = _("release policy")
        verbose_name_plural = _("release policies")

    def __str__(self) -> str:
        return str(self.version)


class Publication(Entity):
    """The batch of all statements of a closed month, published at one moment."""

    month = MonthField(unique=True)
    published_on = models.DateField()

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        ordering: ClassVar = ["month"]

    def __str__(self) -> str:
        return str(self.month)


class PublicationMail(Entity):
    """That a contact is to be told of a publication, and whether the mail was handed over."""

    publication = models.ForeignKey(Publication, models.PROTECT, related_name="mails")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+")
    is_sent = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("mail of a publication")
        verbose_name_plural = _("mails of a publication")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["publication", "contact"], name="one_mail_per_publication_and_contact"
            ),
        ]

    def __str__(self) -> str:
        return str(self.publication)


class CardUse(Entity):
    """Quarter-hours that a statement took from a top-up card; append-only, seen by no client."""

    statement = models.ForeignKey(
        "subscriptions.Statement", models.PROTECT, related_name="card_uses"
    )
    card = models.ForeignKey(TopUpCard, models.PROTECT, related_name="uses")
    quarters = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("use of a card")
        verbose_name_plural = _("uses of cards")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["statement", "card"], name="one_use_per_statement_and_card"
            ),
            models.CheckConstraint(condition=Q(quarters__gte=1), name="card_use_has_hours"),
        ]

    def __str__(self) -> str:
        return str(self.card)


class OverageCredit(Entity):
    """Overage that a year's last statement found not due after all; append-only (design 5.4).

    Published with its statement, and billed as a credit in the run of its last month.
    """

    statement = models.OneToOneField(
        "subscriptions.Statement", models.PROTECT, related_name="overage_credit"
    )
    quarters = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("credit of overage")
        verbose_name_plural = _("credits of overage")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(quarters__gte=1), name="overage_credit_has_hours"),
        ]

    def __str__(self) -> str:
        return str(self.statement)


class Display(models.TextChoices):
    """How a period's use is shown to the client (design 5.6)."""

    EXACT = "exact", _("exact")
    BAND = "band", _("band")
    WITHHELD = "withheld", _("withheld")
    ALL_IN = "all_in", _("all-in")


class StatementQuerySet(OfClients["Statement"]):
    def newest(self) -> StatementQuerySet:
        """Only the last version of each period."""
        return self.filter(~models.Exists(_later_version()))

    def newest_since(self, month: Month) -> StatementQuerySet:
        """Give the same of all periods from a month on, at once: few contracts have two of one."""
        recent = self.filter(from_month__gte=month)
        corrected = Statement.objects.filter(from_month__gte=month, version__gt=1)
        is_alone = ~Q(subscription__in=corrected.values("subscription"))
        return recent.filter(is_alone | ~models.Exists(_later_version()))


def _later_version() -> models.QuerySet[Statement]:
    return Statement.objects.filter(
        subscription=models.OuterRef("subscription"),
        from_month=models.OuterRef("from_month"),
        version__gt=models.OuterRef("version"),
    )


class Statement(Entity):
    """What a client sees of one release period; append-only, guarded by database triggers.

    ``used_quarters`` is empty unless the display is exact. ``overage_quarters`` is what is
    charged for the period: 0 for withheld, all-in and capped contracts. ``allowance_quarters``
    is the contract year's, with what was carried in and without cards. All are whole half hours.
    """

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="statements")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="statements")
    publication = models.ForeignKey(
        Publication, models.PROTECT, null=True, related_name="statements"
    )
    policy = models.ForeignKey(ReleasePolicy, models.PROTECT, related_name="+")
    from_month = MonthField()
    until_month = MonthField()
    months = MonthRangeField()
    version = models.PositiveSmallIntegerField(default=1)
    display = models.CharField(max_length=10, choices=Display)
    used_quarters = models.PositiveIntegerField(null=True)
    allowance_quarters = models.PositiveIntegerField()
    overage_quarters = models.PositiveIntegerField()
    capped = models.BooleanField(default=False)

    objects = StatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        ordering: ClassVar = ["organisation", "from_month", "version"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscription", "from_month", "version"],
                name="one_statement_per_period_and_version",
            ),
            models.CheckConstraint(
                condition=Q(until_month__gt=F("from_month")), name="statement_covers_a_month"
            ),
            models.CheckConstraint(
                condition=Q(display="exact", used_quarters__isnull=False)
                | Q(display__in=["band", "withheld", "all_in"], used_quarters__isnull=True),
                name="only_an_exact_statement_shows_use",
            ),
            models.CheckConstraint(
                condition=Q(display__in=["exact", "band"], capped=False) | Q(overage_quarters=0),
                name="only_exact_and_band_statements_charge_overage",
            ),
        ]
        indexes: ClassVar = [
            # All that the use of a year is added up from.
            models.Index(
                fields=[
                    *("organisation", "from_month", "until_month", "display", "used_quarters"),
                    *("allowance_quarters", "subscription", "version"),
                ],
                name="statement_by_organisation",
            ),
            models.Index(fields=["-from_month"], name="statement_by_month"),
            models.Index(fields=["until_month"], name="statement_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.from_month}/{self.until_month}"


class BooksReason(models.TextChoices):
    """Why two people look into the hours behind a bill; a closed list, no words of their own."""

    CLIENT = "client", _("the client disputes the hours that were billed")
    ADVISOR = "advisor", _("an advisor disputes the hours that were posted")
    PROCEEDINGS = "proceedings", _("a court or an arbiter asks")


class BooksOpening(Entity):
    """That somebody asked to see a stated period's totals per advisor, and who agreed.

    What was asked never changes, and an agreement stays (triggers); `subscriptions.books` decides.
    """

    statement = models.ForeignKey(
        Statement, models.PROTECT, related_name="books_openings", verbose_name=_("statement")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=BooksReason)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_on = models.DateField(_("asked on"))
    agreed_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("agreed by")
    )
    agreed_on = models.DateField(_("agreed on"), null=True)

    class Meta:
        verbose_name = _("opening of the books")
        verbose_name_plural = _("openings of the books")
        ordering: ClassVar = ["-asked_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["statement", "asked_by", "asked_on"],
                name="books_are_asked_for_once_a_day",
            ),
            models.CheckConstraint(
                condition=Q(reason__in=BooksReason.values), name="books_open_for_a_known_reason"
            ),
            models.CheckConstraint(
                condition=Q(agreed_by__isnull=True, agreed_on__isnull=True)
                | Q(agreed_by__isnull=False, agreed_on__isnull=False)
                & Q(agreed_on__gte=F("asked_on"))
                & ~Q(agreed_by=F("asked_by")),
                name="books_take_two_people",
            ),
        ]

    def __str__(self) -> str:
        return str(self.statement)
