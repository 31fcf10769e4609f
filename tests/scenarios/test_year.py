"""A normal year of the agency, walked from a signature in March to the accountant's visit.

A basic year at own prices is 1,250.00, an extended one of 100 people 3,600.00 with 20 hours, 125.00
for one above; set-up 250.00, 450.00. A basic year costs each of the two that merge 1,350.00, and
1,800.00 what they become.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils.translation import override
from django_q.models import OrmQ

from agency.models import Organisation, User
from agency.month import Month
from subscriptions import (
    billing,
    bookkeeping,
    books,
    corrections,
    indexation_letters,
    indexation_runs,
    quotes,
    takeovers,
    vat_returns,
)
from subscriptions.audit import audit
from subscriptions.models import BooksReason, CreditReason, Invoice, Statement, Takeover
from tests import factories as make
from tests.agreed import M
from tests.browsers import as_
from tests.clients import client, counsellor, months_from
from tests.scenarios.walk import (
    World,
    document_row,
    expected_documents,
    expected_statements,
    send,
    statement_row,
    work,
)

pytestmark = pytest.mark.django_db

# 437.50 x 21 % = 91.875; of that line's VAT 1 of 3.5 hours is 26.25; 1,250.00 x 131.2 / 127.8 is
# 1,283.26, x 21 % = 269.4846.
SIGNED = """
    2026-03 #Q2 fee 3 900.00, setup 1 450.00 | 283.50 S
    2026-06 #Q2 overage 3 437.50 | 91.88 S
    2026-06 #Q2 credit 2026-04/2026-07 -125.00 | -26.25 S
    2026-07 #Q3 fee 2026-07/2026-10 900.00 | 189.00 S
    2026-09 #Q3 seat 1 495.00, seat 1 495.00 | 0.00 E
    2026-09 #Q4 fee 3 900.00 | 189.00 S
    2026-12 #Q1 fee 3 900.00 | 189.00 S
"""
OWN = """
    2025-12 fee 12 1250.00, setup 1 250.00 | 315.00 S
    2026-09 seat 1 495.00 | 0.00 E
    2026-12 fee 12 1283.26 | 269.48 S
"""
MERGES = """
    2025-12 fee 3 337.50, setup 1 250.00 | 123.38 S
    2026-03 fee 3 337.50 | 70.88 S
"""
MERGED = """
    2026-06 fee 3 450.00, setup 1 250.00 | 147.00 S
    2026-09 2026-12 fee 3 450.00 | 94.50 S
