"""What was said to Stripe and what it said: to look up, never to change."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from agency.admin_base import StaffAdmin, column, state, titled
from subscriptions import reconcile
from subscriptions.models import (
    EventState,
    StepState,
    StripeCustomer,
    StripeDifference,
    StripeEvent,
    StripeStep,
)

STEP_TONES = {"done": "good", "failed": "bad", "unknown": "wait", "attempting": "way"}
EVENT_TONES = {"handled": "good", "failed": "bad", "waiting": "wait", "received": "way"}


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
    search_fields = ("invoice__number", "answer_id")
    ordering = ("-attempted_at",)


@admin.register(StripeEvent)
class StripeEventAdmin(StaffAdmin):
    list_display = (
        *("type", "object_id", "received_at", "handled_at", "error_code"),
        state(EventState, EVENT_TONES),
    )
    list_filter = (("state", titled(_("state"))),)
    search_fields = ("event_id", "object_id")
    ordering = ("-received_at",)


@admin.register(StripeCustomer)
class StripeCustomerAdmin(StaffAdmin):
    list_display = (column("organisation", _("organisation"), str), "stripe_id", "livemode")
    list_select_related = ("organisation",)
    search_fields = ("organisation__legal_name", "stripe_id")


@admin.register(StripeDifference)
class StripeDifferenceAdmin(StaffAdmin):
    list_display = ("kind", "object_id", column("invoice", _("invoice"), str), "found_on", "to_do")
    list_filter = ("kind",)
    list_select_related = ("invoice",)
    search_fields = ("object_id", "invoice__number")
    ordering = ("found_on", "object_id")

    @admin.display(description=_("what to do"))
    def to_do(self, difference: StripeDifference) -> str:
        return reconcile.suggestion(difference)
