"""Who speaks for a client: invited without telling who else is here, and never without an owner."""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from agency import contacts
from agency.models import AuditEvent, Contact, Invitation, Organisation, User
from agency.sessions import sessions_of
from tests import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]
ON = dt.date(2026, 4, 8)


@pytest.fixture
def owner() -> Contact:
    return make.contact(make.organisation("OWN", legal_name="Our Own B.V."))


@pytest.fixture
def browser(owner: Contact) -> Client:
    browser = Client()
    browser.force_login(owner.user)
    return browser


def people(owner: Contact) -> str:
    return f"/portal/{owner.organisation_id}/people/"


def invite(browser: Client, owner: Contact, email: str, **changed: str) -> str:
    """Invite an address, and give what the page says then, without the address."""
    form = {"name": "Nora New", "email": email, "role": "reader", "language": "en"} | changed
    answer = browser.post(people(owner), form, follow=True)
    assert answer.status_code == 200
    (invitation,) = Invitation.objects.filter(organisation=owner.organisation)
    token = str(answer.context["csrf_token"])
    said = answer.content.decode().replace(token, "").replace(str(invitation.pk), "")
    return said.replace(email, "")


def test_whoever_has_the_mailbox_signs_in_by_a_code_and_is_a_contact(
    browser: Client, owner: Contact
) -> None:
    said = invite(browser, owner, "Nora@Own.example".lower())
    assert "Nora New" in said
    contacts.mail_waiting()
    (message,) = mail.outbox
    assert message.to == ["nora@own.example"]
    assert "Our Own B.V." in message.body
    assert f"{settings.SITE_URL}/portal/" in message.body

    somebody = Client()
    somebody.force_login(User.objects.get(email="nora@own.example"))

    contact = Contact.objects.get(user__email="nora@own.example")
    assert (contact.organisation, contact.role) == (owner.organisation, "reader")
    assert (contact.user.name, contact.user.language) == ("Nora New", "en")
    assert not contact.user.has_usable_password()
    assert not Invitation.objects.exists()
    assert somebody.get(people(owner)).status_code == 200


def test_an_invitation_is_mailed_once(browser: Client, owner: Contact) -> None:
    invite(browser, owner, "nora@own.example")
    invite(browser, owner, "nora@own.example")

    assert contacts.mail_waiting() == 1
    assert contacts.mail_waiting() == 0
    assert len(mail.outbox) == 1


@pytest.mark.attack(45)
@pytest.mark.parametrize("role", ["planner", "administrator", "advisor", "contact", "nobody"])
def test_an_invitation_tells_nothing_of_who_has_the_address(
    browser: Client, owner: Contact, role: str
) -> None:
    """Neither at once, nor after the mail; and colleagues and counsellors never become contacts."""
    pages = []
    for email in ("somebody@place.example", "unknown@place.example"):
        if role != "nobody" and email.startswith("somebody"):
            user = make.user(role, email=email, name="Known Elsewhere", language="nl")
            if role == "contact":
                make.contact(make.organisation("ELSE"), user)
        said = [invite(browser, owner, email)]
        contacts.mail_waiting()
        page = browser.get(people(owner)).content.decode()
        said.append("Known Elsewhere" if "Known Elsewhere" in page else "")
        pages.append(said)
        Invitation.objects.all().delete()

    assert pages[0] == pages[1]
    known = User.objects.get(email="somebody@place.example")
    assert known.role == (role if role != "nobody" else "contact")


@pytest.mark.parametrize("role", ["controller", "advisor"])
def test_a_colleague_or_counsellor_gets_no_mail_and_no_place(
    browser: Client, owner: Contact, role: str
) -> None:
    user = make.user(role, email="colleague@agency.example")
    invite(browser, owner, user.email)

    contacts.mail_waiting()
    Client().force_login(user)

    assert mail.outbox == []
    assert not Contact.objects.filter(user=user).exists()
    user.refresh_from_db()
    assert user.role == role


def test_a_contact_of_another_client_keeps_the_own_name_and_gets_a_second_place(
    browser: Client, owner: Contact
) -> None:
    there = make.contact(make.organisation("ELSE"))
    invite(browser, owner, there.user.email, name="Called Otherwise")
    contacts.mail_waiting()

    Client().force_login(there.user)

    there.user.refresh_from_db()
    assert there.user.name == "HR of ELSE"
    assert Contact.objects.filter(user=there.user).count() == 2


def test_too_many_invitations_in_an_hour_wait(browser: Client, owner: Contact) -> None:
    form = {"name": "Nora", "role": "reader", "language": "nl"}
    answers = [
        browser.post(people(owner), form | {"email": f"n{number}@own.example"}).status_code
        for number in range(22)
    ]

    assert answers[:20] == [302] * 20
    assert answers[20:] == [429, 429]
    assert Invitation.objects.count() == 20


