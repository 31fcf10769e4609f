"""Dutch is complete: every message of the sources has its translation, and none is in doubt."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from tests.catalogue import ROOT, catalogues, messages_in_sources, read

each = pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.parent.parent.name)


def _texts(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


def _entries(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


@each
def test_no_message_of_the_sources_is_missing(path: Path) -> None:
    known = {(message.context, message.id) for message in _entries(read(path))}
    missing = [
        (message.id, message.locations)
        for message in _entries(messages_in_sources())
        if (message.context, message.id) not in known
    ]
    assert missing == []


@each
def test_no_translation_is_empty_or_in_doubt(path: Path) -> None:
    for message in _entries(read(path)):
        assert all(_texts(message)), message.id
        assert not message.fuzzy, message.id


@each
def test_translations_fill_in_the_same_names(path: Path) -> None:
    placeholder = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
    for message in _entries(read(path)):
        ids = [message.id] if isinstance(message.id, str) else message.id
        wanted = [set(placeholder.findall(text)) for text in ids]
        assert all(set(placeholder.findall(text)) in wanted for text in _texts(message)), ids


def test_messages_are_found_in_code_and_in_templates() -> None:
    found = {suffix for message in messages_in_sources() for suffix in _suffixes(message)}
    assert found >= {".py", ".html"}


def _suffixes(message: Message) -> set[str]:
    return {Path(name).suffix for name, _line in message.locations}


def untranslated(source: str) -> Iterator[str]:
    """Yield what a command would tell in the words of its source; names of options are no words."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if name in {"say", "give_up", "write", "CommandError", "StartError"} and call.args:
            told = call.args[0]
            parts = told.values if isinstance(told, ast.JoinedStr) else [told]
            words = [str(part.value) for part in parts if isinstance(part, ast.Constant)]
            yield from (text for text in words if re.search(r"(?<![-\w])[A-Za-z]{3,}", text))


def test_commands_speak_the_language_of_the_agency() -> None:
    told = {
        (path.name, text)
        for folder in ("*/management/commands", "subscriptions/demo")
        for path in ROOT.glob(f"{folder}/*.py")
        for text in untranslated(path.read_text(encoding="utf-8"))
    }
    assert told == set()
    assert [*untranslated('self.say(f"{n} invoices")\nself.say(_("ok then"))')] == [" invoices"]


def test_dutch_is_there() -> None:
    assert [path.parent.parent.name for path in catalogues()] == ["nl"]
