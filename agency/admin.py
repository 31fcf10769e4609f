"""Lists and forms for people and organisations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from django.contrib import admin, messages
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from agency import access, admin_words, legal_names, vat_ids
from agency.accounts import signed_in
from agency.admin_base import ModelForm, StaffAdmin
from agency.admin_columns import column, worded
from agency.admin_rows import Rows
from agency.models import (
    Agency,
    AuditEvent,
    Contact,
    CrkboRegistration,
    Headcount,
    LegalName,
    Organisation,
    Role,
    User,
    VatConsultation,
)
from agency.paging import PagedList
from agency.templatetags.figures import day
from agency.today import today

if TYPE_CHECKING:
    from django.db import models
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

PAGE = "admin:agency_organisation_overview"  # which knows of contracts, and lives with them


class Headcounts(Rows):
    """New ones are declared: `subscriptions.declarations`."""

    model = Headcount


class Contacts(Rows):
    model = Contact
    autocomplete_fields = ("user",)


class LegalNameForm(ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"kvk_number", "vat_id"} & self.fields.keys():
            self.fields[name].help_text = _("Empty: it stays as it is.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"organisation", "from_on"} <= cleaned.keys():
            legal_names.refuse(cleaned["organisation"], cleaned["from_on"])
        return cleaned


@admin.register(LegalName)
class LegalNameAdmin(StaffAdmin):
    """Entered one by one, from a day on; what is left empty stays as it is."""

    form = LegalNameForm
    list_display = (
        column("organisation", _("organisation"), str),
        "legal_name",
        column("from_on", _("from"), day),
        "kvk_number",
        "vat_id",
    )
    list_select_related = ("organisation",)
    search_fields = ("legal_name", "organisation__code", "organisation__legal_name")
    autocomplete_fields = ("organisation",)
    fields = ("organisation", "from_on", "legal_name", "kvk_number", "vat_id")
    ordering = ("-from_on",)

    def save_model(
        self, request: HttpRequest, obj: LegalName, form: Any, change: Any
    ) -> None:  # Django calls it so
        legal_names.rename(obj, on=today())


class VatIdToCheck(admin.SimpleListFilter):
    title = _("to do")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("vat_check", _("VAT id to be checked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset & vat_ids.pending() if self.value() == "vat_check" else queryset


class OrganisationForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        """Take the tick away from a VAT id that was changed under it."""
        cleaned = super().clean() or {}
        if self.initial.get("vat_id_checked") and "vat_id" in self.changed_data:
            cleaned["vat_id_checked"] = False
        return cleaned


class Clients(PagedList):
    """The list of clients, of which each row leads to the client's page."""

    def url_for_result(self, result: models.Model) -> str:
        listed: Any = self.model_admin
        return str(listed.address(result))


