"""The staff's start page: what it counts is what its lists show, and what it asks for stays few."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agency.models import Organisation, User
from agency.month import Month
from subscriptions import notice
from subscriptions.admin.counted import Part, read
from subscriptions.models import Invoice, InvoiceState, Subscription
from tests import factories as make
from tests.browsers import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026", "english")]

D = dt.date.fromisoformat
TASK = re.compile(r'<span class="count">(\d+)</span><div><a href="([^"]+)">([^<]+)</a>')
NO_LISTS = {"/admin/months/", "/admin/subscriptions/invoice/received/"}


def sent(number: int, organisation: Organisation, **fields: Any) -> Invoice:
    named: dict[str, Any] = {"number": f"D-{number}", "stripe_id": f"in_{number}"}
    open_since: dict[str, Any] = {"state": "open", "due_on": D("2026-03-01")}
    return make.invoice(organisation, "2026-01", **open_since | named | fields)


@pytest.fixture
def everything() -> Organisation:
    """Two of each thing that waits on 8 April 2026, and beside them what nearly does."""
    make.price_book()
    make.closed_month("2026-02")
    rows = [make.organisation(f"ORG{number}") for number in range(4)]
    colleague = make.user("controller")
    _of_months(rows)
    _of_money(rows, colleague)
    _of_contracts(rows, colleague)
    return rows[0]


def _of_months(rows: list[Organisation]) -> None:
    for number, (day, status) in enumerate(
        [
            ("2026-04-07 14:00", "scheduled"),
            ("2026-03-01 09:00", "scheduled"),
            ("2026-04-08 09:00", "scheduled"),
            ("2026-05-08 09:00", "scheduled"),
            ("2026-03-01 09:00", "held"),
            ("2026-03-01 09:00", "requested"),
        ]
    ):
        make.session(rows[0], f"S-{number}", starts_at=make.at(day), status=status)
    for row in rows[:2]:
        make.invoice(row, "2026-03", state="blocked", blocked_reason="po_missing")
        make.invoice(row, "2026-02", state="draft")
        make.invoice(row, "2026-03", state="draft")
        make.invoice(row, "2026-03", state="approved")
        make.invoice(row, "2026-03", state="parked", parked_because="amount")
    for number, day in enumerate(("2026-04-08", "2026-10-01", "2026-04-07")):
        make.qualification(make.advisor(f"ADV{number}"), valid_until=D(day))


def _of_money(rows: list[Organisation], colleague: User) -> None:
    failed = {"debit_failed_on": D("2026-02-20"), "due_on": D("2026-05-01")}
    sent(1, rows[0], **failed)
    sent(2, rows[1], **failed)
    sent(3, rows[0], parked_because="Stripe refused it.")
    sent(4, rows[1], due_on=D("2025-04-08"))
    sent(5, rows[2], due_on=D("2025-04-09"))
    sent(6, rows[0], state="uncollectible")
    make.write_off(sent(7, rows[0], due_on=D("2025-01-01")), colleague)
    contested = sent(8, rows[0], due_on=D("2026-05-01"))
    make.contest(contested, colleague, ended_on=D("2026-04-02"), outcome="resumed")
    make.contest(contested, colleague)
    for number, due_on in ((9, "2026-04-07"), (10, "2026-03-20"), (11, "2026-04-08")):
        make.payment_plan(sent(number, rows[0], due_on=D(due_on)), colleague)
    make.payment_plan(sent(12, rows[0]), colleague, ended_on=D("2026-03-03"))
    paid = sent(13, rows[3], received_on=D("2026-03-01"))
    make.receipt(paid, paid.total_cents + 5_00)
    exact = sent(14, rows[3], received_on=D("2026-03-01"))
    make.receipt(exact, exact.total_cents)
    make.receipt(sent(15, rows[3]), 5_00)
    for number in range(3):
        make.stripe_event(f"evt_{number}", state="failed" if number else "handled")
    make.stripe_difference()


def _of_contracts(rows: list[Organisation], colleague: User) -> None:
    contracts = [make.subscription(row, start) for row, start in zip(rows, STARTS, strict=True)]
    make.parked_organisation(rows[0])
    make.parked_organisation(rows[1], until_month="2026-04")
    make.parked_organisation(rows[2], until_month="2026-03")
    stated = make.statement(contracts[0], "2025-06", "2025-09", used_quarters=20)
    make.books_opening(stated, colleague, asked_on=D("2026-04-01"))
    make.books_opening(stated, colleague, asked_on=D("2026-03-01"))
    make.quote(rows[0])
    make.quote(rows[1], offered_on=D("2026-04-01"))
    make.quote(rows[2], offered_on=D("2026-03-01"), valid_until=D("2026-04-07"))
    make.tier_change_request(contracts[0], "2026-07", make.contact(rows[0]).user)
    values = make.cpi_value(), make.cpi_value("2026-10")
    announced: dict[str, Any] = {"announced_by": colleague, "announced_on": D("2026-03-01")}
    make.indexation_run(*values)
    make.indexation_run(*values, state="announced", **announced)


STARTS = ("2025-06", "2024-07", "2025-09", "2025-12")


def waiting(client: Client) -> list[tuple[int, str, str]]:
    page = client.get("/admin/").content.decode()
    return [(int(n), html.unescape(leads_to), what) for n, leads_to, what in TASK.findall(page)]


def test_each_line_counts_the_rows_of_the_list_that_it_leads_to(everything: Organisation) -> None:
    client = as_("controller")
    differ, lists = [], 0
    for count, leads_to, what in waiting(client):
        if any(leads_to.startswith(page) for page in NO_LISTS):
            continue
        answer: Any = client.get(leads_to)
        shown = answer.context_data["cl"].result_count
        lists += 1
        differ += [(what, count, shown)] if shown != count else []
    assert differ == []
    assert lists > 18


def test_sessions_that_are_over_and_not_settled_wait(everything: Organisation) -> None:
    client = as_("planner")
    [line] = [each for each in waiting(client) if "not settled" in each[2]]
    assert line[::2] == (2, "sessions are over and not settled")
    shown = client.get("/admin/").content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "Since 1 Mar 2026" in shown
    answer: Any = client.get(line[1])
    listed = {row.reference for row in answer.context_data["cl"].result_list}
    assert listed == {"S-0", "S-1"}


def test_the_overdue_line_opens_the_tab_of_what_is_overdue(everything: Organisation) -> None:
    client = as_("controller")
    [address] = [
        where for _n, where, what in waiting(client) if "overdue" in what and "inv" in what
    ]
    for asked in (address, f"{address}&state__exact=open"):
        answer: Any = client.get(asked)
        current = [str(each.label) for each in answer.context_data["groups"] if each.is_current]
        assert current == ["Overdue"]


@pytest.mark.parametrize("role", ["planner", "controller", "administrator", "auditor"])
def test_it_asks_the_same_few_statements_for_much_as_for_little(
    everything: Organisation, role: str
) -> None:
    client = as_(role)

    def statements() -> int:
        with CaptureQueriesContext(connection) as sent_:
            assert client.get("/admin/").status_code == 200
        return len(sent_)

    statements()
    much = statements()
    Invoice.objects.filter(state=InvoiceState.OPEN).update(state=InvoiceState.VOID)
    assert (much, statements()) == (much, much)
    assert much <= 10


def test_parts_are_counted_apart_by_key_and_without_zeros() -> None:
    one, two = make.organisation("ONE", country="BE"), make.organisation("TWO")
    make.invoice(one, "2026-02", due_on=D("2026-03-05"))
    make.invoice(two, "2026-01", due_on=D("2026-03-01"))
    with CaptureQueriesContext(connection) as sent_:
        found = read(
            {
                "clients": [Part(rows=Organisation.objects.filter(country="BE"), key="there")],
                "none": [Part(rows=Subscription.objects.all())],
                "sums": [
                    Part(
                        rows=Invoice.objects.all(),
                        cents="net_cents",
                        first_on="due_on",
                        first_month="run_month",
                    )
                ],
            }
        )
    assert len(sent_) == 1
    assert found.keys() == {"clients", "sums"}
    assert found["clients"]["there"].count == 1
    sums = found["sums"][""]
    assert (sums.count, sums.cents) == (2, 2 * Invoice.objects.earliest("run_month").net_cents)
    assert (sums.first_on, sums.first_month) == (D("2026-03-01"), Month.of(2026, 1))


def test_the_notice_window_is_that_of_the_running_term() -> None:
    terms = [(12, 0, 1), (12, 12, 1), (12, 12, 3), (24, 1, 0), (13, 3, 2), (1, 24, 1), (36, 5, 6)]
    for number, (term, renewal, notice_months) in enumerate(terms):
        for start in ("2019-02", "2024-01", "2025-03"):
            make.subscription(
                make.organisation(f"O{number}{start}"),
                start,
                term_months=term,
                renewal_months=renewal,
                notice_months=notice_months,
            )
    found = 0
    for day in range(0, 800, 13):
        on = D("2024-12-31") + dt.timedelta(days=day)
        last_days = {
            row.pk: last_day
            for row in Subscription.objects.all()
            if (last_day := notice.running_term(row, on=on).last_notice_on)
            and on <= last_day <= on + dt.timedelta(days=notice.DAYS_OF_WINDOW)
        }
        in_window: Any = notice.in_window(on)
        assert {row.pk: row.last_notice_in.last_day for row in in_window} == last_days
        found += len(last_days)
    assert found > 100
