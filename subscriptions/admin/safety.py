"""What is held back on purpose: parked clients, and runs that wait for somebody to look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from agency.accounts import signed_in
from agency.admin_base import ModelForm, StaffAdmin
from agency.admin_columns import column
from agency.month import Month
from agency.templatetags.figures import day, month
from agency.today import today
from subscriptions import parked
from subscriptions.models import AcceptedRun, ParkedOrganisation

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class ParkedForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        until = cleaned.get("until_month")
        if until and "until_month" in self.changed_data and until <= Month.containing(today()):
            self.add_error("until_month", _("Choose a month that has not begun yet."))
        return cleaned


class Parked(admin.SimpleListFilter):
    title = _("parked")
    parameter_name = "parked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("now", _("not billed now"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset & parked.now(today()) if self.value() == "now" else queryset


@admin.register(ParkedOrganisation)
class ParkedOrganisationAdmin(StaffAdmin):
    form = ParkedForm
    list_display = (
        column("organisation", _("organisation"), str),
        "reason",
        column("until_month", _("until"), month),
    )
    list_filter = (Parked, "reason")
    list_select_related = ("organisation",)
    search_fields = ("organisation__legal_name", "organisation__code")
    autocomplete_fields = ("organisation",)


@admin.register(AcceptedRun)
class AcceptedRunAdmin(StaffAdmin):
    list_display = (
        column("run_month", _("run"), month),
        column("accepted_by", _("accepted by"), str),
        column("accepted_on", _("accepted on"), day),
    )
    list_select_related = ("accepted_by",)
    fields = ("run_month",)

    def save_model(self, request: HttpRequest, obj: AcceptedRun, form: Any, change: Any) -> None:
        obj.accepted_by, obj.accepted_on = signed_in(request), today()
        super().save_model(request, obj, form, change)
