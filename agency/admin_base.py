"""What all lists and pages of the admin share: their deeds, and an audit that keeps no values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError, models
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from agency import access, audit, confirmation, offered, refusals, saved_filters, search
from agency.accounts import signed_in
from agency.admin_columns import name_of, readable
from agency.admin_fields import is_key
from agency.admin_rows import Units
from agency.models import AuditEvent
from agency.paging import CappedPaginator, PagedList
from agency.today import today

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    # Django's classes take their type arguments only where types are checked.
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
else:
    ModelAdmin, ModelForm = admin.ModelAdmin, forms.ModelForm

ON_PAGE_OF = "here"  # names the row on whose page an action was asked for


class StaffAdmin(Units, ModelAdmin):
    """A list and a form for staff. What a role may do stands in `agency.access`.

    Changes are noted as audit events, by day and with the names of the fields, never their values.
    """

    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    linked_by: tuple[str, ...] = ("organisation__id",)  # filters that our own links use
    shows_first: tuple[str, ...] = ()  # actions with a page of their own before the deed
    final: tuple[str, ...] = ()  # actions that nothing undoes, asked for one row as well

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PagedList]:
        return PagedList

    def get_urls(self) -> list[Any]:
        """Give the pages with a name, which `agency.access` needs; not the one for old links."""
        return [pattern for pattern in super().get_urls() if pattern.name]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Read with a row what its page names of other tables; None where there is no such row."""
        key: Any = self.opts.get_field(from_field) if from_field else self.opts.pk
        try:
            rows = self.for_page(self.get_queryset(request))
            return rows.get(**{key.name: key.to_python(object_id)})
        except (self.model.DoesNotExist, ValidationError, ValueError):
            return None

    def for_page(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Have rows read what the page of one shows besides its own columns."""
        keys = (field.name for field in self.opts.fields if field.is_relation)
        return rows.select_related(*keys, *self.related())

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person behind a request may run the actions of the list."""
        return signed_in(request).has_perm(f"{self.opts.app_label}.handle_{self.opts.model_name}")

    def each(
        self,
        request: HttpRequest,
        rows: Iterable[Any],
        action: str,
        verb: Callable[[Any], Any],
        named: Callable[[Any], Any] = str,
    ) -> list[Any]:
        """Do one deed with each row and note it, or say why it is refused; give what came of it."""
        done = []
        for row in rows:
            try:
                done.append(verb(row))
            except ValidationError as refused:
                messages.error(request, f"{named(row)}: {' '.join(refused.messages)}")
            else:
                note(request, action, row)
        return done

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> Any:
        """Search as `agency.search` does, without the one character that PostgreSQL refuses."""
        fields = self.get_search_fields(request)
        found = search.find(queryset, fields, search_term.replace("\0", "")) if fields else queryset
        return found, False

    def get_paginator(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        paginator: Any = super().get_paginator(request, queryset, *args, **kwargs)
        paginator.is_search = bool(request.GET.get(SEARCH_VAR) or request.GET.get("term"))
        paginator.rows = self.get_queryset(request)
        paginator.rows.query.select_related = queryset.query.select_related
        return paginator

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:  # type: ignore[override]  # any rows
        """Run an action, or show first what it will do; a row chosen by what is no key is bad.

        One that was asked for on a row's own page leads back there.
        """
        if not all(map(is_key, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            raise BadRequest
        if confirmation.ASKED in request.POST:
            asked = confirmation.page(self, request, queryset, back=self.back(request))
            if asked:
                return asked
        answer = super().response_action(request, queryset)
        is_over = isinstance(answer, HttpResponseRedirect)
        return redirect(self.back(request)) if is_over else answer

    def part(self, action: str, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Give the rows, of those chosen, with which an action does something."""
        return rows

    def sum_cents(self, rows: QuerySet[Any]) -> int | None:
        """Give what rows amount to without VAT; None where rows are no money."""
        return None

    def related(self) -> tuple[str, ...]:
        """Give the tables that a row's title is read from besides its own."""
        return self.list_select_related if isinstance(self.list_select_related, tuple) else ()

    def cents(self, obj: Any) -> int | None:
        """Give what a row amounts to without VAT; None where rows are no money."""
        return None

    def why_not(self, action: str, obj: Any) -> str:
        """Say of a row that is no `part` of an action how it stands; empty where nothing says."""
        said = getattr(obj, "get_state_display", None)
        return str(said()) if said else ""

    def deeds(self, obj: Any) -> Iterable[str] | None:
        """Name the actions that a row takes part in as it stands: its page and its list offer them.

        None where rows do not say: the list offers all then, and the page none.
        """
        return None

    def back(self, request: HttpRequest) -> str:
        """Give the address that a deed leads back to: the row's page, or where it was asked for.

        A blocked invoice that is drafted anew is another row.
        """
        key = request.POST.get(ON_PAGE_OF, "")
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        is_there = is_key(key) and self.get_queryset(request).filter(pk=key).exists()
        return reverse(page, args=[key]) if is_there else request.get_full_path()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list with what was saved of its filters, and what its rows can take part in."""
        listed, query = self.opts.label_lower, saved_filters.query_of(request.GET)
        saved = list(saved_filters.saved_for(signed_in(request), listed))
        context = {
            "saved": saved,
            "saved_as": saved_filters.names_of(saved, query),
            "listed": listed,
            "query": query,
            "saving": saved_filters.NameForm(),
        }
        answer = super().changelist_view(request, context | (extra_context or {}))
        offered.narrow(self, answer)
        return answer

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep from change what this person may not change of a row that is there."""
        fixed = super().get_readonly_fields(request, obj)
        label, role = self.opts.label_lower, signed_in(request).role
        kept = (name for name in self._ruled() if obj and not access.changes(role, label, name))
        return (*fixed, *kept)

    def _ruled(self) -> list[str]:
        label = f"{self.opts.label_lower}."
        return [name.removeprefix(label) for name in access.FIELDS if name.startswith(label)]

    def get_list_display(self, request: HttpRequest) -> Any:
        return readable(request, self.model, super().get_list_display(request))

    def get_search_fields(self, request: HttpRequest) -> Any:
        return readable(request, self.model, super().get_search_fields(request))

    def get_list_filter(self, request: HttpRequest) -> Any:
        return readable(request, self.model, super().get_list_filter(request))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow the filters of the list and of our own links, and no other column or table.

        Whoever may ask for any column learns what it holds by what is found.
        """
        name = lookup.removesuffix("__exact").removesuffix("__isnull")
        filters = [*self.get_list_filter(request), *self.linked_by]
        return name in {name_of(known) for known in filters}

    def heading(self, obj: Any) -> str:
        """Give the title of a row's page; a row's own text may say little, on purpose."""
        return str(obj)

    def address(self, obj: Any) -> str:
        """Give the address of a row's page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002  # Django's own signature
        change: bool = False,  # noqa: FBT001, FBT002  # the same
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["client"] = getattr(obj, "organisation", None)
        if obj is not None:
            context["subtitle"] = self.heading(obj)
            known = self.get_actions(request)
            context["deeds"] = [
                (name, deed[2], name in self.final)
                for name in self.deeds(obj) or ()
                if (deed := known.get(name))
            ]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> None:  # type: ignore[override]  # writes no LogEntry
        note(request, "added", obj, _changed_fields(message))

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> None:  # type: ignore[override]  # writes no LogEntry
        note(request, "changed", obj, _changed_fields(message))

    def log_deletions(self, request: HttpRequest, queryset: Iterable[models.Model]) -> None:  # type: ignore[override]  # nor here
        for obj in queryset:
            note(request, "deleted", obj)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show on the form what the database refused; nothing of it was written."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError as error:
            request.refusal = refusals.sentence(error)  # type: ignore[attr-defined]  # for the form
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's own signature
        **kwargs: Any,
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        refusal = getattr(request, "refusal", "")
        return _refused(form, refusal) if refusal else form

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except IntegrityError as error:
            messages.error(request, refusals.sentence(error))
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", object_id)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        events = AuditEvent.objects.filter(subject_id=obj.pk).select_related("actor")
        page = Paginator(events.order_by("-on"), 100).get_page(request.GET.get("p"))
        name = self.opts.verbose_name_plural
        shown = {"events": page, "address": self.address(obj), "module_name": name}
        return self.page(request, "object_history", str(obj), object=obj, **shown)

    def page(
        self, request: HttpRequest, template: str, title: str, **context: Any
    ) -> TemplateResponse:
        """Show a page of our own within the frame of the site."""
        frame = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        return TemplateResponse(request, f"admin/{template}.html", frame | context)


def _refused(form: Any, sentence: str) -> Any:
    class Refused(form):  # type: ignore[misc]  # the form of whichever model
        def clean(self) -> Any:
            cleaned = super().clean()
            self.add_error(None, sentence)
            return cleaned

    return Refused


def note(request: HttpRequest, action: str, subject: models.Model, fields: str = "") -> None:
    """Write an audit event of what the person behind a request did to a row."""
    note_all(request, action, [subject], fields)


def note_all(
    request: HttpRequest, action: str, subjects: Iterable[models.Model], fields: str = ""
) -> None:
    """Write one of each row, in one statement for as many as there are."""
    audit.note_all(subjects, action, by=signed_in(request), on=today(), fields=fields)


def _changed_fields(message: Any) -> str:
    """Give the names of the fields in a change message of Django's admin.

    Of rows within the page it says of which kind they are and what was done with them; their
    text is left out, as it holds values.
    """
    parts: list[str] = []
    for entry in message if isinstance(message, list) else []:
        for deed, what in entry.items():
            fields = ", ".join(str(name) for name in what.get("fields", []))
            done = f"{what['name']} {deed}" if "name" in what else ""
            parts.append(f"{done} ({fields})" if done and fields else done or fields)
    return ", ".join(filter(None, parts))
