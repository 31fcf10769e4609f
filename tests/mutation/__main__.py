"""Say of a module which mutants its tests let live: ``python -m tests.mutation agency/money.py``.

The tests are collected once and run on the module as it is; then a child for each mutant runs them
until one fails. A child that takes too long is killed, and counts as one that failed.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import ROOT, Mutant, mutants, planted

WITHOUT_A_DATABASE = ["-m", "not django_db"]
# The tests of each module, the quickest first.
TESTS = {
    "agency/money.py": ["tests/agency/test_money.py"],
    "agency/month.py": ["tests/agency/test_month.py"],
    "subscriptions/charges.py": [
        "tests/subscriptions/test_charges.py",
        "tests/subscriptions/test_pauses.py",
        *WITHOUT_A_DATABASE,
    ],
    "subscriptions/release.py": [
        "tests/subscriptions/test_release.py",
        "tests/subscriptions/test_pauses.py",
        *WITHOUT_A_DATABASE,
    ],
    "subscriptions/use.py": [
        "tests/subscriptions/test_overage.py",
        "tests/subscriptions/test_use.py",
        "tests/subscriptions/test_carry_over.py",
        "tests/subscriptions/test_pauses.py",
        *WITHOUT_A_DATABASE,
    ],
    "subscriptions/statements.py": [
        "tests/subscriptions/test_statements.py",
        "-k",
        "not AtOnce and not splitting",
    ],
}
PROPERTIES_TRY = 30  # examples, where they try 100 otherwise
LEAST_SECONDS = 20
TIMES_AS_LONG = 10


class Runner:
    """Runs the collected tests again and again instead of once."""

    def __init__(self, path: str, only: str = "") -> None:
        self.path = path
        self.only = only
        self.killed: list[str] = []
        self.survived: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Have the same mutants live today and tomorrow, and no example looked for twice."""
        from hypothesis import Phase, settings

        phases = [Phase.explicit, Phase.generate]
        how = settings(database=None, deadline=None, derandomize=True, phases=phases)
        settings.register_profile("mutants", how, max_examples=PROPERTIES_TRY)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        session.items.sort(key=_is_a_property)  # tables notice more, and sooner
        began = time.monotonic()
        if _first_failing(session.items) is not None:
            pytest.exit("The tests fail without a mutant.", returncode=2)
        limit = LEAST_SECONDS + TIMES_AS_LONG * (time.monotonic() - began)
        module = importlib.import_module(self.path.removesuffix(".py").replace("/", "."))
        for mutant in mutants(Path(ROOT, self.path).read_text(encoding="utf-8")):
            if self.only in str(mutant):
                noticed_by = _outcome(mutant, module, session.items, limit)
                (self.survived if noticed_by is None else self.killed).append(str(mutant))
                if noticed_by:  # what noticed one notices more
                    session.items.insert(0, session.items.pop(noticed_by))
        return True


def _is_a_property(item: pytest.Item) -> bool:
    return hasattr(getattr(item, "obj", None), "hypothesis")


def _first_failing(items: list[pytest.Item]) -> int | None:
    """Run tests until one fails; keep what the session has set up, so that they can run again."""
    for number, (item, following) in enumerate(zip(items, [*items[1:], items[0]], strict=True)):
        if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
            return number
    return None


def _outcome(
    mutant: Mutant, module: ModuleType, items: list[pytest.Item], limit_seconds: float
) -> int | None:
    """Give which test fails with a mutant; 0 also where it takes too long, None where none does."""
    from django.db import connections

    connections.close_all()  # no child shares one
    child = os.fork()
    if child == 0:
        signal.alarm(int(limit_seconds))
        status = 1
        try:
            planted(module, mutant)
            failing = _first_failing(items)
            status = 0 if failing is None else min(failing + 1, 255)
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status - 1 if status > 0 else None if status == 0 else 0


def main(path: str, only: str = "") -> int:
    runner = Runner(path, only)
    chosen = ["-q", "--no-header"]
    status = pytest.main([*chosen, *TESTS[path]], plugins=[runner])
    told = {"killed": runner.killed, "survived": runner.survived}
    sys.stdout.write(f"{json.dumps(told)}\n")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
