"""Quotes: prepared and offered by a planner, signed by a controller, printed by either."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.http import content_disposition_header
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agency.admin_base import ModelForm, note
from agency.admin_columns import column
from agency.templatetags.figures import badge, day, month
from agency.today import today
from subscriptions import previews, quote_document, quotes
from subscriptions.admin.contracts import CARRIED_OVER
from subscriptions.admin.previews import CONFIRMED, PreviewedAdmin, look
from subscriptions.models import Quote, QuoteState, Subscription

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from subscriptions.previews import Plan

OUTSTANDING = (QuoteState.OFFERED, QuoteState.LAPSED)
TONES = {"offered": "way", "lapsed": "wait", "signed": "good"}
OWN = (
    ("own_annual_fee_cents", "own_overage_rate_cents"),
    ("own_included_quarters", "own_included_sessions"),
)
PROMISED = (
    ("headcount", "annual_fee_cents", "setup_fee_cents"),
    ("included_quarters", "included_sessions", "overage_rate_cents"),
)


@admin.display(description=_("state"))
def state(quote: Quote) -> Any:
    found = quotes.state_of(quote, on=today())
    return badge(found.label, TONES.get(found, ""))


class Standing(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(QuoteState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value and value in QuoteState.values:
            standing = quotes.in_state(QuoteState(value), on=today())
            return queryset.filter(pk__in=standing)
        return queryset


class QuoteForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        """Say what a contract of this quote would be refused for, as long as the rest is right."""
        cleaned = super().clean() or {}
        if not self.errors:
            for name, value in cleaned.items():
                setattr(self.instance, name, value)
            try:
                quotes.outlook(self.instance)
            except ValidationError as refused:
                self._say(refused)
        return cleaned

    def _say(self, refused: ValidationError) -> None:
        """Put each sentence at its field; what has none here stands above the form."""
        if not hasattr(refused, "error_dict"):
            self.add_error(None, refused)
            return
        for name, sentences in refused.error_dict.items():
            for sentence in sentences:
                self.add_error(name if name in self.fields else None, sentence)


class SignForm(forms.Form):
    signed_on = forms.DateField(
        label=_("Signed on"),
        help_text=_("The day on the client's signature."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )


@admin.register(Quote)
class QuoteAdmin(PreviewedAdmin):
    form = QuoteForm
    list_display = (
        column("organisation", _("organisation"), str),
        "tier",
        column("start_month", _("from"), month),
        column("offered_on", _("offered on"), day),
        column("valid_until", _("holds until"), day),
        state,
    )
    list_filter = (Standing, "tier")
    list_select_related = ("organisation",)
    search_fields = ("organisation__legal_name", "organisation__code")
    autocomplete_fields = ("organisation",)
    actions = ("offer", "withdraw")
    shows_first = ("offer",)
    final = ("withdraw",)
    fieldsets = (
        (_("Quote"), {"fields": ("organisation", ("start_month", "valid_until"))}),
        (
            _("Term"),
            {"fields": (("term_months", "renewal_months", "notice_months"), "year_starts_in")},
        ),
        (
            _("Invoices"),
            {"fields": (("billing_interval", "collection", "payment_days"), "po_required")},
        ),
        (_("Hours"), {"fields": (("tier", "overage", "release"), *OWN, CARRIED_OVER)}),
    )
    as_offered = (
        _("As offered"),
        {"fields": (("offered_on", "withdrawn_on", "contract"), *PROMISED)},
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[Any, Any]]:
        shown = super().get_fieldsets(request, obj)
        return [*shown, self.as_offered] if obj and obj.offered_on else shown

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_draft(obj)

    def deeds(self, obj: Quote) -> tuple[str, ...]:
        if _is_draft(obj):
            return ("offer",)
        return ("withdraw",) if quotes.state_of(obj, on=today()) in OUTSTANDING else ()

    def part(self, action: str, rows: QuerySet[Quote]) -> QuerySet[Quote]:
        if action == "offer":
            return rows.filter(pk__in=quotes.in_state(QuoteState.DRAFT, on=today()))
        offered, lapsed = (quotes.in_state(each, on=today()) for each in OUTSTANDING)
        return rows.filter(Q(pk__in=offered) | Q(pk__in=lapsed))

    def why_not(self, action: str, obj: Quote) -> str:
        return str(quotes.state_of(obj, on=today()).label)

    def heading(self, obj: Quote) -> str:
        found = quotes.state_of(obj, on=today())
        return f"{obj.organisation}, {month(obj.start_month)} ({found.label})"

    def get_urls(self) -> list[Any]:
        wrap, name = self.admin_site.admin_view, "subscriptions_quote"
        return [
            path("<path:object_id>/sign/", wrap(self.sign), name=f"{name}_sign"),
            path("<path:object_id>/document/", wrap(self.document), name=f"{name}_document"),
            *super().get_urls(),
        ]

    def document(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the document of what is offered, in the language of the client; also of a draft."""
        quote = self._looked_at(request, object_id)
        try:
            content = quote_document.write(quote, on=today())
        except ValidationError as refused:
            messages.error(request, " ".join(refused.messages))
            return redirect("admin:subscriptions_quote_change", object_id)
        name = f"{quote.organisation.code}-{quote.start_month}.pdf"
        headers = {"Content-Disposition": content_disposition_header(False, name) or ""}
        return HttpResponse(content, content_type="application/pdf", headers=headers)

    def sign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what a signature makes of the runs to come, and note it once that was seen."""
        quote = self._looked_at(request, object_id)
        if "take_back" in request.POST:
            return self._take_back(request, quote)
        form = SignForm(request.POST or None)
        if form.is_valid():
            try:
                return self._sign(request, quote, form.cleaned_data["signed_on"])
            except ValidationError as refused:
                form.add_error("signed_on", refused.messages)
        title = self.heading(quote)
        return self.page(request, "subscriptions/quote/sign", title, form=form, quote=quote)

    @transaction.atomic
    def _sign(self, request: HttpRequest, quote: Quote, signed_on: dt.date) -> HttpResponse:
        row = quotes.sign(quote, signed_on=signed_on, on=today())
        if CONFIRMED not in request.POST:
            return self.shown(request, [_new(row, previews.plan(row))])
        note(request, "signed", quote)
        messages.success(request, gettext("Signed: the contract is billed from its first run on."))
        return redirect("admin:subscriptions_subscription_change", row.pk)

    def _take_back(self, request: HttpRequest, quote: Quote) -> HttpResponse:
        if self.each(
            request, [quote], "signature taken back", partial(quotes.take_back, on=today())
        ):
            text = gettext("The signature is taken back: the quote is offered again.")
            messages.success(request, text)
        return redirect("admin:subscriptions_quote_change", quote.pk)

    def _looked_at(self, request: HttpRequest, object_id: str) -> Quote:
        quote: Quote | None = self.get_object(request, object_id)
        if quote is None:
            raise Http404
        return quote

    @admin.action(description=_("Offer: what stands in it stays as it is"), permissions=["handle"])
    def offer(self, request: HttpRequest, queryset: QuerySet[Quote]) -> HttpResponse | None:
        with transaction.atomic():
            done = self.each(request, queryset, "offered", self._offer)
            if done and CONFIRMED not in request.POST:
                return self.shown(request, done)
        self._tell(request, len(done))
        return None

    def _offer(self, quote: Quote) -> dict[str, Any]:
        """Offer a draft, and give what the page shows of it."""
        quotes.offer(quote, on=today())
        return _new(*quotes.outlook(quote)[::2])

    @admin.action(description=_("Withdraw: it cannot be signed"), permissions=["handle"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Quote]) -> None:
        done = self.each(request, queryset, "withdrawn", partial(quotes.withdraw, on=today()))
        self._tell(request, len(done))

    def _tell(self, request: HttpRequest, done: int) -> None:
        text = ngettext("%(n)s quote handled.", "%(n)s quotes handled.", done)
        messages.success(request, text % {"n": done} if done else gettext("Nothing was changed."))


def _new(row: Subscription, plan: Plan) -> dict[str, Any]:
    """Give what the page shows of a contract that was none before."""
    return look(row, replace(plan, contract=None, charges={}), plan)


def _is_draft(quote: Quote | None) -> bool:
    return quote is None or not (quote.offered_on or quote.withdrawn_on)
