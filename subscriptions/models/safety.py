"""What holds runs and clients back until a person has looked."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agency.fields import MonthField
from agency.models import Entity, Organisation, User


class ParkedBecause(models.TextChoices):
    DISPUTE = "dispute", _("a bill or the contract is contested")
    PARTICULARS = "particulars", _("particulars are being sorted out")
    TAKEOVER = "takeover", _("takeover or merger under way")
    MISTAKE = "mistake", _("a mistake of ours is being looked into")


class ParkedOrganisation(Entity):
    """A client of which nothing is billed or sent before a month, or until the row is deleted.

    ``until_month`` is the first month that is billed again, and in which is sent again.
    """

    organisation = models.OneToOneField(
        Organisation, models.PROTECT, related_name="parked", verbose_name=_("organisation")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=ParkedBecause)
    until_month = MonthField(_("until month"), null=True, blank=True)

    class Meta:
        verbose_name = _("parked organisation")
        verbose_name_plural = _("parked organisations")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(reason__in=ParkedBecause.values),
                name="organisation_is_parked_for_a_known_reason",
            )
        ]

    def __str__(self) -> str:
        return str(self.organisation)


class AcceptedRun(Entity):
    """A run that passed a bound as a whole, and that a controller looked at and accepts."""

    run_month = MonthField(_("run"), unique=True)
    accepted_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name=_("accepted by")
    )
    accepted_on = models.DateField(_("accepted on"))

    class Meta:
        verbose_name = _("accepted run")
        verbose_name_plural = _("accepted runs")

    def __str__(self) -> str:
        return str(self.run_month)
