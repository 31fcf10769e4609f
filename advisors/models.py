"""Facts: who advises whom, what qualifies them, and the hours of each month.

The three tables of hours hold no date, time, count, text or file, and no key that tells an order:
a row says how many quarter-hours an advisor spent for an organisation in a month, all activities
pooled (design section 2, decision 2).
"""

from __future__ import annotations

from enum import nonmember
from typing import TYPE_CHECKING, ClassVar, TypeVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agency import particulars
from agency.fields import MonthField, MonthRangeField
from agency.models import Entity, Organisation, Role, User
from agency.particulars import ParticularField

if TYPE_CHECKING:
    from agency.month import Month

Row = TypeVar("Row", bound=models.Model)

# A month has at most 31 days of 96 quarter-hours.
MOST_QUARTERS_IN_A_MONTH = 31 * 96


class Advisor(Entity):
    """A confidential counsellor, trainer, mediator or investigator who works for the agency."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    user = models.OneToOneField(
        User, models.PROTECT, related_name="advisor", verbose_name=_("user")
    )
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    languages = models.CharField(_("languages"), max_length=100, help_text=_("nl,en"))
    provinces = models.CharField(_("provinces"), max_length=300, blank=True)
    capacity_quarters = models.PositiveIntegerField(
        _("committed hours a month"), null=True, blank=True
    )
    kvk_number = ParticularField(
        _("KVK number"), max_length=8, blank=True, read=particulars.kvk_number
    )
    vat_id = ParticularField(_("VAT id"), max_length=20, blank=True, read=particulars.eu_vat_id)
    iban = ParticularField(_("IBAN"), max_length=34, blank=True, read=particulars.iban)

    class Meta:
        verbose_name = _("advisor")
        verbose_name_plural = _("advisors")
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return self.user.name


def with_advisor(rows: models.QuerySet[Row], name: str) -> models.QuerySet[Row]:
    """Read rows with their advisor of a name, but for what is nobody's who is told who comes."""
    particulars_of = [f"{name}__{column}" for column in ("kvk_number", "vat_id", "iban")]
    return rows.select_related(f"{name}__user").defer(*particulars_of)


class CostRate(Entity):
    """What an hour of an advisor costs the agency, from a month on."""

    advisor = models.ForeignKey(
        Advisor, models.PROTECT, related_name="cost_rates", verbose_name=_("advisor")
    )
    from_month = MonthField(_("from month"))
    rate_cents = models.PositiveIntegerField(_("rate per hour"))

    class Meta:
        verbose_name = _("cost rate")
        verbose_name_plural = _("cost rates")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisor", "from_month"], name="one_cost_rate_per_advisor_and_month"
            ),
        ]

    def __str__(self) -> str:
        return str(self.from_month)


class Absence(Entity):
    """Days on which an advisor is not there; no reason is kept."""

    advisor = models.ForeignKey(
        Advisor, models.PROTECT, related_name="absences", verbose_name=_("advisor")
    )
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gt=F("from_on")),
                name="absence_ends_after_it_starts",
                violation_error_message=_("An absence ends after it starts."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.from_on)


class QualificationKind(models.TextChoices):
    LVV = "lvv", _("LVV certificate")
    OVAL = "oval", _("OVAL recognition")


class Qualification(Entity):
    """A certificate of an advisor, valid up to and including a day."""

    advisor = models.ForeignKey(
        Advisor, models.PROTECT, related_name="qualifications", verbose_name=_("advisor")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=QualificationKind)
    number = models.CharField(_("number"), max_length=40)
    valid_until = models.DateField(_("valid until"))

    class Meta:
        verbose_name = _("qualification")
        verbose_name_plural = _("qualifications")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisor", "kind", "number"], name="one_row_per_certificate"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=QualificationKind.values),
                name="qualification_is_of_a_known_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"


class CpdKind(models.TextChoices):
    """The 72 hours in four years of an LVV certificate: 24 + 32 + 16."""

    TRAINING = "training", _("accredited training")
    PEER_REVIEW = "peer_review", _("peer review")
    EXTRA = "extra", _("extra")


