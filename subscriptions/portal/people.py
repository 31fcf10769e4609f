"""Who sees a client's pages: everybody reads that, and an owner invites, changes and removes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency import contacts
from agency.accounts import signed_in
from agency.lines import EmailLineField, LineField
from agency.models import Contact, ContactRole, Invitation, Language
from agency.today import today
from subscriptions.portal.place import Place, of_own_organisation, page

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

ROLES = [
    (ContactRole.READER, _("reads everything")),
    (ContactRole.BILLING, _("reads everything and sees to invoices and orders")),
    (ContactRole.OWNER, _("owner: also people and the subscription")),
]
CHOOSE = {"invalid_choice": _("Choose one of the list.")}


class PersonForm(forms.Form):
    """What an owner changes of somebody."""

    role = forms.ChoiceField(label=_("May do"), choices=ROLES, error_messages=CHOOSE)
    language = forms.ChoiceField(
        label=_("Language"), choices=Language.choices, error_messages=CHOOSE
    )


class InvitationForm(PersonForm):
    name = LineField(label=_("Name"), max_length=200)
    email = EmailLineField(
        label=_("E-mail address"), help_text=_("To sign in, a code goes to this address.")
    )
    field_order = ("name", "email", "role", "language")


@of_own_organisation
def show_people(request: HttpRequest, place: Place) -> HttpResponse:
    """Show the contacts and who is invited; an owner invites somebody."""
    if request.method != "POST":
        language = place.organisation.language
        return _people(request, place, InvitationForm(initial={"language": language}))
    place.only_for_owners()
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _people(request, place, form, status=400)
    if not ratelimit.consume(request, action="invite", key=str(place.organisation.pk)):
        form.add_error("email", _("That is many invitations in an hour: go on later, please."))
        return _people(request, place, form, status=429)
    invitation = Invitation(
        organisation=place.organisation, invited_on=today(), **form.cleaned_data
    )
    try:
        contacts.invite(invitation, by=signed_in(request))
    except contacts.ContactRefusedError as refused:
        form.add_error("email", refused)
        return _people(request, place, form, status=400)
    text = gettext("%(email)s is invited: the mail goes out within a minute.")
    messages.success(request, text % {"email": invitation.email})
    return redirect("portal:people", place.organisation.pk)


def _people(
    request: HttpRequest, place: Place, form: InvitationForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "people": _contacts(place),
        "invitations": place.organisation.invitations.order_by("name", "email"),
        "form": form,
        "has_other_owners": _has_other_owners(place),
    }
    return page(request, place, "people", context, status=status)


def _contacts(place: Place) -> QuerySet[Contact]:
    own = Contact.objects.filter(organisation=place.organisation, user__is_active=True)
    return own.select_related("user").order_by("user__name", "user__email")


def _has_other_owners(place: Place) -> bool:
    others = _contacts(place).exclude(pk=place.contact.pk)
    return others.filter(role=ContactRole.OWNER).exists()


def _person(place: Place, contact_id: UUID) -> Contact:
    """Give a contact of the place to an owner; 404 for anybody else's, or for none."""
    contact: Contact = get_object_or_404(
        Contact.objects.select_related("user", "organisation"),
        pk=contact_id,
        organisation=place.organisation,
    )
    place.only_for_owners()
    return contact


@of_own_organisation
def show_person(request: HttpRequest, place: Place, contact_id: UUID) -> HttpResponse:
    """Show what an owner can change of somebody, and change it."""
    contact = _person(place, contact_id)
    now = {"role": contact.role, "language": contact.user.language}
    form = PersonForm(request.POST if request.method == "POST" else None, initial=now)
    if request.method == "POST" and form.is_valid():
        try:
            contacts.change(contact, **form.cleaned_data, by=signed_in(request), on=today())
        except contacts.ContactRefusedError as refused:
            form.add_error("role", refused)
        else:
            messages.success(request, gettext("Saved."))
            return redirect("portal:people", place.organisation.pk)
    context: dict[str, object] = {"form": form, "person": contact}
    return page(request, place, "person", context, status=400 if form.errors else 200)


@of_own_organisation
def remove_person(request: HttpRequest, place: Place, contact_id: UUID) -> HttpResponse:
    """Ask whether somebody is to go, and take the place here away."""
    contact = _person(place, contact_id)
    refusal = ""
    if request.method == "POST":
        try:
            contacts.remove(contact, by=signed_in(request), on=today())
        except contacts.ContactRefusedError as refused:
            refusal = refused.messages[0]
        else:
            text = gettext("%(name)s has no place here any more.")
            messages.success(request, text % {"name": contact.user.name})
            is_own = contact.user_id == place.contact.user_id
            return redirect(
                *(["start"] if is_own else ["portal:people", str(place.organisation.pk)])
            )
    context: dict[str, object] = {"person": contact, "refusal": refusal}
    return page(request, place, "person_remove", context, status=400 if refusal else 200)


@of_own_organisation
def hand_over(request: HttpRequest, place: Place, contact_id: UUID) -> HttpResponse:
    """Say what becomes of both, and make a colleague the owner in the place of the owner."""
    contact = _person(place, contact_id)
    refusal = ""
    if request.method == "POST":
        try:
            contacts.hand_over(place.contact, contact, on=today())
        except contacts.ContactRefusedError as refused:
            refusal = refused.messages[0]
        else:
            text = gettext("%(name)s is the owner now.")
            messages.success(request, text % {"name": contact.user.name})
            return redirect("portal:people", place.organisation.pk)
    context: dict[str, object] = {"person": contact, "refusal": refusal}
    return page(request, place, "person_transfer", context, status=400 if refusal else 200)


@of_own_organisation
def withdraw_invitation(request: HttpRequest, place: Place, invitation_id: UUID) -> HttpResponse:
    invitation = get_object_or_404(place.organisation.invitations, pk=invitation_id)
    place.only_for_owners()
    contacts.withdraw(invitation, by=signed_in(request), on=today())
    messages.success(request, gettext("The invitation is withdrawn."))
    return redirect("portal:people", place.organisation.pk)
