"""Fields in the units of the trade, and rows of another table on a page of the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.models import BaseInlineFormSet
from django.utils.text import capfirst

from agency.accounts import signed_in
from agency.admin_columns import may_read
from agency.admin_fields import ChosenRow, form_field_class, label_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest

    # Django's classes take their type arguments only where types are checked.
    InlineFormSet = BaseInlineFormSet[Any, Any, Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    InlineFormSet, TabularInline = BaseInlineFormSet, admin.TabularInline


class Units:
    """Form fields in euros, hours and percentages for columns that hold whole numbers.

    Dates and times use what the browser has for them, which needs no script of ours.
    """

    formfield_overrides: Any = {
        models.DateField: {"widget": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})},
        models.DateTimeField: {
            "form_class": forms.DateTimeField,
            "widget": forms.DateTimeInput(
                format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}
            ),
        },
    }

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        label = label_of(db_field)
        if label:
            kwargs.setdefault("label", capfirst(label))
        field_class = form_field_class(db_field.name)
        if field_class:
            named, unit = (
                str(kwargs.get("label") or capfirst(db_field.verbose_name)),
                field_class.unit,
            )
            if str(unit) not in named.lower():
                kwargs["label"] = f"{named} ({unit})"
            kwargs.setdefault("form_class", field_class)
            return db_field.formfield(**kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]  # the next class has it

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        admin_class: Any = self
        if db_field.name in admin_class.get_autocomplete_fields(request):
            kwargs.setdefault("widget", ChosenRow(db_field, admin_class.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]  # it has it

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[Any, Any]]:
        """Show the columns that the person behind a request may read."""
        role, model = signed_in(request).role, self.opts.model  # type: ignore[attr-defined]  # a mixin

        def readable(names: Iterable[Any]) -> list[Any]:
            """Leave out names; those within a name share its line."""
            kept = (
                (name if may_read(role, model, name) else "")
                if isinstance(name, str)
                else readable(name)
                for name in names
            )
            return [name for name in kept if name]

        shown = [
            (title, {**options, "fields": readable(options["fields"])})
            for title, options in super().get_fieldsets(request, obj)  # type: ignore[misc]  # likewise
        ]
        return [(title, options) for title, options in shown if options["fields"]]


class LabelledFormSet(InlineFormSet):
    """Names each input of a row of a table: a table's head is no label for a screen reader.

    A row that would be there twice is refused at the row: Django leaves out what names the page's
    own row, and would have the database refuse it.
    """

    def clean(self) -> None:
        super().clean()
        leaving = self.deleted_forms
        for form in self.forms:
            if form.has_changed() and form.is_valid() and form not in leaving:
                try:
                    form.instance.validate_constraints()
                except ValidationError as refused:
                    form.add_error(None, refused)

    def add_fields(self, form: forms.ModelForm[Any], index: int | None) -> None:
        super().add_fields(form, index)
        place = "" if index is None else f" {index + 1}"
        for name, field in form.fields.items():
            label = field.label or name.lower()
            widget = getattr(field.widget, "widget", field.widget)  # a select within links
            if widget is not None:
                widget.attrs.setdefault("aria-label", f"{label}{place}")
            if isinstance(widget, ChosenRow):
                widget.known = form.instance._state.fields_cache.get(name)  # noqa: SLF001  # read with the row


class Rows(Units, TabularInline):
    """Rows of another table on a page; `agency.access` says who adds, changes or deletes them."""

    formset = LabelledFormSet
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read with each row what it names of other tables, but for the row of the page."""
        rows = super().get_queryset(request)
        keys = (field for field in self.opts.fields if field.is_relation)
        named = [
            key.name
            for key in keys
            if key.related_model is not self.parent_model
            and (not self.fields or key.name in self.fields)
        ]
        return rows.select_related(*named) if named else rows

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Name the columns that have no label of their own, also where they are only read."""
        labels = {field.name: label_of(field) for field in self.opts.fields}
        kwargs["labels"] = {name: capfirst(label) for name, label in labels.items() if label}
        return super().get_formset(request, obj, **kwargs)
