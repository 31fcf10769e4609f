"""Lists and forms for the catalogue and for sessions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agency import notices
from agency.admin_base import ModelForm, StaffAdmin
from agency.admin_columns import column
from agency.admin_rows import LabelledFormSet, Rows
from agency.month import midnight
from agency.templatetags.figures import amount, badge, moment
from agency.today import today
from workshops import scheduling
from workshops.models import (
    CancellationRung,
    CancelledBy,
    Enrolment,
    Offering,
    Session,
    SessionStatus,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

OVER = frozenset({SessionStatus.HELD, SessionStatus.CANCELLED})
_ONLY_OPEN = _("Names are taken for a session of open enrolment only, not for a client's.")
TONES = {"requested": "wait", "scheduled": "way", "held": "good", "cancelled": ""}


class Needs(admin.SimpleListFilter):
    title = _("to do")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("trainer", _("planned without a trainer")), ("outcome", _("past, not settled"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        planned = queryset.filter(status=SessionStatus.SCHEDULED)
        if self.value() == "trainer":
            return planned.filter(trainer__isnull=True, starts_at__gte=midnight(today()))
        if self.value() == "outcome":
            return planned.filter(starts_at__lt=midnight(today()))
        return queryset


class SessionForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        """Say at the field that a trainer is taken; `scheduling` refuses it all the same."""
        cleaned = super().clean() or {}
        trainer, starts_at = cleaned.get("trainer"), cleaned.get("starts_at")
        offering = cleaned.get("offering")
        if trainer and starts_at and offering:
            self.instance.offering = offering
            if scheduling.trainer_is_taken(self.instance, trainer, starts_at):
                self.add_error("trainer", _("The trainer has another session at that time."))
        if cleaned.get("organisation") and self.instance.enrolments.exists():
            self.add_error(
                "organisation",
                _("People are enrolled by name: a session with names stays one of open enrolment."),
            )
        return cleaned


class SeatForm(ModelForm):
    """A seat with who pays for it; without a price it costs what the offering does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "price_cents" in self.fields:
            self.fields["price_cents"].required = False
            self.fields["price_cents"].help_text = _("Empty: the price of the offering.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        session = cleaned.get("session") or getattr(self.instance, "session", None)
        if "session" in cleaned and session and session.organisation_id:
            self.add_error("session", _ONLY_OPEN)
        if session and "price_cents" in cleaned and cleaned["price_cents"] is None:
            cleaned["price_cents"] = session.offering.price_cents
        organisation = cleaned.get("organisation", self.instance.organisation)
        if not (organisation or cleaned.get("buyer_name")):
            self.add_error(
                "buyer_name", _("Give the organisation that pays, or the buyer's name and address.")
            )
        return cleaned


class SeatFormSet(LabelledFormSet):
    def add_fields(self, form: forms.ModelForm[Any], index: int | None) -> None:
        super().add_fields(form, index)
        is_new = index is None or index >= self.initial_form_count()
        if is_new and "price_cents" in form.fields:
            form.fields["price_cents"].initial = self.instance.offering.price_cents
            form.fields["buyer_country"].initial = "NL"

    def clean(self) -> None:
        super().clean()
        if self.instance.organisation_id and self.has_changed():
            raise forms.ValidationError(_ONLY_OPEN)


class Enrolments(Rows):
    model = Enrolment
    form = SeatForm
    formset = SeatFormSet
    autocomplete_fields = ("organisation",)


@admin.register(Session)
class SessionAdmin(StaffAdmin):
    list_display = (
        column("starts_at", _("when"), moment),
        column("offering", _("offering"), str),
        column("organisation", _("organisation"), str),
        column("trainer", _("trainer"), str),
        "state",
    )
    list_filter = (Needs, "status", "offering__kind")
    list_select_related = ("offering", "organisation", "trainer__user")
    search_fields = ("reference", "organisation__legal_name", "offering__title_nl")
    autocomplete_fields = ("organisation", "trainer", "offering")
    ordering = ("-starts_at",)
    form = SessionForm
    actions = ("hold", "cancel_for_client", "cancel_for_agency")
    final = ("cancel_for_client", "cancel_for_agency")
    readonly_fields = ("status", "cancelled_on", "cancelled_by")
    fieldsets = (
        (_("What"), {"fields": ("reference", "offering", "organisation", "trainer")}),
        (_("When and where"), {"fields": ("starts_at", "location", "on_site_km")}),
        (
            _("Outcome"),
            {"fields": (("status", "group_size"), ("cancelled_on", "cancelled_by"))},
        ),
    )

    def heading(self, obj: Session) -> str:
        for_whom = obj.organisation or _("open enrolment")
        return f"{obj.offering}, {for_whom}, {moment(obj.starts_at)}"

    def part(self, action: str, rows: QuerySet[Session]) -> QuerySet[Session]:
        if action == "hold":
            return rows.filter(status=SessionStatus.SCHEDULED, starts_at__date__lte=today())
        return rows.exclude(status__in=OVER)

    def deeds(self, obj: Session) -> tuple[str, ...]:
        if obj.status in OVER:
            return ()
        is_past = obj.status == SessionStatus.SCHEDULED and obj.starts_on <= today()
        return (*(("hold",) if is_past else ()), "cancel_for_client", "cancel_for_agency")

    def why_not(self, action: str, obj: Session) -> str:
        is_to_come = obj.status == SessionStatus.SCHEDULED and obj.starts_on > today()
        return gettext("still to come") if is_to_come else obj.get_status_display()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was held or cancelled is a fact that invoices follow from: it is only read."""
        is_over = obj is not None and obj.status in OVER
        return not is_over and super().has_change_permission(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Take names for a session of open enrolment only, once it is known to be one.

        Of a session that a client ordered the number of people is kept, and no names.
        """
        return [Enrolments] if obj and obj.pk and obj.organisation_id is None else []

    def save_model(self, request: HttpRequest, obj: Session, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's own signature
        if not change:
            obj.status = SessionStatus.REQUESTED
        super().save_model(request, obj, form, change)
        scheduling.schedule(obj, trainer=obj.trainer, starts_at=obj.starts_at)
        if not change or "starts_at" in form.changed_data:
            notices.tell(notices.SESSION, obj.organisation_id)

    @admin.action(description=_("Held: it took place"), permissions=["handle"])
    def hold(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        self._move(request, queryset, "held", partial(scheduling.mark_held, on=today()))

    @admin.action(description=_("Cancel for the client: the ladder counts"), permissions=["handle"])
    def cancel_for_client(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        cancel = partial(scheduling.cancel, on=today(), by=CancelledBy.CLIENT)
        self._move(request, queryset, "cancelled", cancel)

    @admin.action(description=_("Cancel ourselves: it costs nothing"), permissions=["handle"])
    def cancel_for_agency(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        cancel = partial(scheduling.cancel, on=today(), by=CancelledBy.AGENCY)
        self._move(request, queryset, "cancelled", cancel)

    def _move(
        self, request: HttpRequest, queryset: QuerySet[Session], action: str, verb: Any
    ) -> None:
        if done := len(self.each(request, queryset, action, verb)):
            text = ngettext("%(n)s session changed.", "%(n)s sessions changed.", done)
            messages.success(request, text % {"n": done})

    @admin.display(description=_("state"), ordering="status")
    def state(self, session: Session) -> SafeString:
        return badge(session.get_status_display(), TONES[session.status])


@admin.register(Enrolment)
class EnrolmentAdmin(StaffAdmin):
    """Seats by session: entered late as well, and put right where an invoice lacks an address.

    Once the session is over, what the seat costs and which organisation buys it is only read.
    """

    list_display = (
        column("session", _("session"), str),
        column("session__starts_at", _("when"), moment),
        column("session__offering", _("offering"), str),
        "buyer",
        column("price_cents", _("price in €"), amount),
    )
    list_select_related = ("session__offering", "organisation")
    list_filter = ("session__status", "session__offering__kind")
    search_fields = ("session__reference", "buyer_name", "organisation__legal_name", "name")
    autocomplete_fields = ("session", "organisation")
    ordering = ("-session__starts_at",)
    form = SeatForm
    fieldsets = (
        (_("Seat"), {"fields": ("session", ("name", "email"), "price_cents")}),
        (
            _("Buyer"),
            {
                "fields": (
                    "organisation",
                    ("buyer_name", "buyer_email"),
                    ("buyer_street", "buyer_postcode", "buyer_city", "buyer_country"),
                ),
                "description": _("An organisation, or the address that the invoice goes to."),
            },
        ),
    )

    @admin.display(description=_("buyer"))
    def buyer(self, seat: Enrolment) -> str:
        return str(seat.organisation or seat.buyer_name)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = super().get_readonly_fields(request, obj)
        is_over = obj is not None and obj.session.status in OVER
        return (*fixed, "session", "price_cents", "organisation") if is_over else fixed


@admin.register(Offering)
class OfferingAdmin(StaffAdmin):
    list_display = (
        "title_nl",
        "code",
        "kind",
        "minutes",
        column("price_cents", _("price in €"), amount),
        "vocational",
    )
    list_filter = ("kind", "vocational", "included_eligible")
    search_fields = ("title_nl", "title_en", "code")


@admin.register(CancellationRung)
class CancellationRungAdmin(StaffAdmin):
    list_display = ("days_before", "percent")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The rung of 0 days stays: without it a late cancellation would have no price."""
        is_last = obj is not None and obj.days_before == 0
        return not is_last and super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = super().get_readonly_fields(request, obj)
        return (*fixed, "days_before") if obj is not None and obj.days_before == 0 else fixed

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Delete rungs one by one: many at once would take the last one along."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
