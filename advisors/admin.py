"""Lists and forms for advisors. Hours have none: no role reads them here."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from advisors.hours import first_open_month
from advisors.models import (
    Absence,
    Advisor,
    Assignment,
    ClosedMonth,
    CostRate,
    CpdEntry,
    MonthSubmission,
    Qualification,
)
from agency.admin_base import StaffAdmin
from agency.admin_columns import column
from agency.admin_rows import Rows
from agency.month import Month
from agency.templatetags.figures import day, month
from agency.today import today

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

# An assignment can start only while the certificate holds; finding another takes half a year.
DAYS_BEFORE_EXPIRY = 183


class Submitted(admin.SimpleListFilter):
    """Who has submitted the month that is closed next, and who holds it up."""

    title = _("open month")
    parameter_name = "submitted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("submitted")), ("no", _("not submitted yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        open_month = first_open_month() or Month.containing(today()) - 1
        done = MonthSubmission.objects.filter(month=open_month).values("advisor")
        if self.value() == "yes":
            return queryset.filter(pk__in=done)
        if self.value() == "no":
            assigned = Assignment.objects.in_month(open_month).values("advisor")
            return queryset.filter(pk__in=assigned).exclude(pk__in=done)
        return queryset


class Expiring(admin.SimpleListFilter):
    title = _("validity")
    parameter_name = "expires"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("soon", _("expires within six months")), ("past", _("expired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        on = today()
        if self.value() == "soon":
            until = on + dt.timedelta(days=DAYS_BEFORE_EXPIRY)
            return queryset.filter(valid_until__range=(on, until))
        return queryset.filter(valid_until__lt=on) if self.value() == "past" else queryset


class Assignments(Rows):
    model = Assignment
    autocomplete_fields = ("organisation",)


class Qualifications(Rows):
    model = Qualification


class Absences(Rows):
    model = Absence


class CostRates(Rows):
    model = CostRate


@admin.register(Advisor)
class AdvisorAdmin(StaffAdmin):
    list_display = ("__str__", "code", "phone", "languages", "provinces")
    list_filter = (Submitted,)
    list_select_related = ("user",)
    search_fields = ("user__name", "code", "user__email")
    autocomplete_fields = ("user",)
    inlines = (Assignments, Qualifications, Absences, CostRates)
    fieldsets = (
        (_("Person"), {"fields": ("user", "code", "phone")}),
        (_("Deployment"), {"fields": ("languages", "provinces", "capacity_quarters")}),
        (_("Payment"), {"fields": (("kvk_number", "vat_id"), "iban")}),
    )


class CpdEntries(Rows):
    model = CpdEntry


@admin.register(Qualification)
class QualificationAdmin(StaffAdmin):
    list_display = (
        column("advisor", _("advisor"), str),
        "kind",
        "number",
        column("valid_until", _("valid until"), day),
    )
    list_filter = (Expiring, "kind")
    list_select_related = ("advisor__user",)
    search_fields = ("advisor__user__name", "number")
    autocomplete_fields = ("advisor",)
    ordering = ("valid_until",)
    inlines = (CpdEntries,)


@admin.register(MonthSubmission)
class MonthSubmissionAdmin(StaffAdmin):
    """Who said that a month is complete. Advisors submit and take back on their own page."""

    list_display = (column("advisor", _("advisor"), str), column("month", _("month"), month))
    list_select_related = ("advisor__user",)
    search_fields = ("advisor__user__name",)
    ordering = ("-month",)


@admin.register(ClosedMonth)
class ClosedMonthAdmin(StaffAdmin):
    list_display = (column("month", _("month"), month),)
    ordering = ("-month",)
