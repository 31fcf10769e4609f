"""Contested invoices: noted with a reason, ended by hand or by their day, kept as they were."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from agency.accounts import signed_in
from agency.admin_base import ModelForm, StaffAdmin
from agency.admin_columns import column
from agency.admin_rows import Rows
from agency.templatetags.figures import day
from agency.today import today
from subscriptions import contests
from subscriptions.admin.searched import OF_DOCUMENT
from subscriptions.models import Contest, ContestEnd

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponseRedirect


class Running(admin.SimpleListFilter):
    title = _("standing")
    parameter_name = "running"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("contested now")), ("no", _("ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in {"yes", "no"}:
            return queryset.filter(ended_on__isnull=self.value() == "yes")
        return queryset


class Contests(Rows):
    model = Contest
    fields = ("reason", "said_by", "noted_on", "until_on", "ended_on", "outcome")


class ContestForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "invoice" in cleaned:
            contests.refuse(cleaned["invoice"], until_on=cleaned.get("until_on"), on=today())
        return cleaned


@admin.register(Contest)
class ContestAdmin(StaffAdmin):
    list_display = (
        column("invoice__number", _("invoice"), str),
        column("invoice__buyer_name", _("buyer"), str),
        "reason",
        "said_by",
        column("noted_on", _("noted on"), day),
        column("until_on", _("asked for again from"), day),
        column("ended_on", _("ended on"), day),
        "outcome",
    )
    list_filter = (Running, "reason", "outcome")
    list_select_related = ("invoice",)
    linked_by = ("invoice__id",)
    search_fields = OF_DOCUMENT
    autocomplete_fields = ("invoice",)
    form = ContestForm
    fields = ("invoice", ("reason", "said_by"), "until_on")
    actions = ("ask_again", "credited")

    def response_post_save_add(self, request: HttpRequest, obj: Contest) -> HttpResponseRedirect:
        return redirect("admin:subscriptions_invoice_change", obj.invoice_id)

    def deeds(self, obj: Contest) -> tuple[str, ...]:
        return () if obj.ended_on else ("ask_again", "credited")

    def part(self, action: str, rows: QuerySet[Contest]) -> QuerySet[Contest]:
        return rows.filter(ended_on=None)

    def why_not(self, action: str, obj: Contest) -> str:
        return gettext("ended on %(day)s") % {"day": day(obj.ended_on)}

    def heading(self, obj: Contest) -> str:
        return f"{obj.invoice.buyer_name}, {obj.invoice.number}"

    def save_model(self, request: HttpRequest, obj: Contest, form: Any, change: Any) -> None:
        contests.note(obj, by=signed_in(request), on=today())
        _tell_stripe(obj)

    @admin.action(description=_("Ask for it again"), permissions=["handle"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[Contest]) -> None:
        self._end(request, queryset, ContestEnd.RESUMED)

    @admin.action(description=_("It was credited: ask for what is left"), permissions=["handle"])
    def credited(self, request: HttpRequest, queryset: QuerySet[Contest]) -> None:
        self._end(request, queryset, ContestEnd.CREDITED)

    def _end(self, request: HttpRequest, queryset: QuerySet[Contest], outcome: ContestEnd) -> None:
        rows = list(queryset.select_related("invoice"))
        deed = partial(contests.end, outcome=outcome, by=signed_in(request), on=today())
        if done := len(self.each(request, rows, outcome, deed)):
            text = ngettext(
                "%(n)s invoice is asked for again.", "%(n)s invoices are asked for again.", done
            )
            messages.success(request, text % {"n": done})
        for row in rows:
            _tell_stripe(row)


def _tell_stripe(contest: Contest) -> None:
    async_task("subscriptions.tasks.push_invoice", str(contest.invoice_id))
