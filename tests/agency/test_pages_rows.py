"""Cells of a list know the title of their column, for phones; what is in them stays as it was."""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString

from agency.templatetags.rows import labelled

HEADERS: list[dict[str, Any]] = [
    {"text": "box", "class_attrib": ' class="action-checkbox-column"'},
    {"text": "buyer", "class_attrib": ""},
    {"text": 'net "in" €', "class_attrib": ' class="column-net"'},
    {"text": "due on"},
]


def row(*cells: str) -> list[SafeString]:
    return [SafeString(cell) for cell in cells]


def test_each_cell_but_the_first_bears_the_title_of_its_column() -> None:
    box, name = '<td class="action-checkbox">x</td>', '<th class="field-buyer">A &amp; B</th>'

    written = labelled(row(box, name, '<td class="a"><td>1</td>', "<td>–</td>"), HEADERS)

    assert written == (
        f'{box}{name}<td data-l="Net &quot;in&quot; €" class="a"><td>1</td><td data-none>–</td>'
    )
