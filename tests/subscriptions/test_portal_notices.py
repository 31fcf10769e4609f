"""Contacts choose what they are mailed about; the mails obey, and say only that it is there."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest
from django.core import mail
from django.test import Client
from django_q.models import OrmQ

from agency import notices
from agency.models import AuditEvent, Contact
from subscriptions import announcements
from subscriptions.models import PublicationMail
from tests import factories as make
from workshops import scheduling
from workshops.models import CancelledBy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]
ALL = ("wants_publications", "wants_invoices", "wants_failed_payments", "wants_sessions")


@pytest.fixture
def contact() -> Contact:
    return make.contact(make.organisation("OWN"), role="reader")


def told(kind: str, contact: Contact) -> int:
    """Tell an organisation of something, and count the mails."""
    notices.tell(kind, contact.organisation_id)
    for row in OrmQ.objects.all():
        sent, contact_id = row.task["args"]
        notices.send(sent, UUID(contact_id))
    return len(mail.outbox)


def test_everybody_chooses_for_themselves(contact: Contact) -> None:
    browser = Client()
    browser.force_login(contact.user)
    address = f"/portal/{contact.organisation_id}/people/notices/"
    assert b"always go to invoices@own.example" in browser.get(address).content

    for _twice in range(2):
        answer = browser.post(address, {"wants_sessions": "on"})
        assert answer.status_code == 302

    contact.refresh_from_db()
    assert [getattr(contact, name) for name in ALL] == [False, False, False, True]
    event = AuditEvent.objects.get()
    assert event.fields == "wants_publications, wants_sessions"


@pytest.mark.parametrize("kind", notices.WANTS)
def test_who_did_not_choose_a_kind_is_not_mailed(contact: Contact, kind: str) -> None:
    assert told(kind, contact) == 0
    Contact.objects.filter(pk=contact.pk).update(**{notices.WANTS[kind]: True})
    make.contact(make.organisation("OTHER"), wants_invoices=True, wants_sessions=True)

    assert told(kind, contact) == 1
    (message,) = mail.outbox
    assert message.to == [contact.user.email]
    assert not any(character.isdigit() for character in str(message.body).split("\n")[0])


def test_a_choice_that_was_taken_back_holds_for_what_is_queued(contact: Contact) -> None:
    Contact.objects.filter(pk=contact.pk).update(wants_invoices=True)
    notices.tell(notices.INVOICE, contact.organisation_id)
    Contact.objects.filter(pk=contact.pk).update(wants_invoices=False)

    notices.send(notices.INVOICE, contact.pk)

    assert mail.outbox == []


def test_who_wants_no_mail_at_a_publication_gets_none(contact: Contact) -> None:
    contract = make.subscription(contact.organisation)
    make.statement(contract, "2026-01", "2026-04", publication=make.publication("2026-03"))
    batch = contract.statements.get().publication
    assert batch
    Contact.objects.filter(pk=contact.pk).update(wants_publications=False)

    announcements.announce(batch.pk)

    assert not PublicationMail.objects.exists()


def test_a_cancelled_session_is_told_to_who_chose_it(contact: Contact) -> None:
    Contact.objects.filter(pk=contact.pk).update(wants_sessions=True)
    session = make.session(contact.organisation, "S1", starts_at=make.at("2026-05-12 13:30"))

    scheduling.cancel(session, on=dt.date(2026, 4, 8), by=CancelledBy.AGENCY)

    (row,) = OrmQ.objects.all()
    assert row.task["args"] == (notices.SESSION, str(contact.pk))
