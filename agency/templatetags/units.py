"""Read-only fields of the admin, written as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

from agency import admin_words
from agency.admin_fields import LABELS, shown

if TYPE_CHECKING:
    from django.contrib.admin.helpers import AdminReadonlyField

register = template.Library()
register.filter("deed", admin_words.deed)


@register.filter
def name_of(field: AdminReadonlyField) -> str:
    """Give the label of a read-only field, also where the model has none of its own."""
    name = field.field["name"]
    return str(LABELS.get(name, field.field["label"]))


@register.filter
def in_words(field: AdminReadonlyField) -> str:
    """Write a read-only field: euros, hours and months for the integers that are stored."""
    name = field.field["name"]
    written = shown(field.form.instance, name)
    return admin_words.without_icons(field.contents()) if written is None else written
