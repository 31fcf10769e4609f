"""How much an advisor could smuggle in hours, worked out from the columns and as the paper says."""

from __future__ import annotations

import re
from math import log2
from typing import Any

import pytest
from django.db import models

from advisors.models import AdjustmentReason, DraftHours, HoursAdjustment, MonthHours
from tests.confidentiality.attacks import PAPER

GIVEN = {"id", "advisor", "organisation", "month"}  # by chance, and by assignment
SAID = re.sub(r"\s+", " ", PAPER.read_text(encoding="utf-8"))

pytestmark = pytest.mark.attack(14)


def choices(model: type[models.Model]) -> dict[str, int]:
    """Give how many values each column takes that an advisor chooses."""
    found = {}
    for field in model._meta.concrete_fields:
        if field.name in GIVEN:
            continue
        if field.choices:
            found[field.name] = len(list(field.flatchoices))
        else:
            least, most = _bounds(model)
            found[field.name] = most - least + 1
    return found


def _bounds(model: type[models.Model]) -> tuple[int, int]:
    """Give the least and the most quarters that the table's constraint lets in."""
    (fits,) = [one for one in model._meta.constraints if "fit" in str(one.name)]
    assert isinstance(fits, models.CheckConstraint)
    condition: Any = fits.condition
    asked: dict[str, int] = dict(condition.children)
    is_unsigned = isinstance(model._meta.get_field("quarters"), models.PositiveSmallIntegerField)
    return 0 if is_unsigned else asked["quarters__gte"], asked["quarters__lte"]


@pytest.mark.parametrize("model", [DraftHours, MonthHours])
def test_a_row_of_hours_carries_one_number(model: type[models.Model]) -> None:
    (numbers,) = choices(model).values()
    assert f"0 to {numbers - 1:,}" in SAID
    assert f"{log2(numbers):.1f} bits for each client and month" in SAID


def test_a_correction_carries_a_signed_number_and_a_reason_from_the_list() -> None:
    found = choices(HoursAdjustment)
    assert set(found) == {"quarters", "reason"}
    assert found["reason"] == len(AdjustmentReason) == 3
    assert f"one of three reasons: {log2(found['quarters']):.1f} bits each" in SAID


def test_what_nobody_would_ask_about_carries_less() -> None:
    left = f"which leaves {log2(40 * 4 + 1):.1f} bits"
    assert f"above forty hours would be asked about by those who pay for it, {left}" in SAID
