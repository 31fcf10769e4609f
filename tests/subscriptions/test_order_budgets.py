"""The budget of a purchase order: what passes it waits (design 5.9)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from agency.models import Organisation
from subscriptions import billing, corrections
from subscriptions.audit import audit
from subscriptions.models import CreditReason, Invoice, PurchaseOrder
from subscriptions.orders import with_budget_left
from tests import factories as make
from tests.browsers import as_
from tests.clients import bill, client, close, close_and_bill, session

pytestmark = pytest.mark.django_db


def a_client(budget_cents: int) -> Organisation:
    """A client whose sessions, of 875.00 each, go on one order."""
    organisation = client("ORG1", "2025-07", billing_interval=12).organisation
    make.purchase_order(organisation, "PO-1", budget_cents=budget_cents)
    return organisation


def left() -> int | None:
    found: int | None = with_budget_left(PurchaseOrder.objects.all()).get().left_cents  # type: ignore[attr-defined]
    return found


def test_what_passes_the_budget_waits_until_the_order_has_more() -> None:
    organisation = a_client(3_600_00)  # the year's fee and set-up cost 1,350.00 + 250.00
    (first,) = close_and_bill("2025-06")
    assert (first.state, left()) == ("draft", 2_000_00)
    for number in range(2):
        session(organisation, f"S{number}", "2025-07-10")
    (second,) = close_and_bill("2025-07")
    assert (second.state, left()) == ("draft", 250_00)
    session(organisation, "S3", "2025-08-10")
    (third,) = close_and_bill("2025-08")
    assert (third.state, third.blocked_reason, left()) == ("blocked", "po_spent", 250_00)
    assert bill("2025-08") == []
    assert audit().violations == []

    PurchaseOrder.objects.update(budget_cents=4_475_00)
    (again,) = close_and_bill("2025-09")
    assert (again.state, again.po_number, left()) == ("draft", "PO-1", 250_00)
    assert audit().violations == []


def test_what_is_credited_counts_no_more() -> None:
    organisation = a_client(2_000_00)
    (first,) = close_and_bill("2025-06")
    state = {"state": "open", "number": "N-1", "stripe_id": "in_1"}
    Invoice.objects.filter(pk=first.pk).update(**state)
    session(organisation, "S1", "2025-07-10")
    assert close_and_bill("2025-07")[0].blocked_reason == "po_spent"
    parts = {first.lines.get(kind="fee").pk: 475_00}
    corrections.credit(first, CreditReason.GOODWILL, key=uuid4(), parts=parts)
    (free,) = bill("2025-07")
    assert (free.state, left()) == ("draft", 0)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"street": ""}, "po_spent"),
        ({"country": "BE", "vat_id": "BE0123456749"}, "vat_id_pending"),
    ],
)
def test_a_vat_id_is_named_before_it_and_an_address_after(
    fields: dict[str, str], reason: str
) -> None:
    organisation = a_client(1)
    Organisation.objects.filter(pk=organisation.pk).update(**fields)
    assert close_and_bill("2025-06")[0].blocked_reason == reason


def test_an_unusually_high_document_keeps_its_place_in_the_budget() -> None:
    organisation = a_client(300_000_00)
    close("2025-06")
    offering = make.offering("DEAR", price_cents=260_000_00)
    session(organisation, "S1", "2025-06-10", offering=offering)
    (high,) = bill("2025-06")
    assert high.blocked_reason == "bound"
    assert left() == 300_000_00 - high.net_cents
    session(organisation, "S2", "2025-07-10", offering=offering)
    assert close_and_bill("2025-07")[0].blocked_reason == "po_spent"
    assert billing.accept([high]) == 1


def test_the_budget_is_entered_and_told() -> None:
    organisation = a_client(2_000_00)
    (first,) = close_and_bill("2025-06")
    order = PurchaseOrder.objects.get()
    address = f"/admin/subscriptions/purchaseorder/{order.pk}/change/"
    form = {"organisation": str(organisation.pk), "number": "PO-1", "from_month": "2025-01"}
    browser = as_("controller")
    refused = browser.post(address, form | {"budget_cents": "1599"}).content.decode()
    assert "was billed already" in refused
    browser.post(address, form | {"budget_cents": "1700"})
    order.refresh_from_db()
    assert order.budget_cents == 1_700_00
    page = browser.get("/admin/subscriptions/purchaseorder/").content.decode()
    assert "100.00" in page

    contact = make.contact(organisation).user

    reader = Client()
    reader.force_login(contact)
    shown = [reader.get(f"/portal/{organisation.pk}/subscription/").content.decode()]
    Invoice.objects.filter(pk=first.pk).update(state="open", number="N-1")
    shown.append(reader.get(f"/portal/{organisation.pk}/subscription/").content.decode())
    said = [page.replace("\xa0", " ") for page in shown]
    assert ["€ 1,700.00 left" in said[0], "€ 100.00 left" in said[1]] == [True, True]
