"""Headcounts that were declared: staff enter them here, and confirm those of clients."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agency.accounts import signed_in
from agency.admin_base import ModelForm, StaffAdmin
from agency.admin_columns import column, state
from agency.templatetags.figures import month
from agency.today import today
from subscriptions import declarations
from subscriptions.admin.contracts import REQUEST_TONES
from subscriptions.models import HeadcountDeclaration, RequestState

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


ORGANISATION = attrgetter("organisation")


class DeclarationForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"organisation", "month"} <= cleaned.keys():
            organisation, from_month = cleaned["organisation"], cleaned["month"]
            declarations.refuse_to_declare(organisation, from_month, on=today())
        return cleaned


@admin.register(HeadcountDeclaration)
class HeadcountDeclarationAdmin(StaffAdmin):
    list_display = (
        column("organisation", _("organisation"), str),
        column("month", _("from"), month),
        "headcount",
        column("declared_by", _("declared by"), str),
        "declared_on",
        state(RequestState, REQUEST_TONES),
    )
    list_filter = ("state",)
    list_select_related = ("organisation", "declared_by")
    search_fields = ("organisation__legal_name", "organisation__code")
    autocomplete_fields = ("organisation",)
    fields = ("organisation", "month", "headcount")
    form = DeclarationForm
    actions = ("confirm", "decline")

    def deeds(self, obj: HeadcountDeclaration) -> tuple[str, ...]:
        return ("confirm", "decline") if obj.state == RequestState.OPEN else ()

    def part(
        self, action: str, rows: QuerySet[HeadcountDeclaration]
    ) -> QuerySet[HeadcountDeclaration]:
        return rows.filter(state=RequestState.OPEN)

    def save_model(
        self, request: HttpRequest, obj: HeadcountDeclaration, form: Any, change: Any
    ) -> None:
        made = declarations.declare(
            obj.organisation,
            month=obj.month,
            headcount=obj.headcount,
            by=signed_in(request),
            on=today(),
        )
        obj.pk = made.pk
        if made.state == RequestState.OPEN:
            messages.warning(
                request,
                gettext("Noted. Somebody else must confirm it too: the figures become finer."),
            )

    @admin.action(description=_("Confirm: the headcount counts"), permissions=["handle"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[HeadcountDeclaration]) -> None:
        confirm = partial(declarations.confirm, by=signed_in(request), on=today())
        rows = queryset.select_related("organisation")
        counting = sum(self.each(request, rows, "confirmed", confirm, ORGANISATION))
        if counting:
            text = ngettext(
                "%(n)s declaration counts now.", "%(n)s declarations count now.", counting
            )
            messages.success(request, text % {"n": counting})

    @admin.action(description=_("Decline: nothing changes"), permissions=["handle"])
    def decline(self, request: HttpRequest, queryset: QuerySet[HeadcountDeclaration]) -> None:
        rows = queryset.select_related("organisation")
        self.each(request, rows, "declined", declarations.decline, ORGANISATION)
