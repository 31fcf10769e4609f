"""The rules of collecting, mandates, and the mails that were sent and are to come."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.urls import path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from agency.admin_base import ModelForm, StaffAdmin
from agency.admin_columns import column
from agency.admin_rows import Rows
from agency.paging import leaf
from agency.templatetags.figures import amount, day
from agency.today import today
from subscriptions import debits, reminders
from subscriptions.admin.searched import OF_DOCUMENT
from subscriptions.models import CollectionPolicy, DebitNotice, Mandate, Reminder, Reminds

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


@admin.register(CollectionPolicy)
class CollectionPolicyAdmin(StaffAdmin):
    list_display = ("reminded_by", "first_days", "second_days", "final_days", "announced_by")
    fieldsets = (
        (
            _("Reminders"),
            {"fields": ("reminded_by", ("first_days", "second_days"), ("final_days", "term_days"))},
        ),
        (_("Debits"), {"fields": ("announced_by", ("notice_days", "creditor_id"))}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not CollectionPolicy.objects.exists()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        super().save_model(request, obj, form, change)
        async_task("subscriptions.tasks.go_on_collecting")


class Reminders(Rows):
    model = Reminder
    fields = ("step", "asked_cents", "sent_on", "pay_by_on")


class DebitNotices(Rows):
    model = DebitNotice
    fields = ("mandate", "amount_cents", "sent_on", "debit_on")


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
    search_fields = OF_DOCUMENT

    def get_urls(self) -> list[Any]:
        plan = self.admin_site.admin_view(self.plan)
        return [path("plan/", plan, name="subscriptions_reminder_plan"), *super().get_urls()]

    def plan(self, request: HttpRequest) -> HttpResponse:
        """Show what becomes of each invoice that is late; nothing is written or sent."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        policy, on = CollectionPolicy.objects.first(), today()
        shown: dict[str, Any] = {"policy": policy, "today": on}
        if policy and policy.reminded_by == Reminds.AGENCY:
            late = leaf(request, "p", reminders.late(on=on), partial(reminders.read, on=on))
            rows = list(reminders.next_steps(late.rows, policy, on=on))
            shown |= {"late": late, "rows": rows}
        if policy and policy.announced_by == Reminds.AGENCY:
            waiting = leaf(request, "debits", debits.unannounced(on=on), debits.read)
            to_announce = list(debits.to_announce(waiting.rows, policy, on=on))
            shown |= {"waiting": waiting, "to_announce": to_announce}
        template = "subscriptions/reminder/plan"
        return self.page(request, template, gettext("What is reminded of and announced"), **shown)


@admin.register(DebitNotice)
class DebitNoticeAdmin(StaffAdmin):
    list_display = (
        column("invoice__number", _("invoice"), str),
        column("invoice__buyer_name", _("buyer"), str),
        column("mandate", _("mandate"), str),
        column("amount_cents", _("amount in €"), amount),
        column("sent_on", _("sent on"), day),
        column("debit_on", _("debit on"), day),
    )
    list_select_related = ("invoice", "mandate")
    linked_by = ("invoice__id",)
    search_fields = (*OF_DOCUMENT, "mandate__reference")


class MandateForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        organisation = cleaned.get("organisation")
        if organisation and organisation.mandates.filter(withdrawn_on=None).exists():
            self.add_error("organisation", _("Withdraw the mandate first that it has."))
        return cleaned


@admin.register(Mandate)
class MandateAdmin(StaffAdmin):
    form = MandateForm
    list_display = (
        column("organisation", _("organisation"), str),
        "reference",
        column("signed_on", _("signed on"), day),
        "last_digits",
        column("withdrawn_on", _("withdrawn on"), day),
    )
    list_select_related = ("organisation",)
    search_fields = ("organisation__legal_name", "organisation__code", "reference")
    autocomplete_fields = ("organisation",)
    fields = ("organisation", "reference", ("signed_on", "last_digits"))
    actions = ("withdraw",)
    final = ("withdraw",)

    def deeds(self, obj: Mandate) -> tuple[str, ...]:
        return () if obj.withdrawn_on else ("withdraw",)

    def part(self, action: str, rows: QuerySet[Mandate]) -> QuerySet[Mandate]:
        return rows.filter(withdrawn_on=None)

    def why_not(self, action: str, obj: Mandate) -> str:
        return gettext("withdrawn on %(day)s") % {"day": day(obj.withdrawn_on)}

    @admin.action(description=_("Withdrawn: no more debits by it"), permissions=["handle"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Mandate]) -> None:
        deed = partial(debits.withdraw, on=today())
        done = len(self.each(request, self.part("withdraw", queryset), "withdrawn", deed))
        text = ngettext("%(n)s mandate is withdrawn.", "%(n)s mandates are withdrawn.", done)
        messages.success(request, text % {"n": done})
