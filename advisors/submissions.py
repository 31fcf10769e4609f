"""Asking counsellors for a month they have not submitted; nobody learns whether it has hours."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import gettext, override
from django_q.tasks import async_task

from advisors.hours import is_closed, missing
from agency.month import Month
from agency.templatetags.figures import month_name
from agency.tokens import in_templates

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
    with override(advisor.user.language):
        context = {
            "address": f"{settings.SITE_URL}/hours/{month}/",
            "month": month_name(month),
            "colour": in_templates(),
        }
        message = EmailMultiAlternatives(
            subject=gettext("Please submit your month"),
            body=render_to_string("mail/submission_missing.txt", context),
            to=[advisor.user.email],
        )
        page = render_to_string("mail/submission_missing.html", context)
        message.attach_alternative(page, "text/html")
    message.send()
