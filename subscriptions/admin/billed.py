"""What was billed once, and in which run."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from agency.admin_base import StaffAdmin
from agency.admin_columns import column, titled
from agency.templatetags.figures import month
from subscriptions.models import BilledOccurrence


@admin.register(BilledOccurrence)
class BilledOccurrenceAdmin(StaffAdmin):
    list_display = (
        column("organisation", _("organisation"), str),
        "kind",
        column("from_month", _("from"), month),
        "revision",
        column("run_month", _("run"), month),
        "state",
        "free",
    )
    list_filter = (("state", titled(_("state"))), ("kind", titled(_("kind"))))
    list_select_related = ("organisation",)
    search_fields = ("organisation__legal_name",)
    ordering = ("-run_month",)
