"""What was said to Stripe and what it said: to look up, never to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from agency.admin_base import StaffAdmin, column, titled
from agency.templatetags.figures import badge
from subscriptions import reconcile
from subscriptions.models import StripeCustomer, StripeDifference, StripeEvent, StripeStep

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

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
        "standing",
    )
    list_filter = (("state", titled(_("state"))), ("kind", titled(_("kind"))))
    list_select_related = ("invoice",)
    search_fields = ("invoice__number", "answer_id")
    ordering = ("-attempted_at",)

    @admin.display(description=_("state"), ordering="state")
    def standing(self, step: StripeStep) -> SafeString:
        return badge(step.get_state_display(), STEP_TONES.get(step.state, ""))


@admin.register(StripeEvent)
class StripeEventAdmin(StaffAdmin):
    list_display = ("type", "object_id", "received_at", "handled_at", "error_code", "standing")
    list_filter = (("state", titled(_("state"))),)
    search_fields = ("event_id", "object_id")
    ordering = ("-received_at",)

    @admin.display(description=_("state"), ordering="state")
    def standing(self, event: StripeEvent) -> SafeString:
        return badge(event.get_state_display(), EVENT_TONES.get(event.state, ""))


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
