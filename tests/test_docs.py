"""What the papers tell to type works, and what they point at is there."""

from __future__ import annotations

import logging
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from agency.processing import document
from tests.clients import client, close
from tests.pictures import DIGEST, digest

ROOT = Path(__file__).resolve().parent.parent
PAPERS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
each_paper = pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)


def code(paper: Path) -> Iterator[str]:
    """Yield the lines of code blocks, and the code inside sentences, each on one line."""
    text = paper.read_text(encoding="utf-8")
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from (" ".join(piece.split()) for piece in re.findall(r"`([^`]+)`", prose))


def typed(*papers: Path) -> list[str]:
    """Give what papers tell to type: the lines that begin with a program or a command of ours."""
    lines = (re.sub(r"^\$ |\s+#.*", "", line.strip()) for paper in papers for line in code(paper))
    return sorted({line for line in lines if " " in line and _program(line)})


def _program(line: str) -> str:
    """Give what a line runs, as far as it is known here; nothing for what is no command."""
    found = re.match(r"(?:\S*/)?(make|python -m|python manage\.py|manage\.py|gunicorn) ", line)
    if found:
        return found[1].removeprefix("python ")
    return "options" if line.partition(" ")[0] in OURS and " --" in line else ""


def works(line: str, place: Path) -> bool:
    """Try a line that is typed; it may write into a folder, and into the database."""
    words = shlex.split(re.sub(r"^(?:\S*/)?(python )?(-m |manage\.py |make |gunicorn )?", "", line))
    given = [EXAMPLES.get(word, word).replace("{place}", str(place)) for word in words]
    return TRIED[_program(line)](given)


def _targets_exist(words: list[str]) -> bool:
    """Have make say what it would do, beside a folder of any name; marks are registered ones."""
    goals = {word for word in words if "=" not in word}
    if not goals <= {*_phony()} or _fails(["make", "--dry-run", *words]):
        return False
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    marks = {re.split(r"\W", mark)[0] for mark in options["markers"]}
    return marks.issuperset(re.findall(r"-m (\w+)", " ".join(words)))


def _phony() -> list[str]:
    (names,) = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return list(names.split())


def _module_helps(words: list[str]) -> bool:
    """Ask a module for its help: it takes these arguments, and names these options in it."""
    done = _run([sys.executable, "-m", *words, "--help"])
    options = {word for word in words if word.startswith("--")}
    return done.returncode == 0 and options <= set(re.findall(r"--[\w-]+", done.stdout))


def _settings_load(words: list[str]) -> bool:
    return not _fails([sys.executable, "-m", "gunicorn", "--check-config", *words])


def _command_runs(words: list[str]) -> bool:
    name, *arguments = words
    try:
        if name in ENDLESS:
            command = load_command_class(get_commands()[name], name)
            command.create_parser("manage.py", name).parse_args(arguments)
        else:
            call_command(name, *arguments, stdout=StringIO(), stderr=StringIO())
    except (CommandError, KeyError, SystemExit) as error:
        logging.getLogger(__name__).warning("%s: %s", name, error)
        return False
    return True


def _options_exist(words: list[str]) -> bool:
    name, *given = words
    parser = load_command_class(OURS[name], name).create_parser("manage.py", name)
    return all(word in parser.format_help() for word in given if word.startswith("--"))


def _fails(words: list[str]) -> bool:
    return _run(words).returncode != 0


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


APPS = {"agency", "advisors", "workshops", "subscriptions"}
OURS = {name: app for name, app in get_commands().items() if app in APPS}
ENDLESS = {
    "demo",
    "qcluster",
    "stripe_sandbox",
    "vies_sandbox",
    "restore",
}  # they serve until they are stopped, or begin with an empty database
EXAMPLES = {
    "YYYY-MM-DD": "2026-03-31",
    "YYYY-MM": "2026-03",
    "CODE": "ORG1",
    "DIR": "{place}/workbooks",
    "FILE": "{place}/new.backup",
    "EMAIL": "somebody@client.example",
    "OUT.json": "{place}/person.json",
    "OUT.xlsx": "{place}/agency.xlsx",
}
TRIED: dict[str, Callable[[list[str]], bool]] = {
    "make": _targets_exist,
    "-m": _module_helps,
    "manage.py": _command_runs,
    "gunicorn": _settings_load,
    "options": _options_exist,
}


@pytest.fixture
def closed(db: None, settings: Any, tmp_path: Path) -> Path:
    """Let what is typed meet a client with a closed month, and write into a folder of its own."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.BACKUP_KEY = bytes(32)
    client("ORG1", "2026-01")
    for month in ("2026-01", "2026-02", "2026-03"):
        close(month)
    return tmp_path


@pytest.mark.django_db(transaction=True)
def test_what_is_told_to_type_works(closed: Path) -> None:
    lines = typed(*PAPERS)
    programs = {_program(line) for line in lines}
    assert programs == set(TRIED)  # each kind is typed somewhere, so each is tried
    assert [line for line in lines if not works(line, closed)] == []


@pytest.mark.django_db(transaction=True)
def test_what_does_not_work_is_found(closed: Path) -> None:
    paper = closed / "wrong.md"
    lines = [
        ".venv/bin/python -m tests.benchmark billing",
        "bill --dryrun",
        "gunicorn agency.wsgy",
        'make test ARGS="-m attacks"',
        "make tests",
        "manage.py bill 2026-13",
        "python -m tests.benchmarks billing --clients 5",
        "python -m tests.benchmarks drafting",
        "python manage.py close 2026-03",
        "python manage.py export_utilisation YYYY-MM --to DIR",
        "python manage.py qcluster --hosts 2",
    ]
    paper.write_text("\n".join(["```sh", *lines[:6], "```", *(f"`{line}`" for line in lines[6:])]))
    assert typed(paper) == lines
    assert [line for line in lines if works(line, closed)] == []


def test_no_line_for_a_shell_goes_untried() -> None:
    """Only those of uv, which is no tool of ours, and makes the lists of packages now and then."""
    text = "".join(paper.read_text(encoding="utf-8") for paper in PAPERS)
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) > len(blocks)
    assert {line.split()[0] for line in lines if not _program(line)} == {"uv"}


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


def test_the_help_of_make_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE) == _phony()


def test_the_workflow_runs_what_we_run() -> None:
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert re.findall(r"run: (.+)", workflow) == [".ci/run"]
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_clean_leaves_databases_and_keys(tmp_path: Path) -> None:
    stays = ["discreet.sqlite3", "secret_key", "demo/secrets.json", "demo/stripe.sqlite3"]
    goes = ["ruff/0", "mypy/0", "pytest/0", "imports/0", "coverage", "static/0", "mail/0.eml"]
    for name in [*stays, *goes, "demo/web.log", "demo/workbooks/staff/0.xlsx", "../.venv/bin/0"]:
        made = tmp_path / "var" / name
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch()
    subprocess.run(
        ["make", "--file", ROOT / "Makefile", "clean"],
        cwd=tmp_path,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    left = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {f"var/{name}" for name in stays}


def test_every_command_of_ours_says_what_it_does() -> None:
    assert "sync_schedules" in OURS
    assert [name for name, app in OURS.items() if not load_command_class(app, name).help] == []


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
