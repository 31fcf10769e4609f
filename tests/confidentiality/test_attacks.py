"""Every attack is proven, waited for or somebody's; and the paper says the same."""

from __future__ import annotations

import pytest

from tests.confidentiality import report
from tests.confidentiality.attacks import ATTACKS, PAPER, Attack, marked, rows, standing

TESTS = marked()
ROWS = {int(row[0]): row for row in rows(PAPER.read_text(encoding="utf-8"))}


def unanswered(attacks: dict[int, Attack], tests: dict[int, list[str]]) -> list[int]:
    return [
        number
        for number, attack in attacks.items()
        if not (tests.get(number) or attack.waits_for or attack.person)
    ]


def test_there_are_fifty_attacks_and_none_without_an_answer() -> None:
    assert list(ATTACKS) == list(range(1, 51))
    assert unanswered(ATTACKS, TESTS) == []


def test_an_attack_without_an_answer_is_found() -> None:
    assert unanswered({1: Attack("new"), 2: Attack("old", waits_for=7)}, {}) == [1]


def test_no_test_names_an_attack_that_is_not_there() -> None:
    assert set(TESTS) <= set(ATTACKS)


def test_what_waits_for_an_issue_is_not_proven_yet() -> None:
    waiting = {number for number, attack in ATTACKS.items() if attack.waits_for}
    assert waiting & set(TESTS) == set()


def test_marks_of_modules_classes_and_functions_are_read() -> None:
    matrix = "tests/confidentiality/test_role_matrix.py"
    assert f"{matrix}::test_every_address_has_a_line_in_the_matrix" in TESTS[33]
    assert f"{matrix}::test_every_address_admits_whom_the_matrix_names" in TESTS[36]
    assert any("::TestHeaders::" in test for test in TESTS[36])


@pytest.mark.parametrize(
    ("ran", "said"),
    [
        ({"a": "passed", "b": "passed"}, "2 tests"),
        ({"a": "passed"}, "2 tests, 1 of them not run here"),
        ({}, "2 tests, 2 of them not run here"),
        ({"a": "failed"}, "FAILED"),
    ],
)
def test_the_first_line_of_an_attack_says_what_was_not_run(ran: dict[str, str], said: str) -> None:
    assert report.said_of(1, ["a", "b"], ran) == said


@pytest.mark.parametrize("number", ATTACKS)
def test_the_paper_says_what_stands_against_each_attack(number: int) -> None:
    _number, what, defence, proof = ROWS[number]
    assert what == ATTACKS[number].what
    assert defence
    assert proof == standing(number, TESTS.get(number, [])), (
        "python -m tests.confidentiality.attacks brings the paper up to date"
    )
