"""The page on which a controller credits a sent invoice: what comes of it is shown first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency.admin_base import StaffAdmin, note
from agency.admin_fields import EuroField, HoursField
from agency.money import HUNDREDTHS_PER_QUARTER
from agency.templatetags.figures import euro, hours
from subscriptions import corrections
from subscriptions.corrections import Correction, CreditRefusedError
from subscriptions.credits import creditable
from subscriptions.models import CreditReason, Invoice, InvoiceLine, LineKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse

PARTS, WHOLE, ANEW = "parts", "whole", "anew"


class CreditForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.ChoiceField(label=_("Reason"), choices=[("", "–"), *CreditReason.choices])
    deed = forms.ChoiceField(
        label=_("What is credited"),
        choices=[
            (PARTS, _("the amounts below")),
            (WHOLE, _("all that is left: the next run bills it anew")),
            (ANEW, _("all that is left, and it is billed anew at once")),
        ],
    )

    preview: Correction | None = None

    def __init__(self, invoice: Invoice, data: Any) -> None:
        super().__init__(data, initial={"key": uuid4()})
        self.invoice = invoice
        self.lines = {f"line_{line.pk}": line for line in corrections.lines_of(invoice)}
        for name, line in self.lines.items():
            kind = HoursField if line.kind == LineKind.OVERAGE else EuroField
            self.fields[name] = kind(label=line.description, required=False, min_value=1)

    def rows(self) -> Iterator[tuple[Any, str]]:
        """Give the field of each line, with what is left of it in words."""
        for name, line in self.lines.items():
            left = creditable(line).left
            quarters = left.hundredths // HUNDREDTHS_PER_QUARTER
            words = {"amount": euro(left.net_cents), "hours": hours(quarters)}
            text = gettext("In euros. Left: %(amount)s.")
            if line.kind == LineKind.OVERAGE:
                text = gettext("In hours. Left: %(hours)s, %(amount)s.")
            yield self[name], text % words

    def how(self) -> dict[str, Any]:
        """Give the arguments of `corrections.credit`."""
        given = self.cleaned_data
        sizes = {line: given[name] for name, line in self.lines.items() if given.get(name)}
        parts = {
            line.pk: size * HUNDREDTHS_PER_QUARTER if line.kind == LineKind.OVERAGE else size
            for line, size in sizes.items()
        }
        what = {"parts": parts} if given["deed"] == PARTS else {"anew": given["deed"] == ANEW}
        return {"reason": CreditReason(given["reason"]), "key": given["key"], **what}

    def billed_again(self) -> list[str]:
        """Name what is credited in full, which the next run bills anew."""
        how = self.how()
        if how.get("anew"):
            return []
        sizes = how.get("parts")
        return [
            line.description
            for line in self.lines.values()
            if sizes is None or sizes.get(line.pk) == _left(line)
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                self.preview = corrections.preview(self.invoice, **self.how())
            except CreditRefusedError as refused:
                self.add_error(f"line_{refused.line}" if refused.line else None, refused)
        return cleaned


def _left(line: InvoiceLine) -> int:
    left = creditable(line).left
    return left.hundredths if line.kind == LineKind.OVERAGE else left.net_cents


def credit_page(page: StaffAdmin, request: HttpRequest, invoice: Invoice) -> HttpResponse:
    """Show the form, then what comes of it, and do it once that was seen."""
    form = CreditForm(invoice, request.POST or None)
    if form.is_valid() and "confirmed" in request.POST:
        return _do(request, invoice, form)
    if "change" in request.POST:
        form.preview = None
    refused = ""
    if not form.is_bound:
        try:
            corrections.refuse(invoice)
        except CreditRefusedError as error:
            refused = " ".join(error.messages)
    shown = {"invoice": invoice, "form": form, "refused": refused}
    return page.page(request, "subscriptions/invoice/credit", page.heading(invoice), **shown)


def _do(request: HttpRequest, invoice: Invoice, form: CreditForm) -> HttpResponse:
    how = form.how()
    made = corrections.credit(invoice, **how)
    if made:
        note(request, "credited", invoice)
        text = gettext("The credit is a draft: approve it and send it by Stripe.")
        messages.success(request, text)
    if made and made.anew:
        drafts = {"organisation__id__exact": str(invoice.organisation_id), "state__exact": "draft"}
        return redirect(f"{reverse('admin:subscriptions_invoice_changelist')}?{urlencode(drafts)}")
    return redirect("admin:subscriptions_invoice_change", how["key"])
