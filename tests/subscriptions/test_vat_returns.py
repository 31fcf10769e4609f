"""A VAT return equals the documents of its period to the cent, and the ICP list its box 3b."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from random import Random
from typing import Any

import pytest
from django.urls import reverse

from agency.models import Organisation
from agency.month import MonthRange
from agency.templatetags.figures import long_period
from subscriptions.models import Invoice
from subscriptions.vat_returns import period, vat_return
from tests import factories as make
from tests.agreed import M
from tests.browsers import as_
from tests.workbooks import opened, rows

pytestmark = pytest.mark.django_db

FIRST_QUARTER = MonthRange(M("2026-01"), M("2026-04"))
RATES = {"S": 2100, "E": 0, "AE": 0, "O": 0}
BELGIAN, GERMAN = "BE0123456749", "DE136695976"


def line(category: str, net_cents: int, rate: int | None = None) -> dict[str, Any]:
    basis_points = RATES[category] if rate is None else rate
    return {
        "net_cents": net_cents,
        "unit_cents": net_cents,
        "vat_category": category,
        "vat_rate_basis_points": basis_points,
        "vat_cents": round(net_cents * basis_points / 10_000),
    }


def document(on: str, *lines: dict[str, Any], state: str = "open", **fields: Any) -> Invoice:
    number = f"DIS-{Invoice.objects.count() + 1}"
    sent = {"number": number, "stripe_id": f"in_{number}", "invoice_on": dt.date.fromisoformat(on)}
    return make.invoice(None, "2026-01", lines=lines, state=state, **sent | fields)


def credit(of: Invoice, on: str, cents: int, **fields: Any) -> Invoice:
    original = of.lines.first()
    assert original
    back = line(original.vat_category, -cents, original.vat_rate_basis_points)
    back |= {"kind": "credit", "credit_of": original, "quantity_hundredths": 1}
    return document(on, back, kind="credit", credit_of=of, **fields)


def boxes(months: MonthRange = FIRST_QUARTER) -> list[tuple[str, str, int, int, int]]:
    return [
        (row.box, row.category.value, row.rate_basis_points, row.net_cents, row.vat_cents)
        for row in vat_return(months).boxes
    ]


def test_a_period_is_a_month_or_the_calendar_quarter_around_it() -> None:
    assert {str(period(M(f"2026-{n:02}"))) for n in (4, 5, 6)} == {"2026-04/2026-07"}
    assert str(period(M("2026-12"))) == "2026-10/2027-01"
    assert str(period(M("2026-12"), 1)) == "2026-12/2027-01"


def test_boxes_hold_what_was_sent_by_invoice_date_credits_taken_off() -> None:
    document("2025-12-31", line("S", 1))
    mixed = document("2026-01-01", line("S", 1_250_00), line("E", 950_00))
    document("2026-03-31", line("S", 100_00, 900), line("O", 70_00), state="paid")
    document("2026-02-01", line("AE", 1_250_00), buyer_vat_id=BELGIAN, buyer_country="BE")
    credit(mixed, "2026-03-31", 250_00)
    document("2026-04-01", line("S", 2))
    for state in ("draft", "approved", "parked", "void"):
        document("2026-02-01", line("S", 4), state=state)

    assert boxes() == [
        ("1a", "S", 2100, 1_000_00, 210_00),
        ("1a", "S", 900, 100_00, 9_00),
        ("", "E", 0, 950_00, 0),
        ("3b", "AE", 0, 1_250_00, 0),
        ("", "O", 0, 70_00, 0),
    ]


def test_the_icp_list_adds_up_by_vat_id_under_the_newest_name() -> None:
    belgian = {"buyer_vat_id": BELGIAN, "buyer_country": "BE"}
    first = document("2026-01-05", line("AE", 100_00), buyer_name="Oud BV", **belgian)
    document("2026-03-05", line("AE", 50_00), line("AE", 1), buyer_name="Nieuw BV", **belgian)
    credit(first, "2026-02-01", 30_00, buyer_name="Oud BV", **belgian)
    document("2026-02-01", line("AE", 7_00), buyer_vat_id=GERMAN, buyer_name="Adler GmbH")
    document("2026-02-01", line("S", 9_00), buyer_vat_id="NL116263684B86")

    found = vat_return(FIRST_QUARTER)

    assert [(row.vat_id, row.buyer, row.net_cents) for row in found.services] == [
        (BELGIAN, "Nieuw BV", 120_01),
        (GERMAN, "Adler GmbH", 7_00),
    ]
    assert found.services_cents == {row[1]: row[3] for row in boxes()}["AE"]
    march = vat_return(period(M("2026-03"), 1))
    assert [(row.vat_id, row.net_cents) for row in march.services] == [(BELGIAN, 50_01)]


def test_drawn_documents_are_in_the_return_of_their_quarter_to_the_cent() -> None:
    draw = Random(20260408)  # noqa: S311 - examples, no secrets
    expected: Counter[tuple[str, str]] = Counter()
    for _ in range(60):
        on = dt.date(2025, 12, 1) + dt.timedelta(days=draw.randrange(150))
        lines = [
            line(draw.choice("S S S E AE O".split()), draw.randrange(1, 500_000))
            for _ in range(draw.randrange(1, 4))
        ]
        state = draw.choice(["open", "paid", "uncollectible", "void", "draft"])
        made = [document(str(on), *lines, state=state)]
        if state in {"open", "paid"} and draw.random() < 0.5:
            later = on + dt.timedelta(days=draw.randrange(60))
            made.append(credit(made[0], str(later), draw.randrange(1, lines[0]["net_cents"] + 1)))
        for one in made:
            if one.state in {"open", "paid", "uncollectible"} and one.invoice_on:
                quarter = f"{one.invoice_on.year}-{(one.invoice_on.month + 2) // 3}"
                expected[quarter, "net"] += one.net_cents
                expected[quarter, "vat"] += one.vat_cents

    found: Counter[tuple[str, str]] = Counter()
    for first in ("2025-10", "2026-01", "2026-04", "2026-07"):
        quarter = f"{first[:4]}-{(int(first[5:]) + 2) // 3}"
        returned = vat_return(period(M(first)))
        found[quarter, "net"] = returned.net_cents
        found[quarter, "vat"] = returned.vat_cents
    assert len(expected) >= 6  # of three quarters at least
    assert {key: cents for key, cents in found.items() if cents} == dict(expected)


@pytest.mark.usefixtures("on_8_april_2026", "english")
class TestPage:
    @pytest.fixture(autouse=True)
    def sent(self) -> None:
        make.agency()
        document("2026-01-05", line("S", 1_250_00), line("E", 950_00), buyer_name="Bakker")
        abroad = {"buyer_vat_id": BELGIAN, "buyer_country": "BE", "buyer_name": "Zuid BV"}
        document("2026-02-05", line("AE", 300_00), **abroad)

    @property
    def page(self) -> str:
        return reverse("admin:subscriptions_taxtreatment_return")

    @pytest.mark.parametrize("role", ["controller", "auditor"])
    def test_the_last_quarter_is_shown(self, role: str) -> None:
        text = as_(role).get(self.page).content.decode()
        assert f"VAT return of {long_period(FIRST_QUARTER)}" in text
        for shown in ("1a", "3b", "1,250.00", "262.50", "2,500.00", BELGIAN, "Zuid BV"):
            assert shown in text
        assert BELGIAN not in as_(role).get(f"{self.page}?month=2026-01&length=1").content.decode()

    @pytest.mark.parametrize(
        "wrong", ["month=2026-13", "month=x", "month=2026-01&length=2", "length="]
    )
    def test_what_is_no_period_is_not_found(self, wrong: str) -> None:
        assert as_("controller").get(f"{self.page}?{wrong}").status_code == 404

    def test_the_list_leads_there_for_those_who_may_read_it(self) -> None:
        make.tax_treatment("S", "2030-01", 2100)
        treatments = reverse("admin:subscriptions_taxtreatment_changelist")
        assert self.page in as_("auditor").get(treatments).content.decode()
        assert self.page not in as_("planner").get(treatments).content.decode()
        assert as_("planner").get(self.page).status_code == 403

    def test_the_workbook_has_the_same_and_the_documents_behind_it(self) -> None:
        answer = as_("auditor").get(f"{self.page}?month=2026-02&as=xlsx")
        assert answer["Content-Disposition"] == 'attachment; filename="vat_2026-02.xlsx"'
        book = answer.content
        assert opened(book).sheetnames == ["VAT return", "ICP list", "Documents"]
        assert [tuple(row.values()) for row in rows(book, "VAT return")] == [
            ("1a", "standard rate", 0.21, 1250, 262.5),
            (None, "exempt education", 0, 950, 0),
            ("3b", "reverse charge", 0, 300, 0),
        ]
        assert [tuple(row.values()) for row in rows(book, "ICP list")] == [
            (BELGIAN, "Zuid BV", 300)
        ]
        behind = rows(book, "Documents")
        assert [(row["Number"], row["Net (€)"], row["VAT (€)"]) for row in behind] == [
            ("DIS-1", 950, 0),
            ("DIS-1", 1250, 262.5),
            ("DIS-2", 300, 0),
        ]


def test_a_return_asks_the_database_a_fixed_number_of_times(
    django_assert_num_queries: Any,
) -> None:
    for number in range(5):
        vat_id = {"buyer_vat_id": f"BE{number}"}
        document("2026-01-05", line("AE", 100), line("S", 100), **vat_id)
    with django_assert_num_queries(3):  # one of them for what was written off
        assert len(vat_return(FIRST_QUARTER).services) == 5
    assert Organisation.objects.count() == 0
