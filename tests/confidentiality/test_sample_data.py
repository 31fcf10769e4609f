"""Nobody in this repository exists: no address leads anywhere, no number is a citizen's."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = (
    "agency",
    "advisors",
    "workshops",
    "subscriptions",
    "tests",
    "docs",
    "locale",
    ".ci",
    ".github",
)
# What a copy of a database, a mailbox or a log would be; pictures are taken of the sample agency.
KNOWN = {
    *(".py", ".html", ".txt", ".md", ".css", ".js", ".svg", ".toml", ".po", ".mo", ".example"),
    *(".json", ".csv", ".xlsx", ".png", ".yml", ".yaml", ".sql", ".typ", ""),
}
# Domains that nobody can have (RFC 2606), and short ones in tests of what an address is.
NOBODYS = re.compile(r"(^|\.)(example|invalid|test|localhost)(\.(com|net|org|nl))?$")
SHORT = {"b.nl", "d.e", "g.h"}
TRANSLATORS = {"li.org"}  # in the head of every catalogue
WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def files() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
    own = {".env.example", ".gitignore"}  # a developer's other dotfiles are nobody's business
    yield from (
        path
        for path in sorted(ROOT.iterdir())
        if path.is_file() and (path.name in own or not path.name.startswith("."))
    )


def text(path: Path) -> str:
    """Read a file, and in a workbook every part of it."""
    content = path.read_bytes()
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            content = b"\n".join(parts.read(name) for name in parts.namelist())
    return content.decode("utf-8", "replace")


def addresses_of_somebody(content: str) -> set[str]:
    domains = set(re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", content.lower()))
    return {name for name in domains if not NOBODYS.search(name)} - SHORT - TRANSLATORS


def citizens_numbers(content: str) -> set[str]:
    """Find numbers that a citizen could have: nine digits that pass the test of eleven."""
    numbers = set(re.findall(r"(?<![\w.-])\d{9}(?![\w.-])", content))
    return {number for number in numbers if _passes(number)}


def _passes(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=True))
    return total % 11 == 0 and int(number) > 0


@pytest.mark.attack(50)
def test_no_copy_of_real_data_is_kept_here() -> None:
    assert {path.suffix for path in files()} <= KNOWN


@pytest.mark.attack(50)
def test_no_address_leads_to_anybody_and_no_number_is_a_citizens() -> None:
    texts = {str(path.relative_to(ROOT)): text(path) for path in files() if path.suffix != ".png"}
    found = {name: addresses_of_somebody(t) | citizens_numbers(t) for name, t in texts.items()}
    assert len(texts) > 300
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_the_scan_finds_what_is_there() -> None:
    somebody = f"j.jansen{chr(64)}gemeente-utrecht.nl"
    number = "1112" + "22333"
    planted = f"<c>{somebody}</c><c>{number}</c> hr@client.example 123456789"
    assert addresses_of_somebody(planted) == {"gemeente-utrecht.nl"}
    assert citizens_numbers(planted) == {number}
