"""Who speaks for a client: invited by it, changed, removed, and ownership that is handed over.

An invitation answers the same whoever has the address. A worker mails it within a minute, and makes
the account that somebody new signs in with; the contact comes into being at the next sign-in.
Colleagues and counsellors are never made contacts, and their invitations look like any that waits.
The process that clients talk to makes no account and queues nothing: who breaks into it can do
neither.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agency import audit, sessions
from agency.mail import Mail, compose
from agency.models import Contact, ContactRole, Invitation, Organisation, Role, User

SUBJECT = _("You are invited to the page of your organisation")
MOST_WAITING = 25  # invitations of one client that nobody answered


class ContactRefusedError(ValidationError):
    """What cannot be done with a contact or invitation; its message is the sentence to show."""


@transaction.atomic
def invite(invitation: Invitation, *, by: User) -> bool:
    """Write an invitation down; False for the same one again, of which nothing more is done.

    Raises ContactRefusedError for who is a contact already, for an address that waits with another
    role, name or language, and where too many wait.
    """
    _lock(invitation.organisation)
    own = Invitation.objects.filter(organisation=invitation.organisation)
    waiting = own.filter(email=invitation.email).first()
    if waiting:
        told = ("name", "role", "language")
        if any(getattr(waiting, name) != getattr(invitation, name) for name in told):
            raise ContactRefusedError(
                _("This address was invited already: withdraw that first to change it.")
            )
        return False
    contacts = Contact.objects.filter(organisation=invitation.organisation)
    if contacts.filter(user__email=invitation.email).exists():
        raise ContactRefusedError(_("This address is among your people already."))
    if own.count() >= MOST_WAITING:
        raise ContactRefusedError(_("Many invitations wait for an answer: withdraw some first."))
    invitation.save(force_insert=True)
    audit.note(invitation, "invited", by=by, on=invitation.invited_on)
    return True


@transaction.atomic
def withdraw(invitation: Invitation, *, by: User, on: dt.date) -> None:
    audit.note(invitation, "withdrawn", by=by, on=on)
    invitation.delete()


def mail_waiting() -> int:
    """Mail the invitations that wait for it; count them."""
    waiting = list(Invitation.objects.filter(is_sent=False).values_list("pk", flat=True))
    for invitation_id in waiting:
        send(invitation_id)
    return len(waiting)


def send(invitation_id: UUID) -> None:
    """Mail an invitation, once, and make the account where nobody has the address yet.

    A colleague or counsellor gets no mail, nor does who was locked out while having a place here.
    As with other mail, a process that dies before it is written down sends twice.
    """
    rows = Invitation.objects.filter(pk=invitation_id, is_sent=False).select_related("organisation")
    invitation = rows.first()
    if invitation is None:
        return
    user = _account(invitation)
    if user.role == Role.CONTACT and user.is_active:
        written(invitation, user.language).send()
    rows.update(is_sent=True)


@transaction.atomic
def _account(invitation: Invitation) -> User:
    known = User.objects.filter(email=invitation.email).first()
    if known is None:
        return User.objects.create_user(
            invitation.email,
            name=invitation.name,
            language=invitation.language,
            role=Role.CONTACT,
        )
    if known.role == Role.CONTACT and not known.is_active and not known.contacts.exists():
        known.is_active = True  # left everywhere, and comes back
        known.save(update_fields=["is_active"])
    return known


def written(invitation: Invitation, language: str) -> Mail:
    """Write the mail: it names the client, and needs no secret, as signing in asks for a code."""
    return compose(
        "invitation",
        SUBJECT,
        [invitation.email],
        language=language,
        client=invitation.organisation.legal_name,
        address=f"{settings.SITE_URL}/portal/",
    )


@transaction.atomic
def accept(user: User, *, on: dt.date) -> int:
    """Make who signed in a contact wherever that address was invited; count the places."""
    if user.role != Role.CONTACT:
        return 0
    waiting = list(Invitation.objects.filter(email=user.email))
    for invitation in waiting:
        contact, is_new = Contact.objects.get_or_create(
            organisation_id=invitation.organisation_id,
            user=user,
            defaults={"role": invitation.role},
        )
        if is_new:
            audit.note(contact, "added", by=user, on=on)
        invitation.delete()
    return len(waiting)


@transaction.atomic
def change(contact: Contact, *, role: str, language: str, by: User, on: dt.date) -> None:
    """Give a contact another role and language. Raises ContactRefusedError for the last owner."""
    _lock(contact.organisation)
    contact.refresh_from_db()
    if role != ContactRole.OWNER:
        _refuse_last_owner(contact)
    changed = [
        (row, name, value)
        for row, name, value in ((contact, "role", role), (contact.user, "language", language))
        if getattr(row, name) != value
    ]
    for row, name, value in changed:
        setattr(row, name, value)
        row.save(update_fields=[name])
        audit.note(row, "changed", by=by, on=on, fields=name)


@transaction.atomic
def remove(contact: Contact, *, by: User, on: dt.date) -> None:
    """Take somebody's place here away; who has no other one is signed out and signs in no more.

    Raises ContactRefusedError for the last owner.
    """
    _lock(contact.organisation)
    _refuse_last_owner(contact)
    user = contact.user
    audit.note(contact, "deleted", by=by, on=on)
    contact.delete()
    is_expected = Invitation.objects.filter(email=user.email).exists()
    if user.role == Role.CONTACT and not is_expected and not user.contacts.exists():
        user.is_active = False
        user.save(update_fields=["is_active"])
        sessions.end(user, [session.mark for session in sessions.sessions_of(user)])


@transaction.atomic
def hand_over(owner: Contact, to: Contact, *, on: dt.date) -> None:
    """Make a colleague the owner, and the owner what that colleague was.

    Raises ContactRefusedError where either is not what they have to be.
    """
    _lock(owner.organisation)
    for contact in (owner, to):
        contact.refresh_from_db(fields=["role"])
    if owner.role != ContactRole.OWNER or to.role == ContactRole.OWNER:
        raise ContactRefusedError(_("Ownership goes from an owner to somebody who is not one."))
    owner.role, to.role = to.role, owner.role
    for contact in (owner, to):
        contact.save(update_fields=["role"])
        audit.note(contact, "changed", by=owner.user, on=on, fields="role")


def _lock(organisation: Organisation) -> None:
    """Let one deed at a time decide who is the last owner."""
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)


def _refuse_last_owner(contact: Contact) -> None:
    others: Any = Contact.objects.filter(organisation=contact.organisation_id).exclude(
        pk=contact.pk
    )
    own = Contact.objects.filter(pk=contact.pk, role=ContactRole.OWNER)
    if own.exists() and not others.filter(role=ContactRole.OWNER, user__is_active=True).exists():
        raise ContactRefusedError(_("This is the only owner: make somebody else the owner first."))
