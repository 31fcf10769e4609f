"""The pages of payment plans: agreed on, kept, late, broken, ended."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from agency.accounts import signed_in
from agency.admin_base import StaffAdmin, note
from agency.admin_columns import column
from agency.admin_fields import EuroField
from agency.admin_rows import Rows
from agency.templatetags.figures import amount, badge, day
from agency.today import today
from subscriptions import payment_plans, payments
from subscriptions.admin.searched import OF_DOCUMENT
from subscriptions.models import Invoice, PaymentPlan, PlanPart

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

# The year comes first, as dates are stored, or last, as the Dutch write them.
LINE = re.compile(r"(?:(\d{4})-(\d\d?)-(\d\d?)|(\d\d?)-(\d\d?)-(\d{4}))\s+(\S.*)", re.ASCII)
PROPOSED_PARTS = 3
MONTH = dt.timedelta(days=30)


class PlanForm(forms.Form):
    """One part a line: a day and an amount."""

    parts = forms.CharField(
        label=_("Parts"),
        widget=forms.Textarea(attrs={"rows": 6}),
        max_length=2000,
        help_text=_("A line for each: the day and the amount in euros, such as 2026-05-01 250,00."),
    )

    def clean_parts(self) -> list[payment_plans.Part]:
        lines = filter(None, map(str.strip, self.cleaned_data["parts"].splitlines()))
        return [_part(line) for line in lines]


def _part(line: str) -> payment_plans.Part:
    found = LINE.fullmatch(line)
    try:
        if found:
            year, month, day = (int(found[at] or found[7 - at]) for at in (1, 2, 3))
            return dt.date(year, month, day), EuroField(min_value=1).clean(found[7])
    except ValueError:  # no such day
        pass
    text = _("“%(line)s” is no day and amount, such as 2026-05-01 250,00.")
    raise ValidationError(text, params={"line": line[:40]})


def plan_page(of: StaffAdmin, request: HttpRequest, invoice: Invoice) -> HttpResponse:
    """Show how the plan of an invoice stands; agree on one, or end it."""
    if request.POST.get("step") == "end":
        payment_plans.end(invoice.pk, on=today())
        note(request, "plan_ended", invoice)
        messages.success(request, gettext("The plan is ended: reminders go on."))
        return redirect("admin:subscriptions_invoice_plan", invoice.pk)
    left = payments.left_cents(invoice)
    form = PlanForm(request.POST or None, initial={"parts": _proposal(left)})
    if form.is_valid():
        try:
            parts = form.cleaned_data["parts"]
            payment_plans.agree(invoice.pk, parts, by=signed_in(request), on=today())
        except payment_plans.PlanError as refused:
            form.add_error("parts", refused)
        else:
            note(request, "plan_agreed", invoice)
            messages.success(request, gettext("The plan is in force. Nobody is reminded."))
            return redirect("admin:subscriptions_invoice_plan", invoice.pk)
    shown: dict[str, Any] = {"invoice": invoice, "form": form, "left": left}
    plan = PaymentPlan.objects.filter(invoice=invoice, ended_on=None).first()
    if plan:
        shown |= {"plan": plan, "parts": payment_plans.standings_of(plan, on=today())}
    try:
        payment_plans.refuse(invoice)
    except payment_plans.PlanError as refused:
        shown["refused"] = " ".join(refused.messages)
    return of.page(request, "subscriptions/invoice/plan", of.heading(invoice), **shown)


def _proposal(left: int) -> str:
    parts = enumerate(payment_plans.equal_parts(max(0, left), PROPOSED_PARTS), start=1)
    return "\n".join(f"{today() + at * MONTH} {amount(cents)}" for at, cents in parts)


class Parts(Rows):
    model = PlanPart
    fields = ("due_on", "amount_cents")


class Late(admin.SimpleListFilter):
    title = _("payment")
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("part overdue"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.filter(pk__in=payment_plans.late(today()).values("pk"))
        return queryset


@admin.register(PaymentPlan)
class PaymentPlanAdmin(StaffAdmin):
    inlines = (Parts,)
    list_display = (
        column("invoice", _("invoice"), str),
        column("invoice__buyer_name", _("buyer"), str),
        column("agreed_on", pgettext_lazy("payment plan", "agreed on"), day),
        column("agreed_by", pgettext_lazy("payment plan", "agreed by"), str),
        column("total_cents", _("together in €"), amount),
        "stands",
    )
    list_filter = (Late,)
    list_select_related = ("agreed_by",)
    linked_by = ("invoice__id",)
    search_fields = OF_DOCUMENT

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentPlan]:
        return payment_plans.with_left(super().get_queryset(request))

    @admin.display(description=_("state"))
    def stands(self, plan: PaymentPlan) -> SafeString:
        if plan.ended_on:
            return badge(gettext("ended"), "")
        parts = payment_plans.standings_of(plan, on=today())
        late = max(part.days_late for part in parts)
        if late >= payment_plans.BROKEN_AFTER_DAYS:
            return badge(gettext("broken"), "bad")
        if late:
            return badge(gettext("part overdue"), "wait")
        return badge(gettext("kept"), "good" if all(part.is_paid for part in parts) else "way")
