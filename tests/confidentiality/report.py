"""What the tests of the attacks say at their end: every attack, and what stands against it.

It is said where these tests were asked for: `pytest tests/confidentiality` or `pytest -m attack`,
which also runs the marked tests that live elsewhere.
"""

from __future__ import annotations

from typing import Any

from tests.confidentiality.attacks import ATTACKS, marked


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    """Name each attack with its tests: which ran, how they ended, and what is still open."""
    asked = " ".join([*config.args, config.option.markexpr])
    if "confidentiality" not in asked and "attack" not in asked:
        return
    ran = {
        told.nodeid.partition("[")[0]: outcome
        for outcome in ("skipped", "passed", "failed", "error")  # the worst is kept
        for told in terminalreporter.stats.get(outcome, [])
    }
    terminalreporter.section("attacks")
    tests = marked()
    for number, attack in ATTACKS.items():
        said = said_of(number, tests.get(number, []), ran)
        terminalreporter.write_line(f"{number:2}  {attack.what}: {said}")
        for test in tests.get(number, []):
            outcome = ran.get(test, "not run here")
            terminalreporter.write_line(f"      {outcome:12}  {test.removeprefix('tests/')}")


def said_of(number: int, tests: list[str], ran: dict[str, str]) -> str:
    """Say in a line what stands against an attack, and how much of that was run."""
    attack = ATTACKS[number]
    if {ran.get(test) for test in tests} & {"failed", "error"}:
        return "FAILED"
    elsewhere = sum(test not in ran for test in tests)
    said = [
        f"{len(tests)} tests" if tests else "",
        f"{elsewhere} of them not run here" if elsewhere else "",
        f"waits for issue {attack.waits_for}" if attack.waits_for else "",
        f"needs a person: {attack.person}" if attack.person else "",
    ]
    return ", ".join(filter(None, said)) or "NOTHING"