class CpdEntry(Entity):
    """Hours of continuing education that count for a certificate."""

    qualification = models.ForeignKey(
        Qualification, models.PROTECT, related_name="cpd_entries", verbose_name=_("qualification")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=CpdKind)
    on = models.DateField(_("date"))
    quarters = models.PositiveSmallIntegerField(_("quarters of an hour"))

    class Meta:
        verbose_name = _("CPD entry")
        verbose_name_plural = _("CPD entries")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quarters__gte=1),
                name="cpd_entry_has_hours",
                violation_error_message=_("A CPD entry has at least a quarter of an hour."),
            ),
            models.CheckConstraint(
                condition=Q(kind__in=CpdKind.values), name="cpd_entry_is_of_a_known_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on}"


class AssignmentRole(models.TextChoices):
    COUNSELLOR = "counsellor", _("counsellor")
    DEPUTY = "deputy", _("deputy")
    CONTACT_COUNSELLOR = "contact_counsellor", _("contact counsellor")
    TRAINER = "trainer", _("trainer")
    MEDIATOR = "mediator", _("mediator")
    INVESTIGATOR = "investigator", _("investigator")

    # Who stands beside an employee can never mediate or investigate at the same organisation.
    beside = nonmember(frozenset({"counsellor", "deputy", "contact_counsellor"}))
    between = nonmember(frozenset({"mediator", "investigator"}))

    def excludes(self, other: str) -> bool:
        """Tell whether one advisor can never have both roles at one organisation."""
        mine, theirs = self.value, str(other)
        return (mine in AssignmentRole.beside and theirs in AssignmentRole.between) or (
            mine in AssignmentRole.between and theirs in AssignmentRole.beside
        )


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def in_month(self, month: Month) -> AssignmentQuerySet:
        return self.filter(
            Q(until_month__isnull=True) | Q(until_month__gt=month), from_month__lte=month
        )


class Assignment(Entity):
    """An advisor's role at an organisation in a range of months.

    Database triggers refuse a counsellor who becomes mediator or investigator at the same
    organisation, whatever the months.
    """

    advisor = models.ForeignKey(
        Advisor, models.PROTECT, related_name="assignments", verbose_name=_("advisor")
    )
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="assignments", verbose_name=_("organisation")
    )
    role = models.CharField(_("role"), max_length=20, choices=AssignmentRole)
    from_month = MonthField(_("from month"))
    until_month = MonthField(_("until month"), null=True, blank=True)
    months = MonthRangeField()

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering: ClassVar = ["organisation", "from_month"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisor", "organisation", "role", "from_month"],
                name="one_assignment_per_role_and_start",
            ),
            models.CheckConstraint(
                condition=Q(until_month__isnull=True) | Q(until_month__gt=F("from_month")),
                name="assignment_ends_after_it_starts",
                violation_error_message=_("An assignment ends after it starts."),
            ),
            models.CheckConstraint(
                condition=Q(role__in=AssignmentRole.values), name="assignment_has_a_known_role"
            ),
        ]

    def __str__(self) -> str:
        return self.get_role_display()


class ClosedMonth(Entity):
    """A month whose hours are posted; closing locks it for good (design section 6)."""

    month = MonthField(unique=True)

    class Meta:
        verbose_name = _("closed month")
        verbose_name_plural = _("closed months")
        ordering: ClassVar = ["month"]

    def __str__(self) -> str:
        return str(self.month)


class MonthSubmission(Entity):
    """An advisor's word that all hours of a month are in, also when there were none."""

    advisor = models.ForeignKey(Advisor, models.PROTECT, related_name="submissions")
    month = MonthField(_("month"))

    class Meta:
        verbose_name = _("month submission")
        verbose_name_plural = _("month submissions")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisor", "month"], name="one_submission_per_advisor_and_month"
            ),
        ]

    def __str__(self) -> str:
        return str(self.month)


class DraftHours(Entity):
    """Hours of an open month; `advisors.hours.record` alone changes them, by compare-and-set."""

    advisor = models.ForeignKey(Advisor, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    month = MonthField()
    quarters = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisor", "organisation", "month"],
                name="one_draft_per_advisor_organisation_and_month",
            ),
            models.CheckConstraint(
                condition=Q(quarters__lte=MOST_QUARTERS_IN_A_MONTH),
                name="draft_hours_fit_into_a_month",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class MonthHours(Entity):
    """Posted hours of a month: written once by `advisors.hours.post`, guarded by triggers."""

    advisor = models.ForeignKey(Advisor, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    month = MonthField()
    quarters = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisor", "organisation", "month"],
                name="one_row_of_hours_per_advisor_organisation_and_month",
            ),
            models.CheckConstraint(
                condition=Q(quarters__lte=MOST_QUARTERS_IN_A_MONTH),
                name="month_hours_fit_into_a_month",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["organisation", "month", "quarters"], name="hours_by_organisation"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class AdjustmentReason(models.TextChoices):
    LATE_WORK = "late_work", _("work of an earlier month")
    WRONG_ORGANISATION = "wrong_organisation", _("booked on another organisation")
    MISCOUNTED = "miscounted", _("counted wrong")


class HoursAdjustment(Entity):
    """Late work or a correction, signed, counted in the month that was open when it was made."""

    advisor = models.ForeignKey(Advisor, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    month = MonthField()
    quarters = models.SmallIntegerField()
    reason = models.CharField(max_length=20, choices=AdjustmentReason)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advisor", "organisation", "month", "reason"],
                name="one_adjustment_per_reason_and_month",
            ),
            models.CheckConstraint(
                condition=Q(
                    quarters__gte=-MOST_QUARTERS_IN_A_MONTH, quarters__lte=MOST_QUARTERS_IN_A_MONTH
                ),
                name="adjustment_fits_into_a_month",
            ),
            models.CheckConstraint(
                condition=Q(reason__in=AdjustmentReason.values),
                name="adjustment_has_a_reason_from_the_list",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


def visible_organisations(user: User, month: Month) -> models.QuerySet[Organisation]:
    """Organisations that an advisor is assigned to in a month, for the hours page."""
    if user.role != Role.ADVISOR:
        return Organisation.objects.none()
    assigned = Assignment.objects.in_month(month).filter(advisor__user=user)
    return Organisation.objects.filter(pk__in=assigned.values("organisation"))
