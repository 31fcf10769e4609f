"""Where a client's invoices go: what it changes itself, and what it asks us to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.shortcuts import redirect
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency import audit
from agency.accounts import signed_in
from agency.lines import EmailLineField, LineField
from agency.models import Organisation
from agency.today import today
from subscriptions.einvoice.dutch import ADDRESS
from subscriptions.portal.place import Place, of_own_organisation, page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

# What a client changes itself. Name, registers, VAT id and country decide about VAT: staff confirm
# those.
OWN = ("invoice_email", "einvoice_email", "einvoice_address", "street", "postcode", "city")


class DetailsForm(forms.Form):
    """Addresses of one organisation; ``seen`` says what they were when the page was asked for."""

    invoice_email = EmailLineField(
        label=_("E-mail address for invoices"),
        help_text=_("Invoices and reminders always go here, so it cannot be empty."),
    )
    einvoice_email = EmailLineField(
        label=_("E-mail address for e-invoices"),
        required=False,
        help_text=_("A copy as UBL and PDF, for a program that reads invoices. Empty if none."),
    )
    einvoice_address = LineField(
        label=_("Address on the Peppol network"),
        max_length=100,
        required=False,
        help_text=_("Scheme and number, such as 0106:12345678. Empty if you have none."),
    )
    street = LineField(label=_("Street and number"), max_length=200)
    postcode = LineField(label=_("Postcode"), max_length=20)
    city = LineField(label=_("City"), max_length=100)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_einvoice_address(self) -> str:
        address = str(self.cleaned_data["einvoice_address"])
        if address and not ADDRESS.fullmatch(address):
            raise ValidationError(_("Give scheme and number, such as 0106:12345678."))
        return address


@of_own_organisation
def show_details(request: HttpRequest, place: Place) -> HttpResponse:
    """Show the addresses; the owner and who sees to invoices may change them."""
    now = {name: getattr(place.organisation, name) for name in OWN}
    form = DetailsForm(
        request.POST if request.method == "POST" else None, initial=now | {"seen": mark_of(now)}
    )
    if request.method == "POST":
        if not place.sees_to_invoices:
            raise PermissionDenied
        if form.is_valid() and _change(request, place, form):
            return redirect("portal:details", place.organisation.pk)
    return page(request, place, "details", {"form": form}, status=400 if form.errors else 200)


def mark_of(details: dict[str, Any]) -> str:
    """Give a mark of what a page showed, which another change of the same row makes another."""
    return salted_hmac(
        "portal.details", "\n".join(details.values()), algorithm="sha256"
    ).hexdigest()


@transaction.atomic
def _change(request: HttpRequest, place: Place, form: DetailsForm) -> bool:
    """Change what was asked for; False where somebody else changed it meanwhile.

    What is there already needs no change, so that sending a page twice changes it once.
    """
    row = Organisation.objects.select_for_update(no_key=True).get(pk=place.organisation.pk)
    now = {name: getattr(row, name) for name in OWN}
    wanted = {name: form.cleaned_data[name] for name in OWN}
    changed = [name for name in OWN if wanted[name] != now[name]]
    if changed and form.cleaned_data["seen"] != mark_of(now):
        form.add_error(
            "invoice_email",
            _("Somebody changed these details meanwhile: open the page again and look first."),
        )
        return False
    if changed:
        for name in changed:
            setattr(row, name, wanted[name])
        row.save(update_fields=changed)
        audit.note(row, "changed", by=signed_in(request), on=today(), fields=", ".join(changed))
    messages.success(request, gettext("Saved. The next invoices go by these details."))
    return True