"""
ONE_OFF = ["2026-09 seat 2026-09/2026-10 495.00 | 0.00 E"] * 4 + [
    "2026-09 seat 2026-09/2026-10 495.00, seat 2026-09/2026-10 495.00 | 0.00 E"
]
# By quarter of the invoice date, which is in the month after the run: net and VAT at 21 %, exempt.
RETURNS = {
    "2026-01": (4_025_00, 845_26, 0),  # 1,500.00, 1,350.00 and twice 587.50
    "2026-04": (675_00, 141_76, 0),  # twice 337.50
    "2026-07": (1_912_50, 401_63, 0),  # 437.50 + 900.00 - 125.00, and 700.00
    "2026-10": (1_350_00, 283_50, 4_455_00),  # fees, and nine seats at 495.00
    "2027-01": (2_633_26, 552_98, 0),  # 900.00, 1,283.26 and 450.00
}
# 529.38 - 151.25 of the disputed bill, two fees of 1,089.00, and nine seats; 1,119.26 of each that
# merged, 847.00 and 544.50 of what they became.
OPEN_AT_THE_END_OF_2026 = 10_641_15


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with override("en"):
        yield


class Year:
    """The agency's clients, its people, and what they do month by month."""

    def __init__(self) -> None:
        self.own = client("OWN", billing_interval=12, own_annual_fee_cents=1_250_00).organisation
        make.contact(self.own)
        self.two = [client(code, billing_interval=3).organisation for code in ("EAST", "WEST")]
        self.one = make.organisation("MERGED")
        self.ada: User = make.user("controller", email="ada@staff.example")
        self.bob: User = make.user("controller", email="bob@staff.example")
        self.signed: Organisation

    def sign(self) -> None:
        """Sign a quote on 12 March for April, with an order, and bill ahead of the first close."""
        self.signed = make.organisation("SIGNED")
        make.headcount(self.signed, 100, "2020-01")
        quote = make.quote(self.signed, "2026-04", billing_interval=3, po_required=True)
        quotes.offer(quote, on=dt.date(2026, 3, 2))
        quotes.sign(quote, signed_on=dt.date(2026, 3, 12), on=dt.date(2026, 3, 12))
        make.contact(self.signed)
        make.purchase_order(self.signed, "Q2", "2026-04", "2026-07")
        run = billing.draft_run(M("2026-03"), [self.signed.pk], ahead=True)
        billing.approve([one.invoice for one in run.documents if one.invoice])
        send(M("2026-02"), 13)

    def fall_ill(self) -> None:
        """Let the counsellor be ill from the middle of May on, and a deputy take over."""
        ill = counsellor(self.signed)
        work(self.signed, M("2026-05"), 4)
        day = dt.date(2026, 5, 15)
        make.absence(ill, from_on=day, until_on=dt.date(2026, 9, 1))
        deputy = make.advisor("DEPUTY")
        make.assignment(deputy, self.signed, "deputy", from_month="2026-05")
        work(self.signed, M("2026-05"), 7.25, by="DEPUTY")

    def merge(self) -> None:
        """Let two clients become one from July on, with a contract of its own."""
        make.headcount(self.one, 200, "2020-01")
        for client_ in self.two:
            gone = Takeover(organisation=client_, successor=self.one, from_month=M("2026-07"))
            takeovers.take_over(gone)
            ended = "First month after the end"
            contract = client_.subscriptions.get()
            make.audit_event(contract, self.ada, fields=ended, on=dt.date(2026, 6, 5))
        make.subscription(self.one, "2026-07", "basic", billing_interval=3)

    def settle_the_dispute(self) -> None:
        """Let two people open the books of the bill, find it right, and credit an hour of it."""
        on = dt.date(2026, 8, 12)
        opening = books.ask(
            self.signed, M("2026-05"), reason=BooksReason.CLIENT, by=self.ada, on=on
        )
        books.agree(opening, by=self.bob, on=on)
        opening.refresh_from_db()
        totals = books.totals(opening, by=self.bob, on=on)
        assert totals.agrees
        assert totals.by_advisor == [("Advisor A-SIGNED", 40), ("Advisor DEPUTY", 53)]
        disputed = Invoice.objects.get(organisation=self.signed, run_month=M("2026-06"))
        hour = {disputed.lines.get(kind="overage").pk: 100}
        assert corrections.credit(disputed, CreditReason.GOODWILL, key=uuid4(), parts=hour)

    def hold_a_masterclass(self) -> None:
        """Hold one for nine people of seven companies, two of them clients."""
        offering = make.offering("MC", kind="masterclass", price_cents=495_00, vocational=True)
        held = make.session(
            None, "MC1", offering=offering, starts_at=make.at("2026-09-17 10:00"), status="held"
        )
        companies = [*[self.signed] * 2, self.own, *["Bakker"] * 2, "Visser", "Smit", "Bos", "Mol"]
        for number, company in enumerate(companies):
            of_client = {"organisation": company} if isinstance(company, Organisation) else {}
            buyer = {} if of_client else {"buyer_name": company}
            make.enrolment(held, email=f"p{number}@people.example", **of_client, **buyer)

    def announce_the_index(self) -> None:
        before = make.cpi_value("2025-10", 127_800)
        after = make.cpi_value("2026-10", 131_200)
        run = make.indexation_run(before, after, effective_month="2027-01")
        on = dt.date(2026, 11, 10)
        indexation_runs.announce(run, by=self.ada, on=on)
        for task in OrmQ.objects.all():
            if task.task["func"] == "subscriptions.tasks.mail_indexation":
                indexation_letters.send(task.task["args"][0], on=on)
        indexation_runs.approve(run, by=self.bob, on=on)
        assert indexation_runs.apply(run, on=dt.date(2026, 12, 20)) == 1

    def walk(self) -> None:
        """Let each month bring what it brings, and then be closed, billed and sent."""
        happens: dict[str, list[Callable[[], object]]] = {
            "2026-02": [lambda: self.pay("OWN", "2026-02-01")],
            "2026-03": [self.sign],
            "2026-04": [
                lambda: work(self.signed, M("2026-04"), 6),
                lambda: self.pay("SIGNED", "2026-04-15"),
            ],
            "2026-05": [self.fall_ill, self.merge],
            "2026-06": [lambda: work(self.signed, M("2026-06"), 6, by="DEPUTY")],
            "2026-07": [lambda: make.purchase_order(self.signed, "Q3", "2026-07", "2026-10")],
            "2026-08": [self.settle_the_dispute],
            "2026-09": [
                lambda: make.purchase_order(self.signed, "Q4", "2026-10", "2027-01"),
                self.hold_a_masterclass,
            ],
            "2026-11": [self.announce_the_index],
            "2026-12": [lambda: make.purchase_order(self.signed, "Q1", "2027-01", "2027-04")],
        }
        for month in months_from("2025-12", 13):
            for happen in happens.get(month, []):
                happen()
            World.close_and_bill(M(month))

    def pay(self, code: str, on: str) -> None:
        sent = Invoice.objects.filter(organisation__code=code, state="open")
        assert sent.update(state="paid", paid_on=dt.date.fromisoformat(on)) == 1


