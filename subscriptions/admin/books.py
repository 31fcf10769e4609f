"""The books of one period are opened by two people, in a dispute (`subscriptions.books`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency.accounts import signed_in
from agency.admin_base import ModelForm, StaffAdmin
from agency.admin_columns import column
from agency.admin_fields import ChosenRow
from agency.models import Organisation
from agency.templatetags.figures import badge, day, period
from agency.today import today
from subscriptions import books
from subscriptions.models import BooksOpening, BooksReason, Statement

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


class ToAgree(admin.SimpleListFilter):
    title = _("to do")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("agreement", _("waits for your agreement"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "agreement":
            return queryset
        return queryset.filter(pk__in=books.waiting_for(signed_in(request), on=today()))


class AskForm(ModelForm):
    organisation = forms.ModelChoiceField(
        Organisation.objects.all(),
        label=_("Organisation"),
        widget=ChosenRow(Statement._meta.get_field("organisation"), admin.site),
    )
    month = Statement._meta.get_field("from_month").formfield(label=_("A month of the period"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"organisation", "month"} <= cleaned.keys():
            books.disputed(cleaned["organisation"], cleaned["month"])
        return cleaned


@admin.register(BooksOpening)
class BooksOpeningAdmin(StaffAdmin):
    list_display = (
        column("statement__organisation", _("organisation"), str),
        column("statement__months", _("period"), period, ordering="statement__from_month"),
        "reason",
        column("asked_by", _("asked by"), str),
        "asked_on",
        column("agreed_by", _("agreed by"), str),
        "standing",
    )
    list_filter = (ToAgree,)
    list_select_related = ("statement__organisation", "asked_by", "agreed_by")
    search_fields = ("statement__organisation__legal_name",)
    form = AskForm
    actions = ("agree",)

    def deeds(self, obj: BooksOpening) -> tuple[str, ...]:
        return () if obj.agreed_by_id else ("agree",)

    def part(self, action: str, rows: QuerySet[BooksOpening]) -> QuerySet[BooksOpening]:
        return rows.filter(agreed_by=None)

    def why_not(self, action: str, obj: BooksOpening) -> str:
        return gettext("agreed to on %(day)s") % {"day": day(obj.agreed_on)}

    def heading(self, obj: BooksOpening) -> str:
        return f"{obj.statement.organisation}, {period(obj.statement.months)}"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("organisation", "month", "reason")
        return ("reason", ("asked_by", "asked_on"), ("agreed_by", "agreed_on"))

    @admin.display(description=_("state"), ordering="agreed_on")
    def standing(self, opening: BooksOpening) -> SafeString:
        last_day = books.open_until(opening)
        if last_day is None:
            return badge(gettext("waits for a second person"), "wait")
        if last_day < today():
            return badge(gettext("closed again"))
        return badge(gettext("open until %(day)s") % {"day": day(last_day)}, "way")

    def save_model(self, request: HttpRequest, obj: BooksOpening, form: Any, change: Any) -> None:
        made = books.ask(
            form.cleaned_data["organisation"],
            form.cleaned_data["month"],
            reason=BooksReason(obj.reason),
            by=signed_in(request),
            on=today(),
        )
        obj.pk, obj.statement = made.pk, made.statement

    @admin.action(description=_("Agree: the two of you may look"), permissions=["handle"])
    def agree(self, request: HttpRequest, queryset: QuerySet[BooksOpening]) -> None:
        for opening in queryset:
            try:
                books.agree(opening, by=signed_in(request), on=today())
            except books.BooksError as refused:
                messages.error(request, refused.messages[0])
            else:
                messages.success(request, gettext("The books of this period are open to you two."))

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.totals)
        return [
            path("<uuid:object_id>/totals/", page, name="subscriptions_booksopening_totals"),
            *super().get_urls(),
        ]

    def totals(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Show the totals to the two; each look is logged."""
        opening = self.get_object(request, str(object_id))
        if opening is None or not self.has_view_permission(request, opening):
            raise Http404
        try:
            found = books.totals(opening, by=signed_in(request), on=today())
        except books.BooksError as refused:
            messages.error(request, refused.messages[0])
            return redirect("admin:subscriptions_booksopening_change", object_id)
        template = "subscriptions/booksopening/totals"
        return self.page(request, template, self.heading(opening), opening=opening, totals=found)
