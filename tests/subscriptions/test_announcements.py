"""Contacts are told of a publication: once, all alike, and nothing of what it says."""

import datetime as dt
from uuid import UUID

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django_q.models import OrmQ
from pytest_django.fixtures import Settings

from agency.models import Contact, Organisation
from agency.month import Month
from subscriptions import announcements, statements
from subscriptions.models import Publication, PublicationMail
from tests import factories as make

pytestmark = pytest.mark.django_db
MARCH = Month.parse("2026-03")


def close_for(hours: dict[str, int]) -> Publication:
    """Close a quarter for clients of 60 people with these posted quarters, a contact each."""
    make.price_book()
    advisor = make.advisor("ADV1")
    for code, quarters in hours.items():
        organisation = make.organisation(code)
        make.headcount(organisation, 60, "2026-01")
        make.subscription(organisation, "2026-01", "extended")
        make.month_hours(advisor, organisation, "2026-02", quarters)
        make.contact(organisation)
    for month in ("2026-01", "2026-02", "2026-03"):
        statements.close_month(Month.parse(month), on=dt.date(2026, 4, 2))
    return Publication.objects.get(month=MARCH)


def queued() -> list[tuple[str, tuple[str, ...]]]:
    return [(task.task["func"], task.task["args"]) for task in OrmQ.objects.all()]


def planned(publication: Publication) -> PublicationMail:
    announcements.announce(publication.pk)
    return PublicationMail.objects.get()


@pytest.mark.attack(25)
def test_closing_a_month_queues_the_mails_with_ids_only() -> None:
    publication = close_for({"ORG1": 2})

    assert ("subscriptions.tasks.announce", (str(publication.pk),)) in queued()


@pytest.mark.attack(28)
def test_every_contact_of_the_batch_gets_the_same_text_whatever_was_used() -> None:
    publication = close_for({"QUIET": 0, "BUSY": 401})

    announcements.announce(publication.pk)
    for function, arguments in queued():
        if function == "subscriptions.tasks.mail_contact":
            announcements.mail_contact(UUID(arguments[0]))

    assert len(mail.outbox) == 2
    assert mail.outbox[0].to != mail.outbox[1].to
    assert mail.outbox[0].subject == mail.outbox[1].subject
    assert mail.outbox[0].body == mail.outbox[1].body
    first, second = [m.alternatives for m in mail.outbox if isinstance(m, EmailMultiAlternatives)]
    assert first == second
    assert "<h1" in str(first[0][0])


@pytest.mark.attack(28)
def test_a_mail_holds_no_name_period_or_figure() -> None:
    publication = close_for({"BUSY": 401})
    contact = publication.statements.get().organisation.contacts.get()

    announcements.mail_contact(planned(publication).pk)

    text = f"{mail.outbox[0].subject} {mail.outbox[0].body}"
    assert not any(mark in text for mark in ("BUSY", "2026", "100", contact.user.name))


def test_a_task_that_runs_twice_sends_one_mail() -> None:
    publication = close_for({"ORG1": 2})
    planned_mail = planned(publication)

    for _ in range(2):
        announcements.mail_contact(planned_mail.pk)

    assert len(mail.outbox) == 1


def test_a_mail_that_could_not_be_handed_over_is_tried_again(settings: Settings) -> None:
    publication = close_for({"ORG1": 2})
    planned_mail = planned(publication)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    with pytest.raises(OSError, match="refused"):
        announcements.mail_contact(planned_mail.pk)

    planned_mail.refresh_from_db()
    assert not planned_mail.is_sent


@pytest.mark.parametrize(
    ("language", "subject"),
    [("nl", "Uw urenopgave staat klaar"), ("en", "Your statement of hours is ready")],
)
def test_a_mail_is_in_the_language_of_its_reader(language: str, subject: str) -> None:
    publication = close_for({"ORG1": 2})
    contact = publication.statements.get().organisation.contacts.get()
    contact.user.language = language
    contact.user.save()

    announcements.mail_contact(planned(publication).pk)

    assert mail.outbox[0].subject == subject


def take_off(organisation: Organisation, contact: Contact) -> None:
    """Delete a contact as a planner does, on the page of its organisation."""
    planner = Client()
    planner.force_login(make.user("planner"))
    fields = ("code", "legal_name", "street", "postcode", "city", "country", "language")
    form = {name: getattr(organisation, name) for name in fields}
    row = {"id": contact.pk, "user": contact.user_id, "role": contact.role, "DELETE": "on"}
    form |= {f"contacts-0-{name}": value for name, value in row.items()}
    for table, number in (("contacts", 1), ("headcounts", 0)):
        form |= {f"{table}-TOTAL_FORMS": number, f"{table}-INITIAL_FORMS": number}
    page = f"/admin/agency/organisation/{organisation.pk}/change/"
    assert planner.post(page, form).status_code == 302


@pytest.mark.attack(33)
def test_who_was_told_and_is_a_contact_of_one_client_no_more_reads_the_other_alone() -> None:
    publication = close_for({"LEFT": 2, "KEPT": 2})
    left, kept = (Organisation.objects.get(code=code) for code in ("LEFT", "KEPT"))
    contact = left.contacts.get()
    make.contact(kept, contact.user)
    announcements.announce(publication.pk)
    told = PublicationMail.objects.get(contact=contact)
    announcements.mail_contact(told.pk)
    reader = Client()
    reader.force_login(contact.user)
    pages = ("/portal/{}/", "/portal/{}/invoices/", "/api/v1/organisations/{}/")
    assert {reader.get(page.format(left.pk)).status_code for page in pages} == {200}

    take_off(left, contact)

    assert {reader.get(page.format(left.pk)).status_code for page in pages} == {404}
    assert {reader.get(page.format(kept.pk)).status_code for page in pages} == {200}
    announcements.mail_contact(told.pk)  # its task comes again
    assert len(mail.outbox) == 1
