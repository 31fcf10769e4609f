"""The bands of a price book have no gaps and never overlap, in the admin as in the workbook."""

from __future__ import annotations

import pytest
from django.test import Client

from subscriptions.models import PriceBand
from tests import factories as make

pytestmark = pytest.mark.django_db

Band = tuple[str, str, str]
OVERLAP, GAP = "overlaps the one below it", "leaves a gap after the one below it"


def save(*bands: Band) -> str:
    client = Client()
    client.force_login(make.user("controller"))
    data = {"valid_from": "2026-01"}
    data |= {"bands-TOTAL_FORMS": str(len(bands)), "bands-INITIAL_FORMS": "0"}
    prices = ("annual_fee_cents", "setup_fee_cents", "included_quarters", "overage_rate_cents")
    for number, (tier, least, most) in enumerate(bands):
        row = {"tier": tier, "min_headcount": least, "max_headcount": most}
        row |= dict.fromkeys(prices, "1") | {"included_sessions": "0"}
        data |= {f"bands-{number}-{name}": value for name, value in row.items()}
    return client.post("/admin/subscriptions/pricebook/add/", data).content.decode()


@pytest.mark.parametrize(
    ("bands", "sentence"),
    [
        ([("basic", "1", "50"), ("basic", "50", "")], OVERLAP),
        ([("basic", "1", ""), ("basic", "51", "")], OVERLAP),
        ([("basic", "51", ""), ("extended", "1", ""), ("basic", "1", "60")], OVERLAP),
        ([("basic", "1", "50"), ("basic", "52", "")], GAP),
    ],
)
def test_bands_that_overlap_or_leave_a_gap_are_refused(bands: list[Band], sentence: str) -> None:
    assert sentence in save(*bands)
    assert not PriceBand.objects.exists()


def test_bands_that_meet_are_taken_in_any_order() -> None:
    save(("basic", "51", ""), ("extended", "1", "9"), ("basic", "1", "50"))

    assert PriceBand.objects.count() == 3
