"""Every amount of a document is explained by numbers that lead to it, and by no hours."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils.translation import override

from advisors.models import DraftHours, HoursAdjustment, MonthHours
from agency.money import round_half_away
from subscriptions import billing, statements
from subscriptions.explanation import ExplainedLine, explain
from subscriptions.models import Invoice, InvoiceLine, PriceBand
from tests import factories as make
from tests.agency_workbook import SAMPLE
from tests.agreed import M
from tests.clients import LONG_AFTER, client, close_and_bill, counsellor, worked
from workshops.models import Offering

pytestmark = [pytest.mark.django_db, pytest.mark.attack(43)]

LEDGER = {"advisors_monthhours", "advisors_drafthours", "advisors_hoursadjustment"}


@contextmanager
def without_the_ledger() -> Iterator[None]:
    def refuse(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        read = {table for table in LEDGER if table in sql.lower()}
        if read:
            raise AssertionError(f"It reads {read}.")
        return execute(sql, *args)

    with connection.execute_wrapper(refuse):
        yield


def cents(text: str) -> int:
    """Work out a sum as it is written in English: each product is rounded by itself."""
    whole = 0
    for sign, product in re.findall(r"(^| \+ | − )((?:(?! \+ | − ).)+)", text.replace("\xa0", " ")):
        amount, *factors = re.split(r" (?=[×/] )", product)
        value = Fraction(re.sub("[€ ,]", "", amount).replace("−", "-")) * 100
        for factor in factors:
            number = Fraction(factor[2:].replace(",", ""))
            value = value * number if factor[0] == "×" else value / number
        whole += round_half_away(value) * (-1 if sign == " − " else 1)
    return whole


def explained(invoice: Invoice) -> list[ExplainedLine]:
    with without_the_ledger(), override("en"):
        return explain(invoice).lines


def only(kind: str, **found: Any) -> ExplainedLine:
    line = InvoiceLine.objects.filter(kind=kind, **found).earliest("from_month")
    (entry,) = (entry for entry in explained(line.invoice) if entry.line == line)
    return entry


def said(entry: ExplainedLine) -> str:
    return " ".join([*entry.sentences, entry.sum]).replace("\xa0", " ").strip()


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("€ 1,290.00 × 9 / 12", 967_50),
        ("€ 1,000.00 × 2 / 12 − € 1,000.00 × 1 / 12", 83_34),
        ("−€ 2,250.00 × 7 / 12", -1312_50),
        ("€ 0.01 × 0.5", 1),
        ("€ 7.00", 7_00),
    ],
)
def test_the_test_itself_can_count(text: str, worth: int) -> None:
    assert cents(text) == worth


@pytest.mark.one_database
def test_all_lines_of_the_sample_agency_follow_from_the_numbers_given() -> None:
    call_command("import_agency", str(SAMPLE), verbosity=0)
    kinds: Counter[str] = Counter()
    for month in map(M, ("2026-01", "2026-02", "2026-03")):
        statements.close_month(month, on=LONG_AFTER)
        billing.draft_run(month)
    for invoice in Invoice.objects.all():
        for entry in explained(invoice):
            reckoned, _, net = entry.sum.rpartition(" = ")
            assert cents(reckoned or net) == cents(net) == entry.line.net_cents, said(entry)
            kinds[entry.line.kind] += 1

    assert sum(kinds.values()) > 150
    assert set(kinds) == {
        *("fee", "setup", "tier_change", "overage", "session", "travel", "cancellation"),
    }


def test_who_reads_hours_is_caught() -> None:
    for table in (MonthHours, DraftHours, HoursAdjustment):
        with pytest.raises(AssertionError, match=r"It reads"), without_the_ledger():
            list(table._default_manager.all())


class TestTheContract:
    def test_a_fee_says_which_price_of_which_list_for_how_many_people(self) -> None:
        client(billing_interval=3)
        close_and_bill("2025-12")

        assert said(only("fee")) == (
            "Subscription basic for 3 months, paid in advance. Annual fee: € 1,350.00, by the "
            "price list of January 2020 (basic, 51–100 people; you have 100), fixed for the "
            "contract year from January 2026. € 1,350.00 × 3 / 12 = € 337.50"
        )
        assert "Set-up: € 250.00, by the price list of January 2020" in said(only("setup"))

    def test_a_price_of_ones_own_is_said_to_be_agreed(self) -> None:
        client(own_annual_fee_cents=1000_00, billing_interval=1)
        close_and_bill("2025-12", "2026-01")

        said_of = said(only("fee", from_month=M("2026-02")))
        assert "€ 1,000.00, as agreed with you for the contract year from January 2026." in said_of
        assert "Rounded up to and including each month" in said_of
        assert said_of.endswith("€ 1,000.00 × 2 / 12 − € 1,000.00 / 12 = € 83.34")

    def test_a_price_list_that_was_changed_since_is_not_given_as_the_reason(self) -> None:
        client()
        close_and_bill("2025-12")
        PriceBand.objects.update(annual_fee_cents=9999_00)

        assert "€ 1,350.00, as fixed for the contract year from January 2026." in said(only("fee"))

    def test_an_upgrade_costs_the_difference_for_the_months_left(self) -> None:
        make.terms(client(), "2026-06", "extended")
        close_and_bill("2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05")

        assert said(only("tier_change")) == (
            "From basic to extended, for the 7 months left of what was paid in advance. The annual "
            "fee goes from € 1,350.00 to € 3,600.00. € 2,250.00 × 7 / 12 = € 1,312.50"
        )


class TestOverage:
    def test_published_figures_lead_to_it(self) -> None:
        contract = client(headcount=300, hours={"2026-01": 9, "2026-02": 14.75})
        make.top_up_card(contract.organisation, "2026-02", 8)
        close_and_bill("2026-01", "2026-02")

        assert said(only("overage", from_month=M("2026-02"))).startswith(
            "Your statement of February 2026: 13 hours of overage. Used in the "
            "contract year so far: 24 hours; included, with what was carried in: 8; from top-up "
            "cards: 2; stated as overage before: 1. 24 − 8 − 2 − 1 = 13. Rate per hour: € 135.00,"
        )

    def test_a_band_gives_the_overage_and_no_use(self) -> None:
        client(headcount=8, hours={"2026-02": 4.25, "2026-07": 3})
        close_and_bill(*[f"2026-{month:02}" for month in range(1, 13)])

        text = said(only("overage"))
        assert text.startswith("Your statement of January to December 2026: 5.5 hours of overage")
        assert "Used in the contract year" not in text
        assert text.endswith("€ 135.00 × 5.5 = € 742.50")

    def test_hours_that_a_former_system_reported_are_not_worked_out(self) -> None:
        contract = client("OLD", headcount=300, first_run=M("2025-12"), reported_until=M("2026-03"))
        advisor = counsellor(contract.organisation)
        make.month_hours(advisor, contract.organisation, "2026-01", 4 * 9)
        worked(contract.organisation, {"2026-03": 4})
        close_and_bill("2026-01", "2026-02", "2026-03")

        text = said(only("overage", from_month=M("2026-03")))
        assert text.startswith("Your statement of March 2026: 4 hours of overage")
        assert "Used in the contract year" not in text

    def test_a_credit_says_of_what_and_why(self) -> None:
        back = client(headcount=300, hours={"2026-01": 20}, until_month=M("2026-03"))
        make.hours_adjustment(counsellor(back.organisation), back.organisation, "2026-02", -20)
        close_and_bill("2026-01")
        billing.approve(Invoice.objects.all())
        close_and_bill("2026-02")

        entry = only("credit")
        assert said(entry).startswith("Credit for document –: Hours of overage, Jan 2026.")
        assert "The statement of February 2026 found 5 hours of overage of its year" in said(entry)
        assert cents(entry.sum.partition(" = ")[0]) == entry.line.net_cents < 0


class TestWhatWasOrdered:
    @pytest.fixture(autouse=True)
    def ordered(self) -> None:
        organisation = client(tier="extended", headcount=100).organisation
        workshop = make.offering("WS", included_eligible=True)
        other = make.offering("SRV", kind="service", price_cents=75_00)
        for reference, offering, day in (
            ("S1", workshop, 5),
            ("S2", workshop, 6),
            ("S3", other, 7),
        ):
            make.session(
                organisation,
                reference,
                offering=offering,
                starts_at=make.at(f"2026-01-{day:02} 10:00"),
                status="held",
                on_site_km=30,
            )
        make.session(
            organisation,
            "S9",
            offering=workshop,
            starts_at=make.at("2026-01-25 10:00"),
            status="cancelled",
            cancelled_on=dt.date(2026, 1, 2),
            cancelled_by="client",
        )
        make.enrolment(
            make.session(
                None,
                "OPEN",
                starts_at=make.at("2026-01-30 10:00"),
                offering=workshop,
                status="held",
            )
        )
        make.top_up_card(organisation, "2026-02", 8)
        close_and_bill("2026-01")

    def test_a_free_session_says_that_it_is_included(self) -> None:
        said_of = said(only("cancellation"))
        assert "25 January 2026 (S9), cancelled on 2 January 2026: 23 days before." in said_of
        free = said(only("session", reference="S1"))
        assert free == (
            "Held on 5 January 2026 (S1). Free: one of the sessions included in the contract year "
            "(1). € 0.00"
        )
        assert "(1) were used before it. € 875.00" in said(only("session", reference="S2"))
        assert "does not include sessions of this kind" in said(only("service"))

    def test_travel_cards_and_seats_cost_their_price(self) -> None:
        assert said(only("travel")).endswith("per kilometre. € 0.40 × 30 = € 12.00")
        assert said(only("topup")).startswith("A top-up card of")
        assert "A seat at the session of 30 January 2026 (OPEN). € 495.00" in said(only("seat"))

    def test_every_sum_leads_to_its_line(self) -> None:
        assert {line.kind for line in InvoiceLine.objects.all()} >= {"fee", "session", "topup"}
        for invoice in Invoice.objects.all():
            for entry in explained(invoice):
                reckoned, _, net = entry.sum.rpartition(" = ")
                assert cents(reckoned or net) == entry.line.net_cents, said(entry)

    def test_a_price_that_was_changed_since_is_no_reason(self) -> None:
        Offering.objects.update(price_cents=1_00)
        make.cancellation_rung(14, 75)

        for kind in ("session", "cancellation"):
            entry = only(kind, net_cents__gt=0)
            assert entry.sum == ""
            assert said(entry).endswith("The amount was fixed when the document was drafted.")
            assert "%" not in said(entry)

    def test_vat_says_which_lines_carry_the_cents_left_over(self) -> None:
        with override("en"):
            (invoice,) = Invoice.objects.filter(organisation__isnull=False)
            sentences = explain(invoice).vat
        assert sentences[0].startswith("21% VAT (standard rate) of")


class TestThePage:
    @pytest.mark.parametrize("role", ["planner", "controller", "auditor", "administrator"])
    def test_staff_open_it_from_the_document_and_it_reads_no_hours(self, role: str) -> None:
        client(billing_interval=3)
        (invoice,) = close_and_bill("2025-12")
        browser = Client()
        browser.force_login(make.user(role))
        address = f"/admin/subscriptions/invoice/{invoice.pk}/"

        assert f"{address}explain/" in browser.get(f"{address}change/").content.decode()
        with without_the_ledger():
            page = browser.get(f"{address}explain/").content.decode().replace("\xa0", " ")
        assert "€ 1,350.00 × 3 / 12 = € 337.50" in page
        assert "€ 587.50 + € 123.38 = € 710.88" in page

    def test_it_speaks_dutch(self) -> None:
        client()
        (invoice,) = close_and_bill("2025-12")
        browser = Client()
        browser.force_login(make.user("auditor", language="nl"))

        page = browser.get(f"/admin/subscriptions/invoice/{invoice.pk}/explain/").content.decode()
        assert "Zo is dit bedrag opgebouwd" in page
        assert "volgens de prijslijst van januari 2020" in page

    @pytest.mark.parametrize("key", ["00000000-0000-0000-0000-000000000000", "x"])
    def test_a_document_that_is_not_there_is_not_found(self, key: str) -> None:
        browser = Client()
        browser.force_login(make.user("auditor"))
        page = browser.get(f"/admin/subscriptions/invoice/{key}/explain/", follow=True)
        assert page.status_code == 404

    @pytest.mark.parametrize("role", ["contact", "advisor"])
    def test_others_do_not_get_in(self, role: str) -> None:
        client()
        (invoice,) = close_and_bill("2025-12")
        browser = Client()
        browser.force_login(make.user(role))
        page = browser.get(f"/admin/subscriptions/invoice/{invoice.pk}/explain/", follow=True)
        assert page.status_code == 404
