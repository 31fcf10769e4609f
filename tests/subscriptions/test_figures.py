"""The figures of the staff's start page: what was billed and published, and nothing else."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.cache import cache

from subscriptions.admin import figures
from subscriptions.models import Invoice
from tests import clients, factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]

D = dt.date.fromisoformat


def test_revenue_is_of_the_tier_a_fee_was_billed_at_and_none_of_what_is_void() -> None:
    clients.client("ORG1", "2026-04", "basic", billing_interval=12)
    clients.client("ORG2", "2026-04", "extended", billing_interval=3)
    clients.close_and_bill("2026-03")
    on = D("2026-04-08")
    assert figures.figures(on).recurring[-1].values == (30000, 11250)
    extended = Invoice.objects.filter(organisation__code="ORG2")
    extended.update(state="approved")
    extended.update(state="open", number="1", stripe_id="in_1")
    extended.update(state="void")
    assert figures.figures(on).recurring[-1].values == (30000, 11250)  # kept for a while
    cache.clear()
    assert figures.figures(on).recurring[-1].values == (0, 11250)


def test_use_counts_the_last_version_of_each_period() -> None:
    contract = factories.subscription(factories.organisation(), "2025-06")
    factories.statement(contract, "2025-06", "2025-09", used_quarters=20)
    on = D("2026-04-08")
    before = figures.figures(on).used_quarters
    factories.statement(contract, "2025-06", "2025-09", used_quarters=40, version=2)
    assert (before, figures.figures(on).used_quarters) == (20, 40)
    assert figures.figures(on).organisations_with_hours == 1
