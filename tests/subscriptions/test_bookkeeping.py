"""What the bookkeeper takes over of a month ties out with the documents, to the cent."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from agency.month import Month, MonthRange
from subscriptions import bookkeeping
from subscriptions.bookkeeping import BookkeepingError, Spread
from subscriptions.models import BookkeepingCode, Invoice, InvoiceLine
from subscriptions.reports import bookkeeping as files
from subscriptions.vat_returns import vat_return
from tests import factories as make

pytestmark = pytest.mark.django_db

M = Month.parse
YEAR = {"from_month": "2026-04", "until_month": "2027-04", "net_cents": 100000, "vat_cents": 21000}
OVERAGE = {
    "kind": "overage",
    "description": "Hours of overage",
    "from_month": "2026-01",
    "until_month": "2026-04",
    "net_cents": 45500,
    "vat_cents": 9555,
}
EXEMPT = {
    "kind": "session",
    "description": "=Masterclass",
    "from_month": "2026-03",
    "until_month": "2026-04",
    "net_cents": 95000,
    "vat_cents": 0,
    "vat_category": "E",
    "vat_rate_basis_points": 0,
}


def months(line: dict[str, Any]) -> dict[str, Any]:
    as_months = {name: M(line[name]) for name in ("from_month", "until_month")}
    return line | as_months


def sent(number: str, client: Any, *lines: dict[str, Any], **fields: Any) -> Invoice:
    """Make a document of run March, sent on 10 April."""
    names = {"number": number, "stripe_id": f"in_{number}", "state": "open"}
    return make.invoice(client, lines=[months(line) for line in lines], **names | fields)


def credit(original: Invoice, day: str, net_cents: int, vat_cents: int) -> Invoice:
    line = original.lines.get(position=1)
    taken = {
        "kind": "credit",
        "net_cents": -net_cents,
        "vat_cents": -vat_cents,
        "credit_of": line,
        "from_month": str(line.from_month),
        "until_month": str(line.until_month),
    }
    number = f"CN-{original.number}"
    credited = {"kind": "credit", "credit_of": original, "state": "paid", "invoice_on": day}
    return sent(number, original.organisation, taken, **credited, paid_on=day)


@pytest.fixture
def books() -> dict[str, Invoice]:
    """Give a year's fee with overage, a credited one, a paid one, and one that was cancelled."""
    make.agency()
    first, second = make.organisation("ORG1"), make.organisation("=ORG2")
    credited = sent("2", second, YEAR)
    rows = {
        "open": sent("1", first, YEAR, OVERAGE, EXEMPT),
        "credited": credited,
        "credit": credit(credited, "2026-04-20", 25000, 5250),
        "paid": sent("3", second, OVERAGE, state="paid", paid_on="2026-05-02"),
        "void": sent("4", first, OVERAGE, state="void", invoice_on="2026-04-11"),
        "one-off": sent("5", None, EXEMPT),
        "later": sent("6", first, YEAR, invoice_on="2026-05-01"),
    }
    make.statement(make.subscription(first, "2026-01"), "2026-01", "2026-05")
    return {name: Invoice.objects.get(pk=row.pk) for name, row in rows.items()}


APRIL = M("2026-04")


def test_the_journal_books_each_line_of_what_was_sent_in_the_month(
    books: dict[str, Invoice],
) -> None:
    entries = bookkeeping.read(APRIL).journal

    booked = [
        (one.line.invoice.number, one.debtor, one.account, one.vat_code, one.line.net_cents)
        for one in entries
    ]
    assert booked == [
        ("1", "ORG1", "8000", "VH", 100000),
        ("1", "ORG1", "8020", "VH", 45500),
        ("1", "ORG1", "8105", "VVR", 95000),
        ("2", "=ORG2", "8000", "VH", 100000),
        ("3", "=ORG2", "8020", "VH", 45500),
        ("5", "DIVERSEN", "8105", "VVR", 95000),
        ("CN-2", "=ORG2", "8000", "VH", -25000),
    ]


def test_control_totals_tie_out_and_name_what_was_cancelled(books: dict[str, Invoice]) -> None:
    totals = [cents for _name, cents in bookkeeping.read(APRIL).controls]

    assert totals[:7] == [456000, 456000, 55860, 55860, 0, 0, 55055]
    # 1,000.00 for twelve months from April, less a quarter of one of them that was credited.
    assert totals[8:] == [0, 175000, 14583, 160417]
    declared = vat_return(MonthRange(APRIL, APRIL + 1))
    assert [declared.net_cents, declared.vat_cents] == totals[0:4:2]


