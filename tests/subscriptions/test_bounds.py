"""What passes a bound waits for somebody to look at it (design 5.9)."""

from __future__ import annotations

import pytest
from django.test import Client

from agency.models import AuditEvent
from subscriptions import billing
from subscriptions.audit import audit
from subscriptions.bounds import passes_a_bound
from subscriptions.models import BilledOccurrence, Invoice
from tests import factories as make
from tests.agreed import M
from tests.clients import bill, client, close, close_and_bill, lines, open_agency
from workshops.models import Offering


@pytest.mark.parametrize(
    ("what", "total", "overage", "is_looked_at"),
    [
        ("a fee of 30,000 with VAT", 36_300_00, [], False),
        ("a series of forty workshops", 42_350_00, [], False),
        ("the most that nobody looks at", 250_000_00, [], False),
        ("a cent more", 250_000_01, [], True),
        ("a tier put right downwards", -36_300_00, [], False),
        ("a bad year of a small client: 60 of 4 hours", 7_000_00, [(56 * 4, 4 * 4)], False),
        ("250 hours where none are included", 37_800_00, [(250 * 4, 0)], False),
        ("half an hour more", 37_900_00, [(250 * 4 + 2, 0)], True),
        ("a client of 400 hours a year uses six times as many", 0, [(2_000 * 4, 400 * 4)], False),
        ("and a little more", 0, [(2_000 * 4 + 2, 400 * 4)], True),
        ("every line counts by itself", 0, [(200 * 4, 0), (200 * 4, 0)], False),
        ("fifteen minutes typed as hours, ninety times", 0, [(2, 80), (1_350 * 4, 80)], True),
    ],
)
def test_no_ordinary_document_passes_and_a_slip_does(
    what: str, total: int, overage: list[tuple[int, int]], *, is_looked_at: bool
) -> None:
    assert passes_a_bound(total, overage) == is_looked_at, what


@pytest.fixture
def high(db: None) -> Invoice:
    """Make a client's document of March with 300 hours of overage above the 2 included."""
    make.closed_month("2025-12")
    subscription = client(hours={"2026-02": 302}, first_run=M("2026-01"))
    make.purchase_order(subscription.organisation)
    (invoice,) = close_and_bill("2026-01", "2026-02", "2026-03")
    return invoice


def test_a_document_that_passes_a_bound_is_blocked_and_holds_what_it_bills(high: Invoice) -> None:
    assert lines(high) == ["overage 2026-01/2026-04 40500.00"]
    assert (high.state, high.blocked_reason) == ("blocked", "bound")
    assert BilledOccurrence.objects.get().state == "held"
    assert billing.approve([high]) == 0


def test_other_reasons_are_named_first(high: Invoice) -> None:
    high.organisation.subscriptions.update(po_required=True)  # type: ignore[union-attr]
    high.organisation.purchase_orders.all().delete()  # type: ignore[union-attr]
    billing.draft_run(M("2026-03"), [high.organisation_id], anew=True)
    assert Invoice.objects.get().blocked_reason == "po_missing"

    make.purchase_order(high.organisation, "PO-2")  # type: ignore[arg-type]
    bill("2026-03")
    assert Invoice.objects.get().blocked_reason == "bound"


def test_another_run_leaves_it_as_it_is(high: Invoice) -> None:
    assert bill("2026-03", "2026-03") == []
    assert Invoice.objects.get() == high


def test_asking_for_it_anew_works_it_out_once_from_the_facts_of_now(high: Invoice) -> None:
    again = billing.draft_run(M("2026-03"), [high.organisation_id], anew=True).documents
    assert [document.invoice.blocked_reason for document in again if document.invoice] == ["bound"]
    assert Invoice.objects.count() == 1

    close("2026-04")
    assert billing.draft_run(M("2026-04"), [high.organisation_id], anew=True).documents == []


@pytest.mark.django_db
def test_a_price_typed_in_cents_is_put_right_and_drafted_anew() -> None:
    open_agency()
    organisation = make.organisation()
    offering = make.offering(price_cents=875_000_00)
    make.session(organisation, status="held")
    (invoice,) = close_and_bill("2026-03")
    assert invoice.blocked_reason == "bound"

    Offering.objects.filter(pk=offering.pk).update(price_cents=875_00)
    billing.draft_run(M("2026-03"), [organisation.pk], anew=True)

    assert [(row.state, row.net_cents) for row in Invoice.objects.all()] == [("draft", 875_00)]


def test_a_controller_who_looked_sends_it_as_it_is(high: Invoice) -> None:
    controller = Client()
    controller.force_login(make.user("controller"))
    data = {"action": "accept", "_selected_action": [str(high.pk)], "index": "0"}

    page = controller.post("/admin/subscriptions/invoice/", data, follow=True)

    assert "1 unusually high invoice is a draft now." in page.content.decode()
    high.refresh_from_db()
    assert (high.state, high.blocked_reason, high.net_cents) == ("draft", "", 40_500_00)
    assert BilledOccurrence.objects.get().state == "billed"
    assert AuditEvent.objects.get(action="accepted").subject_id == high.pk
    assert bill("2026-03") == []
    assert billing.approve([high]) == 1


@pytest.mark.django_db
def test_accepting_lets_nothing_through_that_is_blocked_otherwise() -> None:
    client(po_required=True)
    close("2025-12")
    (invoice,) = bill("2025-12")
    assert billing.accept([invoice]) == 0
    assert Invoice.objects.get().blocked_reason == "po_missing"


def test_the_books_are_in_order_before_and_after(high: Invoice) -> None:
    without = {"each_closed_month_has_its_publication"}  # December was closed by hand
    assert {violation.invariant for violation in audit().violations} <= without
    billing.accept([high])
    make.audit_event(high, action="accepted")
    assert {violation.invariant for violation in audit().violations} <= without