@admin.register(Organisation)
class OrganisationAdmin(StaffAdmin):
    list_display = ("legal_name", "code", "city", "country", "language")
    list_filter = (VatIdToCheck, "sector", "country", "language", "vat_id_checked")
    linked_by = ("organisation__id", "parent__id")
    search_fields = ("legal_name", "code", "kvk_number", "city")
    autocomplete_fields = ("parent",)
    inlines = (Headcounts, Contacts)
    form = OrganisationForm
    readonly_fields = ("at_vies",)
    actions = ("check_at_vies",)
    preserve_filters = False  # a client's page comes between the list and the form
    fieldsets = (
        (_("Client"), {"fields": ("legal_name", ("code", "language"), ("sector", "parent"))}),
        (_("Address"), {"fields": ("street", ("postcode", "city"), "country")}),
        (
            _("Invoices"),
            {
                "fields": (
                    "invoice_email",
                    ("kvk_number", "oin"),
                    ("vat_id", "vat_id_checked"),
                    "at_vies",
                    "einvoice_address",
                    "einvoice_email",
                )
            },
        ),
    )

    def address(self, obj: Organisation) -> str:
        return reverse(PAGE, args=[obj.pk])

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PagedList]:
        return Clients

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead straight to the only client that a search finds."""
        answer: Any = super().changelist_view(request, extra_context)
        found = getattr(answer, "context_data", None) or {}
        if request.method == "GET" and set(request.GET) == {"q"} and found.get("cl"):
            rows = found["cl"].result_list
            if request.GET["q"].strip() and len(rows) == 1:
                return redirect(self.address(rows[0]))
        return answer  # type: ignore[no-any-return]  # as Django answers

    def response_post_save_change(
        self, request: HttpRequest, obj: Organisation
    ) -> HttpResponseRedirect:
        return redirect(self.address(obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What counts from a day on is added as another legal name."""
        fixed = super().get_readonly_fields(request, obj)
        if obj is None or not obj.legal_names.exists():
            return fixed
        return (*fixed, "legal_name", "kvk_number", "vat_id")

    @admin.display(description=_("last answer of VIES"), empty_value="–")
    def at_vies(self, organisation: Organisation) -> str:
        found = None if organisation._state.adding else vat_ids.newest(organisation)  # noqa: SLF001  # a key is there before the row is
        if found is None:
            return "–"
        said = f"{found.get_answer_display()}, {day(found.on)}"
        return f"{said} ({found.reference})" if found.reference else said

    @admin.action(description=_("Check the VAT id at VIES"), permissions=["handle"])
    def check_at_vies(self, request: HttpRequest, queryset: QuerySet[Organisation]) -> None:
        on = today()
        found = self.each(request, queryset, "checked", lambda row: vat_ids.consult(row, on=on))
        if found:
            messages.info(request, str(vat_ids.Rechecked.of(found)))


@admin.register(VatConsultation)
class VatConsultationAdmin(StaffAdmin):
    list_display = (
        column("organisation", _("organisation"), str),
        "vat_id",
        column("on", _("day"), day),
        "answer",
        "reference",
    )
    list_filter = ("answer",)
    list_select_related = ("organisation",)
    search_fields = ("organisation__legal_name", "vat_id", "reference")
    ordering = ("-on", "-number")


class UserForm(ModelForm):
    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


@admin.register(User)
class UserAdmin(StaffAdmin):
    """People who sign in. Who may not give roles neither changes colleagues nor makes one."""

    form = UserForm
    list_display = ("name", "email", "role", "is_active")
    list_filter = ("role", "is_active", "language")
    ordering = ("name",)
    search_fields = ("name", "email")
    fields = ("name", "email", "role", "language", "is_active")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        is_colleague = obj is not None and obj.is_staff
        return not is_colleague or _gives_roles(request)

    def formfield_for_choice_field(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "role" and not _gives_roles(request):
            kwargs["choices"] = [choice for choice in Role.choices if choice[0] not in Role.staff]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001  # Django calls it so
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        # A former address would go on to sign the person in.
        EmailAddress.objects.filter(user=obj).exclude(email=obj.email).delete()


def _gives_roles(request: HttpRequest) -> bool:
    return access.changes(signed_in(request).role, "agency.user", "role")


class Registrations(Rows):
    model = CrkboRegistration


@admin.register(Agency)
class AgencyAdmin(StaffAdmin):
    inlines = (Registrations,)
    list_display = ("name", "legal_name", "city")
    fieldsets = (
        (
            _("Agency"),
            {"fields": ("name", "legal_name", "street", ("postcode", "city"), "country")},
        ),
        (
            _("Invoices"),
            {"fields": (("kvk_number", "vat_id"), "iban", "km_rate_cents")},
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Agency.objects.exists()


@admin.register(AuditEvent)
class AuditEventAdmin(StaffAdmin):
    list_display = (
        column("on", _("day"), day),
        column("actor", _("who"), str),
        column("action", _("What"), admin_words.deed),
        column("subject_model", _("Of what"), admin_words.subject),
        column("fields", _("Fields"), str),
    )
    list_filter = (
        ("action", worded(_("What"), admin_words.deed)),
        ("subject_model", worded(_("Of what"), admin_words.subject)),
    )
    list_select_related = ("actor",)
    ordering = ("-on",)
