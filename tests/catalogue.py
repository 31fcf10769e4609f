"""The catalogues of translations: compiled by Babel, so that nobody needs gettext.

``python -m tests.catalogue compile`` writes the ``.mo`` files, ``update`` brings the ``.po`` files
up to date with the sources.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
APPS = ("agency", "advisors", "workshops", "subscriptions")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def catalogues() -> list[Path]:
    return sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def compile_catalogues() -> None:
    """Write the ``.mo`` beside each ``.po`` that is newer."""
    for path in catalogues():
        compiled = path.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < path.stat().st_mtime:
            content = BytesIO()
            write_mo(content, read(path))
            compiled.write_bytes(content.getvalue())


def messages_in_sources() -> Catalog:
    """Gather every message that the code and the templates translate."""
    template = Catalog(project="Discreet", charset="utf-8")
    for path, source in _sources():
        found = extract("python", BytesIO(source.encode()), KEYWORDS, [], {"encoding": "utf-8"})
        for line, message, _comments, context in found:
            template.add(message, None, [(path, line)], context=context)
    return template


def _sources() -> Iterator[tuple[str, str]]:
    from django.utils.translation.template import templatize

    for app in APPS:
        for path in sorted((ROOT / app).rglob("*")):
            name = str(path.relative_to(ROOT))
            if path.suffix == ".py" and "/migrations/" not in name:
                yield name, path.read_text(encoding="utf-8")
            elif path.suffix in {".html", ".txt"} and "/templates/" in name:
                source = templatize(path.read_text(encoding="utf-8"), origin=name)
                # What Django leaves is no Python of any shape: indents mean nothing in it.
                yield name, "\n".join(line.strip() for line in source.splitlines())


def update() -> None:
    template = messages_in_sources()
    for path in catalogues():
        catalogue = read(path)
        catalogue.update(template, no_fuzzy_matching=True)
        content = BytesIO()
        write_po(
            content,
            catalogue,
            width=100,
            sort_output=True,
            ignore_obsolete=True,
            include_lineno=False,
        )
        path.write_bytes(content.getvalue())


if __name__ == "__main__":
    {"compile": compile_catalogues, "update": update}[sys.argv[1]]()
