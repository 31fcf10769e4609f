"""What the bank received: a statement compared with what is open, and payments noted."""

from __future__ import annotations

import datetime as dt
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from agency.admin_base import note
from agency.admin_fields import EuroField
from agency.models import Agency
from agency.today import today
from subscriptions import payments
from subscriptions.models import Invoice, InvoiceKind, InvoiceState

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
    amount = EuroField(
        label=_("Amount"),
        min_value=1,
        required=False,
        help_text=_("In euros. Empty: all that is asked for. A part leaves the rest open."),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        sent = Invoice.objects.filter(kind=InvoiceKind.INVOICE, state__in=InvoiceState.released)
        rows = sent if given.get("amount") else payments.unpaid()
        number = given.get("number", "").strip()
        given["invoice"] = rows.filter(number__iexact=number).exclude(number="").first()
        if number and given["invoice"] is None:
            self.add_error("number", _("No open invoice has this number."))
        amount, day = given.get("amount"), given.get("received_on")
        if given["invoice"] and amount and day and payments.is_noted(given["invoice"], day, amount):
            self.add_error("amount", _("This amount of that day was noted already."))
        return given


def page(of: StaffAdmin, request: HttpRequest) -> HttpResponse:
    """Show the forms; compare a statement; note the payments that were ticked."""
    step = request.POST.get("step", "")
    if step == "note":
        return _note(request, map(_ticked, request.POST.getlist("paid")))
    if step in {"set_off", "pay_back"}:
        return _settle_over(request, step)
    given = (request.POST, request.FILES) if step == "compare" else ()
    statement = StatementForm(*given)
    known = {"number": request.GET.get("number", "").replace("\0", "")[:40]}
    payment = PaymentForm(request.POST if step == "one" else None, initial=known)
    if step == "one" and payment.is_valid():
        one = payment.cleaned_data
        try:
            _one(request, one["invoice"].pk, one["received_on"], one["amount"], "")
        except payments.PaymentError as refused:
            payment.add_error("received_on", refused)
        else:
            return _noted(request, 1)
    matches = statement.cleaned_data["statement"] if given and statement.is_valid() else None
    shown = {"statement": statement, "payment": payment, "matches": _named(matches)}
    shown["overpaid"] = list(payments.overpaid())
    return of.page(request, TEMPLATE, str(_("Payments received")), **shown)


def _named(matches: Any) -> Any:
    """Put the invoices beside the receipts that name them."""
    if matches is None:
        return None
    known = Invoice.objects.in_bulk({key for match in matches for key, _cents in match.parts})
    return [(match, [(known[key], cents) for key, cents in match.parts]) for match in matches]


def _ticked(value: str) -> tuple[UUID, dt.date, int, str]:
    try:
        key, day, cents, mark = value.split()
        return UUID(key), dt.date.fromisoformat(day), int(cents[:12]), mark[:64]
    except ValueError as error:
        raise BadRequest from error


def _settle_over(request: HttpRequest, step: str) -> HttpResponse:
    """Do with what was paid too much what the list suggested, if it still does."""
    named = (request.POST.get("of"), request.POST.get("against", ""))
    for over in payments.overpaid():
        against = over.against if step == "set_off" else None
        if (str(over.invoice.pk), str(against.pk) if against else "") != named:
            continue
        if against:
            payments.set_off(over.invoice.pk, against.pk, on=today())
            async_task("subscriptions.tasks.push_invoice", str(against.pk))
        else:
            payments.pay_back(over.invoice.pk, on=today())
        note(request, step, over.invoice)
        messages.success(request, gettext("It is noted."))
        break
    else:
        messages.warning(request, gettext("This changed meanwhile: nothing was noted. Look again."))
    return redirect("admin:subscriptions_invoice_received")


@transaction.atomic
def _note(request: HttpRequest, paid: Any) -> HttpResponse:
    """Note payments, all of what one line of the bank pays or nothing: it is not offered again."""
    done = 0
    for one in sorted(paid, key=itemgetter(0)):  # two wait in one order
        try:
            _one(request, *one)
        except Invoice.DoesNotExist as error:
            raise BadRequest from error
        except payments.PaymentError as refused:
            number = Invoice.objects.get(pk=one[0]).number
            messages.error(request, f"{number}: {' '.join(refused.messages)}")
        else:
            done += 1
    return _noted(request, done)


def _one(request: HttpRequest, key: UUID, day: dt.date, cents: int | None, mark: str) -> None:
    invoice = payments.note(key, received_on=day, on=today(), amount_cents=cents, mark=mark)
    note(request, "paid", invoice)
    if invoice.received_on:
        async_task("subscriptions.tasks.push_invoice", str(key))


def _noted(request: HttpRequest, done: int) -> HttpResponse:
    if not done:
        messages.warning(request, gettext("Nothing was noted."))
        return redirect("admin:subscriptions_invoice_received")
    text = ngettext(
        "%(n)s payment is noted. Stripe is told of what is paid in full.",
        "%(n)s payments are noted. Stripe is told of what is paid in full.",
        done,
    )
    messages.success(request, text % {"n": done})
    return redirect("admin:subscriptions_invoice_received")