# Changing and removing


def test_an_owner_changes_role_and_language(browser: Client, owner: Contact) -> None:
    colleague = make.contact(owner.organisation, make.user("contact"), "reader")

    answer = browser.post(
        f"{people(owner)}{colleague.pk}/", {"role": "billing", "language": "nl"}, follow=True
    )

    colleague.refresh_from_db()
    assert (colleague.role, colleague.user.language) == ("billing", "nl")
    assert answer.status_code == 200
    events = AuditEvent.objects.values_list("subject_model", "fields")
    assert set(events) == {("agency.contact", "role"), ("agency.user", "language")}


@pytest.mark.parametrize("role", ["billing", "reader"])
def test_the_last_owner_is_neither_demoted_nor_removed(
    browser: Client, owner: Contact, role: str
) -> None:
    former = make.user("contact", email="former@own.example", is_active=False)
    make.contact(owner.organisation, former)  # an owner who signs in no more is none

    changed = browser.post(f"{people(owner)}{owner.pk}/", {"role": role, "language": "en"})
    removed = browser.post(f"{people(owner)}{owner.pk}/remove/")

    owner.refresh_from_db()
    assert owner.role == "owner"
    for answer in (changed, removed):
        assert answer.status_code == 400
        assert b"This is the only owner" in answer.content


def test_who_is_removed_is_out_at_once_and_signs_in_no_more(
    browser: Client, owner: Contact
) -> None:
    colleague = make.contact(owner.organisation, make.user("contact"), "reader")
    theirs = Client()
    theirs.force_login(colleague.user)
    assert theirs.get(people(owner)).status_code == 200

    browser.post(f"{people(owner)}{colleague.pk}/remove/")

    assert theirs.get(people(owner)).status_code == 302
    assert sessions_of(colleague.user) == []
    colleague.user.refresh_from_db()
    assert not colleague.user.is_active
    assert sessions_of(owner.user) != []


def test_who_has_another_place_keeps_that_and_stays_signed_in(
    browser: Client, owner: Contact
) -> None:
    user = make.user("contact")
    colleague = make.contact(owner.organisation, user, "reader")
    elsewhere = make.contact(make.organisation("ELSE"), user)
    theirs = Client()
    theirs.force_login(user)

    browser.post(f"{people(owner)}{colleague.pk}/remove/")

    assert theirs.get(people(owner)).status_code == 404
    assert theirs.get(people(elsewhere)).status_code == 200


def test_who_left_everywhere_comes_back_by_an_invitation(browser: Client, owner: Contact) -> None:
    colleague = make.contact(owner.organisation, make.user("contact"), "reader")
    browser.post(f"{people(owner)}{colleague.pk}/remove/")
    invite(browser, owner, colleague.user.email)

    contacts.mail_waiting()

    colleague.user.refresh_from_db()
    assert colleague.user.is_active
    assert len(mail.outbox) == 1


def test_who_was_locked_out_by_staff_is_not_let_in_by_an_invitation(
    browser: Client, owner: Contact
) -> None:
    there = make.contact(make.organisation("ELSE"))
    User.objects.filter(pk=there.user_id).update(is_active=False)
    invite(browser, owner, there.user.email)

    contacts.mail_waiting()

    there.user.refresh_from_db()
    assert not there.user.is_active
    assert mail.outbox == []


# Ownership


def test_ownership_is_handed_over_after_a_page_that_says_what_comes_of_it(
    browser: Client, owner: Contact
) -> None:
    colleague = make.contact(owner.organisation, make.user("contact", name="Jo Next"), "billing")
    address = f"{people(owner)}{colleague.pk}/transfer/"
    asked = browser.get(address).content.decode()
    assert "Make Jo Next the owner?" in asked
    assert "You become what Jo Next is now: billing." in asked
    assert Contact.objects.get(pk=owner.pk).role == "owner"

    browser.post(address)

    assert Contact.objects.get(pk=colleague.pk).role == "owner"
    assert Contact.objects.get(pk=owner.pk).role == "billing"


def test_ownership_is_not_handed_to_an_owner(browser: Client, owner: Contact) -> None:
    answer = browser.post(f"{people(owner)}{owner.pk}/transfer/")

    assert answer.status_code == 400
    assert b"goes from an owner to somebody who is not one" in answer.content


def test_an_erased_address_is_invited_no_more(owner: Contact) -> None:
    from agency import retention

    make.invitation(owner.organisation, "nora@own.example")

    done, _staying = retention.erase_person("nora@own.example", on=ON)

    assert done["agency.Invitation"] == 1
    assert not Invitation.objects.exists()
    assert Organisation.objects.count() == 1
