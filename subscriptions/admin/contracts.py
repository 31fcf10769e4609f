"""Contracts with the versions of their terms, orders, cards and requests."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from advisors.hours import is_closed
from agency.admin_base import Rows, StaffAdmin, column, state
from agency.templatetags.figures import amount, decimal_hours, month, period
from agency.today import today
from subscriptions import ends, notice, tier_requests
from subscriptions.admin.used import OnceUsedAdmin
from subscriptions.models import (
    BilledOccurrence,
    InvoiceLine,
    LineKind,
    OccurrenceState,
    PurchaseOrder,
    RequestState,
    Statement,
    Subscription,
    Terms,
    TermsReason,
    TierChangeRequest,
    TopUpCard,
)
from subscriptions.release import QUARTER, YEAR

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from agency.month import Month

CARRIED_OVER = ("carry_over_basis_points", "carry_over_cap_quarters")
DAYS_OF_NOTICE_WINDOW = 60
REQUEST_TONES = {"open": "wait", "confirmed": "good", "declined": ""}


def in_notice_window(on: dt.date) -> list[UUID]:
    """Give the running contracts whose last day of notice comes within two months."""
    last = on + dt.timedelta(days=DAYS_OF_NOTICE_WINDOW)
    found = []
    for contract in Subscription.objects.filter(until_month__isnull=True):
        last_notice_on = notice.running_term(contract, on=on).last_notice_on
        if last_notice_on and on <= last_notice_on <= last:
            found.append(contract.pk)
    return found


class Notice(admin.SimpleListFilter):
    title = _("notice")
    parameter_name = "notice"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("window", _("last day within two months"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "window":
            return queryset.filter(pk__in=in_notice_window(today()))
        return queryset


class VersionForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no argument at run time
    """A version of the terms of months to come; what is closed was published and charged.

    Only a contract that is entered late begins in a closed month.
    """

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        contract, reason = cleaned.get("subscription"), cleaned.get("reason")
        if contract is None:  # a key that no page sends
            return cleaned
        from_month = cleaned.get("from_month")
        starts = reason == TermsReason.START
        if from_month and not (starts and not is_in_use(contract)) and is_closed(from_month):
            self.add_error(
                "from_month", _("This month is closed. New terms begin in a month that is open.")
            )
        if starts and Terms.objects.filter(subscription=contract.pk, reason=reason).exists():
            self.add_error("reason", _("A contract starts once: choose another reason."))
        return cleaned


class Versions(Rows):
    model = Terms
    form = VersionForm


class SubscriptionForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no argument at run time
    client_knows = forms.BooleanField(
        label=_("The client knows what this end withholds"), required=False
    )

    def clean(self) -> dict[str, Any]:
        """Hold an end to the contract year, and say beforehand what it withholds (design 5.11)."""
        cleaned = super().clean() or {}
        until: Month | None = cleaned.get("until_month")
        if until is None or until == self.initial.get("until_month"):
            return cleaned
        if refused := self._refused(until):
            self.add_error("until_month", refused)
            return cleaned
        withheld = ends.withheld_by(self.instance, until)
        if withheld and not cleaned.get("client_knows"):
            said = gettext(
                "With this end, use in %(months)s is neither shown nor charged: too short a "
                "period. Choose another end, or tick that the client knows."
            )
            self.add_error("until_month", said % {"months": ", ".join(map(period, withheld))})
        return cleaned

    def _refused(self, until: Month) -> str:
        if not Subscription.objects.filter(pk=self.instance.pk).exists():
            return gettext(
                "Save the contract without an end first: only then can be said what the end "
                "withholds."
            )
        length, nearest = ends.nearest_ends(self.instance, until)
        if not nearest:
            return ""
        said = {
            QUARTER: gettext(
                "With this headcount a contract ends with a quarter of its contract year. "
                "Nearest: %(months)s."
            ),
            YEAR: gettext(
                "With this headcount a contract ends with its contract year. Nearest: %(months)s."
            ),
        }
        return said[length] % {"months": ", ".join(map(str, nearest))}

    def clean_until_month(self) -> Month | None:
        """Let a contract end, or its end be withdrawn, only while its last month is open."""
        before: Month | None = self.instance.until_month
        until: Month | None = self.cleaned_data["until_month"]
        if until != before and is_in_use(self.instance):
            for end in (before, until):
                if end is not None and is_closed(end - 1):
                    raise forms.ValidationError(
                        _("The last month of a contract is one that is still open.")
                    )
            if before is not None and (until is None or until > before) and _is_paid(self.instance):
                raise forms.ValidationError(
                    _("The fee was billed until this end: agree on a new contract from then on.")
                )
        return until


def _is_paid(contract: Subscription) -> bool:
    """Tell whether a fee was billed until a contract's end, and so less than its whole interval."""
    lines = InvoiceLine.objects.filter(kind=LineKind.FEE, until_month=contract.until_month)
    return lines.filter(occurrence__subject_id=contract.pk).exists()


