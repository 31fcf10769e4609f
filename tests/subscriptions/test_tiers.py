"""When a change of tier takes effect (design 5.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agency.month import Month
from subscriptions.agreements import BASIC, EXTENDED
from tests.agreed import M, contract


def changes(agreed: str, tier: str, *requests: str, year_starts_in: int = 1) -> list[str]:
    """Give the changes of a contract as texts; a request is ``2026-05 extended``."""
    agreement = contract(
        agreed,
        tier,
        requests=[(request.split()[0], request.split()[1]) for request in requests],
        year_starts_in=year_starts_in,
    )
    return [f"{month} {changed}" for month, changed in agreement.tier_changes]


def test_an_upgrade_takes_effect_on_the_first_of_its_month() -> None:
    assert changes("2026-01/", BASIC, "2026-05 extended") == ["2026-05 extended"]


@pytest.mark.parametrize(
    ("asked", "effect"),
    [
        pytest.param("2026-02", "2027-01", id="in the middle of a year"),
        pytest.param("2026-12", "2027-01", id="in its last month"),
        pytest.param("2027-01", "2027-01", id="in the first month of a year"),
        pytest.param("2027-02", "2028-01", id="a month later waits a year"),
    ],
)
def test_a_downgrade_takes_effect_at_the_first_contract_year_that_starts_in_or_after_its_month(
    asked: str, effect: str
) -> None:
    assert changes("2026-01/", EXTENDED, f"{asked} basic") == [f"{effect} basic"]


def test_a_short_first_year_starts_a_contract_year_for_a_downgrade_too() -> None:
    assert changes("2026-05/", EXTENDED, "2026-05 basic") == ["2026-05 basic"]
    assert changes("2026-05/", EXTENDED, "2026-06 basic") == ["2027-01 basic"]


@pytest.mark.parametrize(
    ("upgraded", "asked", "effect"),
    [
        pytest.param("2026-01", "2026-06", "2027-01", id="exactly 12 months after"),
        pytest.param("2026-02", "2026-06", "2028-01", id="11 months after is too soon"),
        pytest.param("2026-12", "2027-01", "2028-01", id="one month after"),
        pytest.param("2026-02", "2028-01", "2028-01", id="long after"),
    ],
)
def test_a_downgrade_is_postponed_not_refused_until_12_months_after_the_last_upgrade(
    upgraded: str, asked: str, effect: str
) -> None:
    requests = (f"{upgraded} extended", f"{asked} basic")
    assert changes("2026-01/", BASIC, *requests) == [f"{upgraded} extended", f"{effect} basic"]


def test_signing_for_extended_is_no_upgrade() -> None:
    assert changes("2026-11/", EXTENDED, "2026-12 basic") == ["2027-01 basic"]


@pytest.mark.parametrize(
    ("second", "effect"),
    [
        pytest.param("2026-09 extended", [], id="the tier in force: the downgrade is off"),
        pytest.param("2026-09 basic", ["2027-01 basic"], id="the same again"),
        pytest.param("2027-01 extended", [], id="for the very month: it comes after, so no change"),
        pytest.param(
            "2027-01 basic", ["2027-01 basic"], id="for the very month, the tier it then has"
        ),
        pytest.param(
            "2027-02 extended", ["2027-01 basic", "2027-02 extended"], id="after it took effect"
        ),
    ],
)
def test_a_later_request_replaces_a_downgrade_that_has_not_taken_effect_yet(
    second: str, effect: list[str]
) -> None:
    assert changes("2026-01/", EXTENDED, "2026-03 basic", second) == effect


def test_a_downgrade_asked_again_later_is_the_later_one() -> None:
    assert changes("2026-01/", BASIC, "2026-02 extended", "2026-03 basic", "2028-02 basic") == [
        "2026-02 extended",
        "2028-01 basic",
    ]
    assert changes("2026-01/", EXTENDED, "2026-03 basic", "2026-04 basic") == ["2027-01 basic"]


def test_an_upgrade_for_the_month_of_a_downgrade_leaves_the_tier_as_it_was() -> None:
    agreement = contract(
        tier=EXTENDED, requests=[("2026-03", BASIC), ("2027-01", EXTENDED)], agreed="2026-01/"
    )
    assert {agreement.tier_in(M("2026-01") + step) for step in range(36)} == {EXTENDED}


@pytest.mark.parametrize(
    "request_text",
    [
        pytest.param("2026-06 extended", id="at the end"),
        pytest.param("2026-09 extended", id="after the end"),
    ],
)
def test_a_change_at_or_after_the_end_has_no_effect(request_text: str) -> None:
    assert changes("2026-01/2026-06", BASIC, request_text) == []


def test_a_downgrade_that_would_wait_until_after_the_end_has_no_effect() -> None:
    assert changes("2026-01/2026-12", EXTENDED, "2026-03 basic") == []
    assert changes("2026-01/2027-01", EXTENDED, "2026-03 basic") == []
    assert changes("2026-01/2027-02", EXTENDED, "2026-03 basic") == ["2027-01 basic"]


def test_asking_for_the_tier_in_force_changes_nothing() -> None:
    assert changes("2026-01/", BASIC, "2026-05 basic") == []
    assert changes("2026-01/", EXTENDED, "2026-05 extended") == []


def test_a_month_has_the_tier_of_the_last_change_up_to_it() -> None:
    agreement = contract(requests=[("2026-05", EXTENDED), ("2027-06", BASIC)])
    tiers = {month: agreement.tier_in(M(month)) for month in ("2026-04", "2026-05", "2027-12")}
    assert tiers == {"2026-04": BASIC, "2026-05": EXTENDED, "2027-12": EXTENDED}
    assert agreement.tier_in(M("2028-01")) == BASIC


@given(
    tier=st.sampled_from([BASIC, EXTENDED]),
    year_starts_in=st.integers(1, 12),
    requests=st.dictionaries(
        st.integers(0, 60), st.sampled_from([BASIC, EXTENDED]), min_size=0, max_size=6
    ),
)
def test_whatever_is_asked_downgrades_start_a_contract_year_a_year_after_the_last_upgrade(
    tier: str, year_starts_in: int, requests: dict[int, str]
) -> None:
    start = M("2024-03")
    agreement = contract(
        "2024-03/",
        tier,
        year_starts_in=year_starts_in,
        requests=[(str(start + step), wanted) for step, wanted in sorted(requests.items())],
    )

    upgraded: Month | None = None
    before = tier
    for month, changed in agreement.tier_changes:
        assert changed != before
        if changed == EXTENDED:
            assert requests[month.since(start)] == EXTENDED
            upgraded = month
        else:
            assert agreement.year_of(month).first_month == month
            assert upgraded is None or month.since(upgraded) >= 12
        before = changed
