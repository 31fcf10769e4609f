"""What holds for every contract and every order of events: sums that add up, and do not depend.

That credits never exceed what they credit is in `tests/subscriptions/test_corrections.py` and
`test_credits.py`, for drawn parts of drawn documents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agency.money import round_half_away
from agency.month import Month, MonthRange
from subscriptions import billing, charges, statements
from subscriptions.audit import audit
from subscriptions.models import Invoice, Statement, Subscription, TermsReason
from tests import factories as make
from tests.agreed import M, book, books, contract, prices
from tests.clients import LONG_AFTER, client, counsellor, months_from, session
from tests.scenarios.walk import document_row, statement_row

few = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MONTHS = months_from("2025-12", 4)


@given(
    fee=st.integers(0, 2_000_000),
    interval=st.sampled_from([1, 3, 12]),
    begun=st.integers(0, 11),
    length=st.integers(13, 40),
    rest=st.tuples(st.integers(1, 8), st.integers(1, 4)),
)
def test_fees_add_up_beside_a_pause_in_a_short_year_and_before_an_end(
    fee: int, interval: int, begun: int, length: int, rest: tuple[int, int]
) -> None:
    """Each month is paid once, none of the pause; and a year is its fee less what it rested."""
    start = M("2026-01") + begun
    first = M("2026-01") + 12 + 3 * rest[0]
    agreed = MonthRange(start, start + length)
    pauses = []
    if first < agreed.until:
        pauses = [str(MonthRange(first, min(first + 3 * rest[1], agreed.until)))]
    agreement = contract(
        str(agreed), year_starts_in=1, interval=interval, pauses=pauses,
        books=books({"2020-01": book(prices(annual_fee_cents=fee))}),
    )  # fmt: skip

    due = [one for one in charges.fees(agreement, agreed.until) if one.kind == "fee"]

    paid = [month for one in due for month in one.months]
    assert paid == [month for month in agreed if not agreement.is_paused(month)]
    for year in agreement.years(agreed.until):
        resting = sum(
            charges.fee_cents(fee, year, MonthRange(month, month + 1))
            for month in year.months
            if agreement.is_paused(month)
        )
        of_year = sum(one.net_cents for one in due if one.months.from_month in year.months)
        assert of_year == charges.fee_cents(fee, year, year.months) - resting


@pytest.mark.django_db
class TestOfAWalk:
    """Four months of one client, walked again for each example; nothing is kept."""

    @few
    @given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5)), min_size=1, max_size=8))
    def test_splitting_hours_over_advisors_and_months_changes_no_statement(
        self, parts: list[tuple[int, int]]
    ) -> None:
        """Of one quarter; each part is noted by an advisor of its own."""

        def whole(row: Subscription) -> None:
            quarters = sum(size for _month, size in parts)
            make.draft_hours(counsellor(row.organisation), row.organisation, "2026-01", quarters)

        def split(row: Subscription) -> None:
            for number, (step, size) in enumerate(parts):
                advisor = counsellor(row.organisation, f"P{number}")
                make.draft_hours(advisor, row.organisation, M("2026-01") + step, size)

        assert walked(whole) == walked(split)

    @few
    @given(st.permutations(range(7)))
    def test_the_order_in_which_things_are_entered_changes_no_sum(self, order: list[int]) -> None:
        def entered(row: Subscription, numbers: list[int]) -> None:
            things = entries(row)
            for number in numbers:
                things[number]()

        in_order = walked(lambda row: entered(row, list(range(7))))
        assert walked(lambda row: entered(row, order)) == in_order
        assert {"tier_change", "topup", "overage", "session"} <= {
            word for text in in_order[0] for word in text.replace(",", "").split()
        }

    @few
    @given(
        st.lists(st.tuples(st.integers(1, 300_000), st.booleans()), min_size=1, max_size=6),
        st.sampled_from(["NL", "BE", "CH"]),
    )
    def test_the_vat_of_a_document_is_that_of_its_lines_and_of_each_sum(
        self, sold: list[tuple[int, bool]], country: str
    ) -> None:
        abroad = {"vat_id": "BE0123456749", "vat_id_checked": True} if country == "BE" else {}
        agreed = {"organisation": {"country": country, **abroad}}

        def enter(row: Subscription) -> None:
            for number, (price, vocational) in enumerate(sold):
                offering = make.offering(f"O{number}", price_cents=price, vocational=vocational)
                session(row.organisation, f"S{number}", "2026-03-05", offering=offering)

        walked(enter, check=vat_adds_up, **agreed)


def entries(row: Subscription) -> list[Callable[[], object]]:
    """Give things that staff and advisors enter before any month is closed."""
    client_of = row.organisation
    offering = make.offering("WS", price_cents=700_01, vocational=True, included_eligible=True)
    advisor = counsellor(client_of)
    return [
        lambda: make.terms(row, "2026-02", "extended", reason=TermsReason.TIER_CHANGE),
        lambda: make.terms(row, "2026-04", "basic", reason=TermsReason.TIER_CHANGE),
        lambda: make.top_up_card(client_of, "2026-01", 8),
        lambda: make.top_up_card(client_of, "2026-02", 12, price_cents=500_00),
        lambda: make.draft_hours(advisor, client_of, "2026-02", 130),
        lambda: session(client_of, "S1", "2026-02-05", offering=offering),
        lambda: session(client_of, "S2", "2026-02-04", offering=offering),
    ]


def walked(
    enter: Callable[[Subscription], None],
    *,
    check: Callable[[], None] | None = None,
    **agreed: Any,
) -> tuple[list[str], list[str]]:
    """Enter things of a new client, close and bill its months, and give what it is sent and told.

    The books are clean then; all of it is undone.
    """
    with transaction.atomic():
        enter(client(billing_interval=3, **agreed))
        for month in map(M, MONTHS):
            close_and_draft(month)
        if check:
            check()
        assert audit().violations == []
        sent = sorted(map(document_row, Invoice.objects.all()))
        told = sorted(map(statement_row, Statement.objects.all()))
        transaction.set_rollback(True)
    return sent, told


def close_and_draft(month: Month) -> None:
    assert statements.close_month(month, on=LONG_AFTER)
    assert billing.draft_run(month).failures == []


def vat_adds_up() -> None:
    for invoice in Invoice.objects.prefetch_related("lines"):
        net: dict[tuple[str, int], int] = defaultdict(int)
        vat: dict[tuple[str, int], int] = defaultdict(int)
        for line in invoice.lines.all():
            key = (line.vat_category, line.vat_rate_basis_points)
            net[key] += line.net_cents
            vat[key] += line.vat_cents
        assert (sum(net.values()), sum(vat.values())) == (invoice.net_cents, invoice.vat_cents)
        assert invoice.total_cents == invoice.net_cents + invoice.vat_cents
        for key, cents in net.items():
            assert vat[key] == round_half_away(cents * key[1], 10_000)
