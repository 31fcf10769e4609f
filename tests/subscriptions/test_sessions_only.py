"""A client that orders sessions and has no contract, from the booking to the books."""

from __future__ import annotations

import datetime as dt
from io import BytesIO

import pytest
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from agency.models import Organisation
from subscriptions import billing, push
from subscriptions.audit import audit
from subscriptions.models import Invoice
from subscriptions.reports import NothingToReportError, controller
from subscriptions.reports.client import write
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.agreed import M
from tests.clients import close_and_bill, lines, open_agency, session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]


@pytest.fixture
def ordering() -> Organisation:
    open_agency()
    row = make.organisation("ORDERS", language="en")
    workshop = make.offering("WS", included_eligible=True, price_cents=950_00)
    session(row, "S1", "2026-03-10", offering=workshop, on_site_km=40)
    session(row, "S2", "2026-04-20", offering=workshop, on="2026-03-30")
    session(row, "S3", "2026-06-20", offering=workshop, status="scheduled")
    return row


def test_it_is_billed_sent_and_audited(ordering: Organisation, sandbox: Sandbox) -> None:
    (drafted,) = close_and_bill("2026-03")
    assert lines(drafted) == [
        "session 2026-03/2026-04 950.00",
        "travel 2026-03/2026-04 16.00",
        "cancellation 2026-04/2026-05 475.00",
    ]
    billing.approve([drafted])
    push.push(drafted.pk, at=timezone.now())
    assert Invoice.objects.get().number == "SANDBOX-0001"
    assert audit().violations == []


def test_its_pages_and_its_workbook_hold_what_it_ordered(ordering: Organisation) -> None:
    close_and_bill("2026-03")
    browser = Client()
    browser.force_login(make.contact(ordering).user)

    def page(name: str) -> str:
        answer = browser.get(f"/portal/{ordering.pk}/{name}")
        assert answer.status_code == 200
        return answer.content.decode()

    assert "No subscription is running." in page("")
    assert "No subscription is running." in page("subscription/")
    assert "No statement was published yet." in page("statements/")
    assert f"/portal/{ordering.pk}/workbook/2026-03/" in page("sessions/")
    page("invoices/")

    book = load_workbook(BytesIO(write(ordering, M("2026-03"))))
    assert book.sheetnames == ["Sessions", "Costs"]
    kinds = [row[8].value for row in book["Sessions"].iter_rows(min_row=2) if row[0].value]
    assert kinds == ["Held", "Cancelled", "Planned"]
    staff = controller.write(M("2026-03"), on=dt.date(2026, 4, 8), language="en")
    cells = [cell.value for row in load_workbook(BytesIO(staff))["Sessions"] for cell in row]
    assert cells.count("ORDERS") + cells.count(ordering.legal_name) >= len(kinds)


def test_who_ordered_nothing_has_no_workbook() -> None:
    open_agency()
    with pytest.raises(NothingToReportError):
        write(make.organisation(), M("2026-03"))
