"""What was published: read by staff as the client reads it, changed by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from agency.admin_base import StaffAdmin
from agency.admin_columns import column, titled
from agency.admin_rows import Rows
from agency.templatetags.figures import day, decimal_hours, lining, month, period
from subscriptions.models import (
    CardUse,
    Display,
    OverageCredit,
    Publication,
    ReleasePolicy,
    Statement,
)
from subscriptions.wording import statement_sentence

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

WITHOUT_FIGURE = {Display.WITHHELD, Display.ALL_IN}


class CardUses(Rows):
    model = CardUse


class OverageCredits(Rows):
    model = OverageCredit


@admin.register(Statement)
class StatementAdmin(StaffAdmin):
    list_display = (
        column("organisation", _("organisation"), str),
        column("months", _("period"), period, ordering="from_month"),
        "as_the_client_reads_it",
        column("overage_quarters", _("extra hours"), decimal_hours),
        column("publication__published_on", _("published"), day),
    )
    list_filter = (("display", titled(_("shown as"))),)
    list_select_related = ("organisation", "publication")
    linked_by = ("organisation__id", "publication__id")
    search_fields = ("organisation__legal_name", "organisation__code")
    ordering = ("-from_month", "organisation")
    inlines = (CardUses, OverageCredits)

    def heading(self, obj: Statement) -> str:
        return f"{obj.organisation}, {period(obj.months)}"

    @admin.display(description=_("as the client reads it"))
    def as_the_client_reads_it(self, statement: Statement) -> str | SafeString:
        sentence = statement_sentence(statement)
        return lining(sentence) if statement.display in WITHOUT_FIGURE else sentence


@admin.register(Publication)
class PublicationAdmin(StaffAdmin):
    list_display = (
        column("month", _("month"), month),
        column("published_on", _("published on"), day),
    )
    ordering = ("-month",)


@admin.register(ReleasePolicy)
class ReleasePolicyAdmin(StaffAdmin):
    list_display = (
        "version",
        "month_from_headcount",
        "quarter_from_headcount",
        "figures_from_headcount",
    )
