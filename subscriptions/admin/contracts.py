"""Contracts with the versions of their terms, orders, cards and requests."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agency.admin_base import ModelForm, StaffAdmin
from agency.admin_columns import column, state
from agency.admin_rows import LabelledFormSet, Rows
from agency.month import MonthRange
from agency.templatetags.figures import amount, day, decimal_hours, hours, month, period
from agency.today import today
from subscriptions import (
    contracts,
    ends,
    notice,
    pauses,
    previews,
    quotes,
    tier_requests,
    versions,
)
from subscriptions.admin.previews import CONFIRMED, PreviewedAdmin
from subscriptions.admin.used import OnceUsedAdmin
from subscriptions.models import (
    BilledOccurrence,
    LineKind,
    OccurrenceState,
    Pause,
    Payer,
    PurchaseOrder,
    RequestState,
    Subscription,
    Terms,
    TierChangeRequest,
    TopUpCard,
)
from subscriptions.orders import BudgetRefusedError, refuse_budget, with_budget_left

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

CARRIED_OVER = ("carry_over_basis_points", "carry_over_cap_quarters")
REQUEST_TONES = {"open": "wait", "confirmed": "good", "declined": ""}


class Notice(admin.SimpleListFilter):
    title = _("notice")
    parameter_name = "notice"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("window", _("last day within two months"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "window":
            return queryset.filter(pk__in=notice.in_window(today()).values("pk"))
        return queryset


class VersionForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"subscription", "from_month", "reason"} <= cleaned.keys():
            try:
                versions.refuse(cleaned["subscription"], cleaned["from_month"], cleaned["reason"])
                if not self.errors:
                    versions.refuse_on_request(cleaned["subscription"], cleaned)
            except versions.VersionRefusedError as refused:
                self.add_error(None, refused)
        return cleaned


class Versions(Rows):
    model = Terms
    fields = ("from_month", "reason", *quotes.CHOSEN)
    form = VersionForm


class PauseForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"subscription", "from_month", "until_month"} <= cleaned.keys():
            begin, until = cleaned["from_month"], cleaned["until_month"]
            if begin < until:  # else the database says so
                pauses.refuse(cleaned["subscription"], MonthRange(begin, until))
        return cleaned


class PauseRows(LabelledFormSet):
    def clean(self) -> None:
        super().clean()
        there = set(self.initial_forms)
        for form in self.deleted_forms:
            if form in there:
                pauses.refuse_withdrawal(form.instance)


class Pauses(Rows):
    model = Pause
    form = PauseForm
    formset = PauseRows


class SubscriptionForm(ModelForm):
    client_knows = forms.BooleanField(
        label=_("The client knows what this end withholds"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "signed_on" in self.fields:  # of one that was brought in the day may be unknown
            self.fields["signed_on"].required = kwargs.get("instance") is None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("year_starts_in") and {"organisation", "start_month"} <= cleaned.keys():
            for name in ("organisation", "start_month", "year_starts_in"):
                setattr(self.instance, name, cleaned[name])
            self._ask(versions.refuse_another_year, self.instance)
        if "until_month" in cleaned:
            knows = bool(cleaned.get("client_knows"))
            refuse = partial(ends.refuse, client_knows=knows)
            self._ask(refuse, self.instance, cleaned["until_month"], column="until_month")
        if cleaned.get("signed_on"):
            self._ask(partial(quotes.refuse_day, on=today()), cleaned["signed_on"])
        return cleaned

    def _ask(self, refuse: Callable[..., None], *about: Any, column: str | None = None) -> None:
        """Say at the field what a rule refuses."""
        try:
            refuse(*about)
        except ValidationError as refused:
            self.add_error(column, refused)


@admin.register(Subscription)
class SubscriptionAdmin(PreviewedAdmin):
    list_display = (
        column("organisation", _("organisation"), str),
        column("signed_on", _("signed on"), day),
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
    inlines = (Versions, Pauses)
    form = SubscriptionForm
    fieldsets = (
        (
            _("Contract"),
            {
                "fields": (
                    "organisation",
                    ("signed_on", "start_month", "until_month"),
                    "client_knows",
                )
            },
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
        if obj and obj.signed_on:
            fixed = (*fixed, "signed_on")
        if obj is None:
            return fixed
        if not hasattr(obj, "is_used"):  # Django asks some times for one page
            obj.is_priced, obj.is_used = obj.year_prices.exists(), contracts.is_in_use(obj)
        if obj.is_priced:
            fixed = (*fixed, "organisation", "start_month", "year_starts_in")
        if not obj.is_used:
            return fixed
        figures = ("reported_until", "first_run", "billing_interval", *CARRIED_OVER)
        return (*fixed, "organisation", "start_month", "year_starts_in", *figures)

    def heading(self, obj: Subscription) -> str:
        return f"{obj.organisation}, {month(obj.start_month)}"

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: Any) -> None:
        if not request.POST.get(CONFIRMED):
            request.planned = [(obj, previews.plan(obj))]  # type: ignore[attr-defined]  # for the answer
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Subscription, post_url_continue: str | None = None
    ) -> HttpResponse:
        page = self.preview(request, getattr(request, "planned", []))
        return page or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Subscription) -> HttpResponse:
        page = self.preview(request, getattr(request, "planned", []))
        return page or super().response_change(request, obj)


class PurchaseOrderForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("budget_cents") and {"organisation", "number"} <= cleaned.keys():
            try:
                refuse_budget(cleaned["organisation"], cleaned["number"], cleaned["budget_cents"])
            except BudgetRefusedError as refused:
                self.add_error("budget_cents", refused)
        return cleaned


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(StaffAdmin):
    form = PurchaseOrderForm
    list_display = (
        column("organisation", _("organisation"), str),
        "number",
        column("from_month", _("from"), month),
        column("until_month", _("until"), month),
        column("budget_cents", _("budget in €"), amount),
        column("left_cents", _("left in €"), amount),
    )
    list_select_related = ("organisation",)
    search_fields = ("organisation__legal_name", "organisation__code", "number")
    autocomplete_fields = ("organisation",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_budget_left(super().get_queryset(request))


@admin.register(Payer)
class PayerAdmin(StaffAdmin):
    list_display = (
        column("organisation", _("organisation"), str),
        column("payer", _("payer"), str),
        column("from_month", _("from"), month),
        column("until_month", _("until"), month),
    )
    list_select_related = ("organisation", "payer")
    search_fields = (
        *("organisation__legal_name", "organisation__code"),
        *("payer__legal_name", "payer__code"),
    )
    autocomplete_fields = ("organisation", "payer")


@admin.register(TopUpCard)
class TopUpCardAdmin(OnceUsedAdmin, PreviewedAdmin):
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

    def response_add(
        self, request: HttpRequest, obj: TopUpCard, post_url_continue: str | None = None
    ) -> HttpResponse:
        if not request.POST.get(CONFIRMED):
            return self.shown(request, [_card(obj)])
        return super().response_add(request, obj, post_url_continue)


def _card(card: TopUpCard) -> dict[str, Any]:
    """Give what the page shows of a card before it is bought."""
    lines = previews.card_lines(card)
    remarks = [gettext("The oldest card is used first, and only after the included hours.")]
    if lines == []:
        remarks.append(gettext("No run bills it: it was due before the first run of the contract."))
    return {
        "contract": card,
        "agreed": [
            (gettext("hours"), "", hours(card.bought_quarters)),
            (gettext("valid"), "", period(card.months)),
        ],
        "remarks": remarks,
        "can_be_billed": lines is not None,
        "lines": lines,
    }


@admin.register(TierChangeRequest)
class TierChangeRequestAdmin(PreviewedAdmin):
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
    shows_first = ("confirm",)

    def heading(self, obj: TierChangeRequest) -> str:
        return f"{obj.subscription.organisation}, {month(obj.from_month)}"

    def deeds(self, obj: TierChangeRequest) -> tuple[str, ...]:
        return ("confirm", "decline") if obj.state == RequestState.OPEN else ()

    def part(self, action: str, rows: QuerySet[TierChangeRequest]) -> QuerySet[TierChangeRequest]:
        return rows.filter(state=RequestState.OPEN)

    @admin.action(description=_("Confirm: the tier changes"), permissions=["handle"])
    def confirm(
        self, request: HttpRequest, queryset: QuerySet[TierChangeRequest]
    ) -> HttpResponse | None:
        rows = queryset.select_related("subscription__organisation")
        asked = [] if request.POST.get(CONFIRMED) else [row.subscription for row in rows]
        with transaction.atomic():
            planned = [(row, previews.plan(row)) for row in asked]
            done = self.each(request, rows, "confirmed", tier_requests.confirm)
            page = self.preview(request, planned)
        if page is None:
            self._tell(request, len(done))
        return page

    @admin.action(description=_("Decline: nothing changes"), permissions=["handle"])
    def decline(self, request: HttpRequest, queryset: QuerySet[TierChangeRequest]) -> None:
        rows = queryset.select_related("subscription")
        self._tell(request, len(self.each(request, rows, "declined", tier_requests.decline)))

    def _tell(self, request: HttpRequest, done: int) -> None:
        text = ngettext("%(n)s request handled.", "%(n)s requests handled.", done)
        messages.success(request, text % {"n": done} if done else gettext("Nothing was changed."))
