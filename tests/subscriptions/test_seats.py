"""Seats of open enrolment are billed to their own buyers (design 5.7 to 5.9)."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from agency.models import Organisation
from subscriptions import billing, inbox, push, reconcile
from subscriptions.audit import audit
from subscriptions.facts import read_facts
from subscriptions.models import BilledOccurrence, Invoice, StripeCustomer
from subscriptions.push import Outcome
from subscriptions.reports.controller import write
from subscriptions.sandbox.server import Sandbox
from tests import factories as make
from tests.agreed import M
from tests.clients import bill, client, close, close_and_bill, lines, open_agency
from tests.stripe.control import control, listed
from tests.workbooks import rows
from workshops.models import Enrolment, Session

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LATER = NOW + dt.timedelta(hours=12)  # the module may have been imported long before
PARTICIPANT = ("Robin", "robin@")


def masterclass(
    reference: str = "MC1", day: str = "2026-03-12", *, vocational: bool = True, **fields: Any
) -> Session:
    """Make an open masterclass of 495.00 a seat, held in March 2026."""
    open_agency()
    offering = make.offering(
        f"OFF-{reference}",
        kind="masterclass",
        title_nl="Gesprekken die schuren",
        title_en="Difficult talks",
        price_cents=495_00,
        vocational=vocational,
    )
    starts_at = make.at(f"{day} 10:00")
    return make.session(
        None, reference, offering=offering, starts_at=starts_at, **{"status": "held"} | fields
    )


def seat(session: Session, who: str = "robin", **fields: Any) -> Enrolment:
    return make.enrolment(session, email=f"{who}@people.example", **fields)


def opened() -> None:
    """Begin an agency whose last closed month is February 2026."""
    open_agency()
    make.closed_month("2026-02")
    make.publication("2026-02")


class TestOrganisations:
    @pytest.fixture
    def member(self) -> Organisation:
        make.closed_month("2026-02")
        return client("ORG1", "2025-01", first_run=M("2026-03")).organisation

    def test_seats_of_a_client_come_on_its_document_of_the_month_held(
        self, member: Organisation
    ) -> None:
        session = masterclass()
        seat(session, "robin", organisation=member)
        seat(session, "sam", organisation=member, price_cents=395_00)
        make.session(member, "S1", status="held")  # a session of its own, in the same month
        (invoice,) = close_and_bill("2026-03")
        assert sorted(lines(invoice)) == [
            "seat 2026-03/2026-04 395.00",
            "seat 2026-03/2026-04 495.00",
            "session 2026-03/2026-04 495.00",
        ]
        assert [line.kind for line in invoice.lines.order_by("position")] == [
            "session",
            "seat",
            "seat",
        ]

    def test_a_seat_takes_the_purchase_order_of_the_run(self, member: Organisation) -> None:
        make.purchase_order(member, "PO-1", "2026-01", "2026-03")
        make.purchase_order(member, "PO-2", "2026-03", "2026-04")
        seat(masterclass(), organisation=member)
        (invoice,) = close_and_bill("2026-03")
        assert (invoice.po_number, invoice.organisation) == ("PO-2", member)

    def test_what_was_held_before_the_first_run_is_history(self, member: Organisation) -> None:
        seat(masterclass(day="2026-02-12"), organisation=member)
        assert close_and_bill("2026-03") == []

    @pytest.mark.parametrize(
        ("vocational", "registered", "line"),
        [
            (True, True, ("E", 0)),
            (False, True, ("S", 103_95)),
            (True, False, ("S", 103_95)),
        ],
    )
    def test_vocational_education_of_a_registered_agency_is_exempt(
        self, member: Organisation, *, vocational: bool, registered: bool, line: tuple[str, int]
    ) -> None:
        agency = open_agency()
        if not registered:
            agency.crkbo_registrations.all().delete()
        seat(masterclass(vocational=vocational), organisation=member)
        (invoice,) = close_and_bill("2026-03")
        (found,) = invoice.lines.all()
        assert (found.vat_category, found.vat_cents) == line

    def test_an_organisation_without_a_contract_is_billed_by_invoice(self) -> None:
        opened()
        buyer = make.organisation("SEATS", language="nl")
        seat(masterclass(), organisation=buyer)
        (invoice,) = close_and_bill("2026-03")
        assert (invoice.organisation, invoice.collection, invoice.due_days) == (
            buyer,
            "invoice",
            30,
        )
        assert invoice.lines.get().description == "Plaats: Gesprekken die schuren, mrt 2026"


class TestOneOffBuyers:
    def test_a_buyer_gets_a_document_with_the_address_given(self) -> None:
        opened()
        seat(masterclass())
        (invoice,) = close_and_bill("2026-03")
        assert lines(invoice) == ["seat 2026-03/2026-04 495.00"]
        assert invoice.organisation is None
        assert (invoice.buyer_name, invoice.buyer_street, invoice.buyer_email) == (
            "Bakker Advies",
            "Kerkstraat 2",
            "office@buyer.example",
        )
        assert (invoice.state, invoice.collection, invoice.due_days) == ("draft", "invoice", 30)

    def test_seats_of_one_buyer_in_a_run_come_on_one_document(self) -> None:
        opened()
        first, second = masterclass("MC1"), masterclass("MC2", "2026-03-20")
        seat(second, "sam", buyer_email="OFFICE@buyer.example ")
        seat(first, "robin")
        seat(first, "kim", buyer_name="Another")
        seat(first, "noor", buyer_email="noor@buyer.example")
        made = close_and_bill("2026-03")
        assert [(row.buyer_name, row.lines.count(), row.net_cents) for row in made] == [
            ("Another", 1, 495_00),
            ("Bakker Advies", 1, 495_00),
            ("Bakker Advies", 2, 990_00),
        ]

    @pytest.mark.parametrize(
        ("country", "language", "category"),
        [("NL", "nl", "S"), ("be", "nl", "S"), ("DE", "en", "S"), ("GB", "en", "O")],
    )
    def test_language_and_vat_follow_from_the_country(
        self, country: str, language: str, category: str
    ) -> None:
        opened()
        seat(masterclass(vocational=False), buyer_country=country)
        (invoice,) = close_and_bill("2026-03")
        assert (invoice.language, invoice.lines.get().vat_category) == (language, category)

    def test_who_sits_on_the_seat_is_on_no_document(self) -> None:
        opened()
        seat(masterclass())
        (invoice,) = close_and_bill("2026-03")
        frozen = json.dumps(
            [*Invoice.objects.values(), *invoice.lines.values()], default=str
        ).replace(str(BilledOccurrence.objects.get().subject_id), "")
        assert [word for word in PARTICIPANT if word in frozen] == []


class TestDue:
    @pytest.mark.parametrize("by", ["agency", "client"])
    def test_a_session_that_was_called_off_costs_nobody_anything(self, by: str) -> None:
        opened()
        called_off: dict[str, Any] = {"cancelled_on": dt.date(2026, 3, 10), "cancelled_by": by}
        seat(masterclass(status="cancelled", **called_off))
        assert close_and_bill("2026-03", "2026-04") == []

    def test_a_session_still_to_come_is_not_due(self) -> None:
        opened()
        seat(masterclass("MC1", status="scheduled"))
        seat(masterclass("MC2", "2026-04-02"))
        assert close_and_bill("2026-03") == []
        assert len(close_and_bill("2026-04")) == 1

    def test_drafting_again_finds_nothing_to_do(self) -> None:
        opened()
        seat(masterclass())
        close_and_bill("2026-03")
        assert bill("2026-03", "2026-03") == []
        assert Invoice.objects.count() == 1

    def test_a_seat_entered_late_comes_in_the_next_run(self) -> None:
        opened()
        session = masterclass()
        seat(session)
        close_and_bill("2026-03")
        seat(session, "sam")
        (invoice,) = close_and_bill("2026-04")
        assert lines(invoice) == ["seat 2026-03/2026-04 495.00"]

    def test_a_free_seat_is_settled_without_a_document(self) -> None:
        opened()
        seat(masterclass(), price_cents=0)
        assert close_and_bill("2026-03") == []
        assert BilledOccurrence.objects.get().state == "settled"

    def test_a_run_of_one_client_bills_no_other_buyer(self) -> None:
        opened()
        member = client("ORG1", "2026-04").organisation
        seat(masterclass())
        close("2026-03")
        made = billing.draft_run(M("2026-03"), [member.pk]).documents
        assert [document.buyer.organisation for document in made] == [member]
        assert read_facts([member.pk]).one_off_seats == []

    def test_a_run_of_many_buyers_asks_no_more_of_the_database(
        self, django_assert_num_queries: Any
    ) -> None:
        opened()
        session = masterclass()
        seat(session)
        close("2026-03")
        with django_assert_num_queries(34):
            bill("2026-03")
        for number in range(5):
            seat(session, f"p{number}", buyer_name=f"Buyer {number}")
        with django_assert_num_queries(34):
            assert len(bill("2026-03")) == 5


class TestBlocked:
    @pytest.mark.parametrize("missing", ["street", "postcode", "city", "country", "email"])
    def test_a_document_waits_for_the_rest_of_the_address(self, missing: str) -> None:
        opened()
        entered = seat(masterclass(), **{f"buyer_{missing}": ""})
        (invoice,) = close_and_bill("2026-03")
        assert (invoice.state, invoice.blocked_reason) == ("blocked", "incomplete")
        assert audit().violations == []
        assert bill("2026-03") == []

        Enrolment.objects.filter(pk=entered.pk).update(**{f"buyer_{missing}": "NL"})

        assert [v.invariant for v in audit().violations] == ["blocked_documents_have_their_reason"]
        (anew,) = bill("2026-03")
        assert (anew.state, Invoice.objects.count()) == ("draft", 1)

    def test_a_document_waits_for_a_country_that_exists(self) -> None:
        opened()
        seat(masterclass(vocational=False), buyer_country="ZZ")
        (invoice,) = close_and_bill("2026-03")
        assert (invoice.blocked_reason, invoice.vat_cents) == ("incomplete", 103_95)
        assert audit().violations == []

    def test_a_seat_may_go_to_an_organisation_until_it_is_billed(self) -> None:
        opened()
        entered = seat(masterclass(), buyer_city="")
        close_and_bill("2026-03")
        organisation = make.organisation()
        Enrolment.objects.filter(pk=entered.pk).update(organisation=organisation)
        assert [invoice.organisation for invoice in bill("2026-03")] == [organisation]

    def test_a_seat_taken_away_takes_its_blocked_document_along(self) -> None:
        opened()
        entered = seat(masterclass(), buyer_city="")
        close_and_bill("2026-03")
        entered.delete()
        assert bill("2026-03") == []
        assert not Invoice.objects.exists()

    def test_a_controller_drafts_it_anew_by_hand(self) -> None:
        opened()
        entered = seat(masterclass(), buyer_city="")
        (invoice,) = close_and_bill("2026-03")
        Enrolment.objects.filter(pk=entered.pk).update(buyer_city="Utrecht")
        controller = Client()
        controller.force_login(make.user("controller"))
        data = {"action": "draft_anew", "_selected_action": [str(invoice.pk)], "index": "0"}
        page = controller.post("/admin/subscriptions/invoice/", data, follow=True)
        assert "1 invoice is drafted anew" in page.content.decode()
        assert Invoice.objects.get().state == "draft"


class TestFrozen:
    @pytest.fixture
    def billed(self) -> Enrolment:
        opened()
        entered = seat(masterclass())
        close_and_bill("2026-03")
        return entered

    @pytest.mark.parametrize("change", ["price", "session", "organisation"])
    def test_what_a_seat_cost_and_who_bought_it_stays_as_billed(
        self, billed: Enrolment, change: str
    ) -> None:
        changes: dict[str, dict[str, Any]] = {
            "price": {"price_cents": 1},
            "session": {"session": masterclass("MC2")},
            "organisation": {"organisation": make.organisation()},
        }
        values = changes[change]
        with pytest.raises(IntegrityError, match="was billed keeps"), transaction.atomic():
            Enrolment.objects.filter(pk=billed.pk).update(**values)

    def test_a_billed_seat_is_not_deleted(self, billed: Enrolment) -> None:
        with pytest.raises(IntegrityError, match="credit it instead"), transaction.atomic():
            billed.delete()

    def test_the_participant_may_be_erased(self, billed: Enrolment) -> None:
        Enrolment.objects.filter(pk=billed.pk).update(name="", email="")
        assert audit().violations == []


def test_bill_prints_one_off_buyers_last_and_without_a_name() -> None:
    opened()
    seat(masterclass())
    client("ZZZ", "2026-04")
    close("2026-03")
    out = StringIO()
    call_command("bill", "2026-03", "--json", stdout=out, stderr=StringIO())
    printed = json.loads(out.getvalue())["invoices"]
    assert [document["organisation"] for document in printed] == ["ZZZ", None]
    (line,) = printed[1]["lines"]
    assert (line["kind"], line["quantity"], line["unit_cents"], line["period"]) == (
        "seat",
        "1",
        495_00,
        ["2026-03", "2026-04"],
    )
    assert "Bakker" not in out.getvalue()


def test_a_one_off_document_goes_to_stripe_and_comes_back_paid(sandbox: Sandbox) -> None:
    opened()
    seat(masterclass(vocational=False))
    (invoice,) = close_and_bill("2026-03")
    assert billing.approve([invoice]) == 1

    assert push.push(invoice.pk, at=NOW) == Outcome.PUSHED

    [there], [buyer] = listed(sandbox), listed(sandbox, "customers")
    assert (there["total"], there["collection_method"]) == (598_95, "send_invoice")
    assert (buyer["name"], buyer["email"]) == ("Bakker Advies", "office@buyer.example")
    everything = json.dumps([listed(sandbox, kind) for kind in ("invoices", "customers", "events")])
    assert [word for word in PARTICIPANT if word in everything] == []
    assert not StripeCustomer.objects.exists()
    assert push.push(invoice.pk, at=NOW) == Outcome.ALREADY

    control(sandbox, f"pay/{there['id']}")
    event = make.stripe_event("evt_paid", type="invoice.paid", object_id=there["id"])
    assert inbox.handle(event.pk, at=NOW) == "handled"
    assert Invoice.objects.get().state == "paid"
    assert not reconcile.reconcile(at=LATER).found
    assert audit().violations == []


def test_staff_find_a_document_without_an_organisation_in_lists_pages_and_workbook() -> None:
    opened()
    entered = seat(masterclass(vocational=False))
    (invoice,) = close_and_bill("2026-03")
    controller = Client()
    controller.force_login(make.user("controller"))
    for page in (
        "subscriptions/invoice/",
        f"subscriptions/invoice/{invoice.pk}/change/",
        "subscriptions/invoice/?q=bakker",
        f"workshops/enrolment/{entered.pk}/change/",
    ):
        assert "Bakker Advies" in controller.get(f"/admin/{page}").content.decode(), page
    assert controller.get("/admin/subscriptions/billedoccurrence/").status_code == 200
    assert controller.get("/admin/").status_code == 200

    content = write(M("2026-03"), on=dt.date(2026, 4, 14), language="en")
    (row,) = rows(content, "Invoices")
    assert (row["Client no."], row["Client"], row["Net standard rate (€)"]) == (
        None,
        "Bakker Advies",
        495,
    )


def test_a_contact_reads_of_seats_what_the_invoice_says() -> None:
    opened()
    member = client("ORG1", "2025-01", first_run=M("2026-03")).organisation
    seat(masterclass("MC1"), organisation=member)
    seat(masterclass("MC2"), "sam")
    mine, theirs = close_and_bill("2026-03")
    for number, invoice in enumerate((mine, theirs)):
        Invoice.objects.filter(pk=invoice.pk).update(
            state="open", number=f"DIS-{number}", stripe_id=f"in_{number}"
        )
    contact = Client()
    contact.force_login(make.contact(member).user)
    page = contact.get(f"/portal/{member.pk}/invoices/{mine.pk}/").content.decode()
    assert "Seat: Difficult talks, Mar 2026" in page
    assert [word for word in PARTICIPANT if word in page] == []
    assert contact.get(f"/portal/{member.pk}/invoices/{theirs.pk}/").status_code == 404
