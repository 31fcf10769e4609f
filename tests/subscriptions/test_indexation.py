"""Own prices follow a price index: exactly, within cap and floor, and never in a year begun."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from subscriptions.agreements import EXTENDED
from subscriptions.indexation import Rise, earliest_month, factor, indexed, rise, year_cents
from subscriptions.indexation_runs import IndexationError, refuse
from subscriptions.models import CpiValue, LeftOut
from tests.agreed import M, contract, months, prices

NO_CAP: tuple[None, None] = (None, None)
OWN = {"own_annual_fee_cents": 1_250_00, "own_overage_rate_cents": 130_00}
BY = factor(127_800, 131_200)


@pytest.mark.parametrize(
    ("cents", "before", "after", "bounds", "result"),
    [
        (1_250_00, 127_800, 131_200, NO_CAP, 1_283_26),  # the published vector
        (1_250_00, 131_200, 127_800, NO_CAP, 1_217_61),  # prices fall with the index
        (1_250_00, 131_200, 127_800, (None, 0), 1_250_00),  # unless they never fall
        (1_250_00, 131_200, 131_200, NO_CAP, 1_250_00),
        (1_000_00, 100_000, 108_000, (500, None), 1_050_00),
        (1_000_00, 100_000, 108_000, (500, 0), 1_050_00),
        (1_000_00, 100_000, 100_500, (500, 150), 1_015_00),
        (1_000_00, 100_000, 103_000, (500, 150), 1_030_00),
        (1_000_00, 100_000, 103_000, (300, 300), 1_030_00),
        (1_000_00, 100_000, 103_000, (0, 0), 1_000_00),
        (50, 100_000, 101_000, NO_CAP, 51),  # 50.5 cents: halves away from zero
        (50, 100_000, 100_999, NO_CAP, 50),
        (150, 100_000, 99_000, NO_CAP, 149),  # 148.5
        (0, 127_800, 131_200, NO_CAP, 0),
        (1, 3, 7, NO_CAP, 2),  # 2.33
    ],
)
def test_a_price_is_multiplied_once_and_rounded_once(
    cents: int, before: int, after: int, bounds: tuple[int | None, int | None], result: int
) -> None:
    assert indexed(cents, factor(before, after, *bounds)) == result


def value(month: str, **fields: Any) -> CpiValue:
    made = {"series": "CPI", "reference_year": 2015, "value_thousandths": 1} | fields
    return CpiValue(month=M(month), **made)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (value("2024-10"), value("2025-10", series="CPI derived"), "one series"),
        (value("2024-10"), value("2025-10", reference_year=2025), "of 2015 and 2025"),
        (value("2025-10"), value("2024-10"), "later month"),
        (value("2025-10"), value("2025-10"), "later month"),
    ],
)
@pytest.mark.usefixtures("english")
def test_only_values_of_one_series_and_reference_year_are_divided(
    before: CpiValue, after: CpiValue, sentence: str
) -> None:
    with pytest.raises(IndexationError, match=sentence):
        refuse(before, after)
    refuse(value("2024-10"), value("2025-10"))


@pytest.mark.parametrize(
    ("on", "months", "first"),
    [("2026-11-01", 1, "2026-12"), ("2026-11-02", 1, "2027-01"), ("2026-11-30", 2, "2027-02")],
)
def test_a_letter_is_in_time_whole_months_before(on: str, months: int, first: str) -> None:
    assert earliest_month(dt.date.fromisoformat(on), months) == M(first)


@pytest.mark.parametrize(
    ("served", "cents"),
    [("2027-01/2028-01", 1_283_26), ("2027-01/2027-06", 534_69), ("2027-04/2028-01", 962_44)],
)
def test_a_known_end_and_a_pause_cut_what_the_year_makes(served: str, cents: int) -> None:
    assert year_cents(1_283_26, M("2027-01"), [months(served)]) == cents


def found(agreed: str = "2025-01/", **fields: Any) -> str:
    """Say from which month a contract is indexed, or why it is not."""
    wanted, earliest = M(fields.pop("wanted", "2027-01")), M(fields.pop("earliest", "2026-12"))
    made = rise(contract(agreed, **{**OWN, **fields}), BY, wanted=wanted, earliest=earliest)
    if isinstance(made, LeftOut):
        return made
    return f"{made.from_month}{' postponed' if made.is_postponed else ''}"


def frozen(*months: str) -> dict[str, Any]:
    return {"frozen_prices": {(M(month), "basic"): prices() for month in months}}


@pytest.mark.parametrize(
    ("result", "fields"),
    [
        ("2027-01", {}),
        ("2027-01", frozen("2025-01", "2026-01")),
        ("2027-05", {"agreed": "2025-05/"}),
        ("2027-07", {"agreed": "2025-03/", "year_starts_in": 7}),
        ("2028-01 postponed", {"earliest": "2027-02"}),
        ("2028-01 postponed", frozen("2027-01")),
        ("2028-01", {"agreed": "2027-01/"}),  # prices of a first year are new
        ("2028-01 postponed", {"first_run": "2027-03"}),  # the former system billed 2027
        ("ended", {"agreed": "2025-01/2027-01"}),
        ("2027-01", {"agreed": "2025-01/2027-02"}),
        ("ended", {"agreed": "2025-01/2028-01", "earliest": "2027-02"}),
        ("ended", {"agreed": "2026-12/2027-01"}),
        ("no_own_prices", {"own_annual_fee_cents": None, "own_overage_rate_cents": None}),
        ("2027-01", {"own_annual_fee_cents": None}),
        ("unchanged", {"own_annual_fee_cents": 0, "own_overage_rate_cents": None}),
        ("other_tier", {"requests": [("2026-06", EXTENDED)]}),
        ("paused", {"pauses": ["2026-10/2027-04"]}),
        ("2027-01", {"pauses": ["2026-10/2027-01", "2027-04/2027-07"]}),
        ("agreed", {"choices": [("2026-09", {**OWN, "own_annual_fee_cents": 1})]}),
        ("agreed", {"choices": [("2027-01", OWN)]}),
        ("agreed", {"choices": [("2027-06", OWN)]}),
        ("2027-01", {"choices": [("2026-09", {**OWN, "release": "year"})]}),
    ],
)
def test_the_first_contract_year_that_can_be_told_of_is_indexed(
    result: str, fields: dict[str, Any]
) -> None:
    assert found(**fields) == result


def test_fee_and_rate_follow_and_what_is_not_own_stays_none() -> None:
    assert rise(
        contract("2025-01/", own_overage_rate_cents=130_00),
        BY,
        wanted=M("2027-01"),
        earliest=M("2026-12"),
    ) == Rise(M("2027-01"), False, None, None, 130_00, 133_46)
