"""Mails that contacts chose to get: that an invoice is there, a payment failed, a session moved.

Subject and text are fixed and hold no name, amount or date. What has to be told, such as an
invoice, an announced debit or a reminder, goes to where invoices go, whatever anybody chose here.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from agency.mail import Mail, compose
from agency.models import Contact

INVOICE, FAILED_PAYMENT, SESSION = "invoice", "failed_payment", "session"
SUBJECTS: dict[str, Any] = {
    INVOICE: _("There is a new invoice"),
    FAILED_PAYMENT: _("A payment did not come through"),
    SESSION: _("A session was planned, moved or cancelled"),
}
WANTS = {
    INVOICE: "wants_invoices",
    FAILED_PAYMENT: "wants_failed_payments",
    SESSION: "wants_sessions",
}


def tell(kind: str, organisation_id: UUID | None) -> None:
    """Queue a mail to each contact of an organisation who chose this kind."""
    wanting = Contact.objects.filter(organisation=organisation_id, **{WANTS[kind]: True})
    for contact in wanting.filter(user__is_active=True).order_by("pk"):
        async_task("agency.tasks.mail_notice", kind, str(contact.pk))


def send(kind: str, contact_id: UUID) -> None:
    """Mail who still is a contact and still wants it.

    As with other mail, a process that dies before the task is over sends twice.
    """
    wanting = Contact.objects.filter(pk=contact_id, **{WANTS[kind]: True}, user__is_active=True)
    for contact in wanting.select_related("user"):
        written(kind, contact.user.email, contact.user.language).send()


def written(kind: str, address: str, language: str) -> Mail:
    """Write the mail that everybody gets who chose its kind."""
    page = f"{settings.SITE_URL}/portal/"
    return compose("notice", SUBJECTS[kind], [address], language=language, address=page)
