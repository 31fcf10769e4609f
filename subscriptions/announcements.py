"""Telling contacts that statements are there: one fixed text for all, at one moment.

Subject and text hold no name, period or figure: what is in a mail has left the agency's hands.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext, override
from django_q.tasks import async_task

from agency.models import Contact
from agency.tokens import light
from subscriptions.models import Publication, PublicationMail


def announce(publication_id: UUID) -> None:
    """Queue a mail to each contact of the organisations in a publication; repeating is harmless."""
    told = PublicationMail.objects.filter(publication=publication_id).values("contact")
    contacts = Contact.objects.filter(
        organisation__statements__publication=publication_id, user__is_active=True
    ).exclude(pk__in=told)
    with transaction.atomic():
        for contact_id in contacts.distinct().values_list("pk", flat=True):
            async_task("subscriptions.tasks.mail_contact", str(publication_id), str(contact_id))


def mail_contact(publication_id: UUID, contact_id: UUID) -> None:
    """Tell a contact, once: the row that says so is kept only if the mail was handed over."""
    contact = Contact.objects.select_related("user").get(pk=contact_id)
    with transaction.atomic():
        _row, is_new = PublicationMail.objects.get_or_create(
            publication=Publication.objects.get(pk=publication_id), contact=contact
        )
        if is_new:
            _message(contact).send()


def _message(contact: Contact) -> EmailMultiAlternatives:
    with override(contact.user.language):
        context = {
            "address": f"{settings.SITE_URL}/portal/",
            "colour": {name.replace("-", "_"): value for name, value in light().items()},
        }
        message = EmailMultiAlternatives(
            subject=gettext("Your statement of hours is ready"),
            body=render_to_string("mail/statement_ready.txt", context),
            to=[contact.user.email],
        )
        message.attach_alternative(
            render_to_string("mail/statement_ready.html", context), "text/html"
        )
    return message