@pytest.fixture
def year() -> Year:
    made = Year()
    made.walk()
    return made


def documents(organisation: Organisation | None) -> list[str]:
    rows = Invoice.objects.filter(organisation=organisation).prefetch_related("lines")
    return sorted(map(document_row, rows))


def told(organisation: Organisation) -> list[str]:
    return sorted(map(statement_row, Statement.objects.filter(organisation=organisation)))


def test_a_normal_year_and_the_accountants_visit(year: Year) -> None:
    assert documents(year.signed) == expected_documents(SIGNED)
    assert documents(year.own) == expected_documents(OWN)
    assert documents(None) == sorted(ONE_OFF)
    # April 6, May 4 and 7.25, June 6: 23.25 hours, rounded up once to 23.5
    assert told(year.signed) == expected_statements("""
        2026-06 3 exact 23.5 of 20 over 3.5
        2026-09 2026-12 3 exact 0 of 20 over 0
    """)
    assert told(year.own) == expected_statements("2026-03..2026-12/3 3 exact 0 of 2 over 0")
    for merges in year.two:
        assert documents(merges) == expected_documents(MERGES)
        assert told(merges) == expected_statements("""
            2026-03 3 exact 0 of 2 over 0
            2026-06 3 exact 0 of 1 over 0
        """)
    assert documents(year.one) == expected_documents(MERGED)
    assert told(year.one) == expected_statements("2026-09 2026-12 3 exact 0 of 4 over 0")
    assert audit().violations == []

    visited = [M(month) for month in months_from("2026-01", 13)]
    for month, (standard, vat, exempt) in RETURNS.items():
        returned = vat_returns.vat_return(vat_returns.period(M(month)))
        found = {box.category.value: (box.net_cents, box.vat_cents) for box in returned.boxes}
        assert found.get("S", (0, 0)) == (standard, vat)
        assert found.get("E", (0, 0)) == (exempt, 0)
    journals = [journal_of(month) for month in visited]
    assert sum(net for net, _vat in journals) == sum(s + e for s, _vat, e in RETURNS.values())
    assert sum(vat for _net, vat in journals) == sum(vat for _net, vat, _e in RETURNS.values())
    december = bookkeeping.read(M("2026-12"))
    assert sum(one.open_cents for one in december.open_items) == OPEN_AT_THE_END_OF_2026
    auditor = as_("auditor")
    assert auditor.get(reverse("admin:subscriptions_taxtreatment_return")).status_code == 200
    assert auditor.get(reverse("admin:subscriptions_invoice_changelist")).status_code == 200
    assert auditor.get(reverse("admin:subscriptions_subscription_add")).status_code == 403


def journal_of(month: Month) -> tuple[int, int]:
    """Give net and VAT of a month's journal, which are those of its documents."""
    read = bookkeeping.read(month)
    net, net_of_documents, vat, vat_of_documents, cancelled = [
        cents for _name, cents in read.controls[:5]
    ]
    assert (net, vat, cancelled) == (net_of_documents, vat_of_documents, 0)
    return net, vat
