"""Asking counsellors for a month they have not submitted; nobody learns whether it has hours."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from advisors.hours import is_closed, missing
from agency.mail import Mail, compose
from agency.month import Month

SUBJECT = _("Please submit your month")
SECONDS_BETWEEN_REMINDERS = 60 * 60  # pressing the button twice sends one mail


def remind(month: Month) -> int:
    """Queue a mail to each who is missing in an open month, at most once an hour; give how many."""
    if is_closed(month):
        return 0
    asked = [
        advisor
        for advisor in missing(month).filter(user__is_active=True).order_by("pk")
        if cache.add(f"asked to submit {advisor.pk} {month}", 1, SECONDS_BETWEEN_REMINDERS)
    ]
    for advisor in asked:
        async_task("advisors.tasks.mail_missing", str(advisor.pk), str(month))
    return len(asked)


def mail_missing(advisor_id: UUID, month: Month) -> None:
    """Ask an advisor who is still missing to submit a month that is still open."""
    found = missing(month).filter(pk=advisor_id, user__is_active=True).select_related("user")
    advisor = found.first()
    if advisor is None or is_closed(month):
        return
    written(advisor.user.email, month, advisor.user.language).send()


def written(address: str, month: Month, language: str) -> Mail:
    """Write the mail that everybody gets who is missing."""
    page = f"{settings.SITE_URL}/hours/{month}/"
    return compose(
        "submission_missing", SUBJECT, [address], language=language, address=page, month=month
    )
