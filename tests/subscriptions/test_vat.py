"""VAT per line, worked out once per category and rate of a document (design 5.8)."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agency.money import round_half_away
from subscriptions import vat

Line = tuple[int, str, int]


@pytest.mark.parametrize(
    ("country", "vat_id", "checked", "exempt", "category"),
    [
        pytest.param("NL", "", False, False, "S", id="a Dutch client"),
        pytest.param("NL", "NL116263684B86", True, False, "S", id="a Dutch client with a VAT id"),
        pytest.param("NL", "", False, True, "E", id="vocational education in the Netherlands"),
        pytest.param("BE", "BE0123456749", True, False, "AE", id="Belgian with a checked VAT id"),
        pytest.param("BE", "BE0123456749", True, True, "AE", id="reverse charge before exempt"),
        pytest.param("BE", "BE0123456749", False, False, "S", id="a VAT id not checked"),
        pytest.param("BE", "", False, False, "S", id="Belgian without a VAT id"),
        pytest.param("BE", "NL116263684B86", True, False, "S", id="Belgian with a Dutch VAT id"),
        pytest.param("BE", "", False, True, "E", id="Belgian without one, vocational education"),
        pytest.param("BE", "", True, False, "S", id="checked that there is none"),
        pytest.param("GR", "EL123456783", True, False, "AE", id="Greek, whose ids begin with EL"),
        pytest.param("GB", "GB123456789", True, False, "O", id="outside the EU"),
        pytest.param("CH", "", False, True, "O", id="outside the EU, vocational education"),
    ],
)
def test_the_buyers_country_and_the_kind_of_line_give_the_category(
    *, country: str, vat_id: str, checked: bool, exempt: bool, category: str
) -> None:
    assert (
        vat.category(country=country, vat_id=vat_id, vat_id_checked=checked, exempt=exempt)
        == category
    )


@pytest.mark.parametrize("country", ["nl", "zz", "ZZ", "EU", "", "XX"])
def test_what_is_no_country_is_not_outside_the_union(country: str) -> None:
    with pytest.raises(ValueError, match="is no country"):
        vat.category(country=country, vat_id="", vat_id_checked=False, exempt=False)


def test_the_union_has_27_member_states() -> None:
    assert len(vat.EU_COUNTRIES) == 27


@pytest.mark.parametrize(
    ("lines", "shares"),
    [
        pytest.param([(455_00, "S", 2100)], [95_55], id="455.00: 95.55, 550.55 together"),
        pytest.param(
            [(1_250_00, "S", 2100), (950_00, "E", 0)],
            [262_50, 0],
            id="1,250.00 standard and 950.00 exempt: 262.50, 2,462.50 together",
        ),
        pytest.param([(1_250_00, "AE", 0)], [0], id="Belgian with a checked VAT id: 0"),
        pytest.param([(1, "S", 2100)] * 3, [1, 0, 0], id="three times 0.21: one cent, first line"),
        pytest.param(
            [(10, "S", 2100), (14, "S", 2100)], [2, 3], id="the largest remainder gets the cent"
        ),
        pytest.param(
            [(10, "S", 2100), (10, "S", 900)], [2, 1], id="each rate is rounded for itself"
        ),
        pytest.param(
            [(-1_000_00, "S", 2100), (400_00, "S", 2100)], [-210_00, 84_00], id="with a credit"
        ),
        pytest.param([(-1, "S", 2100)] * 3, [0, 0, -1], id="a credit of three times 0.21"),
        pytest.param([], [], id="no lines"),
    ],
)
def test_vat_is_rounded_once_and_its_cents_go_to_the_largest_remainders_first_line_first(
    lines: list[Line], shares: list[int]
) -> None:
    assert vat.allocate(lines) == shares


kinds = st.sampled_from([("S", 2100), ("S", 900), ("E", 0), ("AE", 0)])
documents = st.lists(
    st.builds(lambda net, kind: (net, *kind), st.integers(-500_000, 5_000_000), kinds), max_size=12
)


@given(documents)
def test_the_shares_of_each_category_and_rate_add_up_to_its_vat(lines: list[Line]) -> None:
    shares = vat.allocate(lines)
    net: dict[tuple[str, int], int] = defaultdict(int)
    tax: dict[tuple[str, int], int] = defaultdict(int)
    for (cents, category, rate), share in zip(lines, shares, strict=True):
        net[category, rate] += cents
        tax[category, rate] += share
    assert tax == {
        (category, rate): round_half_away(Fraction(cents * rate, 10_000))
        for (category, rate), cents in net.items()
    }


@given(documents)
def test_no_line_is_a_cent_or_more_from_its_exact_share(lines: list[Line]) -> None:
    for (net, _, rate), share in zip(lines, vat.allocate(lines), strict=True):
        assert abs(share - Fraction(net * rate, 10_000)) < 1


@given(documents, st.randoms())
def test_the_order_of_the_lines_changes_no_total(lines: list[Line], random: object) -> None:
    shuffled = sorted(lines, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert sum(vat.allocate(lines)) == sum(vat.allocate(shuffled))


def test_vat_per_line_would_not_add_up() -> None:
    lines = [(1, "S", 2100)] * 3
    assert sum(round_half_away(Fraction(net * rate, 10_000)) for net, _, rate in lines) != sum(
        vat.allocate(lines)
    )