def is_in_use(contract: Subscription) -> bool:
    """Tell whether anything was published or billed by a contract."""
    stated = Statement.objects.filter(subscription=contract.pk)
    billed = BilledOccurrence.objects.filter(subject_id=contract.pk)
    return stated.exists() or billed.exists()


@admin.register(Subscription)
class SubscriptionAdmin(StaffAdmin):
    list_display = (
        column("organisation", _("organisation"), str),
        column("start_month", _("from"), month),
        column("until_month", _("until"), month),
        "billing_interval",
        "collection",
        "po_required",
    )
    list_filter = (Notice, "billing_interval", "collection", "po_required")
    list_select_related = ("organisation",)
    search_fields = ("organisation__legal_name", "organisation__code")
    autocomplete_fields = ("organisation",)
    inlines = (Versions,)
    form = SubscriptionForm
    fieldsets = (
        (
            _("Contract"),
            {"fields": ("organisation", ("start_month", "until_month"), "client_knows")},
        ),
        (
            _("Term"),
            {"fields": (("term_months", "renewal_months", "notice_months"), "year_starts_in")},
        ),
        (
            _("Invoices"),
            {
                "fields": (
                    ("billing_interval", "collection", "payment_days"),
                    ("po_required", "first_run"),
                )
            },
        ),
        (
            _("Hours"),
            {
                "fields": (
                    CARRIED_OVER,
                    "reported_until",
                )
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What was published and billed was worked out from these."""
        fixed = super().get_readonly_fields(request, obj)
        if obj is None or not is_in_use(obj):
            return fixed
        figures = ("reported_until", "first_run", "billing_interval", *CARRIED_OVER)
        return (*fixed, "organisation", "start_month", "year_starts_in", *figures)

    def heading(self, obj: Subscription) -> str:
        return f"{obj.organisation}, {month(obj.start_month)}"


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(StaffAdmin):
    list_display = (
        column("organisation", _("organisation"), str),
        "number",
        column("from_month", _("from"), month),
        column("until_month", _("until"), month),
    )
    list_select_related = ("organisation",)
    search_fields = ("organisation__legal_name", "organisation__code", "number")
    autocomplete_fields = ("organisation",)


@admin.register(TopUpCard)
class TopUpCardAdmin(OnceUsedAdmin):
    list_display = (
        column("organisation", _("organisation"), str),
        column("bought_month", _("bought in"), month),
        column("expires_month", _("expires in"), month),
        column("bought_quarters", _("hours"), decimal_hours),
        column("price_cents", _("price in €"), amount),
    )
    list_select_related = ("organisation",)
    search_fields = ("organisation__legal_name", "organisation__code")
    autocomplete_fields = ("organisation",)

    def is_used(self, obj: TopUpCard) -> bool:
        billed = BilledOccurrence.objects.filter(kind=LineKind.TOPUP, subject_id=obj.pk)
        return billed.exclude(state=OccurrenceState.HELD).exists() or obj.uses.exists()


@admin.register(TierChangeRequest)
class TierChangeRequestAdmin(StaffAdmin):
    list_display = (
        column("subscription__organisation", _("organisation"), str),
        "tier",
        column("from_month", _("from"), month),
        column("requested_by", _("requested by"), str),
        "requested_on",
        state(RequestState, REQUEST_TONES),
    )
    list_filter = ("state",)
    list_select_related = ("subscription__organisation", "requested_by")
    search_fields = ("subscription__organisation__legal_name",)
    actions = ("confirm", "decline")

    @admin.action(description=_("Confirm: the tier changes"), permissions=["handle"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[TierChangeRequest]) -> None:
        self._handle(request, queryset, "confirmed", tier_requests.confirm)

    @admin.action(description=_("Decline: nothing changes"), permissions=["handle"])
    def decline(self, request: HttpRequest, queryset: QuerySet[TierChangeRequest]) -> None:
        self._handle(request, queryset, "declined", tier_requests.decline)

    def _handle(
        self, request: HttpRequest, queryset: QuerySet[TierChangeRequest], action: str, verb: Any
    ) -> None:
        done = len(self.each(request, queryset.select_related("subscription"), action, verb))
        text = ngettext("%(n)s request handled.", "%(n)s requests handled.", done)
        messages.success(request, text % {"n": done} if done else gettext("Nothing was changed."))
