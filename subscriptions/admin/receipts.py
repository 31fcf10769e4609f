"""What the bank received: a statement compared with what is open, and payments noted."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_q.tasks import async_task

from agency.admin_base import note
from agency.models import Agency
from agency.today import today
from subscriptions import payments
from subscriptions.models import Invoice

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from agency.admin_base import StaffAdmin

TEMPLATE = "subscriptions/invoice/received"


class StatementForm(forms.Form):
    """The matches of a bank statement; the file is read in memory and gone with the request."""

    statement = forms.FileField(
        label=_("Bank statement (CAMT.053)"), widget=forms.FileInput(attrs={"accept": ".xml"})
    )

    def clean_statement(self) -> Any:
        own_iban = Agency.objects.values_list("iban", flat=True).first() or ""
        return payments.compare(self.cleaned_data["statement"].read(), own_iban=own_iban)


class PaymentForm(forms.Form):
    """One payment by hand."""

    number = forms.CharField(label=_("Invoice number"), max_length=40)
    received_on = forms.DateField(
        label=_("Received on"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def clean_number(self) -> Invoice:
        number = self.cleaned_data["number"].strip()
        invoice = payments.unpaid().filter(number__iexact=number).first()
        if invoice is None:
            raise ValidationError(_("No open invoice has this number."))
        return invoice


def page(of: StaffAdmin, request: HttpRequest) -> HttpResponse:
    """Show the forms; compare a statement; note the payments that were ticked."""
    step = request.POST.get("step", "")
    if step == "note":
        return _note(request, map(_ticked, request.POST.getlist("paid")))
    given = (request.POST, request.FILES) if step == "compare" else ()
    statement = StatementForm(*given)
    payment = PaymentForm(request.POST if step == "one" else None)
    if step == "one" and payment.is_valid():
        invoice, received_on = payment.cleaned_data["number"], payment.cleaned_data["received_on"]
        return _note(request, [(invoice.pk, received_on)])
    matches = statement.cleaned_data["statement"] if given and statement.is_valid() else None
    shown = {"statement": statement, "payment": payment, "matches": _named(matches)}
    return of.page(request, TEMPLATE, str(_("Payments received")), **shown)


def _named(matches: Any) -> Any:
    """Put the invoices beside the receipts that name them."""
    if matches is None:
        return None
    known = Invoice.objects.in_bulk({key for match in matches for key in match.invoices})
    return [(match, [known[key] for key in match.invoices]) for match in matches]


def _ticked(value: str) -> tuple[UUID, dt.date]:
    try:
        key, day = value.split()
        return UUID(key), dt.date.fromisoformat(day)
    except ValueError as error:
        raise BadRequest from error


def _note(request: HttpRequest, paid: Any) -> HttpResponse:
    done = 0
    for key, received_on in paid:
        try:
            invoice = payments.note(key, received_on=received_on, on=today())
        except Invoice.DoesNotExist as error:
            raise BadRequest from error
        except payments.PaymentError as refused:
            number = Invoice.objects.get(pk=key).number
            messages.error(request, f"{number}: {' '.join(refused.messages)}")
        else:
            note(request, "paid", invoice)
            async_task("subscriptions.tasks.push_invoice", str(key))
            done += 1
    text = ngettext(
        "%(n)s payment is noted; Stripe is told.", "%(n)s payments are noted; Stripe is told.", done
    )
    messages.add_message(
        request, messages.SUCCESS if done else messages.WARNING, text % {"n": done}
    )
    return redirect("admin:subscriptions_invoice_received")
