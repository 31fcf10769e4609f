"""Cells of a list know the title of their column, for phones; what is in them stays as it was."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import translation
from django.utils.safestring import SafeString

from agency.admin_words import without_icons
from agency.templatetags.rows import labelled
from tests import factories as make
from tests.browsers import as_

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


@pytest.mark.parametrize(
    ("drawing", "dutch", "english"),
    [("yes", "ja", "yes"), ("no", "nee", "no"), ("unknown", "–", "–")],
)
def test_yes_and_no_are_words(drawing: str, dutch: str, english: str) -> None:
    shown = SafeString(f'a <img src="/static/admin/img/icon-{drawing}.0f1e2d.svg" alt="True"> b')

    for language, word in (("nl", dutch), ("en", english)):
        with translation.override(language):
            assert without_icons(shown) == f"a {word} b"
    other = SafeString('<img src="/static/other.svg" alt="x">')
    assert without_icons(other) == other


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["agency/user/", "agency/user/{}/change/"])
def test_no_page_shows_a_drawing_of_djangos_for_yes_or_no(address: str) -> None:
    person = make.user("contact", name="Jorien Velt")

    page = as_("auditor").get(f"/admin/{address.format(person.pk)}").content.decode()

    assert "Jorien Velt" in page
    assert "icon-yes" not in page
    assert re.search(r"<(td|div)[^>]*>yes</", page)
