"""The page of a client answers a phone call, to each role what it reads, in ten statements."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agency import access
from agency.models import Organisation, Sector
from agency.sectors import rule_of
from subscriptions import contracts
from subscriptions.admin.client_rows import SHOWN
from subscriptions.admin.timeline import timeline
from subscriptions.notice import Term
from tests import agreed
from tests import factories as make
from tests.agreed import M
from tests.browsers import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_8_april_2026")]

APRIL = dt.date(2026, 4, 8)
MOST_STATEMENTS = 10


def text(content: bytes) -> str:
    plain = re.sub(r"<[^>]+>", " ", content.decode())
    return re.sub(r"\s+", " ", plain.replace("\xa0", " "))


def page(client: Organisation, role: str = "planner") -> str:
    answer = as_(role).get(f"/admin/agency/organisation/{client.pk}/")
    assert answer.status_code == 200
    return text(answer.content)


@pytest.fixture
def theatre() -> Organisation:
    """A client since October 2023, that can give notice until the end of June 2026."""
    make.agency()
    make.price_book()
    client = make.organisation("ORG1", legal_name="Theater De Zandloper")
    make.headcount(client, 34, "2023-10")
    row = make.subscription(client, "2023-10", billing_interval=3, notice_months=3)
    make.contact(client)
    advisor = make.advisor(phone="06 5550 1124", user=make.user("advisor", name="Ilse Vroegop"))
    make.assignment(advisor, client, from_month="2023-10")
    for first, until, used in (("2025-07", "2025-10", 12), ("2025-10", "2026-01", 14)):
        make.statement(row, first, until, used_quarters=used, allowance_quarters=48)
    return client


def test_it_answers_a_call_in_four_figures(theatre: Organisation) -> None:
    make.invoice(theatre, "2026-03", state="open", number="2026-0231", due_on=dt.date(2026, 4, 14))
    deputy = make.advisor("ADV2")
    make.assignment(deputy, theatre, "deputy", from_month="2024-01")

    said = page(theatre)

    assert "Dorpsstraat 1, 3511 AA Utrecht · 34 employees · KVK 12345678" in said
    assert (
        "Notice can be given until 30 June 2026 as of 1 October 2026; else renewed for a year"
        in said
    )
    assert "Outstanding € 1,210.00 1 invoice, due on 14 April 2026" in said
    assert (
        "Hours, published up to December 2025 3.5 of 12 hours next statement once March is closed"
        in said
    )
    assert "Counsellor Ilse Vroegop 06 5550 1124 · deputy Advisor ADV2" in said
    assert "30 days, invoice, paid by transfer default of the agency" in said
    assert "Jan to Mar 2026 follows in April 2026 Not closed yet" in said


def test_what_waits_at_one_client_is_named_and_what_waits_at_another_is_not(
    theatre: Organisation,
) -> None:
    other, colleague = make.organisation("ORG2"), make.user("planner")
    for number, client in enumerate((theatre, other)):
        make.session(client, f"S{number}", starts_at=make.at("2026-04-20 14:00"))
        late = make.invoice(
            client,
            "2026-02",
            state="open",
            number=f"N{number}",
            stripe_id=f"in_{number}",
            due_on=dt.date(2026, 4, 1),
        )
        make.invoice(client, state="blocked", blocked_reason="po_missing")
        make.headcount_declaration(client, colleague, headcount=36)
        make.quote(client, offered_on=APRIL, valid_until=dt.date(2026, 4, 30))
    make.contest(late, colleague)

    said = page(theatre)

    for task in (
        "Invoice blocked purchase order missing",
        "N0 is overdue € 1,210.00, due on 1 April 2026",
        "Confirm the headcount: 36 instead of 34",
        "A quote waits for a signature It holds until 30 April 2026",
        "Choose a trainer for 20 April 2026",
    ):
        assert task in said
    assert "N1" not in said
    assert "N1 is contested" in page(other)


def test_a_client_of_thirty_rows_takes_the_statements_of_a_client_of_one(
    theatre: Organisation,
) -> None:
    browser, address = as_("planner"), f"/admin/agency/organisation/{theatre.pk}/"
    browser.get(address)
    with CaptureQueriesContext(connection) as few:
        browser.get(address)
    offering, advisor = make.offering(), make.advisor("ADV3")
    for n in range(30):
        make.session(theatre, f"S{n:05}", offering=offering, trainer=advisor)
        make.invoice(
            theatre, "2026-03", state="open", number=f"N{n}", stripe_id=f"in_{n}", po_number=str(n)
        )
        member = make.organisation(f"MEMBER{n}", parent=theatre)
        make.payer(member, theatre)
        user = make.user("contact", email=f"{n}@org1.example")
        make.contact(theatre, user)
        make.purchase_order(theatre, f"{n}", f"{2026 + n}-01", f"{2026 + n}-02")
    with CaptureQueriesContext(connection) as many:
        said = text(browser.get(address).content)

    reads = [len([q for q in each if q["sql"].startswith("SELECT")]) for each in (few, many)]
    assert reads[0] == reads[1]
    assert len(many) <= MOST_STATEMENTS
    assert said.count("Workshop WS-1") == 5
    assert "All 30" in said


@pytest.mark.parametrize("role", sorted(access.STAFF))
def test_who_opens_it_reads_every_table_that_it_shows(role: str) -> None:
    assert [label for label in SHOWN if "r" not in access.ROWS[label][role]] == []


def test_each_role_is_offered_the_deeds_of_its_role_only(theatre: Organisation) -> None:
    offered = {role: page(theatre, role) for role in access.STAFF}

    assert [role for role in access.STAFF if "Plan a session" in offered[role]] == ["planner"]
    for deed in ("Change the terms", "End the contract", "Note a takeover"):
        assert [role for role in access.STAFF if deed in offered[role]] == ["controller"]
    address = f"/admin/workshops/session/add/?organisation={theatre.pk}"
    for role, links in (("planner", True), ("auditor", False)):
        answer = as_(role).get(f"/admin/agency/organisation/{theatre.pk}/")
        assert (address in answer.content.decode()) is links


def test_the_shapes_a_client_can_have_read_well(theatre: Organisation) -> None:
    sessions_only = make.organisation("ORG2", parent=theatre, sector="university")
    make.session(sessions_only, "S1", status="held", starts_at=make.at("2026-01-20 14:00"))
    said = page(sessions_only)
    assert "Contract None Sessions only" in said
    assert "This client books sessions only" in said
    assert "Contract signed" not in said
    assert "The collective agreement of the universities (article 1.12)" in said
    assert "Members 1 organisation Members ORG2 B.V." in page(theatre)

    gone = make.organisation("ORG3")
    make.headcount(gone, 300)
    make.subscription(gone, "2025-01", until_month="2026-03")
    make.takeover(gone, theatre, from_month="2026-03")
    make.payer(gone, theatre, from_month="2026-03")
    said = page(gone)
    assert "Ended on 28 February 2026 The end is agreed" in said
    assert "Taken over by Theater De Zandloper from March 2026" in said
    assert "Theater De Zandloper pays the invoices" in said

    make.pause(theatre.subscriptions.get(), "2026-04", "2026-07")
    assert "paused April to June 2026" in page(theatre)
    said = page(make.organisation("ORG4", street="", postcode="", city="", kvk_number=""))
    assert "No contract was agreed." in said

    unpriced = make.organisation("ORG5")
    make.subscription(unpriced, "2026-06")
    said = page(unpriced)
    assert "Hours – Its price is not agreed yet" in said
    assert "Notice can be given until 30 April 2027" in said


def test_a_search_that_finds_one_client_leads_to_its_page(theatre: Organisation) -> None:
    make.organisation("ORG2", legal_name="Theater De Kolk")
    browser, address = as_("auditor"), "/admin/agency/organisation/"

    assert browser.get(address, {"q": "zandloper"})["Location"] == f"{address}{theatre.pk}/"
    found = browser.get("/admin/find/", {"q": "zandloper"})
    assert found["Location"] == f"{address}{theatre.pk}/"
    listed = browser.get(address, {"q": "theater"}).content.decode()
    assert f'href="{address}{theatre.pk}/"' in listed
    assert browser.get(address, {"q": "zandloper", "country__exact": "NL"}).status_code == 200
    assert browser.get(f"{address}{make.advisor('ADV9').pk}/").status_code == 404


def test_every_page_of_its_rows_leads_to_the_client(theatre: Organisation) -> None:
    row, invoice = theatre.subscriptions.get(), make.invoice(theatre)
    link = f'href="/admin/agency/organisation/{theatre.pk}/"'
    for address in (
        f"/admin/agency/organisation/{theatre.pk}/change/",
        f"/admin/agency/organisation/{theatre.pk}/history/",
        f"/admin/subscriptions/subscription/{row.pk}/change/",
        f"/admin/subscriptions/invoice/{invoice.pk}/change/",
    ):
        assert link in as_("auditor").get(address).content.decode(), address


def test_a_client_read_in_two_statements_is_the_one_read_in_six(theatre: Organisation) -> None:
    row = theatre.subscriptions.get()
    make.pause(row, "2026-10", "2027-01")
    make.terms(row, "2025-01", "basic")
    make.headcount(theatre, 60, "2026-02")
    make.year_price(row, "2024-10")
    make.subscription(make.organisation("ORG2"), "2024-01")

    with CaptureQueriesContext(connection) as sent:
        found = contracts.load_client(theatre.pk)

    assert found == contracts.load_rows([theatre.pk])
    assert len(sent) == 2


def test_the_timeline_draws_and_says_the_same() -> None:
    contract = agreed.contract("2023-10/", requests=[("2024-10", "extended")])
    term = Term(M("2026-10"), dt.date(2026, 6, 30))

    drawn = timeline([contract], term, renewal_months=12, on=APRIL)

    assert [(bar.look, bar.x, bar.word) for bar in drawn.bars] == [
        ("c-b", 0, "Basis"),
        ("c-a", 180, "Uitgebreid"),
        ("c-later", 540, "anders verlengd"),
    ]
    assert drawn.description == (
        "1 okt 2023: Basis. 1 okt 2024: Uitgebreid. 8 apr 2026: vandaag. "
        "30 jun 2026: laatste opzegdag. 1 okt 2026: anders verlengd."
    )
    assert drawn.notice
    assert 480 < drawn.notice.x < 500


def test_a_long_contract_is_drawn_from_four_years_before_its_end() -> None:
    contract = agreed.contract("2010-01/2027-01")
    drawn = timeline([contract], Term(M("2027-01"), None), renewal_months=12, on=APRIL)

    assert [(bar.x, bar.width) for bar in drawn.bars] == [(0, 718)]
    assert [tick.word.replace("\xa0", " ") for tick in drawn.ticks] == [
        *("jan 2023", "jan 2024", "jan 2025", "jan 2026", "jan 2027"),
    ]
    assert drawn.notice is None


def test_of_a_sector_only_what_was_found_is_said() -> None:
    assert rule_of("") is None
    rules = {sector: rule_of(sector) for sector in Sector.values}
    known = {sector for sector, rule in rules.items() if rule and rule.source}
    assert known == {"university", "sport"}
    assert all(rule and str(rule.sentence) for rule in rules.values())
