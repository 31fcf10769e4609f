"""How our documents stand at Stripe: customers, calls made, events received."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agency.models import Entity, Organisation
from subscriptions.models.invoices import Invoice


class StripeCustomer(Entity):
    """Stripe's customer for an organisation; ``details_hash`` tells when Stripe needs an update."""

    organisation = models.OneToOneField(
        Organisation, models.PROTECT, related_name="stripe_customer"
    )
    stripe_id = models.CharField(max_length=60, unique=True)
    livemode = models.BooleanField()
    details_hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("Stripe customer")
        verbose_name_plural = _("Stripe customers")

    def __str__(self) -> str:
        return self.stripe_id


class StepKind(models.TextChoices):
    """The calls that carry a document to Stripe, in their order.

    The read-back before finalizing has no row: it is made anew each time and proves only then.
    """

    CUSTOMER = "customer", _("customer")
    DRAFT = "draft", _("draft")
    ADD_LINES = "add_lines", _("lines")
    FINALIZE = "finalize", _("finalize")
    SEND = "send", _("send")
    CREDIT_NOTE = "credit_note", _("credit note")
    SETTLE = "settle", _("payment outside Stripe")
    ADVANCE = "advance", _("debit and remind, or not")
    WRITE_OFF = "write_off", _("write-off")


class StepState(models.TextChoices):
    TODO = "todo", _("to do")
    ATTEMPTING = "attempting", _("attempting")
    DONE = "done", _("done")
    UNKNOWN = "unknown", _("outcome unknown")
    FAILED = "failed", _("refused")


class StripeStep(Entity):
    """One call to Stripe as a row: its frozen body and key are stored before it is made."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=20, choices=StepKind)
    generation = models.PositiveSmallIntegerField(default=1)
    idempotency_key = models.CharField(max_length=100, unique=True)
    body = models.JSONField(default=dict)
    body_hash = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=StepState, default=StepState.TODO)
    attempted_at = models.DateTimeField(null=True)
    answer_id = models.CharField(max_length=60, blank=True)
    livemode = models.BooleanField(null=True)
    error_code = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name = _("Stripe call")
        verbose_name_plural = _("Stripe calls")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["invoice", "kind", "generation"], name="one_call_per_step_and_generation"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=StepKind.values) & Q(state__in=StepState.values),
                name="step_is_of_a_known_kind_and_state",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["answer_id"], name="step_by_answer")]

    def __str__(self) -> str:
        return f"{self.kind} {self.generation}"


class EventState(models.TextChoices):
    RECEIVED = "received", _("received")
    HANDLED = "handled", _("handled")
    IGNORED = "ignored", _("not for us")
    WAITING = "waiting", _("object not known yet")
    FAILED = "failed", _("failed")


class StripeEvent(Entity):
    """The inbox: each event once, by Stripe's id; only what is needed to fetch the object."""

    event_id = models.CharField(max_length=100, unique=True)
    type = models.CharField(max_length=100)
    api_version = models.CharField(max_length=40, blank=True)
    livemode = models.BooleanField()
    object_id = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=EventState, default=EventState.RECEIVED)
    attempts = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name = _("Stripe event")
        verbose_name_plural = _("Stripe events")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=EventState.values), name="event_has_a_known_state"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state"], name="event_by_state"),
            models.Index(fields=["object_id"], name="event_by_object"),
        ]

    def __str__(self) -> str:
        return self.event_id


class DifferenceKind(models.TextChoices):
    """What a comparison with Stripe can find that no handler may repair by itself."""

    MADE_BY_HAND = "made_by_hand", _("made by hand at Stripe")
    UNKNOWN_HERE = "unknown_here", _("at Stripe, not known here")
    NOT_APPROVED = "not_approved", _("at Stripe, not approved here")
    MISSING_THERE = "missing_there", _("not at Stripe")
    DOUBLED = "doubled", _("at Stripe twice")
    AMOUNT = "amount", _("another amount at Stripe")
    NUMBER = "number", _("another number at Stripe")
    STATE = "state", _("another state at Stripe")
    DRAFT_LEFT = "draft_left", _("draft left behind at Stripe")
    GAP = "gap", _("number missing in the series")
    CUSTOMER_DOUBLED = "customer_doubled", _("customer at Stripe twice")
    DISPUTED = "disputed", _("payment taken back")
    REFUNDED = "refunded", _("refund without a credit note")
    CLOCK = "clock", _("clock differs from Stripe's")


class ClearedBecause(models.TextChoices):
    """How a person dealt with a difference that stays; a closed list, no words of their own."""

    BOOKED = "booked", _("entered in the books by hand")
    AGREED = "agreed", _("settled with the client outside Stripe")
    NOTED = "noted", _("noted for the auditor")


class StripeDifference(Entity):
    """Something that stands otherwise at Stripe than here, until a comparison finds it gone.

    A person may clear it; it waits again as soon as ``facts`` change.
    """

    kind = models.CharField(_("difference"), max_length=20, choices=DifferenceKind)
    object_id = models.CharField(_("at Stripe"), max_length=100)  # Stripe's id, or a number
    invoice = models.ForeignKey(
        Invoice, models.CASCADE, null=True, related_name="differences", verbose_name=_("invoice")
    )
    about_on = models.DateField()  # the date of what differs
    found_on = models.DateField(_("found on"))
    facts = models.CharField(max_length=200, blank=True)  # how both sides stand
    cleared_because = models.CharField(
        _("dealt with"), max_length=10, choices=ClearedBecause, blank=True
    )
    cleared_on = models.DateField(null=True)

    class Meta:
        verbose_name = _("difference with Stripe")
        verbose_name_plural = _("differences with Stripe")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "object_id"], name="one_difference_per_kind_and_object"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=DifferenceKind.values), name="difference_is_of_a_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(cleared_because="", cleared_on=None)
                | Q(cleared_because__in=ClearedBecause.values, cleared_on__isnull=False),
                name="difference_is_cleared_for_a_known_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.object_id}"
