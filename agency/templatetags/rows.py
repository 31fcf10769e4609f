"""Rows of a list in which each cell bears its column's title: a phone shows it beside the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from agency.admin_words import without_icons

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

register = template.Library()
NOTHING = ">–</td>"  # as the site shows that there is no value


@register.filter
def labelled(cells: Iterable[SafeString], headers: Sequence[dict[str, Any]]) -> SafeString:
    """Write the cells of a row, which Django made, each with its column's title in ``data-l``.

    A cell without a value gets none: it is left out on a phone. What is yes or no is a word.
    """
    return mark_safe("".join(map(_labelled, cells, headers)))  # noqa: S308  # Django escaped them


def _labelled(cell: SafeString, header: dict[str, Any]) -> str:
    if not cell.startswith("<td") or header.get("class_attrib", "").find("action-checkbox") > 0:
        return cell
    if cell.endswith(NOTHING):
        return cell.replace("<td", "<td data-none", 1)
    titled = format_html('<td data-l="{}"', capfirst(header["text"]))
    return without_icons(cell).replace("<td", titled, 1)
