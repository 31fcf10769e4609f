"""Documents that wait: what unblocks them, and who approves."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from agency.models import Organisation
from subscriptions import billing
from subscriptions.audit import audit
from subscriptions.billing import draft_run
from subscriptions.models import (
    BilledOccurrence,
    Invoice,
    InvoiceState,
    Subscription,
)
from tests import factories as make
from tests.agreed import M
from tests.clients import (
    bill,
    client,
    close_and_bill,
    lines,
    session,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


class TestUnblocking:
    def blocked(self, **fields: Any) -> Invoice:
        client(po_required=True, **fields)
        (invoice,) = close_and_bill("2025-12")
        assert invoice.state == InvoiceState.BLOCKED
        return invoice

    def test_a_run_made_again_leaves_what_is_still_blocked(self) -> None:
        before = self.blocked()
        assert bill("2025-12") == []
        assert Invoice.objects.get() == before

    def test_unblocking_drafts_the_document_anew_as_things_stand_then(self) -> None:
        before = self.blocked()
        assert before.organisation
        make.purchase_order(before.organisation, "PO-9")
        Organisation.objects.update(legal_name="New name B.V.")
        (after,) = bill("2025-12")
        assert (after.state, after.po_number, after.buyer_name) == (
            "draft",
            "PO-9",
            "New name B.V.",
        )
        assert lines(after) == ["fee 2026-01/2027-01 1350.00", "setup 2026-01/2026-02 250.00"]
        assert list(Invoice.objects.all()) == [after]
        assert {row.state for row in BilledOccurrence.objects.all()} == {"billed"}

    def test_a_document_with_another_reason_left_is_blocked_by_that_one(self) -> None:
        before = self.blocked(organisation={"street": ""})
        assert before.blocked_reason == "po_missing"
        assert before.organisation
        make.purchase_order(before.organisation, "PO-9")
        (again,) = bill("2025-12")
        found = (again.state, again.blocked_reason, again.po_number)
        assert found == ("blocked", "incomplete", "PO-9")
        assert bill("2025-12") == []
        assert audit().violations == []
        Organisation.objects.update(street="Dorpsstraat 1")
        (after,) = bill("2025-12")
        assert after.state == "draft"

    def test_an_order_that_another_contract_asks_for_blocks_nothing(self) -> None:
        old = client("ORG1", "2025-01", po_required=True, until_month=M("2026-01"))
        new = make.subscription(old.organisation, "2026-01", po_required=True)
        Organisation.objects.update(street="")
        Subscription.objects.filter(pk=old.pk).update(first_run=M("2025-12"))
        (before,) = close_and_bill("2025-12")
        assert before.blocked_reason == "po_missing"
        Subscription.objects.filter(pk=new.pk).update(po_required=False)
        (after,) = bill("2025-12")
        assert after.blocked_reason == "incomplete"
        assert bill("2025-12") == []
        assert audit().violations == []

    def test_what_a_blocked_document_holds_is_in_no_other_run_until_nothing_blocks_it(self) -> None:
        before = self.blocked()
        assert close_and_bill("2026-01") == []
        assert Invoice.objects.get() == before
        make.purchase_order(before.organisation, "PO-9")  # type: ignore[arg-type]
        (after,) = close_and_bill("2026-02")
        assert (after.run_month, lines(after)) == (
            M("2026-02"),
            [
                "fee 2026-01/2027-01 1350.00",
                "setup 2026-01/2026-02 250.00",
            ],
        )
        assert bill("2026-02") == close_and_bill("2026-03") == []
        assert audit().violations == []

    def test_a_later_run_drafts_it_with_the_order_of_its_own_month(self) -> None:
        organisation = self.blocked_session()
        make.purchase_order(organisation, "PO-3", "2026-03")
        session(organisation, "S2", "2026-03-10")
        assert close_and_bill("2026-02") == []
        (after,) = close_and_bill("2026-03")
        assert (after.run_month, after.state, after.po_number) == (M("2026-03"), "draft", "PO-3")
        assert lines(after) == [
            "session 2026-01/2026-02 875.00",
            "session 2026-03/2026-04 875.00",
        ]
        assert bill("2026-01", "2026-03") == []
        assert list(Invoice.objects.all()) == [after]
        assert audit().violations == []

    def test_an_order_of_its_own_month_only_is_taken_by_its_own_run(self) -> None:
        organisation = self.blocked_session()
        make.purchase_order(organisation, "PO-1", "2026-01", "2026-02")
        assert close_and_bill("2026-02") == []
        (after,) = bill("2026-01")
        assert (after.run_month, after.state, after.po_number) == (M("2026-01"), "draft", "PO-1")
        assert audit().violations == []

    def test_a_run_ahead_of_its_close_leaves_what_earlier_runs_blocked(self) -> None:
        organisation = self.blocked_session()
        make.purchase_order(organisation, "PO-1")
        assert draft_run(M("2026-02"), [organisation.pk], ahead=True).documents == []
        assert Invoice.objects.get().blocked_reason == "po_missing"

    def blocked_session(self) -> Organisation:
        organisation = client(
            "ORG1", "2025-07", first_run=M("2026-01"), po_required=True
        ).organisation
        session(organisation, "S1", "2026-01-10")
        (invoice,) = close_and_bill("2026-01")
        assert invoice.blocked_reason == "po_missing"
        return organisation


class TestApprove:
    def test_only_drafts_are_approved(self) -> None:
        client("ORG1", po_required=True)
        client("ORG2")
        close_and_bill("2025-12")
        assert billing.approve(Invoice.objects.all()) == 1
        assert billing.approve(Invoice.objects.all()) == 0
        states = Invoice.objects.order_by("organisation__code").values_list("state", flat=True)
        assert list(states) == ["blocked", "approved"]

    @pytest.mark.parametrize("verb", ["invoice", "occurrence", "lines"])
    def test_what_was_approved_is_never_deleted(self, verb: str) -> None:
        client()
        (invoice,) = close_and_bill("2025-12")
        billing.approve([invoice])
        rows: Any = {
            "invoice": Invoice.objects.filter(pk=invoice.pk),
            "lines": invoice.lines.all(),
            "occurrence": BilledOccurrence.objects.all(),
        }[verb]
        with pytest.raises(IntegrityError, match="credit it instead"), transaction.atomic():
            rows._raw_delete(rows.db)
