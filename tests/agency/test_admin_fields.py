"""People type euros, hours and percentages; integers are stored."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from agency.admin_fields import EuroField, HoursField, PercentField


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("1250", 125000),
        ("1250,5", 125050),
        ("1250.50", 125050),
        ("1.250,50", 125050),
        ("1,250.50", 125050),
        ("€ 1.250,50", 125050),
        ("-3,05", -305),
        ("", None),
    ],
)
def test_euros_are_read_as_cents(typed: str, cents: int | None) -> None:
    assert EuroField(required=False).clean(typed) == cents


@pytest.mark.parametrize("typed", ["x", "1,234", "12,345,6", "1e3", "NaN", "=1+1", "１２", "--1"])
def test_what_is_no_amount_is_refused_with_an_example(typed: str) -> None:
    with translation.override("en"), pytest.raises(ValidationError, match="such as 1250"):
        EuroField().clean(typed)


@pytest.mark.parametrize(
    ("typed", "quarters"),
    [("7,25", 29), ("7.25", 29), ("7:15", 29), ("0:45", 3), ("8", 32), ("7,5", 30), ("0", 0)],
)
def test_hours_are_read_as_quarters(typed: str, quarters: int) -> None:
    assert HoursField().clean(typed) == quarters


@pytest.mark.parametrize("typed", ["7,2", "7:20", "7:1", "seven", "-1:15", "1:75"])
def test_hours_that_are_no_quarters_are_refused_with_an_example(typed: str) -> None:
    with translation.override("en"), pytest.raises(ValidationError, match="or 7:15"):
        HoursField().clean(typed)


@pytest.mark.parametrize(("typed", "basis_points"), [("21", 2100), ("2,5", 250), ("0.05", 5)])
def test_percentages_are_read_as_basis_points(typed: str, basis_points: int) -> None:
    assert PercentField().clean(typed) == basis_points


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("field", [EuroField(), HoursField(), PercentField()])
@pytest.mark.parametrize("value", [0, 1, 29, 100, 12345, 123456789])
def test_what_a_form_shows_reads_back_as_it_was(
    language: str, field: EuroField | HoursField | PercentField, value: int
) -> None:
    with translation.override(language):
        assert field.clean(field.prepare_value(value)) == value


def test_a_bound_of_the_column_holds() -> None:
    with pytest.raises(ValidationError):
        EuroField(min_value=0, max_value=100).clean("-1")
    with pytest.raises(ValidationError):
        EuroField(min_value=0, max_value=100).clean("1,01")
