"""What a contract costs and when it falls due (design 5.2, 5.3, 5.4, 5.7)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agency.money import round_half_away
from agency.month import Month, MonthRange
from subscriptions import charges
from subscriptions.agreements import BASIC, EXTENDED, Contract, PriceBooks
from subscriptions.charges import Charge
from tests.agreed import M, book, books, contract, extended_prices, months, prices

Row = tuple[str, str, str, int]


def rows(found: list[Charge]) -> list[Row]:
    """Give charges as (kind, run, months, cents)."""
    return [(c.kind, str(c.due), str(c.months), c.net_cents) for c in found]


def fees(agreement: Contract, run: str = "2026-12") -> list[Row]:
    return [row for row in rows(list(charges.fees(agreement, M(run)))) if row[0] == "fee"]


def yearly(annual_fee_cents: int) -> PriceBooks:
    return books({"2020-01": book(prices(annual_fee_cents=annual_fee_cents))})


@pytest.mark.parametrize(
    ("interval", "cents"),
    [
        pytest.param(12, [1_000_00], id="a year"),
        pytest.param(3, [250_00] * 4, id="in quarters: 250.00 x 4"),
        pytest.param(1, [83_33, 83_34, 83_33] * 4, id="in months: 83.33, 83.34, 83.33, ..."),
    ],
)
def test_the_parts_of_a_years_fee_of_1000_add_up(interval: int, cents: list[int]) -> None:
    year = fees(contract(interval=interval, books=yearly(1_000_00)), run="2026-11")
    assert [row[3] for row in year] == cents
    assert sum(cents) == 1_000_00


def test_nine_twelfths_of_1290_are_967_50() -> None:
    agreement = contract("2026-04/", year_starts_in=1, books=yearly(1_290_00))
    assert fees(agreement, "2026-03") == [("fee", "2026-03", "2026-04/2027-01", 967_50)]


def test_the_fee_of_an_interval_is_due_in_the_run_of_the_month_before_it() -> None:
    agreement = contract(interval=3)
    assert fees(agreement, "2025-11") == []
    assert fees(agreement, "2026-03") == [
        ("fee", "2025-12", "2026-01/2026-04", 300_00),
        ("fee", "2026-03", "2026-04/2026-07", 300_00),
    ]


def test_what_fell_due_before_the_first_run_is_never_drafted() -> None:
    agreement = contract("2025-01/", interval=3, first_run="2025-12")
    assert [row[1] for row in rows(list(charges.fees(agreement, M("2026-03"))))] == [
        "2025-12",
        "2026-03",
    ]


def test_history_needs_no_price_of_ours() -> None:
    agreement = contract(
        "2015-01/", requests=[("2015-05", EXTENDED)], first_run="2025-12", books=books()
    )
    assert fees(agreement, "2025-12") == [("fee", "2025-12", "2026-01/2027-01", 2_400_00)]
    assert changes(agreement, "2025-12") == []


def test_a_short_first_year_begins_inside_an_interval() -> None:
    # Quarters of the whole year from January: the start in February lies inside the first one.
    agreement = contract("2026-02/", year_starts_in=1, interval=3)
    assert fees(agreement, "2026-06") == [
        ("fee", "2026-01", "2026-02/2026-04", 200_00),
        ("fee", "2026-03", "2026-04/2026-07", 300_00),
        ("fee", "2026-06", "2026-07/2026-10", 300_00),
    ]


def test_a_known_end_makes_the_interval_shorter() -> None:
    agreement = contract("2026-01/2026-09", interval=3)
    assert fees(agreement)[-1] == ("fee", "2026-06", "2026-07/2026-09", 200_00)


def test_an_interval_costs_what_the_tier_in_force_in_its_first_month_costs() -> None:
    agreement = contract(interval=3, requests=[("2026-03", EXTENDED)])
    assert [(row[2], row[3]) for row in fees(agreement, "2026-06")] == [
        ("2026-01/2026-04", 300_00),
        ("2026-04/2026-07", 600_00),
        ("2026-07/2026-10", 600_00),
    ]


@pytest.mark.parametrize(("tier", "cents"), [(BASIC, 250_00), (EXTENDED, 450_00)])
def test_the_setup_fee_of_the_start_months_tier_is_due_with_the_first_interval(
    tier: str, cents: int
) -> None:
    agreement = contract(tier=tier, interval=3)
    setup = [row for row in rows(list(charges.fees(agreement, M("2030-12")))) if row[0] == "setup"]
    assert setup == [("setup", "2025-12", "2026-01/2026-02", cents)]


def test_an_upgrade_in_the_start_month_brings_the_setup_fee_of_its_tier() -> None:
    agreement = contract(requests=[("2026-01", EXTENDED)])
    assert rows(list(charges.fees(agreement, M("2025-12")))) == [
        ("fee", "2025-12", "2026-01/2027-01", 2_400_00),
        ("setup", "2025-12", "2026-01/2026-02", 450_00),
    ]


@st.composite
def agreements(draw: st.DrawFn) -> Contract:
    """Draw contracts of every interval, with short first and last years and any fee."""
    start = M("2025-01") + draw(st.integers(0, 11))
    length = draw(st.one_of(st.none(), st.integers(1, 30)))
    return contract(
        str(MonthRange(start, None if length is None else start + length)),
        year_starts_in=draw(st.integers(1, 12)),
        interval=draw(st.sampled_from([1, 3, 12])),
        books=yearly(draw(st.integers(0, 2_000_000))),
    )


@given(agreements())
def test_the_fees_of_a_year_cover_it_once_and_add_up_for_every_interval_and_end(
    agreement: Contract,
) -> None:
    parts = [c for c in charges.fees(agreement, M("2030-12")) if c.kind == "fee"]
    for year in agreement.years(M("2028-01")):
        of_year = [part for part in parts if part.months.from_month in year.months]
        assert [month for part in of_year for month in part.months] == list(year.months)
        assert all(part.months for part in of_year)
        fee = agreement.prices(year, BASIC).annual_fee_cents
        exact = Fraction(fee * len(year.months), 12)
        assert sum(part.net_cents for part in of_year) == charges.fee_cents(fee, year, year.months)
        assert abs(sum(part.net_cents for part in of_year) - exact) <= 1
        if len(year.months) == 12:
            assert sum(part.net_cents for part in of_year) == fee


@given(agreements())
def test_no_part_of_a_fee_is_more_than_a_cent_from_its_share(agreement: Contract) -> None:
    for part in charges.fees(agreement, M("2028-12")):
        if part.kind == "fee":
            fee = agreement.prices(agreement.year_of(part.months.from_month), BASIC)
            assert abs(part.net_cents - Fraction(fee.annual_fee_cents * len(part.months), 12)) <= 1


def test_rounding_each_part_on_its_own_would_not_add_up() -> None:
    parts = [round_half_away(Fraction(1_000_00, 12))] * 12
    assert sum(parts) != 1_000_00


def changes(agreement: Contract, run: str, drafted: dict[str, str] | None = None) -> list[Row]:
    tiers = {M(month): tier for month, tier in (drafted or {}).items()}
    return rows(list(charges.tier_changes(agreement, M(run), tiers)))


@pytest.mark.parametrize(
    ("interval", "upgrade", "line"),
    [
        pytest.param(
            12,
            "2026-05",
            ("tier_change", "2026-04", "2026-05/2027-01", 800_00),
            id="8 months of a year's interval",
        ),
        pytest.param(
            3,
            "2026-05",
            ("tier_change", "2026-04", "2026-05/2026-07", 200_00),
            id="2 months of a quarter",
        ),
    ],
)
def test_a_change_inside_an_interval_charges_the_difference_until_its_end(
    interval: int, upgrade: str, line: Row
) -> None:
    agreement = contract(interval=interval, requests=[(upgrade, EXTENDED)])
    assert changes(agreement, "2026-03") == []
    assert changes(agreement, "2026-04") == [line]


def test_a_change_is_billed_from_the_first_run_on() -> None:
    agreement = contract("2025-01/", requests=[("2025-05", EXTENDED)], first_run="2025-04")
    assert [row[1] for row in changes(agreement, "2025-12")] == ["2025-04"]
    agreement = contract("2025-01/", requests=[("2025-05", EXTENDED)], first_run="2025-05")
    assert changes(agreement, "2025-12") == []


def test_the_difference_is_rounded_once() -> None:
    dearer = book(prices(annual_fee_cents=1_000_00), extended_prices(annual_fee_cents=2_000_01))
    agreement = contract(books=books({"2020-01": dearer}), requests=[("2026-06", EXTENDED)])
    (line,) = changes(agreement, "2026-05")
    assert line[3] == 583_34  # 7/12 of 1,000.01 is 583.3392


def test_a_change_that_starts_an_interval_not_drafted_yet_has_no_line_of_its_own() -> None:
    agreement = contract(interval=3, requests=[("2026-04", EXTENDED)])
    assert changes(agreement, "2026-03", {"2026-01": BASIC}) == []


def test_a_change_that_starts_an_interval_drafted_at_the_old_tier_charges_all_of_it() -> None:
    agreement = contract(interval=3, requests=[("2026-04", EXTENDED)])
    drafted = {"2026-01": BASIC, "2026-04": BASIC}
    assert changes(agreement, "2026-04", drafted) == [
        ("tier_change", "2026-03", "2026-04/2026-07", 300_00)
    ]


def test_a_change_that_starts_an_interval_drafted_at_the_new_tier_costs_nothing_more() -> None:
    agreement = contract(interval=3, requests=[("2026-04", EXTENDED)])
    assert changes(agreement, "2026-12", {"2026-01": BASIC, "2026-04": EXTENDED}) == []


def test_a_downgrade_of_an_interval_drafted_at_the_old_tier_gives_the_difference_back() -> None:
    agreement = contract("2025-01/", EXTENDED, requests=[("2026-01", BASIC)])
    assert changes(agreement, "2025-12", {"2026-01": EXTENDED}) == [
        ("tier_change", "2025-12", "2026-01/2027-01", -1_200_00)
    ]


def test_a_downgrade_undone_by_an_upgrade_of_the_same_month_costs_nothing() -> None:
    agreement = contract("2025-01/", EXTENDED, requests=[("2025-06", BASIC), ("2026-01", EXTENDED)])
    assert changes(agreement, "2026-01", {"2026-01": EXTENDED}) == []


def test_a_downgrade_undone_after_its_fee_was_drafted_is_charged_again() -> None:
    agreement = contract("2025-01/", EXTENDED, requests=[("2025-06", BASIC), ("2026-01", EXTENDED)])
    assert changes(agreement, "2026-01", {"2026-01": BASIC}) == [
        ("tier_change", "2025-12", "2026-01/2027-01", 1_200_00)
    ]


def test_a_change_brings_no_second_setup_fee() -> None:
    agreement = contract(requests=[("2026-05", EXTENDED)])
    lines = [
        *charges.fees(agreement, M("2027-12")),
        *charges.tier_changes(agreement, M("2027-12"), {}),
    ]
    assert [line.kind for line in lines].count("setup") == 1


def test_a_change_in_an_interval_that_a_known_end_cuts_is_charged_until_the_end() -> None:
    agreement = contract("2026-01/2026-08", requests=[("2026-05", EXTENDED)])
    assert changes(agreement, "2026-04") == [("tier_change", "2026-04", "2026-05/2026-08", 300_00)]


@given(
    interval=st.sampled_from([1, 3, 12]),
    upgrade=st.integers(0, 11),
    known_in=st.integers(0, 14),
    basic_cents=st.integers(0, 500_000),
    extended_cents=st.integers(500_000, 900_000),
)
def test_run_by_run_a_year_costs_each_month_at_its_tier_however_late_an_upgrade_is_known(
    interval: int, upgrade: int, known_in: int, basic_cents: int, extended_cents: int
) -> None:
    both = books(
        {
            "2020-01": book(
                prices(annual_fee_cents=basic_cents),
                extended_prices(annual_fee_cents=extended_cents),
            )
        }
    )
    month = M("2026-01") + upgrade
    before = contract("2026-01/2027-01", interval=interval, books=both)
    after = contract(
        "2026-01/2027-01", interval=interval, books=both, requests=[(str(month), EXTENDED)]
    )
    drafted: dict[tuple[str, Month], Charge] = {}
    for step in range(16):
        run = M("2025-12") + step
        known = after if step >= known_in else before
        tiers = {at: charge.tier for (kind, at), charge in drafted.items() if kind == "fee"}
        for charge in (*charges.fees(known, run), *charges.tier_changes(known, run, tiers)):
            drafted.setdefault((charge.kind, charge.months.from_month), charge)

    paid = sum(charge.net_cents for charge in drafted.values() if charge.kind != "setup")
    exact = Fraction(basic_cents * upgrade + extended_cents * (12 - upgrade), 12)
    # Each line is rounded once: a late upgrade has a line for every fee that it puts right.
    assert abs(paid - exact) <= Fraction(len(drafted), 2)


@pytest.mark.parametrize(
    ("quarters", "quantity_hundredths", "cents"),
    [
        pytest.param(14, 350, 455_00, id="3.5 hours at 130.00: 455.00"),
        pytest.param(2, 50, 65_00, id="half an hour"),
        pytest.param(92, 2300, 2_990_00, id="23 hours"),
    ],
)
def test_overage_costs_its_half_hours_at_the_rate_and_is_due_with_the_periods_last_month(
    quarters: int, quantity_hundredths: int, cents: int
) -> None:
    assert charges.overage(contract(), months("2026-01/2026-04"), quarters) == Charge(
        kind="overage",
        due=M("2026-03"),
        months=months("2026-01/2026-04"),
        quantity_hundredths=quantity_hundredths,
        unit_cents=130_00,
        net_cents=cents,
    )


def test_overage_is_rounded_once_half_away_from_zero() -> None:
    odd = book(prices(overage_rate_cents=119_99))
    charge = charges.overage(contract(books=books({"2020-01": odd})), months("2026-01/2026-02"), 2)
    assert charge.net_cents == 60_00  # half of 119.99 is 59.995


@pytest.mark.parametrize(
    ("upgrade", "rate_cents"),
    [
        pytest.param("2026-01", 120_00, id="upgraded in the period's first month"),
        pytest.param("2026-02", 130_00, id="upgraded later in the period"),
    ],
)
def test_overage_takes_the_rate_of_the_tier_in_force_in_the_periods_first_month(
    upgrade: str, rate_cents: int
) -> None:
    agreement = contract(requests=[(upgrade, EXTENDED)])
    assert charges.overage(agreement, months("2026-01/2026-04"), 4).unit_cents == rate_cents


@pytest.mark.parametrize(
    ("agreed", "included", "free"),
    [
        pytest.param("2026-01/", 2, 2, id="a whole year"),
        pytest.param("2026-07/", 2, 1, id="half a year, 2 included"),
        pytest.param("2026-11/", 1, 1, id="two months, rounded up"),
        pytest.param("2026-05/", 2, 2, id="eight months, rounded up"),
        pytest.param("2026-01/", 0, 0, id="none included"),
        pytest.param("2026-01/", 24, 24, id="two a month"),
    ],
)
def test_a_year_includes_its_share_of_sessions_rounded_up(
    agreed: str, included: int, free: int
) -> None:
    agreement = contract(
        agreed,
        year_starts_in=1,
        books=books({"2020-01": book(prices(included_sessions=included))}),
    )
    assert charges.included_sessions(agreement, M("2026-12")) == free


def test_sessions_are_included_by_the_tier_in_force_in_the_month_due() -> None:
    agreement = contract(requests=[("2026-05", EXTENDED)])
    free = [charges.included_sessions(agreement, M(m)) for m in ("2026-04", "2026-05")]
    assert free == [0, 2]


LADDER = [(42, 0), (14, 50), (0, 100)]


@pytest.mark.parametrize(
    ("days_before", "percent"),
    [
        pytest.param(100, 0, id="long before"),
        pytest.param(42, 0, id="42 days"),
        pytest.param(41, 50, id="41 days"),
        pytest.param(14, 50, id="14 days"),
        pytest.param(13, 100, id="13 days"),
        pytest.param(0, 100, id="on the day"),
        pytest.param(-3, 100, id="after it"),
    ],
)
@pytest.mark.parametrize("ladder", [LADDER, LADDER[::-1]], ids=["down", "up"])
def test_a_cancellation_costs_the_ladders_percentage_by_whole_days(
    days_before: int, percent: int, ladder: list[tuple[int, int]]
) -> None:
    assert charges.cancellation_percent(ladder, days_before) == percent


def test_without_a_ladder_a_cancellation_costs_the_whole_price() -> None:
    assert charges.cancellation_percent([], 100) == 100


def test_a_masterclass_of_950_cancelled_20_days_before_costs_475() -> None:
    percent = charges.cancellation_percent(LADDER, 20)
    assert charges.cancellation_cents(950_00, percent) == 475_00


def test_a_percentage_of_a_price_is_rounded_half_away_from_zero() -> None:
    assert charges.cancellation_cents(99_99, 50) == 50_00


def test_fees_that_are_paid_are_not_given_again() -> None:
    agreement = contract(interval=3)
    later = charges.fees(agreement, M("2026-12"), M("2026-10"))
    assert [str(one.months) for one in later] == ["2026-10/2027-01", "2027-01/2027-04"]


def test_the_fee_due_in_the_run_before_the_first_one_is_history() -> None:
    agreement = contract("2025-01/", interval=1, first_run="2025-12")
    assert [row[1] for row in fees(agreement, "2026-01")] == ["2025-12", "2026-01"]


def test_no_interval_starts_at_a_known_end() -> None:
    assert fees(contract("2026-01/2026-04", interval=3)) == [
        ("fee", "2025-12", "2026-01/2026-04", 300_00)
    ]


@pytest.mark.parametrize(
    ("run", "first_run", "billed"),
    [
        pytest.param("2026-05", "2025-12", ["2026-01/2026-04"], id="not yet"),
        pytest.param("2026-06", "2025-12", ["2026-01/2026-04", "2026-07/2027-01"], id="before it"),
        pytest.param("2026-06", "2026-06", ["2026-07/2027-01"], id="in the first run"),
        pytest.param("2026-06", "2026-07", [], id="history"),
    ],
)
def test_what_follows_a_pause_is_due_in_the_run_before_its_end(
    run: str, first_run: str, billed: list[str]
) -> None:
    agreement = contract(pauses=["2026-04/2026-07"], first_run=first_run)
    assert [row[2] for row in fees(agreement, run)] == billed


def test_an_interval_drafted_ahead_is_put_right_in_its_own_run() -> None:
    agreement = contract(interval=1, requests=[("2026-02", EXTENDED)])
    assert changes(agreement, "2025-12", {"2026-02": BASIC}) == []
    assert changes(agreement, "2026-01", {"2026-02": BASIC}) == [
        ("tier_change", "2026-01", "2026-02/2026-03", 100_00)
    ]


def test_only_what_a_tier_costs_names_it() -> None:
    plain = charges.once("topup", M("2026-01"), months("2026-02/2027-02"), 440_00)
    assert (plain.quantity_hundredths, plain.unit_cents, plain.tier) == (100, 440_00, "")
    assert charges.overage(contract(), months("2026-01/2026-04"), 2).tier == ""


@pytest.mark.parametrize(("days_before", "percent"), [(-3, 90), (0, 90), (1, 80), (2, 80)])
def test_rungs_of_a_day_count_the_days_that_are_left(days_before: int, percent: int) -> None:
    assert charges.cancellation_percent([(0, 90), (1, 80)], days_before) == percent
