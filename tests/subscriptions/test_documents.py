"""Documents of a run: lines in order, one per purchase order, blocked or not (design 5.8, 5.9)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import DateField
from django.utils.translation import override

from agency.models import Agency, Organisation
from agency.schema import live_columns
from subscriptions.documents import as_plain
from subscriptions.models import BilledOccurrence, Invoice, InvoiceLine, YearPrice
from tests import factories as make
from tests.agreed import M
from tests.clients import bill, client, close, close_and_bill, lines, open_agency, worked
from workshops.models import Offering, Session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

QUARTER = ("2026-01", "2026-02", "2026-03")


def held(
    organisation: Organisation, reference: str, offering: Offering, day: str, **fields: Any
) -> Session:
    return make.session(
        organisation,
        reference,
        offering=offering,
        starts_at=make.at(f"{day} 10:00"),
        **{"status": "held"} | fields,
    )


def cancelled(
    organisation: Organisation, reference: str, offering: Offering, day: str, on: str, **fields: Any
) -> Session:
    return held(
        organisation,
        reference,
        offering,
        day,
        status="cancelled",
        cancelled_on=dt.date.fromisoformat(on),
        **{"cancelled_by": "client"} | fields,
    )


def test_lines_stand_in_the_order_of_kind_then_period_then_reference() -> None:
    subscription = client(
        start="2026-01",
        tier="basic",
        billing_interval=3,
        hours={"2026-02": 3},
    )
    organisation = subscription.organisation
    make.terms(subscription, "2026-03", "extended")
    workshop, service = make.offering("WS"), make.offering("SRV", kind="service", price_cents=7500)
    held(organisation, "S3", workshop, "2026-03-20")
    held(organisation, "S2", workshop, "2026-03-05", on_site_km=10)
    held(organisation, "S1", workshop, "2026-01-05")
    held(organisation, "S4", service, "2026-03-05", on_site_km=20)
    cancelled(organisation, "S5", workshop, "2026-03-30", on="2026-03-20")
    make.top_up_card(organisation, "2026-04", 40)
    make.closed_month("2026-02")
    close("2026-03")
    (invoice,) = bill("2026-03")

    assert lines(invoice) == [
        "fee 2026-01/2026-04 337.50",
        "fee 2026-04/2026-07 900.00",
        "setup 2026-01/2026-02 250.00",
        "tier_change 2026-03/2026-04 187.50",
        "session 2026-01/2026-02 875.00",
        "session 2026-03/2026-04 875.00",
        "travel 2026-03/2026-04 4.00",
        "session 2026-03/2026-04 875.00",
        "cancellation 2026-03/2026-04 875.00",
        "topup 2026-04/2027-04 1100.00",
        "service 2026-03/2026-04 75.00",
        "travel 2026-03/2026-04 8.00",
    ]
    assert [line.reference for line in invoice.lines.order_by("position")][4:8] == [
        "S1",
        "S2",
        "S2",
        "S3",
    ]


def test_vat_is_worked_out_once_for_the_document() -> None:
    # 1,250.00 at 21 % and 950.00 exempt: 262.50 on 2,200.00, together 2,462.50.
    subscription = client("ORG1", "2025-01", first_run=M("2026-01"), reported_until=M("2026-01"))
    offerings = [
        make.offering("WS", price_cents=1_250_00),
        make.offering("MC", price_cents=950_00, vocational=True),
    ]
    for number, offering in enumerate(offerings):
        held(subscription.organisation, f"S{number}", offering, "2026-02-05")
    make.closed_month("2026-01")
    (invoice,) = close_and_bill("2026-02")
    assert [(row.net_cents, row.vat_category, row.vat_cents) for row in invoice.lines.all()] == [
        (1_250_00, "S", 262_50),
        (950_00, "E", 0),
    ]
    assert (invoice.net_cents, invoice.vat_cents, invoice.total_cents) == (
        2_200_00,
        262_50,
        2_462_50,
    )


def test_an_agency_that_is_not_registered_charges_vat_on_vocational_education() -> None:
    open_agency().crkbo_registrations.all().delete()
    subscription = client()
    offering = make.offering("MC", price_cents=950_00, vocational=True)
    held(subscription.organisation, "S1", offering, "2026-01-05")
    (invoice,) = close_and_bill("2026-01")
    assert {line.vat_category for line in invoice.lines.all()} == {"S"}


def test_travel_has_the_vat_treatment_of_its_session() -> None:
    subscription = client()
    offering = make.offering("MC", vocational=True)
    held(subscription.organisation, "S1", offering, "2026-01-05", on_site_km=50)
    (invoice,) = close_and_bill("2026-01")
    assert [(row.kind, row.vat_category) for row in invoice.lines.all()][-2:] == [
        ("session", "E"),
        ("travel", "E"),
    ]


@pytest.mark.parametrize(
    ("country", "vat_id", "category", "rate", "vat_cents"),
    [
        pytest.param("BE", "BE0123456749", "AE", 0, 0, id="Belgian with a checked VAT id"),
        pytest.param("GB", "", "O", 0, 0, id="outside the EU"),
        pytest.param("DE", "", "S", 2100, 262_50, id="German without a VAT id"),
    ],
)
def test_a_client_elsewhere(
    country: str, vat_id: str, category: str, rate: int, vat_cents: int
) -> None:
    abroad = {"country": country, "vat_id": vat_id, "vat_id_checked": bool(vat_id)}
    client(own_annual_fee_cents=1_000_00, organisation=abroad | {"kvk_number": ""})
    make.closed_month("2025-12")
    (invoice,) = bill("2025-12")
    assert (invoice.blocked_reason, invoice.net_cents, invoice.vat_cents) == (
        "",
        1_250_00,
        vat_cents,
    )
    assert {(line.vat_category, line.vat_rate_basis_points) for line in invoice.lines.all()} == {
        (category, rate)
    }


def test_the_rate_is_the_one_valid_in_the_run() -> None:
    make.tax_treatment("S", "2026-02", 2200)
    client(billing_interval=1)
    invoices = close_and_bill("2026-01", "2026-02")
    rates = [[line.vat_rate_basis_points for line in invoice.lines.all()] for invoice in invoices]
    assert rates == [[2100, 2100, 2100], [2200]]


class TestPurchaseOrders:
    def test_there_is_one_document_per_order_in_a_run(self) -> None:
        subscription = client(billing_interval=3, hours={"2026-02": 3})
        organisation = subscription.organisation
        make.purchase_order(organisation, "PO-OLD", "2026-01", "2026-04")
        make.purchase_order(organisation, "PO-NEW", "2026-04", "2027-01")
        held(organisation, "S1", make.offering("WS"), "2026-03-05")
        close(*QUARTER)
        documents = {document.po_number: lines(document) for document in bill("2026-03")}
        assert documents == {
            "PO-NEW": ["fee 2026-04/2026-07 337.50"],
            "PO-OLD": [
                "fee 2026-01/2026-04 337.50",
                "setup 2026-01/2026-02 250.00",
                "overage 2026-01/2026-04 135.00",
                "session 2026-03/2026-04 875.00",
            ],
        }

    def test_fee_setup_and_tier_change_take_the_order_of_their_periods_first_month(self) -> None:
        subscription = client()
        make.terms(subscription, "2026-04", "extended")
        make.purchase_order(subscription.organisation, "PO-1", "2026-01", "2026-04")
        make.purchase_order(subscription.organisation, "PO-2", "2026-04", "2027-01")
        close(*QUARTER)
        assert {d.po_number: [line.kind for line in d.lines.all()] for d in bill("2026-03")} == {
            "PO-1": ["fee", "setup"],
            "PO-2": ["tier_change"],
        }

    def test_the_rest_takes_the_order_valid_in_the_runs_month(self) -> None:
        subscription = client(first_run=M("2026-01"))
        organisation = subscription.organisation
        make.purchase_order(organisation, "PO-1", "2026-01", "2026-02")
        make.purchase_order(organisation, "PO-2", "2026-02", "2026-03")
        held(organisation, "S1", make.offering("WS"), "2026-01-05")
        make.top_up_card(organisation, "2026-03", 8)
        close("2026-01", "2026-02")
        (invoice,) = bill("2026-02")
        assert (invoice.po_number, lines(invoice)) == (
            "PO-2",
            ["session 2026-01/2026-02 875.00", "topup 2026-03/2027-03 1100.00"],
        )

    @pytest.mark.parametrize("required", [True, False])
    def test_a_valid_order_is_used_whether_required_or_not(self, *, required: bool) -> None:
        subscription = client(po_required=required)
        make.purchase_order(subscription.organisation, "PO-1")
        make.closed_month("2025-12")
        (invoice,) = bill("2025-12")
        assert (invoice.po_number, invoice.state) == ("PO-1", "draft")

    @pytest.mark.parametrize(
        ("from_month", "until_month"),
        [("2026-03", None), ("2025-01", "2026-02"), ("2026-02", "2026-03")],
    )
    def test_orders_of_one_organisation_do_not_overlap(
        self, from_month: str, until_month: str | None
    ) -> None:
        organisation = make.organisation()
        make.purchase_order(organisation, "PO-1", "2026-01", "2026-04")
        with pytest.raises(IntegrityError, match="overlap"), transaction.atomic():
            make.purchase_order(organisation, "PO-2", from_month, until_month)


def first_document(**fields: Any) -> Invoice:
    client(**fields)
    make.closed_month("2025-12")
    (invoice,) = bill("2025-12")
    return invoice


class TestBlocked:
    @pytest.mark.parametrize(
        ("fields", "organisation", "reason"),
        [
            pytest.param({"po_required": True}, {}, "po_missing", id="a required order is missing"),
            pytest.param({}, {"street": ""}, "incomplete", id="no street"),
            pytest.param({}, {"postcode": ""}, "incomplete", id="no postcode"),
            pytest.param({}, {"city": ""}, "incomplete", id="no city"),
            pytest.param({}, {"kvk_number": ""}, "incomplete", id="neither KVK number nor OIN"),
            pytest.param(
                {}, {"kvk_number": "", "oin": "00000001003214345000"}, "", id="an OIN is enough"
            ),
            pytest.param({}, {"country": "GB", "kvk_number": ""}, "", id="no KVK number abroad"),
            pytest.param(
                {}, {"country": "BE", "vat_id": "BE0123456749"}, "vat_id_pending", id="unchecked"
            ),
            pytest.param(
                {"po_required": True},
                {"country": "BE", "vat_id": "BE0123456749", "street": ""},
                "vat_id_pending",
                id="of several reasons the VAT id is named first",
            ),
            pytest.param({}, {}, "", id="nothing is missing"),
        ],
    )
    def test_a_document_is_blocked_while_something_is_missing(
        self, fields: dict[str, Any], organisation: dict[str, Any], reason: str
    ) -> None:
        invoice = first_document(organisation=organisation, **fields)
        assert (invoice.blocked_reason, invoice.state) == (
            reason,
            "blocked" if reason else "draft",
        )

    def test_a_blocked_document_shows_its_lines_as_things_stand_and_holds_them(self) -> None:
        invoice = first_document(organisation={"country": "BE", "vat_id": "BE0123456749"})
        assert [(row.kind, row.net_cents, row.vat_category) for row in invoice.lines.all()] == [
            ("fee", 1_350_00, "S"),
            ("setup", 250_00, "S"),
        ]
        assert {occurrence.state for occurrence in BilledOccurrence.objects.all()} == {"held"}

    def test_a_blocked_document_never_stops_the_others(self) -> None:
        client("ORG1", po_required=True)
        client("ORG2")
        make.closed_month("2025-12")
        states = {i.organisation.code: i.state for i in bill("2025-12") if i.organisation}
        assert states == {"ORG1": "blocked", "ORG2": "draft"}


def test_lines_that_are_all_0_make_no_document_and_count_as_settled() -> None:
    client(own_annual_fee_cents=0, first_run=M("2026-12"))
    make.closed_month("2026-12")
    assert bill("2026-12") == []
    assert [(o.kind, o.state) for o in BilledOccurrence.objects.all()] == [("fee", "settled")]
    assert bill("2026-12") == []
    assert BilledOccurrence.objects.count() == 1


def test_a_line_of_0_stands_on_a_document_with_others() -> None:
    invoice = first_document(own_annual_fee_cents=0)
    assert lines(invoice) == ["fee 2026-01/2027-01 0.00", "setup 2026-01/2026-02 250.00"]


def test_a_document_keeps_both_parties_as_they_were() -> None:
    invoice = first_document()
    Organisation.objects.update(legal_name="Renamed B.V.", street="Elsewhere 9")
    Agency.objects.update(legal_name="Another Agency B.V.")
    invoice.refresh_from_db()
    assert (invoice.buyer_name, invoice.buyer_street, invoice.seller_name) == (
        "ORG1 B.V.",
        "Dorpsstraat 1",
        "Sample Agency B.V.",
    )


def test_payment_terms_are_those_of_the_contract_that_the_lines_belong_to() -> None:
    old = client(
        "ORG1", "2025-01", until_month=M("2026-01"), payment_days=14, reported_until=M("2026-01")
    )
    make.subscription(old.organisation, "2026-01", "basic", payment_days=60, collection="sepa")
    make.closed_month("2025-12")
    (invoice,) = bill("2025-12")
    assert (invoice.due_days, invoice.collection) == (60, "sepa")


def test_a_line_says_what_it_is_for_in_the_clients_language_whoever_makes_the_run() -> None:
    with override("nl"):
        invoice = first_document(tier="extended", organisation={"language": "en"})
    assert [line.description for line in invoice.lines.order_by("position")] == [
        "Subscription extended, Jan to Dec 2026",
        "Set-up of the subscription",
    ]


@pytest.mark.attack(9)
def test_no_line_tells_a_day_or_a_person() -> None:
    subscription = client(hours={"2026-02": 30})
    organisation = subscription.organisation
    advisor = make.advisor("TRAINER", user=make.user("advisor", name="Wilhelmina Trainer"))
    for number, day in enumerate(("2026-01-17", "2026-02-23"), start=1):
        held(organisation, f"S{number}", make.offering(f"WS{number}"), day, trainer=advisor)
    close(*QUARTER)
    bill("2026-03")
    texts = " ".join(InvoiceLine.objects.values_list("description", flat=True))
    assert "Feb 2026" in texts
    for hint in ("17", "23", "Wilhelmina", "TRAINER", "A-ORG1", "Advisor"):
        assert hint not in texts


class TestFrozenPrices:
    def test_the_prices_of_a_year_are_frozen_when_its_first_line_is_drafted(self) -> None:
        subscription = client(billing_interval=3)
        make.closed_month("2025-12")
        bill("2025-12")
        assert sorted(YearPrice.objects.values_list("year_month", "tier", "annual_fee_cents")) == [
            (M("2026-01"), "basic", 1_350_00),
            (M("2026-01"), "extended", 3_600_00),
        ]

        make.headcount(subscription.organisation, 20, "2026-01")
        make.price_book("2026-01", bands=False)
        documents = close_and_bill(*QUARTER)

        assert lines(documents[-1])[0] == "fee 2026-04/2026-07 337.50"

    def test_overage_takes_the_frozen_rate(self) -> None:
        client(hours={"2026-02": 3})
        make.closed_month("2025-12")
        bill("2025-12")
        book = make.price_book("2026-01", bands=False)
        make.price_band(book, "basic", overage_rate_cents=999_00, included_quarters=8)
        close(*QUARTER)
        assert [lines(invoice) for invoice in bill("2026-03")] == [
            ["overage 2026-01/2026-04 135.00"]
        ]

    def test_the_next_year_takes_what_the_book_says_then(self) -> None:
        client("ORG1", "2025-01", first_run=M("2025-12"), reported_until=M("2026-01"))
        book = make.price_book("2026-01", bands=False)
        for tier in ("basic", "extended"):
            make.price_band(book, tier, annual_fee_cents=2_000_00)
        make.closed_month("2025-12")
        assert [lines(invoice) for invoice in bill("2025-12")] == [["fee 2026-01/2027-01 2000.00"]]

    def test_frozen_prices_never_change(self) -> None:
        first_document()
        with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
            YearPrice.objects.update(annual_fee_cents=1)


def test_a_document_reads_as_bill_prints_it() -> None:
    subscription = client(
        hours={"2026-01": 10, "2026-03": 4.25}, first_run=M("2026-03"), payment_days=14
    )
    make.purchase_order(subscription.organisation, "PO-7")
    advisor = make.advisor("B")
    make.month_hours(advisor, subscription.organisation, "2026-02", 1)
    close("2026-03")
    (invoice,) = bill("2026-03")
    (line,) = invoice.lines.all()
    plain = as_plain(invoice, [line])
    assert plain == {
        "organisation": "ORG1",
        "po": "PO-7",
        "currency": "EUR",
        "net_cents": 337_50,
        "vat_cents": 70_88,
        "total_cents": 408_38,
        "due_days": 14,
        "blocked": None,
        "lines": [
            {
                "kind": "overage",
                "description": line.description,
                "quantity": "2.5",
                "unit_cents": 135_00,
                "net_cents": 337_50,
                "vat_category": "S",
                "vat_rate": "21.00",
                "vat_cents": 70_88,
                "period": ["2026-01", "2026-04"],
            }
        ],
    }


@pytest.mark.attack(11)
def test_only_a_session_has_travel_and_its_line_tells_neither_place_nor_day() -> None:
    """What an advisor drives to a talk is in the hours or nowhere: no other row has kilometres."""
    organisation = client(hours={"2026-01": 60}, headcount=300).organisation
    trainer = make.advisor("TRAINER", user=make.user("advisor", name="Wilhelmina Trainer"))
    there = {"on_site_km": 123, "location": "Zevenbergschenhoek", "trainer": trainer}
    workshop = make.offering("WS")
    held(organisation, "S1", workshop, "2026-01-17", **there)
    cancelled(organisation, "S2", workshop, "2026-01-19", "2026-01-18", **there)
    client("FAR", hours={"2026-01": 60}, headcount=300)
    close_and_bill("2026-01")

    travel = InvoiceLine.objects.get(kind="travel")
    assert (travel.quantity_hundredths, travel.unit_cents, travel.net_cents) == (123_00, 40, 49_20)
    assert travel.description == "Travel, kilometres, Jan 2026"
    written = str([*Invoice.objects.values(), *InvoiceLine.objects.values()])
    assert not any(hint in written for hint in ("Zevenberg", "Wilhelmina", "TRAINER", "2026-01-1"))
    assert not any(isinstance(each, DateField) for each in InvoiceLine._meta.concrete_fields)


@pytest.mark.attack(11)
def test_kilometres_and_places_are_columns_of_sessions_only() -> None:
    placed = {
        f"{table}.{column}"
        for table, columns in live_columns(connection).items()
        for column in columns
        if re.search("km|kilomet|travel|mileage|location|place|distance|expense", column)
    }
    assert placed == {
        *("workshops_session.location", "workshops_session.on_site_km"),
        "agency_agency.km_rate_cents",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"net_cents": 1, "total_cents": 1},
        {"po_number": "PO-OTHER"},
        {"buyer_name": "Somebody else"},
        {"due_days": 99},
    ],
)
def test_a_document_is_written_once(change: dict[str, Any]) -> None:
    invoice = first_document()
    with (
        pytest.raises(IntegrityError, match=r"written once|what its buyer is called"),
        transaction.atomic(),
    ):
        Invoice.objects.filter(pk=invoice.pk).update(**change)


def test_a_line_never_changes() -> None:
    invoice = first_document()
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        invoice.lines.update(net_cents=1)


@pytest.mark.attack(29, 30)
def test_worked_hours_alone_make_no_document() -> None:
    subscription = client("ORG1", "2025-01", first_run=M("2026-01"), reported_until=M("2026-01"))
    worked(subscription.organisation, {"2026-01": 1})
    assert close_and_bill("2026-01") == []
