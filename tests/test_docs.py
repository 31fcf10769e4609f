"""What the papers tell to type works, and what they point at is there."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from agency.processing import document
from tests.pictures import DIGEST, digest

ROOT = Path(__file__).resolve().parent.parent
PAPERS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = {"YYYY-MM-DD": "2026-03-31", "YYYY-MM": "2026-03"}
each_paper = pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)


def code(paper: Path) -> Iterator[str]:
    """Yield the lines of code blocks, and the code inside sentences, each on one line."""
    text = paper.read_text(encoding="utf-8")
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from (" ".join(piece.split()) for piece in re.findall(r"`([^`]+)`", prose))


def typed(paper: Path, prefix: str) -> list[list[str]]:
    """Give the words after a prefix such as ``make``, for each time it is typed."""
    lines = (re.sub(r"^\$ ", "", line.strip()) for line in code(paper))
    return [
        shlex.split(line.removeprefix(prefix), comments=True)
        for line in lines
        if line.startswith(f"{prefix} ")
    ]


@each_paper
def test_every_make_target_exists(paper: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    goals = {word for words in typed(paper, "make") for word in words if "=" not in word}
    assert goals <= targets


@each_paper
def test_every_command_exists_and_takes_the_arguments(paper: Path) -> None:
    for words in typed(paper, "python manage.py"):
        name, *arguments = [_example(word) for word in words]
        command = load_command_class(get_commands()[name], name)
        command.create_parser("manage.py", name).parse_args(arguments)  # CommandError if not


def _example(word: str) -> str:
    word = word.strip("[]")
    for placeholder, example in EXAMPLES.items():
        word = word.replace(placeholder, example)
    return word


@each_paper
def test_every_link_leads_somewhere(paper: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", paper.read_text(encoding="utf-8"))
    inside = [link.partition("#") for link in links if "://" not in link]
    targets = [(paper.parent / path if path else paper, anchor) for path, _, anchor in inside]
    assert [str(path) for path, _ in targets if not path.exists()] == []
    assert [f"{path}#{anchor}" for path, anchor in targets if anchor not in _anchors(path)] == []


def _anchors(path: Path) -> set[str]:
    if path.suffix != ".md":
        return {""}
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {"", *(re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads)}


@each_paper
def test_every_file_that_is_named_exists(paper: Path) -> None:
    path = re.compile(r"(?:agency|advisors|workshops|subscriptions|tests|docs)/[\w./-]+")
    named = {piece for piece in code(paper) if path.fullmatch(piece)}
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_something_is_found_to_prove() -> None:
    everything = [words for paper in PAPERS for words in typed(paper, "make")]
    assert ["demo"] in everything
    assert ["test"] in everything
    assert any(typed(paper, "python manage.py") for paper in PAPERS)


def test_the_help_of_make_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE) == phony.split()


def test_every_command_of_ours_says_what_it_does() -> None:
    ours = {
        name: load_command_class(app, name)
        for name, app in get_commands().items()
        if app in {"agency", "advisors", "workshops", "subscriptions"}
    }
    assert "sync_schedules" in ours
    assert [name for name, command in ours.items() if not command.help] == []


def test_the_example_of_the_environment_names_what_the_settings_read() -> None:
    read = set(
        re.findall(
            r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "agency/settings.py").read_text(encoding="utf-8")
        )
    )
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == read


def test_the_record_of_processing_is_that_of_the_source() -> None:
    """After a change of the list: ``python -m agency.processing > docs/data.md``."""
    assert (ROOT / "docs/data.md").read_text(encoding="utf-8") == document()


def test_the_newest_change_is_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == version


def test_the_pictures_show_the_pages_of_today() -> None:
    """After a change of what they show: ``make pictures``."""
    assert DIGEST.read_text().strip() == digest()
