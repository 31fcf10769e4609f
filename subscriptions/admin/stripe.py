"""What was said to Stripe and what it said, never to change; differences are cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from agency.admin_base import StaffAdmin, note
from agency.admin_columns import column, state, titled
from agency.admin_rows import Rows
from agency.templatetags.figures import day
from agency.today import today
from subscriptions import reconcile
from subscriptions.admin.searched import OF_DOCUMENT
from subscriptions.models import (
    ClearedBecause,
    EInvoiceMail,
    EventState,
    StepState,
    StripeCustomer,
    StripeDifference,
    StripeEvent,
    StripeStep,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

STEP_TONES = {"done": "good", "failed": "bad", "unknown": "wait", "attempting": "way"}
EVENT_TONES = {"handled": "good", "failed": "bad", "waiting": "wait", "received": "way"}


class Steps(Rows):
    model = StripeStep
    ordering = ("attempted_at",)
    fields = ("kind", "generation", "state", "attempted_at", "answer_id", "error_code")


@admin.register(StripeStep)
class StripeStepAdmin(StaffAdmin):
    list_display = (
        column("invoice", _("invoice"), str),
        "kind",
        "generation",
        "attempted_at",
        "error_code",
        state(StepState, STEP_TONES),
    )
    list_filter = (("state", titled(_("state"))), ("kind", titled(_("kind"))))
    list_select_related = ("invoice",)
    search_fields = ("invoice__number__contains", "answer_id__exact")
    ordering = ("-attempted_at",)


@admin.register(EInvoiceMail)
class EInvoiceMailAdmin(StaffAdmin):
    list_display = (
        column("invoice__number", _("invoice"), str),
        column("invoice__buyer_name", _("buyer"), str),
        column("sent_on", _("mailed on"), day),
        "problem",
    )
    list_filter = (("problem", titled(_("what is wrong"))),)
    list_select_related = ("invoice",)
    search_fields = OF_DOCUMENT
    ordering = ("-invoice__invoice_on", "-invoice__number")


@admin.register(StripeEvent)
class StripeEventAdmin(StaffAdmin):
    list_display = (
        *("type", "object_id", "received_at", "handled_at", "error_code"),
        state(EventState, EVENT_TONES),
    )
    list_filter = (("state", titled(_("state"))),)
    search_fields = ("event_id__exact", "object_id__exact")
    ordering = ("-received_at",)


@admin.register(StripeCustomer)
class StripeCustomerAdmin(StaffAdmin):
    list_display = (column("organisation", _("organisation"), str), "stripe_id", "livemode")
    list_select_related = ("organisation",)
    search_fields = ("organisation__legal_name", "stripe_id")


def _clearing(because: ClearedBecause | None, name: str, description: Any) -> Any:
    """Make the action that clears what was chosen, for one reason; for None, it waits again."""

    @admin.action(description=description, permissions=["handle"])
    def clear(_page: Any, request: HttpRequest, queryset: QuerySet[StripeDifference]) -> None:
        for difference in reconcile.clear(queryset, because, on=today()):
            note(request, "cleared" if because else "reopened", difference)

    clear.__name__ = name
    return clear


@admin.register(StripeDifference)
class StripeDifferenceAdmin(StaffAdmin):
    list_display = (
        "kind",
        "object_id",
        column("invoice", _("invoice"), str),
        "found_on",
        "to_do",
        "cleared_because",
    )
    list_filter = ("kind", "cleared_because")
    actions = (
        *(
            _clearing(because, because.value, format_lazy("{}: {}", _("Done"), because.label))
            for because in ClearedBecause
        ),
        _clearing(None, "reopen", _("Not done: back to the list")),
    )
    list_select_related = ("invoice",)
    search_fields = ("object_id", "invoice__number")
    ordering = ("found_on", "object_id")

    @admin.display(description=_("what to do"))
    def to_do(self, difference: StripeDifference) -> str:
        return reconcile.suggestion(difference)
