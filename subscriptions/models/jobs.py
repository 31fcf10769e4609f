"""Long work that somebody waits for."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from agency.fields import MonthField
from agency.models import Entity, User


class JobKind(models.TextChoices):
    """Work that takes longer than a page may: each is a deed of `subscriptions.long_work`."""

    CLOSE = "close", _("closing a month")
    DRAFT = "draft", _("drafting invoices")
    PUSH = "push", _("sending invoices by Stripe")
    WORKBOOKS = "workbooks", _("writing workbooks")


class Job(Entity):
    """Work of the queue that somebody waits for: how far it is, and what came of it.

    The last of its kind for a month: done once more, it begins anew in the same row.
    ``subjects`` are what it works through, in order, and ``done`` says how many of them are behind
    it: whoever takes it up after a worker has died goes on there. ``failures`` are pairs of what
    was left out and why. ``seen_done`` is how far it was when the sweep last came by. ``result``
    names a file to take along (`subscriptions.jobs`).
    """

    kind = models.CharField(_("kind"), max_length=20, choices=JobKind)
    month = MonthField(_("month"))
    started_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("started by")
    )
    started_on = models.DateField(_("started on"))
    subjects = models.JSONField(default=list)
    total = models.PositiveIntegerField(_("in all"))
    done = models.PositiveIntegerField(_("done"), default=0)
    seen_done = models.PositiveIntegerField(null=True)
    failures = models.JSONField(default=list)
    finished_on = models.DateField(_("finished on"), null=True)
    result = models.CharField(_("result"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "month"], name="one_job_of_a_kind_and_month"),
            models.CheckConstraint(
                condition=Q(kind__in=JobKind.values), name="job_is_of_a_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(done__lte=F("total")), name="job_does_no_more_than_all"
            ),
        ]

    @property
    def language(self) -> str:
        """The language of who waits for it; a command is nobody, and speaks the agency's."""
        return self.started_by.language if self.started_by else settings.LANGUAGE_CODE

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.month}"
