"""Months and half-open ranges of months (design section 2, decision 1)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agency.month import AMSTERDAM, Month, MonthRange, day_of
from tests.agreed import M, months

any_month = st.integers(min_value=1900 * 12, max_value=2699 * 12).map(Month)


@st.composite
def ranges(draw: st.DrawFn) -> MonthRange:
    start = draw(st.integers(24000, 24040).map(Month))
    length = draw(st.one_of(st.none(), st.integers(1, 30)))
    return MonthRange(start, None if length is None else start + length)


@given(any_month)
@example(Month(1900 * 12))
@example(Month(2700 * 12 - 1))
def test_a_month_reads_back_from_its_text(month: Month) -> None:
    assert Month.parse(str(month)) == month


@pytest.mark.parametrize(
    "text",
    [
        "2026-13",
        "2026-00",
        "26-01",
        "2026-1",
        "2026-01-01",
        "2026/01",
        " 2026-01",
        "",
        "january",
        "1899-12",
        "2700-01",
    ],
)
def test_anything_but_a_year_and_a_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no month"):
        Month.parse(text)


def test_months_count_across_the_end_of_a_year() -> None:
    assert M("2025-11") + 3 == M("2026-02")
    assert M("2026-02") - 3 == M("2025-11")
    assert M("2026-02").since(M("2025-11")) == 3
    assert M("2025-11").since(M("2026-02")) == -3


def test_months_are_in_order_of_time() -> None:
    in_order = [M("2025-12"), M("2026-01"), M("2026-02")]
    assert sorted([in_order[2], in_order[0], in_order[1]]) == in_order
    for number, month in enumerate(in_order):
        for other_number, other in enumerate(in_order):
            assert (month < other, month <= other) == (
                number < other_number,
                number <= other_number,
            )
            assert (month > other, month >= other) == (
                number > other_number,
                number >= other_number,
            )
            assert (month == other, month != other) == (month is other, month is not other)


def test_a_month_is_one_key_and_no_number() -> None:
    assert {M("2026-01"): "january"}[M("2026-01")] == "january"
    assert M("2026-01") != M("2026-01").index


def test_a_moment_has_the_date_that_amsterdam_has_then() -> None:
    moment = dt.datetime.fromisoformat("2025-12-31T23:00:00+00:00")
    assert day_of(moment) == dt.date(2026, 1, 1)


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        pytest.param("2025-12-31T22:59:59+00:00", "2025-12", id="winter, a second before"),
        pytest.param("2025-12-31T23:00:00+00:00", "2026-01", id="winter, midnight in Amsterdam"),
        pytest.param("2026-06-30T21:59:59+00:00", "2026-06", id="summer, a second before"),
        pytest.param("2026-06-30T22:00:00+00:00", "2026-07", id="summer, midnight in Amsterdam"),
        pytest.param("2026-01-31T19:00:00-05:00", "2026-02", id="evening in New York"),
    ],
)
def test_a_moment_lies_in_the_month_that_amsterdam_has_then(moment: str, month: str) -> None:
    assert Month.containing(dt.datetime.fromisoformat(moment)) == M(month)


def test_a_moment_without_a_time_zone_has_no_month() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Month.containing(dt.datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("month", "last_day"),
    [("2024-02", dt.date(2024, 2, 29)), ("2026-02", dt.date(2026, 2, 28))],
)
def test_a_month_knows_its_days_also_in_a_leap_year(month: str, last_day: dt.date) -> None:
    assert M(month).first_day == last_day.replace(day=1)
    assert M(month).last_day == last_day
    assert Month.containing(last_day) == M(month)


@pytest.mark.parametrize(("month", "offset"), [("2026-01", 1), ("2026-07", 2)])
def test_a_month_starts_at_midnight_in_amsterdam(month: str, offset: int) -> None:
    starts = M(month).starts_at
    assert (starts.hour, starts.tzinfo) == (0, AMSTERDAM)
    assert starts.utcoffset() == dt.timedelta(hours=offset)


def test_a_range_holds_its_first_month_and_not_its_until_month() -> None:
    quarter = months("2026-01/2026-04")
    assert [M(text) in quarter for text in ("2025-12", "2026-01", "2026-03", "2026-04")] == [
        False,
        True,
        True,
        False,
    ]
    assert list(quarter) == [M("2026-01"), M("2026-02"), M("2026-03")]
    assert (len(quarter), quarter.last_month) == (3, M("2026-03"))


def test_a_range_without_an_end_never_ends() -> None:
    running = months("2026-01/")
    assert M("2600-01") in running
    assert M("2025-12") not in running
    for ask in (len, list):
        with pytest.raises(ValueError, match="has no end"):
            ask(running)


@pytest.mark.parametrize("text", ["2026-01/2026-04", "2026-01/"])
def test_a_range_reads_back_from_its_text(text: str) -> None:
    assert str(months(text)) == text


def test_a_range_may_be_empty() -> None:
    assert list(months("2026-01/2026-01")) == []


@given(ranges(), st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), max_size=4))
@example(months("2000-01/2000-07"), [(3, 3)])
def test_a_range_without_gaps_has_the_months_that_lie_in_none_of_them(
    whole: MonthRange, gaps: list[tuple[int, int]]
) -> None:
    """In parts that are not empty, one after another; gaps follow one another, or touch."""
    at, apart = Month(24000), []
    for distance, length in gaps:
        apart.append(MonthRange(at + distance, at + distance + length))
        at = apart[-1].until

    parts = list(whole.without(apart))

    seen = [Month(index) for index in range(24000, 24100)]
    left = [month for month in seen if month in whole and not any(month in gap for gap in apart)]
    assert [month for part in parts for month in seen if month in part] == left
    assert all(part.until_month is None or part.from_month < part.until for part in parts)
    assert whole.until_month is not None or parts[-1].until_month is None


def test_a_range_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="lies before"):
        months("2026-04/2026-01")


@given(ranges(), ranges())
@example(months("2000-01/2000-04"), months("2000-04/2000-07"))
def test_two_ranges_overlap_when_they_share_a_month(one: MonthRange, other: MonthRange) -> None:
    # No range of these begins after Month(24040), so what shares any month shares one up to there
    # or lies in a finite range.
    seen = [Month(index) for index in range(24000, 24100)]
    share = any(month in one and month in other for month in seen)
    assert one.overlaps(other) == other.overlaps(one) == share


@pytest.mark.parametrize(
    ("month", "nearest"), [("2025-12", "2026-02"), ("2026-03", "2026-03"), ("2026-09", "2026-04")]
)
def test_the_nearest_month_of_a_range_lies_in_it(month: str, nearest: str) -> None:
    range_ = MonthRange(Month.of(2026, 2), Month.of(2026, 5))

    assert range_.nearest(Month.parse(month)) == Month.parse(nearest)


def test_a_range_without_an_end_has_every_later_month() -> None:
    assert MonthRange(Month.of(2026, 2)).nearest(Month.of(2031, 1)) == Month.of(2031, 1)
