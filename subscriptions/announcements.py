"""Telling contacts that statements are there: one fixed text for all, at one moment.

Subject and text hold no name, period or figure: what is in a mail has left the agency's hands.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from agency.mail import Mail, compose
from agency.models import Contact
from subscriptions.models import PublicationMail

SUBJECT = _("Your statement of hours is ready")


def announce(publication_id: UUID) -> None:
    """Queue a mail to each contact in a publication who wants it; repeating is harmless."""
    contacts = Contact.objects.filter(
        organisation__statements__publication=publication_id,
        user__is_active=True,
        wants_publications=True,
    ).distinct()
    with transaction.atomic():
        PublicationMail.objects.bulk_create(
            [PublicationMail(publication_id=publication_id, contact=row) for row in contacts],
            ignore_conflicts=True,
        )
        unsent = PublicationMail.objects.filter(publication=publication_id, is_sent=False)
        # By random key: another order would be the clients', of which somebody knows two.
        for mail_id in unsent.order_by("pk").values_list("pk", flat=True):
            async_task("subscriptions.tasks.mail_contact", str(mail_id))


def mail_contact(mail_id: UUID) -> None:
    """Tell who still is a contact and wants it, once.

    A mail that is not handed over raises and is tried again. It is sent outside a transaction, so
    that a slow mail server holds up nobody. A process that dies between sending and writing it down
    sends twice: better than never.
    """
    row = PublicationMail.objects.select_related("contact__user").filter(pk=mail_id).first()
    if row and not row.is_sent and row.contact.wants_publications:
        written(row.contact.user.email, row.contact.user.language).send()
        PublicationMail.objects.filter(pk=mail_id).update(is_sent=True)


def written(address: str, language: str) -> Mail:
    """Write the mail that everybody gets."""
    page = f"{settings.SITE_URL}/portal/"
    return compose("statement_ready", SUBJECT, [address], language=language, address=page)
