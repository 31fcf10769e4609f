"""What joins a client to another organisation: who pays for it, and who took it over."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agency.fields import MonthField, MonthRangeField
from agency.models import Entity, Organisation


class Payer(Entity):
    """Months in which another organisation pays for a client, as in a group of schools.

    A run's document goes to who pays in the month after the run, in which it is dated. Triggers
    guard that ranges of one client do not overlap, and that nobody pays for who pays for others.
    """

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="payers", verbose_name=_("organisation")
    )
    payer = models.ForeignKey(
        Organisation, models.PROTECT, related_name="pays_for", verbose_name=_("payer")
    )
    from_month = MonthField(_("from month"))
    until_month = MonthField(_("until month"), null=True, blank=True)
    months = MonthRangeField()

    class Meta:
        verbose_name = _("payer")
        verbose_name_plural = _("payers")
        ordering: ClassVar = ["organisation", "from_month"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(payer=F("organisation")),
                name="payer_is_another_organisation",
                violation_error_message=_("Who pays is another organisation."),
            ),
            models.CheckConstraint(
                condition=Q(until_month__isnull=True) | Q(until_month__gt=F("from_month")),
                name="payer_pays_for_a_month",
                violation_error_message=_("Paying ends after it begins."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.payer)


class Takeover(Entity):
    """A client that another organisation takes over, from a month on: a takeover or a merger.

    Its contract ends with that month, and what was published stays its own. Triggers guard that it
    has no contract after it, that the successor is still there, and that the row never changes.
    """

    organisation = models.OneToOneField(
        Organisation, models.PROTECT, related_name="taken_over", verbose_name=_("organisation")
    )
    successor = models.ForeignKey(
        Organisation, models.PROTECT, related_name="takeovers", verbose_name=_("taken over by")
    )
    from_month = MonthField(_("from month"))

    class Meta:
        verbose_name = _("takeover")
        verbose_name_plural = _("takeovers")
        ordering: ClassVar = ["-from_month", "organisation"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(successor=F("organisation")),
                name="successor_is_another_organisation",
                violation_error_message=_("Another organisation takes over."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.organisation)
