"""The tests of what is charged and published notice faults; those they do not are known by name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutation.__main__ import TESTS
from tests.mutation.mutants import ROOT, mutants, planted

LEAST_KILLED = 0.9
LISTED = re.compile(r"((?:^\* `.*`\n)+)((?:^  \S.*\n)+)", re.MULTILINE)

SAMPLE = """
from contextlib import contextmanager

CHILD_UNTIL = 12

@contextmanager
def turn():
    yield

@turn()
def fare(age):
    return 0 if age < CHILD_UNTIL else 5 + 3

class Trip:
    @property
    def seats(self):
        return 2
"""
WEAK = {
    "fare(): age < CHILD_UNTIL -> age <= CHILD_UNTIL",
    "CHILD_UNTIL: 12 -> 11",
    "CHILD_UNTIL: 12 -> 13",
}


def listed(path: str) -> dict[str, str]:
    """Give the mutants of a module that are known to live, with the reason of each."""
    text = (Path(__file__).parent / "survivors.md").read_text(encoding="utf-8")
    [of_module] = re.findall(
        rf"^## {re.escape(path)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL
    )
    found = {}
    for names, reason in LISTED.findall(of_module):
        for name in names.splitlines():
            found[name[3:-1]] = " ".join(reason.split())
    return found


@pytest.mark.long
@pytest.mark.parametrize("path", TESTS)
def test_nine_of_ten_mutants_are_noticed_and_the_others_are_known(path: str) -> None:
    command = [sys.executable, "-m", "tests.mutation", path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])

    killed, survived = told["killed"], told["survived"]
    assert set(survived) == listed(path).keys()
    assert len(killed) >= LEAST_KILLED * len([*killed, *survived]) > 0


@pytest.mark.parametrize("path", TESTS)
def test_what_is_listed_is_a_mutant_and_has_its_reason(path: str) -> None:
    known = {str(mutant) for mutant in mutants((ROOT / path).read_text(encoding="utf-8"))}
    assert listed(path).keys() <= known


def survivors(check: Callable[[], None], module: ModuleType) -> set[str]:
    found = set()
    for mutant in mutants(SAMPLE):
        planted(module, mutant)
        try:
            check()
        except (AssertionError, TypeError):
            continue
        found.add(str(mutant))
    return found


def test_a_weak_test_is_found_out_and_a_good_one_is_not() -> None:
    """Whoever imported a function, behind a decorator or a property, meets the fault."""
    sample = ModuleType("sample")
    sample.__file__ = "sample.py"
    exec(SAMPLE, vars(sample))  # noqa: S102 - it stands above
    fare, trip = sample.fare, sample.Trip()

    def weak() -> None:
        assert (fare(5), fare(40), trip.seats) == (0, 8, 2)

    def good() -> None:
        weak()
        assert (fare(11), fare(12)) == (0, 8)

    assert survivors(weak, sample) == WEAK
    assert survivors(good, sample) == set()
