"""What a contact is mailed about: everybody's own choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency import audit
from agency.accounts import signed_in
from agency.today import today
from subscriptions.portal.place import Place, of_own_organisation, page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class NoticesForm(forms.Form):
    wants_publications = forms.BooleanField(label=_("A statement is ready"), required=False)
    wants_invoices = forms.BooleanField(label=_("There is a new invoice"), required=False)
    wants_failed_payments = forms.BooleanField(
        label=_("A payment did not come through"), required=False
    )
    wants_sessions = forms.BooleanField(
        label=_("A session was planned, moved or cancelled"), required=False
    )


@of_own_organisation
def show_notices(request: HttpRequest, place: Place) -> HttpResponse:
    """Show what this person is mailed about here, and change it."""
    contact = place.contact
    now = {name: getattr(contact, name) for name in NoticesForm.base_fields}
    form = NoticesForm(request.POST if request.method == "POST" else None, initial=now)
    if request.method != "POST" or not form.is_valid():
        return page(request, place, "notices", {"form": form}, status=400 if form.errors else 200)
    changed = [name for name, value in form.cleaned_data.items() if value != now[name]]
    if changed:
        for name in changed:
            setattr(contact, name, form.cleaned_data[name])
        contact.save(update_fields=changed)
        by, on = signed_in(request), today()
        audit.note(contact, "changed", by=by, on=on, fields=", ".join(changed))
    messages.success(request, gettext("Saved."))
    return redirect("portal:notices", place.organisation.pk)
