"""The fifty attacks of docs/confidentiality.md, and which tests of the suite prove what of them.

A test says which attacks it stands against by ``@pytest.mark.attack(14)``, wherever it lives. An
attack needs such a test, or the issue it waits for, or a person.
"""

from __future__ import annotations

import ast
import re
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAPER = TESTS.parent / "docs/confidentiality.md"


@dataclass(frozen=True, slots=True)
class Attack:
    what: str
    waits_for: int = 0  # an issue
    person: str = ""


ATTACKS = {
    1: Attack("a snapshot today, a snapshot tomorrow, subtracted"),
    2: Attack("a figure before and after a late correction"),
    3: Attack("the total less the sessions that are known"),
    4: Attack("a hidden cell from the sums around it"),
    5: Attack("an organisation of one person or a few"),
    6: Attack("a headcount that shrinks in the middle"),
    7: Attack("zero: nobody called"),
    8: Attack("a holding less its subsidiaries"),
    9: Attack("an invoice line with a day or a name"),
    10: Attack("rounding per entry, which counts entries"),
    11: Attack("travel that names a day or a place"),
    12: Attack("an appointment in a calendar or feed", waits_for=7),
    13: Attack("an advisor's feed on a telephone", waits_for=8),
    14: Attack("a story in a free text"),
    15: Attack("a column slipped in by a migration"),
    16: Attack("an uploaded scan or letter"),
    17: Attack("search, filters and actions of the admin"),
    18: Attack("the admin's own log of objects"),
    19: Attack("audit events with old and new values"),
    20: Attack("moments and sequences that stand for a day"),
    21: Attack("lines of logs"),
    22: Attack("tracebacks, debug pages and error mails"),
    23: Attack("a service that collects errors"),
    24: Attack("the database server's own log"),
    25: Attack("payloads and results of the queue"),
    26: Attack("what Stripe is told beside an amount"),
    27: Attack("meters and previews at Stripe"),
    28: Attack("subject, text and number of mails"),
    29: Attack("a warning at 80 % of the hours"),
    30: Attack("the moment and order of publishing"),
    31: Attack("time and size of a page"),
    32: Attack("previews of a change of tier"),
    33: Attack("the address of somebody else's row"),
    34: Attack("what a workbook hides"),
    35: Attack("a formula in a name"),
    36: Attack("a browser's cache on a shared machine"),
    37: Attack("addresses that others are told"),
    38: Attack("a form that the browser fills in"),
    39: Attack("a link or code to sign in, intercepted"),
    40: Attack("a copy of the database"),
    41: Attack("what was erased and is still in a file"),
    42: Attack("a stolen backup"),
    43: Attack("a colleague or administrator who browses"),
    44: Attack("signing in as somebody else"),
    45: Attack("answers that differ for foreign and missing"),
    46: Attack("who stood in for whom in June"),
    47: Attack("an employee who asks what is kept of them"),
    48: Attack("health and status pages"),
    49: Attack("screens that staff show or send"),
    50: Attack("samples made of real data"),
}

Found = dict[int, list[str]]


def marked() -> Found:
    """Give the tests of each attack, as ``path::Class::test``, read from the sources."""
    found: Found = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        name = path.relative_to(TESTS.parent).as_posix()
        for test, numbers in _tests(module, name, _of_all(module)):
            for number in sorted(numbers):
                found[number].append(test)
    return found


def _of_all(module: ast.Module) -> set[int]:
    """Give the attacks that a module names for all its tests, in ``pytestmark``."""
    return {
        number
        for node in module.body
        if isinstance(node, ast.Assign)
        and any(isinstance(one, ast.Name) and one.id == "pytestmark" for one in node.targets)
        for number in _numbers(node.value)
    }


def _tests(
    scope: ast.Module | ast.ClassDef, name: str, inherited: set[int]
) -> Iterator[tuple[str, set[int]]]:
    for node in scope.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            own = {number for mark in node.decorator_list for number in _numbers(mark)}
            if isinstance(node, ast.ClassDef):
                yield from _tests(node, f"{name}::{node.name}", inherited | own)
            elif node.name.startswith("test_"):
                yield f"{name}::{node.name}", inherited | own


def _numbers(tree: ast.expr) -> Iterator[int]:
    """Yield the numbers of every ``pytest.mark.attack(...)`` in an expression."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="attack"), args=arguments):
                for argument in arguments:
                    yield ast.literal_eval(argument)


def standing(number: int, tests: list[str]) -> str:
    """Say in words what stands against an attack; nothing where there is nothing."""
    attack = ATTACKS[number]
    files = sorted({Path(test.partition("::")[0]).stem for test in tests})
    said = [
        ", ".join(files),
        f"waits for issue {attack.waits_for}" if attack.waits_for else "",
        f"needs a person: {attack.person}" if attack.person else "",
    ]
    return "; ".join(filter(None, said))


def rows(paper: str) -> list[list[str]]:
    """Give the cells of the paper's table of attacks."""
    found = re.findall(r"^\| (\d+ \| .*) \|$", paper, re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in found]


def refresh(paper: str) -> str:
    """Write into each row of the table what the marks of the tests say today."""
    tests = marked()
    for number, _what, defence, _proof in rows(paper):
        attack = ATTACKS[int(number)]
        now = standing(int(number), tests.get(int(number), []))
        paper = re.sub(
            rf"^\| {number} \| .* \|$",
            f"| {number} | {attack.what} | {defence} | {now} |",
            paper,
            flags=re.MULTILINE,
        )
    return paper


if __name__ == "__main__":
    ArgumentParser(description=__doc__).parse_args()
    PAPER.write_text(refresh(PAPER.read_text(encoding="utf-8")), encoding="utf-8")
