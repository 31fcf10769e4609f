"""The rules of collecting, the reminders that were sent, and those to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from agency.admin_base import StaffAdmin, column
from agency.templatetags.figures import amount, day
from agency.today import today
from subscriptions import reminders
from subscriptions.models import CollectionPolicy, Reminder

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@admin.register(CollectionPolicy)
class CollectionPolicyAdmin(StaffAdmin):
    list_display = ("reminded_by", "first_days", "second_days", "final_days", "term_days")
    fields = ("reminded_by", ("first_days", "second_days"), ("final_days", "term_days"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not CollectionPolicy.objects.exists()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        super().save_model(request, obj, form, change)
        async_task("subscriptions.tasks.go_on_collecting")


@admin.register(Reminder)
class ReminderAdmin(StaffAdmin):
    list_display = (
        column("invoice__number", _("invoice"), str),
        column("invoice__buyer_name", _("buyer"), str),
        "step",
        column("asked_cents", _("asked for in €"), amount),
        column("sent_on", _("sent on"), day),
        column("pay_by_on", _("pay by"), day),
    )
    list_filter = ("step",)
    list_select_related = ("invoice",)
    linked_by = ("invoice__id",)
    search_fields = ("invoice__number", "invoice__buyer_name")

    def get_urls(self) -> list[Any]:
        plan = self.admin_site.admin_view(self.plan)
        return [path("plan/", plan, name="subscriptions_reminder_plan"), *super().get_urls()]

    def plan(self, request: HttpRequest) -> HttpResponse:
        """Show what becomes of each invoice that is late; nothing is written or sent."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = {
            "rows": list(reminders.plan(on=today())),
            "policy": CollectionPolicy.objects.first(),
            "today": today(),
        }
        template = "subscriptions/reminder/plan"
        return self.page(request, template, gettext("What is reminded of"), **shown)