def test_what_is_open_at_the_end_of_a_month_are_the_unpaid_totals_less_their_credits(
    books: dict[str, Invoice],
) -> None:
    def open_on(month: str) -> dict[str, int]:
        return {one.invoice.number: one.open_cents for one in bookkeeping.read(M(month)).open_items}

    assert open_on("2026-03") == {}
    assert open_on("2026-04") == {"1": 271055, "2": 90750, "3": 55055, "5": 95000}
    assert open_on("2026-05") == {"1": 271055, "2": 90750, "5": 95000, "6": 121000}
    make.receipt(books["open"], 271055, received_on="2026-05-31")
    Invoice.objects.filter(number="1").update(received_on="2026-05-31")  # Stripe is told later
    make.receipt(books["credited"], 90700, received_on="2026-05-01")
    make.receipt(books["paid"], 50, received_on="2026-05-31")
    assert open_on("2026-04") == {"1": 271055, "2": 90750, "3": 55055, "5": 95000}
    assert open_on("2026-05") == {"2": 50, "3": -50, "5": 95000, "6": 121000}


@given(net_cents=st.integers(-(10**9), 10**9), count=st.integers(1, 36))
def test_the_months_of_a_line_add_up_to_it(net_cents: int, count: int) -> None:
    line = InvoiceLine(net_cents=net_cents, from_month=APRIL, until_month=APRIL + count)
    parts = list(Spread(line, "", APRIL.first_day).parts())

    assert sum(cents for _month, cents in parts) == net_cents
    assert [month for month, _cents in parts] == list(line.months)
    assert max(cents for _, cents in parts) - min(cents for _, cents in parts) <= 1


def test_deferred_moves_from_month_to_month_until_all_is_earned(books: dict[str, Invoice]) -> None:
    closing: dict[Month, int] = {}
    for month in (APRIL + back for back in range(13)):
        *_, (_, opening), (_, billed), (_, earned), (_, deferred) = bookkeeping.read(month).controls
        assert opening == closing.get(month - 1, 0)
        assert opening + billed - earned == deferred
        closing[month] = deferred
    assert (closing[M("2026-05")], closing[M("2027-03")]) == (229166, 0)


def test_what_is_earned_later_adds_up_by_month_and_by_release_period(
    books: dict[str, Invoice],
) -> None:
    month = bookkeeping.read(APRIL)

    assert sum(month.by_month().values()) == 160417
    assert list(month.by_month()) == [APRIL + ahead for ahead in range(1, 12)]
    released = {one.debtor: (one.earned_cents, one.deferred_cents) for one in month.released}
    # ORG1's period closed with April; of ORG2 nothing was ever stated.
    assert released == {"ORG1": (8333, 91667), "=ORG2": (0, 68750)}


def test_a_kind_without_a_code_is_named(books: dict[str, Invoice], tmp_path: Path) -> None:
    BookkeepingCode.objects.filter(what="overage").delete()

    with pytest.raises(BookkeepingError) as refused:
        bookkeeping.read(APRIL)
    with translation.override("en"):
        assert refused.value.messages == ["There is no bookkeeping code for “overage” S: add one."]
    with pytest.raises(CommandError):
        call_command("export_bookkeeping", "2026-04", "--out", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_category_of_its_own_comes_before_the_code_for_all(books: dict[str, Invoice]) -> None:
    make.bookkeeping_code("overage", "8021", "S")

    accounts = {entry.account for entry in bookkeeping.read(APRIL).journal}
    assert {"8021", "8105"} <= accounts


def test_the_command_writes_a_workbook_and_lists_that_packages_read(
    books: dict[str, Invoice], tmp_path: Path
) -> None:
    call_command("export_bookkeeping", "2026-04", "--out", str(tmp_path))

    written = {path.name for path in tmp_path.iterdir()}
    assert written == {f"2026-04_{name}" for name in (files.WORKBOOK, *files.LISTS)}
    content = (tmp_path / "2026-04_journal.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert rows[3][0:4] == ["1", "10-04-2026", "10-05-2026", "ORG1"]
    assert rows[3][8:13] == ["'=Masterclass", "VVR", "vrijgesteld", "950,00", "0,00"]
    assert rows[3][13:] == ["03-2026", "03-2026"]
    assert rows[7][11:13] == ["-250,00", "-52,50"]
    assert rows[4][3] == "'=ORG2"  # no formula in a spreadsheet
    again = tmp_path / "again"
    call_command("export_bookkeeping", "2026-04", "--out", str(again))
    for path in again.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_controller_and_auditor_fetch_the_files_and_no_month_of_none(
    client: Client, books: dict[str, Invoice]
) -> None:
    address = "admin:subscriptions_bookkeepingcode_export"
    for role in ("controller", "auditor"):
        client.force_login(make.user(role))
        answer = client.get(reverse(address, args=["2026-04", "journal.csv"]))
        assert answer.content == files.write(APRIL, "journal.csv", language="en")
        listed = client.get(reverse("admin:subscriptions_bookkeepingcode_changelist"))
        assert "/files/2026-05/bookkeeping.xlsx" in listed.content.decode()
    for month, name in (("2026-13", "journal.csv"), ("2026-04", "secrets.csv")):
        assert client.get(reverse(address, args=[month, name])).status_code == 404
    client.force_login(make.user("administrator"))
    assert client.get(reverse(address, args=["2026-04", "journal.csv"])).status_code == 403
