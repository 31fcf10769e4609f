"""Lists and forms for the catalogue and for sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from agency.admin_base import Rows, StaffAdmin, column
from agency.templatetags.figures import amount, badge, moment
from agency.today import today
from workshops.models import CancellationRung, Enrolment, Offering, Session, SessionStatus

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

TONES = {"requested": "wait", "scheduled": "way", "held": "good", "cancelled": ""}


class Needs(admin.SimpleListFilter):
    title = _("to do")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("trainer", _("planned without a trainer")), ("outcome", _("past, not settled"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        planned = queryset.filter(status=SessionStatus.SCHEDULED)
        if self.value() == "trainer":
            return planned.filter(trainer__isnull=True, starts_at__date__gte=today())
        if self.value() == "outcome":
            return planned.filter(starts_at__date__lt=today())
        return queryset


class Enrolments(Rows):
    model = Enrolment
    autocomplete_fields = ("organisation",)


@admin.register(Session)
class SessionAdmin(StaffAdmin):
    list_display = (
        column("starts_at", _("when"), moment),
        column("offering", _("offering"), str),
        column("organisation", _("organisation"), str),
        column("trainer", _("trainer"), str),
        "state",
    )
    list_filter = (Needs, "status", "offering__kind")
    list_select_related = ("offering", "organisation", "trainer__user")
    search_fields = ("reference", "organisation__legal_name", "offering__title_nl")
    autocomplete_fields = ("organisation", "trainer", "offering")
    ordering = ("-starts_at",)
    inlines = (Enrolments,)
    fieldsets = (
        (_("What"), {"fields": ("reference", "offering", "organisation", "trainer")}),
        (_("When and where"), {"fields": ("starts_at", "location", "on_site_km")}),
        (
            _("Outcome"),
            {"fields": ("status", "group_size", ("cancelled_on", "cancelled_by"))},
        ),
    )

    @admin.display(description=_("state"), ordering="status")
    def state(self, session: Session) -> SafeString:
        return badge(session.get_status_display(), TONES[session.status])


@admin.register(Offering)
class OfferingAdmin(StaffAdmin):
    list_display = (
        "title_nl",
        "code",
        "kind",
        "minutes",
        column("price_cents", _("price in €"), amount),
        "vocational",
    )
    list_filter = ("kind", "vocational", "included_eligible")
    search_fields = ("title_nl", "title_en", "code")


@admin.register(CancellationRung)
class CancellationRungAdmin(StaffAdmin):
    list_display = ("days_before", "percent")
    may_delete = True
