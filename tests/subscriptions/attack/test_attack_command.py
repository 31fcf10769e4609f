"""attack as a command: on the sample, on closed months of weakened rules, and without hours."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscriptions import statements
from tests import factories as make
from tests.agency_workbook import SAMPLE
from tests.agreed import M
from tests.clients import LONG_AFTER, client, open_agency
from tests.weakened import HOLES, weakened

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.attack(1, 2, 3, 4, 5, 6, 7, 8),
    pytest.mark.usefixtures("english"),
]

LEDGER = ("advisors_monthhours", "advisors_drafthours", "advisors_hoursadjustment")
NOT_RELEASED = (*LEDGER, "subscriptions_carduse")


def run(*arguments: str, status: int = 0) -> str:
    """Run attack, which ends with a status; give what it printed on standard output."""
    out, ended = StringIO(), 0
    try:
        call_command("attack", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as bad_news:
        ended = int(bad_news.code or 0)
    assert ended == status, out.getvalue()
    return out.getvalue()


def answer(*arguments: str, status: int = 0) -> dict[str, Any]:
    found = json.loads(run("--json", *arguments, status=status))
    assert isinstance(found, dict)
    return found


def guard(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    assert not any(table in sql for table in NOT_RELEASED), sql
    return execute(sql, *rest)


def close_all(months: int = 24) -> None:
    for at in range(months):
        statements.close_month(M("2026-01") + at, on=LONG_AFTER)


def test_nothing_is_proven_of_the_sample_agency_after_three_months() -> None:
    call_command("import_agency", str(SAMPLE))
    close_all(3)
    with connection.execute_wrapper(guard):
        assert answer() == {"organisations": 105, "proven": []}
        report = " ".join(run().split())
    assert "Nothing is proven" in report
    assert "105 organisations" in report
    assert "the use of 3 months together" in report
    assert "rule out everybody but one person" in report


def test_the_guard_knows_the_tables_of_hours() -> None:
    open_agency()
    with connection.execute_wrapper(guard), pytest.raises(AssertionError, match="monthhours"):
        statements.read_books()


# What each hole needs to show: people, hours, and what was agreed.
SHOWS: dict[str, dict[str, Any]] = {
    "exact months for all": {"headcount": 100},
    "the class without the first month's headcount": {
        "headcount": {"2025-01": 100, "2026-04": 300}
    },
    "exact tails": {"headcount": 100, "until_month": "2026-06"},
    "figures for 10 people or fewer": {"headcount": 10},
    "carry-over out of banded years": {
        "headcount": 8,
        "tier": "extended",
        "carry_over_basis_points": 10_000,
        "carry_over_cap_quarters": 400,
    },
}


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_in_the_rules_ends_with_bad_news(hole: str) -> None:
    hours = {"2026-05": 1.5}
    client(hours=hours, **SHOWS[hole])
    with weakened(hole):
        close_all()

    found = answer(status=1)

    assert found["organisations"] == 1
    assert {one["organisation"] for one in found["proven"]} == {"ORG1"}
    assert all(one["months"][0] < one["months"][1] for one in found["proven"])
    assert "finding" in run(status=1)


@pytest.mark.parametrize("hole", HOLES)
def test_the_same_agency_by_the_real_rules_proves_nothing(hole: str) -> None:
    client(hours={"2026-05": 1.5}, **SHOWS[hole])
    close_all()
    assert answer() == {"organisations": 1, "proven": []}


# What the rules of use keep from telling, each with the hole that would tell it.
RARE: dict[str, tuple[dict[str, Any], str]] = {
    "a card that is valid in a banded year and in one with figures": (
        {"headcount": {"2025-01": 8, "2027-01": 20}, "hours": {"2026-03": 4, "2027-05": 7}},
        "cards that figures find as bands left them",
    ),
    "an all-in year that was reported, and carried over": (
        {
            "hours": {"2026-03": 1.5},
            "tier": "extended",
            "overage": "all_in",
            "reported_until": "2027-01",
            "carry_over_basis_points": 10_000,
            "carry_over_cap_quarters": 400,
        },
        "carry-over out of banded years",
    ),
    "ten people or fewer who were reported, and more afterwards": (
        {
            "headcount": {"2025-01": 20, "2026-03": 8, "2026-07": 20},
            "hours": {"2026-03": 6, "2026-09": 4},
            "tier": "extended",
            "reported_until": "2026-07",
        },
        "figures that count the reported use of few people",
    ),
}


@pytest.mark.parametrize("which", RARE)
def test_what_has_no_figures_is_not_told_by_those_of_other_months(which: str) -> None:
    rare_contract(which)
    close_all()
    assert answer() == {"organisations": 1, "proven": []}


@pytest.mark.parametrize("which", RARE)
def test_it_would_be_told_without_the_rule(which: str) -> None:
    rare_contract(which)
    with weakened(RARE[which][1]):
        close_all()
    assert answer(status=1)["proven"]


def rare_contract(which: str) -> None:
    subscription = client(**RARE[which][0])
    if which.startswith("a card"):
        make.top_up_card(subscription.organisation, quarters=20, expires_month=M("2028-01"))


def test_a_finding_says_what_is_derived_and_what_was_told() -> None:
    subscription = client(headcount=100)
    make.statement(subscription, "2026-01", "2026-03", used_quarters=6)
    assert answer(status=1)["proven"] == [
        {
            "organisation": "ORG1",
            "months": ["2026-01", "2026-03"],
            "what": "Can be derived: from 1.25\xa0hours to 1.5\xa0hours of use. "
            "The statements by themselves say: nothing.",
        }
    ]


def test_an_overage_line_that_was_sent_is_known_and_a_draft_is_not() -> None:
    subscription = client(headcount=100)
    make.statement(subscription, "2026-01", "2026-04", display="withheld")
    line = {
        "kind": "overage",
        "quantity_hundredths": 150,
        "from_month": M("2026-01"),
        "until_month": M("2026-02"),
    }
    make.invoice(subscription.organisation, lines=[line])
    assert answer()["proven"] == []
    make.invoice(subscription.organisation, lines=[line], state="open")
    assert [one["months"] for one in answer(status=1)["proven"]] == [["2026-01", "2026-02"]]


def test_an_employer_who_chooses_is_searched_for_a_schedule() -> None:
    make.release_policy()
    assert answer("--search", "40")["organisations"] == 40
    assert answer("--search", "40", "--seed", "2")["proven"] == []
    assert "An employer chose: 40 schedules" in " ".join(run("--search", "40").split())


def test_a_search_of_nothing_is_wrong_use() -> None:
    with pytest.raises(CommandError, match="from 1 on") as refused:
        run("--search", "0")
    assert refused.value.returncode == 2


def test_the_number_of_queries_does_not_grow_with_the_organisations() -> None:
    client("ORG1", hours={"2026-02": 2})
    close_all(3)
    with CaptureQueriesContext(connection) as for_one:
        assert answer()["organisations"] == 1
    client("ORG2", start="2026-04")
    client("ORG3", start="2026-04")
    statements.close_month(M("2026-04"), on=LONG_AFTER)
    with CaptureQueriesContext(connection) as for_three:
        assert answer()["organisations"] == 3
    assert len(for_three) == len(for_one)
