"""The pages for what is not paid in time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from agency.accounts import signed_in
from agency.admin_base import StaffAdmin, note
from agency.admin_columns import column
from agency.admin_rows import Rows
from agency.templatetags.figures import amount, day, percent
from agency.today import today
from subscriptions import late_payment, write_offs
from subscriptions.admin.searched import OF_DOCUMENT
from subscriptions.models import InterestRate, Invoice, Receipt, WriteOff, WrittenOffBecause

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


FARTHEST = dt.timedelta(days=366)  # rates are published for half a year


def late_page(of: StaffAdmin, request: HttpRequest, invoice: Invoice) -> HttpResponse:
    """Work out what an overdue invoice costs its buyer by a day: today, or the one asked for.

    A day beyond `FARTHEST` is that one.
    """
    try:
        asked = dt.date.fromisoformat(request.GET.get("on") or str(today()))
    except ValueError as error:
        raise Http404 from error
    on = min(asked, today() + FARTHEST)
    shown: dict[str, Any] = {"invoice": invoice, "on": on}
    try:
        shown["late"] = late_payment.of_invoice(invoice, on=on)
    except late_payment.LatePaymentError as refused:
        shown["refused"] = " ".join(refused.messages)
    return of.page(request, "subscriptions/invoice/late", of.heading(invoice), **shown)


class WriteOffForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=[("", "–"), *WrittenOffBecause.choices])


def write_off_page(of: StaffAdmin, request: HttpRequest, invoice: Invoice) -> HttpResponse:
    """Show what writing off comes to and write off; or what was written off, or waits."""
    row = WriteOff.objects.filter(invoice=invoice).first()
    form = WriteOffForm(request.POST or None, initial={"reason": row.reason if row else None})
    if row and request.POST.get("step") == "withdraw":
        return _withdraw(request, invoice)
    if form.is_valid() and request.POST.get("step") == "write_off":
        return _write_off(request, invoice, form.cleaned_data["reason"])
    shown: dict[str, Any] = {"invoice": invoice, "form": form, "row": row}
    try:
        shown["parts"] = write_offs.preview(invoice, on=today())
    except write_offs.WriteOffError as refused:
        shown["refused"] = " ".join(refused.messages)
        shown["parts"] = [loss for loss in write_offs.losses() if loss.write_off == row]
    template = "subscriptions/invoice/write_off"
    return of.page(request, template, of.heading(invoice), **shown)


def _write_off(request: HttpRequest, invoice: Invoice, reason: str) -> HttpResponse:
    try:
        row = write_offs.write_off(invoice.pk, reason, by=signed_in(request), on=today())
    except write_offs.WriteOffError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        note(request, "written_off", invoice)
        if row.written_off_on:
            async_task("subscriptions.tasks.push_invoice", str(invoice.pk))
            messages.success(request, gettext("It is written off; Stripe is told."))
        else:
            messages.warning(request, gettext("So large an amount waits for a second person."))
    return _back(invoice)


def _withdraw(request: HttpRequest, invoice: Invoice) -> HttpResponse:
    write_offs.withdraw(invoice.pk)
    note(request, "write_off_withdrawn", invoice)
    messages.success(request, gettext("It is not written off."))
    return _back(invoice)


def _back(invoice: Invoice) -> HttpResponse:
    address = reverse("admin:subscriptions_invoice_write_off", args=[invoice.pk])
    return HttpResponseRedirect(address)


class Receipts(Rows):
    model = Receipt
    fields = ("kind", "received_on", "amount_cents")


@admin.register(Receipt)
class ReceiptAdmin(StaffAdmin):
    list_display = (
        column("invoice", _("invoice"), str),
        column("invoice__buyer_name", _("buyer"), str),
        "kind",
        column("received_on", _("received on"), day),
        column("amount_cents", _("amount in €"), amount),
    )
    list_filter = ("kind",)
    list_select_related = ("invoice",)
    linked_by = ("invoice__id",)
    search_fields = OF_DOCUMENT


@admin.register(WriteOff)
class WriteOffAdmin(StaffAdmin):
    list_display = (
        column("invoice", _("invoice"), str),
        column("invoice__buyer_name", _("buyer"), str),
        "reason",
        column("net_cents", _("net in €"), amount),
        column("vat_cents", _("VAT"), amount),
        column("written_off_on", _("written off on"), day),
        column("vat_on", _("VAT claimed back as of"), day),
    )
    list_filter = ("reason",)
    list_select_related = ("invoice",)
    linked_by = ("invoice__id",)
    search_fields = OF_DOCUMENT


@admin.register(InterestRate)
class InterestRateAdmin(StaffAdmin):
    list_display = (
        column("valid_from", _("valid from"), day),
        column("rate_basis_points", _("rate in %"), percent),
        "source",
    )
