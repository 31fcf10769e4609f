"""What the database itself refuses to do to documents, hours and seats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from advisors.models import HoursAdjustment
from agency.month import Month
from subscriptions.models import BilledOccurrence, Invoice, InvoiceLine
from tests import factories as make
from workshops.models import Enrolment, Session

pytestmark = pytest.mark.django_db


def refused(sentence: str) -> Any:
    return pytest.raises(IntegrityError, match=sentence)


def test_a_sent_document_takes_no_more_lines() -> None:
    sent = make.invoice(make.organisation("ORG1"), state="open")

    with refused("takes no more lines"), transaction.atomic():
        make.invoice_line(sent, 9)

    assert InvoiceLine.objects.filter(invoice=sent).count() == 1


@pytest.mark.parametrize("state", ["draft", "blocked", "approved"])
def test_a_sent_document_never_becomes_a_draft_again(state: str) -> None:
    sent = make.invoice(make.organisation("ORG1"), state="paid")
    reason = "po_missing" if state == "blocked" else ""

    with refused("never becomes a draft"), transaction.atomic():
        Invoice.objects.filter(pk=sent.pk).update(state=state, blocked_reason=reason)


def test_a_paid_debit_may_bounce() -> None:
    sent = make.invoice(make.organisation("ORG1"), state="paid")

    assert Invoice.objects.filter(pk=sent.pk).update(state="open") == 1


def test_a_document_keeps_its_number() -> None:
    sent = make.invoice(make.organisation("ORG1"), state="open")

    with refused("keeps the number"), transaction.atomic():
        Invoice.objects.filter(pk=sent.pk).update(number="OTHER-1")


def test_what_was_billed_is_not_held_again() -> None:
    organisation = make.organisation("ORG1")
    billed = BilledOccurrence.objects.create(
        organisation=organisation,
        kind="fee",
        subject_id=organisation.pk,
        from_month=Month.parse("2026-01"),
        run_month=Month.parse("2025-12"),
        state="billed",
    )

    with refused("not held again"), transaction.atomic():
        BilledOccurrence.objects.filter(pk=billed.pk).update(state="held")


@pytest.mark.parametrize("deed", ["delete", "move", "change"])
def test_an_adjustment_of_a_closed_month_stays(deed: str) -> None:
    adjustment = HoursAdjustment.objects.create(
        advisor=make.advisor("ADV1"),
        organisation=make.organisation("ORG1"),
        month=Month.parse("2026-01"),
        quarters=-2,
        reason="miscounted",
    )
    make.closed_month("2026-01")
    rows = HoursAdjustment.objects.filter(pk=adjustment.pk)
    deeds: dict[str, Callable[[], object]] = {
        "delete": rows.delete,
        "move": lambda: rows.update(month=Month.parse("2026-02")),
        "change": lambda: rows.update(quarters=-3),
    }

    with refused("closed month"), transaction.atomic():
        deeds[deed]()

    assert rows.get().quarters == -2


def test_an_in_house_session_holds_no_names() -> None:
    in_house = make.session(make.organisation("ORG1"), "S1")

    with refused("open enrolment"), transaction.atomic():
        Enrolment.objects.create(
            session=in_house, name="N", email="n@example.org", price_cents=1, buyer_name="B"
        )


def test_a_session_with_names_stays_one_of_open_enrolment() -> None:
    session = make.session(None, "S1")
    Enrolment.objects.create(
        session=session, name="N", email="n@example.org", price_cents=1, buyer_name="B"
    )

    with refused("stays one of open enrolment"), transaction.atomic():
        Session.objects.filter(pk=session.pk).update(organisation=make.organisation("ORG1"))
