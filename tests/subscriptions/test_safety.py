"""What holds a large document, an unusual run or a parked client back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import override

from agency.models import Organisation
from agency.month import Month
from subscriptions import billing, push
from subscriptions.audit import audit
from subscriptions.bounds import ONE_PERSON_APPROVES_CENTS, run_passes_a_bound
from subscriptions.models import AcceptedRun, Invoice, ParkedOrganisation
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.browsers import as_
from tests.clients import bill, client, close, close_and_bill, session
from tests.stripe.control import listed

NOW = timezone.now()
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with override("en"):
        yield


def large(organisation: Organisation, net_cents: int = 50_000_00) -> Invoice:
    return make.invoice(organisation, lines=[{"net_cents": net_cents, "vat_cents": 0}])


class TestTwoPeople:
    def test_a_large_document_takes_a_second_person(self) -> None:
        one, other = make.user("controller"), make.user("controller", email="b@staff.example")
        invoice = large(make.organisation(), ONE_PERSON_APPROVES_CENTS + 1)
        for by, done in ((None, 0), (one, 0), (one, 0), (other, 1)):
            invoice.refresh_from_db()
            assert billing.approve([invoice], by=by) == done
        invoice.refresh_from_db()
        assert (invoice.state, invoice.approved_by, invoice.seconded_by) == ("approved", one, other)

        push.take_back([invoice.pk])
        invoice.refresh_from_db()
        assert (invoice.state, invoice.approved_by, invoice.seconded_by) == ("draft", None, None)

    def test_one_person_approves_what_is_no_more_than_that(self) -> None:
        assert billing.approve([large(make.organisation(), ONE_PERSON_APPROVES_CENTS)]) == 1

    @pytest.mark.parametrize("sign", [1, -1])
    def test_the_database_knows_the_amount_and_that_two_are_not_one(self, sign: int) -> None:
        one = make.user("controller")
        invoice = large(make.organisation(), sign * (ONE_PERSON_APPROVES_CENTS + 1))
        row = Invoice.objects.filter(pk=invoice.pk)
        with pytest.raises(IntegrityError, match="by two people"), transaction.atomic():
            row.update(state="approved", approved_by=one)
        with pytest.raises(IntegrityError, match="large_document_takes_two"), transaction.atomic():
            row.update(approved_by=one, seconded_by=one)

    def test_the_list_says_that_it_waits_and_takes_the_second(self) -> None:
        invoice = large(make.organisation(), ONE_PERSON_APPROVES_CENTS + 1)
        answers = {"action": "approve", "_selected_action": str(invoice.pk)}
        browser = as_("controller")
        page = browser.post("/admin/subscriptions/invoice/", answers, follow=True).content.decode()
        assert "Large documents wait for a second person." in page
        assert "Waits for a second person" in page
        second = make.user("controller", email="second@staff.example")
        browser.force_login(second)
        browser.post("/admin/subscriptions/invoice/", answers, follow=True)
        invoice.refresh_from_db()
        assert (invoice.state, invoice.seconded_by) == ("approved", second)


class TestRuns:
    @pytest.mark.parametrize(
        ("run", "last", "passes"),
        [
            ((2_000, 2_000_000_00), None, False),
            ((2_001, 1), None, True),
            ((1, 2_000_000_01), None, True),
            ((100, 100_000_00), (1, 1), False),
            ((101, 1), (1, 1), True),
            ((300, 300_000_00), (100, 100_000_00), False),
            ((301, 1), (100, 100_000_00), True),
            ((1, 300_000_01), (100, 100_000_00), True),
        ],
    )
    def test_a_run_is_held_to_the_last_like_it(
        self, run: tuple[int, int], last: tuple[int, int] | None, *, passes: bool
    ) -> None:
        assert run_passes_a_bound(run, last) is passes

    def test_an_unusual_run_is_approved_when_somebody_has_accepted_it(self) -> None:
        organisation = make.organisation()
        make.invoice(organisation, "2025-03", state="open")
        make.invoice(organisation, "2026-02", lines=[{"net_cents": 49_000_00, "vat_cents": 0}])
        for _ in range(3):
            large(organisation)
        drafts = list(Invoice.objects.filter(run_month=Month.of(2026, 3)))
        with pytest.raises(billing.BillError, match="unusually large"):
            billing.approve(drafts)
        assert billing.approve(drafts[:1]) == 1
        answer = as_("controller").post(
            "/admin/subscriptions/acceptedrun/add/", {"run_month": "2026-03"}
        )
        assert answer.status_code == 302
        assert AcceptedRun.objects.get().accepted_by.role == "controller"
        assert billing.approve(drafts) == 2

    def test_the_command_says_so_and_approves_nothing(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        organisation = client(billing_interval=1).organisation
        close("2025-12")
        for number in range(3):
            offering = make.offering(f"DEAR{number}", price_cents=41_000_00)
            session(organisation, f"S{number}", "2025-12-10", offering=offering)
        make.invoice(make.organisation("ORG2"), "2024-12", state="open")
        for _ in range(3):
            make.invoice(organisation, "2025-12")
        with pytest.raises((CommandError, SystemExit)):
            call_command("bill", "2025-12", "--approve")
        assert "unusually large" in capsys.readouterr().err
        assert not Invoice.objects.filter(state="approved").exists()


class TestModes:
    def test_what_is_kept_of_stripe_says_in_which_mode(self, sandbox: Sandbox) -> None:
        invoice = make.invoice(make.organisation(), state="approved")
        assert push.push(invoice.pk, at=NOW) == "pushed"
        invoice.refresh_from_db()
        modes = set(invoice.steps.values_list("livemode", flat=True))
        assert (invoice.livemode, modes) == (False, {False})
        with pytest.raises(IntegrityError, match="keeps the mode"), transaction.atomic():
            Invoice.objects.filter(pk=invoice.pk).update(livemode=True)
        assert listed(sandbox)[0]["id"] == invoice.stripe_id

    @pytest.mark.parametrize("of", ["its own", "a step's", "the credited one's"])
    def test_nothing_of_the_other_mode_is_used(self, sandbox: Sandbox, of: str) -> None:
        live = of == "its own"
        invoice = make.invoice(make.organisation(), state="approved", livemode=live or None)
        if of == "a step's":
            make.stripe_step(invoice, livemode=True)
        if of == "the credited one's":
            original = make.invoice(invoice.organisation, state="open", livemode=True)
            line = original.lines.get()
            back = {"kind": "credit", "net_cents": -1, "vat_cents": 0, "credit_of": line}
            invoice = make.invoice(
                invoice.organisation, kind="credit", credit_of=original, lines=[back]
            )
            billing.approve([invoice])
        assert push.push(invoice.pk, at=NOW) == "parked"
        invoice.refresh_from_db()
        assert "other mode" in invoice.parked_because
        assert listed(sandbox) == []


class TestParked:
    def test_nothing_is_billed_or_sent_until_the_month(self) -> None:
        contract = client(billing_interval=1)
        client("OTHER", billing_interval=1)
        (mine,) = [one for one in close_and_bill("2025-12") if "ORG1" in one.buyer_name]
        billing.approve([mine])
        make.parked_organisation(contract.organisation)
        assert push.push(mine.pk, at=NOW) == "waiting"
        close("2026-01")
        run = billing.draft_run(Month.of(2026, 1))
        assert [made.buyer.name for made in run.documents] == ["OTHER B.V."]
        assert run.failures == [("ORG1", "Parked: nothing is billed.")]
        assert audit().violations == []

        ParkedOrganisation.objects.update(until_month=Month.of(2026, 2))
        assert bill("2026-01") == []
        (both,) = [one for one in close_and_bill("2026-02") if "ORG1" in one.buyer_name]
        assert both.lines.count() == 2
        assert audit().violations == []

    def test_what_is_blocked_stays_while_its_client_is_parked(self) -> None:
        contract = client(billing_interval=12, po_required=True)
        (before,) = close_and_bill("2025-12")
        make.purchase_order(contract.organisation, "PO-1")
        make.parked_organisation(contract.organisation)
        assert close_and_bill("2026-01") == []
        assert Invoice.objects.get() == before
        assert audit().violations == []
        ParkedOrganisation.objects.all().delete()
        assert [one.state for one in bill("2026-01")] == ["draft"]

    def test_what_is_blocked_ahead_of_the_first_close_stays_as_well(self) -> None:
        contract = client(billing_interval=12, po_required=True)
        billing.draft_run(Month.of(2025, 12), [contract.organisation_id], ahead=True)
        make.purchase_order(contract.organisation, "PO-1")
        make.parked_organisation(contract.organisation, until_month="2026-01")
        billing.draft_run(Month.of(2025, 12), [contract.organisation_id], ahead=True)
        assert Invoice.objects.get().blocked_reason == "po_missing"
        assert audit().violations == []

    def test_the_start_page_counts_them(self) -> None:
        make.parked_organisation(make.organisation())
        page = as_("controller").get("/admin/").content.decode()
        assert "client parked: not billed" in page
        assert "a bill or the contract is contested" in page
        ParkedOrganisation.objects.update(until_month=Month.of(2020, 1))
        assert "client parked" not in as_("controller").get("/admin/").content.decode()

    def test_nobody_is_parked_until_a_month_that_has_begun(self) -> None:
        row = {"organisation": str(make.organisation().pk), "reason": "dispute"}
        page = "/admin/subscriptions/parkedorganisation/add/"
        said = as_("controller").post(page, row | {"until_month": "2020-01"}).content.decode()
        assert "Choose a month that has not begun yet." in said
        assert not ParkedOrganisation.objects.exists()
