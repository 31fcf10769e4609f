"""Assignments and hours: who may have worked where, when, and how much."""

from __future__ import annotations

from collections import defaultdict

from django.utils.translation import gettext as _

from advisors.models import AssignmentRole
from agency.month import Month
from subscriptions.intake.checks.contracts import (
    contract_before,
    contracts_of,
    months_of,
    overlapping,
)
from subscriptions.intake.rows import Book, Row, clashing

QUARTERS_OF_A_DAY = 96
ASSIGNMENT = ("advisor", "organisation", "from_month", "until_month")


def check(book: Book) -> None:
    _check_roles(book)
    _check_assignments(book)
    for row in book["hours"]:
        _check_amount(book, row)
    _check_advisor_months(book)
    for row in book.knowing("hours", "organisation", "month"):
        if _lies_in_contract(book, row) and row.knows("advisor"):
            _check_assigned(book, row)


def _check_roles(book: Book) -> None:
    """Keep who stands beside people apart from who stands between them, whatever the months."""
    rows = book.knowing("assignments", "advisor", "organisation", "role")
    for row, other in clashing(
        rows,
        ["advisor", "organisation"],
        lambda row, other: AssignmentRole(row["role"]).excludes(other["role"]),
    ):
        message = _(
            "A counsellor at an organisation can never be its mediator or investigator "
            "(see row %(row)d)."
        )
        book.findings.refuse(row, "role", message % {"row": other.number})


def _check_assignments(book: Book) -> None:
    rows = book.knowing("assignments", "role", *ASSIGNMENT)
    for row, other in overlapping(rows, ["advisor", "organisation", "role"], "from_month"):
        message = _("Row %(row)d assigns this advisor in the same role and months.")
        book.findings.refuse(row, "from_month", message % {"row": other.number})


def _check_amount(book: Book, row: Row) -> None:
    if row.knows("month", "hours") and row["hours"] > _quarters_of(row["month"]):
        book.findings.refuse(row, "hours", _("The month does not have so many hours."))


def _quarters_of(month: Month) -> int:
    return month.last_day.day * QUARTERS_OF_A_DAY


def _check_advisor_months(book: Book) -> None:
    """Find advisors whose hours of all organisations together do not fit into the month."""
    worked: dict[tuple[str, Month], int] = defaultdict(int)
    for row in book.knowing("hours", "advisor", "month", "hours"):
        key = row["advisor"], row["month"]
        worked[key] += row["hours"]
        if worked[key] - row["hours"] <= _quarters_of(row["month"]) < worked[key]:
            message = _("Together with the rows above this advisor has more hours than the month.")
            book.findings.refuse(row, "hours", message)


def _lies_in_contract(book: Book, row: Row) -> bool:
    """Find hours outside the contract.

    Hours after a contract's end are no mistake while their month is open: nothing is posted after
    the last statement, and the agency bears them (design section 2, decision 2). In a month that
    is history they cannot have been billed or reported to anybody, so something is wrong.
    """
    contracts = contracts_of(book, row["organisation"])
    if contracts is None:
        return False
    contract = contract_before(contracts, row["month"])
    if contract is None:
        book.findings.refuse(row, "month", _("This organisation has no contract in this month."))
    elif row["month"] not in months_of(contract):
        if not contract.knows("first_run") or row["month"] < contract["first_run"]:
            message = _("The contract of this organisation has ended by then.")
            book.findings.refuse(row, "month", message)
        elif row["hours"]:
            message = _("The contract has ended by then: the agency bears these hours.")
            book.findings.warn(row, "month", message)
    return row.knows("month")


def _check_assigned(book: Book, row: Row) -> None:
    rows = book.of("assignments", row["organisation"])
    if not all(assignment.knows(*ASSIGNMENT) for assignment in rows):
        return
    if not any(
        assignment["advisor"] == row["advisor"]
        and row["month"] in months_of(assignment, "from_month")
        for assignment in rows
    ):
        message = _("This advisor is not assigned to the organisation in this month.")
        book.findings.refuse(row, "advisor", message)
