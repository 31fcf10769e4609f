"""The audit finds every violation that is planted, and nothing in books that are in order."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries, DjangoDbBlocker

from advisors.models import ClosedMonth, MonthHours
from agency.models import Organisation
from subscriptions import billing, bodies
from subscriptions.audit import INVARIANTS, audit
from subscriptions.models import (
    BilledOccurrence,
    CardUse,
    Invoice,
    InvoiceLine,
    OverageCredit,
    PriceBand,
    Publication,
    PurchaseOrder,
    Statement,
    StripeStep,
    Subscription,
    TopUpCard,
    YearPrice,
)
from tests import factories as make
from tests.agreed import M
from tests.clients import bill, client, close_and_bill, counsellor, worked
from workshops.models import Offering, Session

pytestmark = pytest.mark.django_db

Plant = Callable[[], object]
PLANTS: list[tuple[str, Plant]] = []


def plants(invariant: str) -> Callable[[Plant], Plant]:
    """Mark a function that breaks an invariant in the books of `in_order`."""

    def keep(plant: Plant) -> Plant:
        PLANTS.append((invariant, plant))
        return plant

    return keep


@pytest.fixture(scope="module")
def in_order(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Books of four closed months in which every kind of thing has happened.

    They are made once; each test breaks them in a savepoint of its own.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        _quarterly_client()
        _monthly_client()
        _small_clients()
        _client_that_gets_overage_back()
        close_and_bill("2025-12", "2026-01")
        billing.approve(Invoice.objects.filter(organisation__code="BACK"))
        close_and_bill("2026-02", "2026-03")
        billing.approve(Invoice.objects.filter(organisation__code__in=["QUARTER", "MONTH"]))
        _send()
        _credit()
        yield
        transaction.set_rollback(True)


def _quarterly_client() -> None:
    quarter = client("QUARTER", billing_interval=3, hours={"2026-01": 29.25, "2026-03": 1})
    make.terms(quarter, "2026-03", "extended")
    make.terms(quarter, "2026-05", "basic")
    make.top_up_card(quarter.organisation, "2026-02", 8)
    make.purchase_order(quarter.organisation, "PO-1", "2026-01", "2026-04")
    make.purchase_order(quarter.organisation, "PO-2", "2026-04", "2026-07")
    make.subscription(make.organisation("NEXT"), "2030-01")
    make.headcount(Organisation.objects.get(code="NEXT"), 40)


def _monthly_client() -> None:
    month = client("MONTH", "2025-01", "extended", headcount=300, first_run=M("2025-12"))
    make.month_hours(counsellor(month.organisation), month.organisation, "2025-03", 9)
    worked(month.organisation, {"2026-01": 70, "2026-02": 2})
    workshop = make.offering("WS", included_eligible=True)
    exempt = make.offering("MC", vocational=True, price_cents=950_00)
    service = make.offering("SRV", kind="service", price_cents=75_00)
    for number, (offering, day) in enumerate(
        [
            *[(workshop, f"2026-01-0{day}") for day in range(1, 7)],
            (exempt, "2026-02-05"),
            (service, "2026-02-06"),
        ]
    ):
        starts_at = make.at(f"{day} 10:00")
        make.session(
            month.organisation,
            f"S{number}",
            offering=offering,
            starts_at=starts_at,
            status="held",
            on_site_km=30,
        )
    make.session(
        month.organisation,
        "S9",
        offering=exempt,
        starts_at=make.at("2026-03-25 10:00"),
        status="cancelled",
        cancelled_on=dt.date(2026, 3, 2),
        cancelled_by="client",
    )
    make.enrolment(make.session(None, "OPEN", offering=exempt, status="held"))
    mediator = make.advisor("MEDIATOR")
    make.assignment(mediator, month.organisation, "mediator")


def _small_clients() -> None:
    client("CAPPED", overage="cap", hours={"2026-02": 30})
    client("ALLIN", headcount=8, overage="all_in", hours={"2026-02": 30})
    client("BLOCKED", po_required=True)
    client("YEARLY", headcount=20, hours={"2026-02": 3})
    ended = client("ENDED", "2025-01", reported_until=M("2026-01"), until_month=M("2026-03"))
    make.subscription(ended.organisation, "2026-03", first_run=M("2026-02"))
    worked(ended.organisation, {"2026-04": 7})


def _client_that_gets_overage_back() -> None:
    back = client("BACK", headcount=300, hours={"2026-01": 20}, until_month=M("2026-03"))
    advisor = counsellor(back.organisation)
    make.hours_adjustment(advisor, back.organisation, "2026-02", -5 * 4)


def _send() -> None:
    approved = Invoice.objects.filter(state="approved").order_by("run_month", "pk")
    for number, invoice in enumerate(approved, start=1):
        day = (invoice.run_month + 1).first_day
        Invoice.objects.filter(pk=invoice.pk).update(
            state="open",
            number=f"DIS-{number:04}",
            stripe_id=f"in_{number}",
            invoice_on=day,
            due_on=day + dt.timedelta(days=30),
        )
        body = {"metadata": {"document": str(invoice.pk)}}
        make.stripe_step(
            invoice,
            body=body,
            body_hash=bodies.hash_of(body),
            state="done",
            answer_id=f"in_{number}",
        )


def _credit() -> None:
    line = line_of("session", net_cents__gt=0)
    make.invoice(
        line.invoice.organisation,
        "2026-03",
        kind="credit",
        credit_of=line.invoice,
        lines=[
            {
                "kind": "credit",
                "net_cents": -100_00,
                "unit_cents": -100_00,
                "vat_cents": -21_00,
                "credit_of": line,
            }
        ],
    )


@pytest.fixture
def unguarded() -> None:
    """Take the triggers away, as somebody with the database's password could."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')


def line_of(kind: str, **chosen: object) -> InvoiceLine:
    found = InvoiceLine.objects.filter(kind=kind, **chosen).order_by(
        "invoice__run_month", "invoice__blocked_reason", "invoice__organisation__code", "position"
    )
    line = found.select_related("invoice").first()
    assert line
    return line


def change_line(kind: str, **values: object) -> None:
    InvoiceLine.objects.filter(pk=line_of(kind).pk).update(**values)


def statement_of(code: str, **chosen: object) -> Statement:
    return Statement.objects.filter(organisation__code=code, **chosen).order_by("from_month")[0]


def change_statement(code: str, **values: object) -> None:
    Statement.objects.filter(pk=statement_of(code).pk).update(**values)


def subscription_of(code: str) -> Subscription:
    return Subscription.objects.filter(organisation__code=code).order_by("start_month")[0]


# Closed months, statements, cards


@plants("months_are_closed_in_order_without_gaps")
def a_closed_month_is_missing() -> None:
    ClosedMonth.objects.filter(month=M("2026-02")).delete()


@plants("each_closed_month_has_its_publication")
def a_month_was_closed_without_a_publication() -> None:
    make.closed_month("2026-04")


@plants("each_closed_month_has_its_publication")
def a_publication_was_made_for_an_open_month() -> None:
    make.publication("2026-04")


@plants("each_ended_period_has_its_statement")
def a_statement_is_missing() -> None:
    last = statement_of("MONTH", from_month=M("2026-03"))
    Statement.objects.filter(pk=last.pk).delete()


@plants("each_ended_period_has_its_statement")
def a_headcount_is_missing() -> None:
    organisation = Organisation.objects.get(code="NEXT")
    Subscription.objects.filter(organisation=organisation).update(
        start_month=M("2026-01"), reported_until=M("2026-01")
    )
    organisation.headcounts.all().delete()


@plants("periods_close_when_they_should")
def the_price_of_a_statement_is_missing() -> None:
    YearPrice.objects.all().delete()
    PriceBand.objects.filter(max_headcount=25).delete()
    PriceBand.objects.filter(max_headcount=100).delete()


@plants("periods_close_when_they_should")
def a_period_was_closed_in_the_middle() -> None:
    change_statement("QUARTER", until_month=M("2026-03"))


@plants("periods_close_when_they_should")
def a_period_was_left_out() -> None:
    Statement.objects.filter(pk=statement_of("MONTH", from_month=M("2026-02")).pk).delete()


@plants("periods_close_when_they_should")
def a_period_closed_later_than_it_should() -> None:
    Statement.objects.filter(pk=statement_of("MONTH", from_month=M("2026-03")).pk).delete()
    last = statement_of("MONTH", from_month=M("2026-02"))
    Statement.objects.filter(pk=last.pk).update(until_month=M("2026-04"))


@plants("periods_close_when_they_should")
def a_statement_reaches_beyond_the_contract() -> None:
    subscription = subscription_of("QUARTER")
    Subscription.objects.filter(pk=subscription.pk).update(until_month=M("2026-03"))


@plants("no_statement_is_published_too_early")
def a_statement_is_in_the_batch_of_an_earlier_month() -> None:
    change_statement("QUARTER", publication=Publication.objects.get(month=M("2026-01")))


@plants("no_statement_is_published_too_early")
def a_statement_of_no_batch_ended_after_the_first_run() -> None:
    change_statement("QUARTER", publication=None)


@plants("versions_count_up_from_1")
def a_version_is_missing() -> None:
    change_statement("QUARTER", version=2)


@plants("statements_show_what_people_and_months_allow")
def a_figure_is_shown_of_eight_people() -> None:
    change_statement("CAPPED", display="band", used_quarters=None)


@plants("statements_show_what_people_and_months_allow")
def the_headcount_was_lowered_afterwards() -> None:
    row = Organisation.objects.get(code="MONTH").headcounts.get()
    row.headcount = 5
    row.save()


@plants("statements_follow_from_hours_contract_and_earlier_statements")
def a_statement_shows_another_use() -> None:
    change_statement("QUARTER", used_quarters=10)


@plants("statements_follow_from_hours_contract_and_earlier_statements")
def a_statement_shows_another_allowance() -> None:
    change_statement("CAPPED", allowance_quarters=400)


@plants("statements_follow_from_hours_contract_and_earlier_statements")
def a_statement_charges_another_overage() -> None:
    change_statement("MONTH", overage_quarters=2)


@plants("statements_follow_from_hours_contract_and_earlier_statements")
def hours_were_added_to_a_published_period() -> None:
    organisation = Organisation.objects.get(code="QUARTER")
    make.month_hours(make.advisor("LATE"), organisation, "2026-02", 8)


@plants("capped_statements_say_so")
def a_capped_statement_does_not_say_so() -> None:
    change_statement("CAPPED", capped=False)


@plants("cards_pay_what_passes_the_allowance_and_no_more")
def a_card_paid_for_hours_that_were_included() -> None:
    card = make.top_up_card(Organisation.objects.get(code="CAPPED"), "2026-01", 400)
    make.card_use(statement_of("CAPPED"), card, 400)


@plants("cards_are_never_overdrawn")
def a_card_paid_more_hours_than_it_had() -> None:
    CardUse.objects.update(quarters=9)


@plants("cards_pay_for_their_own_client_in_their_own_months")
def a_card_paid_for_another_client() -> None:
    TopUpCard.objects.update(organisation=Organisation.objects.get(code="MONTH"))


@plants("cards_pay_for_their_own_client_in_their_own_months")
def a_card_paid_after_it_had_expired() -> None:
    TopUpCard.objects.update(bought_month=M("2025-01"), expires_month=M("2026-01"))


@plants("posted_hours_are_of_closed_months_or_history")
def hours_were_posted_of_an_open_month() -> None:
    organisation = Organisation.objects.get(code="QUARTER")
    make.month_hours(counsellor(organisation), organisation, "2026-04", 4)


@plants("posted_hours_are_of_closed_months_or_history")
def hours_were_posted_outside_the_contract() -> None:
    rows = MonthHours.objects.filter(organisation__code="QUARTER", month=M("2026-01"))
    rows.update(month=M("2025-12"))


@plants("no_draft_of_a_closed_month_is_left_behind")
def a_draft_is_left_in_a_closed_month() -> None:
    organisation = Organisation.objects.get(code="QUARTER")
    make.draft_hours(counsellor(organisation), organisation, "2026-02", 4)


# Contracts, purchase orders, assignments


@plants("contracts_of_a_client_never_overlap")
def two_contracts_overlap() -> None:
    Subscription.objects.filter(organisation__code="ENDED", until_month=None).update(
        start_month=M("2026-02"), reported_until=M("2026-02")
    )


@plants("purchase_orders_of_a_client_do_not_overlap")
def two_purchase_orders_overlap() -> None:
    PurchaseOrder.objects.filter(number="PO-1").update(until_month=None)


@plants("nobody_stands_both_beside_and_between")
def a_counsellor_is_mediator_at_the_same_client() -> None:
    organisation = Organisation.objects.get(code="MONTH")
    make.assignment(counsellor(organisation), organisation, "mediator", "2027-01")


# Documents


@plants("documents_add_up")
def a_document_says_another_total() -> None:
    Invoice.objects.filter(pk=line_of("fee").invoice_id).update(
        net_cents=F("net_cents") + 1, total_cents=F("total_cents") + 1
    )


@plants("documents_add_up")
def a_line_was_added_to_a_document_that_was_sent() -> None:
    make.invoice_line(line_of("fee").invoice, 99)


@plants("vat_is_worked_out_once_per_category_and_rate")
def a_lines_vat_is_a_cent_off() -> None:
    line = line_of("fee")
    change_line("fee", vat_cents=line.vat_cents + 1)


@plants("vat_rates_are_those_valid_in_the_run")
def a_line_has_an_old_rate() -> None:
    change_line("fee", vat_rate_basis_points=1900)


@plants("vat_categories_fit_the_buyer_and_the_kind_of_line")
def a_fee_is_exempt() -> None:
    change_line("fee", vat_category="E", vat_rate_basis_points=0, vat_cents=0)


@plants("vat_categories_fit_the_buyer_and_the_kind_of_line")
def a_dutch_buyer_has_the_charge_reversed() -> None:
    change_line("session", vat_category="AE")


@plants("vat_categories_fit_the_buyer_and_the_kind_of_line")
def a_buyer_outside_the_union_pays_dutch_vat() -> None:
    Invoice.objects.filter(pk=line_of("fee").invoice_id).update(buyer_country="CH")


@plants("each_line_bills_one_occurrence_of_its_own")
def a_line_bills_no_occurrence() -> None:
    change_line("fee", occurrence=None)


@plants("each_line_bills_one_occurrence_of_its_own")
def a_line_bills_the_occurrence_of_something_else() -> None:
    change_line("fee", occurrence=line_of("overage").occurrence)


@plants("each_occurrence_is_on_one_live_line")
def an_occurrence_is_billed_on_no_document() -> None:
    make.billed_occurrence(Organisation.objects.get(code="NEXT"), uuid4(), "2026-03", kind="seat")


@plants("each_occurrence_is_on_one_live_line")
def an_occurrence_is_billed_on_two_lines() -> None:
    line = line_of("fee")
    make.invoice_line(line.invoice, 99, occurrence=line.occurrence)


@plants("each_occurrence_is_on_one_live_line")
def a_document_that_was_sent_holds_what_it_bills() -> None:
    BilledOccurrence.objects.filter(lines=line_of("fee")).update(state="held")


@plants("each_occurrence_is_on_one_live_line")
def a_settled_occurrence_is_on_a_document() -> None:
    BilledOccurrence.objects.filter(lines=line_of("fee")).update(state="settled")


@plants("each_occurrence_is_on_one_live_line")
def a_document_was_made_void_and_its_lines_count_as_billed() -> None:
    Invoice.objects.filter(pk=line_of("overage").invoice_id).update(state="void")


@plants("no_month_of_a_contract_is_paid_twice")
def two_fees_overlap() -> None:
    first = line_of("fee", invoice__organisation__code="QUARTER")
    InvoiceLine.objects.filter(pk=first.pk).update(until_month=M("2026-05"))


@plants("every_month_due_is_paid_for")
def a_fee_leaves_out_a_month() -> None:
    first = line_of("fee", invoice__organisation__code="QUARTER")
    InvoiceLine.objects.filter(pk=first.pk).update(until_month=M("2026-03"))


@plants("every_month_due_is_paid_for")
def a_fee_was_voided_and_not_billed_anew() -> None:
    fee = line_of("fee", invoice__organisation__code="QUARTER")
    Invoice.objects.filter(pk=fee.invoice_id).update(state="void")
    BilledOccurrence.objects.filter(lines__invoice=fee.invoice_id).update(state="credited")


@plants("nothing_due_is_left_unbilled")
def something_fell_due_and_was_not_billed() -> None:
    organisation = Organisation.objects.get(code="QUARTER")
    make.session(organisation, "LATE", starts_at=make.at("2026-02-03 10:00"), status="held")


@plants("nothing_due_is_left_unbilled")
def a_client_has_no_price() -> None:
    broken = client("NOPRICE", "2019-01", first_run=M("2018-12"))
    assert broken.start_month < M("2020-01")


@plants("blocked_documents_have_their_reason")
def the_order_has_come_in() -> None:
    make.purchase_order(Organisation.objects.get(code="BLOCKED"), "PO-9")


@plants("credits_never_exceed_what_they_credit")
def more_is_credited_than_was_billed() -> None:
    InvoiceLine.objects.filter(kind="credit").update(net_cents=-9_000_00)


@plants("credits_never_exceed_what_they_credit")
def a_credit_charges() -> None:
    InvoiceLine.objects.filter(kind="credit").update(vat_cents=21_00)


# Amounts


@plants("fees_follow_from_frozen_prices")
def a_fee_is_another() -> None:
    change_line("fee", net_cents=1)


@plants("fees_follow_from_frozen_prices")
def the_frozen_price_of_a_fee_is_gone() -> None:
    YearPrice.objects.filter(subscription__organisation__code="QUARTER").delete()


@plants("setup_fees_follow_from_frozen_prices")
def a_setup_fee_is_another() -> None:
    change_line("setup", net_cents=1)


@plants("tier_changes_cost_the_difference_of_frozen_prices")
def a_tier_change_is_another() -> None:
    change_line("tier_change", net_cents=1)


@plants("tier_changes_cost_the_difference_of_frozen_prices")
def an_upgrade_gives_money_back() -> None:
    change_line("tier_change", net_cents=-line_of("tier_change").net_cents)


@plants("overage_follows_from_its_statement")
def overage_is_charged_for_other_hours() -> None:
    change_line("overage", quantity_hundredths=50)


@plants("overage_follows_from_its_statement")
def overage_is_charged_at_another_rate() -> None:
    change_line("overage", unit_cents=1)


@plants("overage_follows_from_its_statement")
def overage_is_charged_for_a_period_without_a_statement() -> None:
    change_line("overage", until_month=M("2027-01"))


@plants("sessions_and_cancellations_cost_their_price")
def a_session_costs_another_price() -> None:
    change_line("session", net_cents=1)


@plants("sessions_and_cancellations_cost_their_price")
def the_price_of_an_offering_changed_without_a_trace() -> None:
    Offering.objects.filter(code="WS").update(price_cents=1)


@plants("sessions_and_cancellations_cost_their_price")
def a_cancellation_costs_too_much() -> None:
    change_line("cancellation", net_cents=950_00, unit_cents=950_00)


@plants("sessions_were_held_or_cancelled_by_the_client")
def a_session_that_was_billed_was_not_held() -> None:
    Session.objects.filter(reference="S7").update(status="scheduled")


@plants("sessions_were_held_or_cancelled_by_the_client")
def a_cancellation_by_the_agency_was_billed() -> None:
    Session.objects.filter(reference="S9").update(cancelled_by="agency")


@plants("travel_costs_its_kilometres")
def travel_is_billed_for_more_kilometres() -> None:
    change_line("travel", quantity_hundredths=99_00, net_cents=99 * 40)


@plants("cards_cost_their_price")
def a_card_costs_another_price() -> None:
    change_line("topup", net_cents=1)


@plants("cards_cost_their_price")
def a_card_is_billed_for_other_months() -> None:
    change_line("topup", until_month=M("2028-01"))


@plants("overage_is_credited_as_far_as_a_negative_rest_undoes_it")
def a_statement_credits_more_than_the_rest() -> None:
    OverageCredit.objects.update(quarters=24)


@plants("overage_is_credited_as_far_as_a_negative_rest_undoes_it")
def a_statement_credits_nothing_of_the_rest() -> None:
    InvoiceLine.objects.filter(occurrence__kind="credit").delete()
    BilledOccurrence.objects.filter(kind="credit").delete()
    OverageCredit.objects.all().delete()


@plants("credits_of_overage_stay_within_what_their_statement_found")
def more_hours_are_credited_than_the_statement_found() -> None:
    change_line("credit", quantity_hundredths=550)


@plants("credits_of_overage_stay_within_what_their_statement_found")
def a_fee_is_credited_as_overage() -> None:
    change_line("credit", credit_of=line_of("fee"))


@plants("credits_of_overage_are_given_in_full")
def a_credit_gives_half_an_hour_less() -> None:
    line = line_of("credit")
    change_line("credit", quantity_hundredths=line.quantity_hundredths - 50)


@plants("credits_of_overage_are_given_in_full")
def a_credit_was_voided_and_is_not_given_anew() -> None:
    Invoice.objects.filter(pk=line_of("credit").invoice_id).update(state="void")


@plants("nothing_due_is_left_unbilled")
def a_credit_was_not_billed() -> None:
    lines = InvoiceLine.objects.filter(occurrence__kind="credit")
    documents = list(lines.values_list("invoice", flat=True))
    lines.delete()
    Invoice.objects.filter(pk__in=documents).delete()
    BilledOccurrence.objects.filter(kind="credit").delete()


@plants("seats_cost_their_price_at_a_session_held")
def a_seat_costs_another_price() -> None:
    change_line("seat", net_cents=1)


@plants("seats_cost_their_price_at_a_session_held")
def a_seat_is_billed_of_a_session_that_was_called_off() -> None:
    Session.objects.filter(reference="OPEN").update(
        status="cancelled", cancelled_on=dt.date(2026, 3, 1), cancelled_by="agency"
    )


@plants("nothing_due_is_left_unbilled")
def a_seat_was_not_billed() -> None:
    make.enrolment(Session.objects.get(reference="OPEN"), email="late@buyer.example")


@plants("nothing_is_billed_before_it_is_due")
def a_fee_is_billed_a_month_too_early() -> None:
    line = line_of("fee", from_month=M("2026-04"))
    BilledOccurrence.objects.filter(lines=line).update(run_month=M("2026-02"))


@plants("nothing_is_billed_before_it_is_due")
def overage_is_billed_before_its_period_ends() -> None:
    line = line_of("overage", invoice__organisation__code="QUARTER")
    BilledOccurrence.objects.filter(lines=line).update(run_month=M("2026-02"))


@plants("nothing_is_billed_before_it_is_due")
def a_session_is_billed_before_it_was_held() -> None:
    Session.objects.filter(reference="S7").update(starts_at=make.at("2026-06-01 10:00"))


@plants("no_more_sessions_are_free_than_included")
def one_session_more_is_free() -> None:
    paid = line_of("session", net_cents__gt=0)
    BilledOccurrence.objects.filter(lines=paid).update(free=True)


# Stripe


@plants("sent_documents_have_an_id_a_number_and_dates")
def a_document_that_was_sent_has_no_id() -> None:
    Invoice.objects.filter(number="DIS-0002").update(stripe_id="")


@plants("sent_documents_have_an_id_a_number_and_dates")
def a_document_that_was_sent_has_no_due_date() -> None:
    Invoice.objects.filter(number="DIS-0002").update(due_on=None)


@plants("documents_that_were_not_sent_have_none")
def a_draft_has_a_number() -> None:
    Invoice.objects.filter(state="blocked").update(number="OTHER-1")


@plants("numbers_of_a_series_run_once_and_without_gaps")
def a_number_is_missing() -> None:
    Invoice.objects.filter(number="DIS-0002").update(number="DIS-9999")


@plants("numbers_of_a_series_run_once_and_without_gaps")
def a_number_was_given_twice() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_invoice_per_number")
    Invoice.objects.filter(number="DIS-0002").update(number="DIS-0003")


@plants("bodies_of_calls_are_what_was_hashed")
def a_body_was_changed_after_the_call() -> None:
    StripeStep.objects.update(body={"metadata": {}})


@plants("calls_that_were_made_have_an_answer")
def a_call_was_made_without_an_answer() -> None:
    StripeStep.objects.update(answer_id="")


@pytest.mark.parametrize(
    ("invariant", "plant"), [pytest.param(*both, id=both[1].__name__) for both in PLANTS]
)
@pytest.mark.usefixtures("in_order", "unguarded")
def test_every_planted_violation_is_found(invariant: str, plant: Plant) -> None:
    plant()
    assert invariant in {violation.invariant for violation in audit().violations}


def test_no_invariant_is_without_its_planted_violation() -> None:
    assert {invariant for invariant, _ in PLANTS} == {check.__name__ for check in INVARIANTS}


@pytest.mark.usefixtures("in_order")
class TestInOrder:
    def test_books_in_order_have_no_violation_and_every_invariant_has_something_to_look_at(
        self,
    ) -> None:
        found = audit()
        assert found.violations == []
        assert [name for name, count in found.checked_by_invariant.items() if not count] == []

    def test_a_price_that_was_changed_on_record_is_no_violation(self) -> None:
        offering = Offering.objects.get(code="WS")
        Offering.objects.filter(pk=offering.pk).update(price_cents=1_000_00)
        make.audit_event(offering, fields="price")
        assert audit().violations == []

    def test_a_document_drafted_ahead_asks_for_nothing_more(self) -> None:
        new = client("NEW", "2026-06")
        billing.draft_run(M("2026-05"), [new.organisation.pk], ahead=True)
        assert audit().violations == []

    def test_what_was_recorded_since_the_run_is_billed_by_making_it_again(self) -> None:
        something_fell_due_and_was_not_billed()
        assert [v.invariant for v in audit().violations] == ["nothing_due_is_left_unbilled"]
        bill("2026-03")
        assert audit().violations == []

    def test_work_of_open_months_is_nobodys_business_yet(self) -> None:
        worked(Organisation.objects.get(code="QUARTER"), {"2026-04": 30, "2026-05": 8})
        assert audit().violations == []

    def test_nothing_is_repaired(self) -> None:
        Offering.objects.filter(code="WS").update(price_cents=1)
        assert audit().violations == audit().violations != []

    def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(37):
            audit()
        for number in range(3):
            client(f"MORE{number}", "2026-04", headcount=300, hours={"2026-04": 20})
        close_and_bill("2026-04")
        with django_assert_num_queries(37):
            assert audit().violations == []


@pytest.mark.usefixtures("in_order", "unguarded")
def test_figures_that_are_not_published_are_not_printed() -> None:
    organisation = Organisation.objects.get(code="MONTH")
    make.month_hours(make.advisor("LATE"), organisation, "2026-03", 311)  # 77.75 hours
    assert "78 of 60" in run("audit", status=1)[0]  # a published statement may be compared

    Statement.objects.filter(pk=statement_of("MONTH", from_month=M("2026-03")).pk).delete()

    printed = run("audit", status=1)[0] + run("audit", "--json", status=1)[0]
    assert "MONTH 2026-03/: expected still open, found 2026-03/2026-04 closed without" in printed
    assert "77" not in printed
    assert "78" not in printed


def run(*command: str, status: int) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    ended = 0
    with override("en"):
        try:
            call_command(*command, stdout=out, stderr=err)
        except SystemExit as bad_news:
            ended = int(bad_news.code or 0)
    assert ended == status
    return out.getvalue(), err.getvalue()


class TestCommand:
    @pytest.mark.usefixtures("in_order")
    def test_books_in_order_end_with_status_0(self) -> None:
        out, said = run("audit", "--json", status=0)
        found = json.loads(out)
        assert found == {"checked": audit().checked, "violations": []}
        assert f"{found['checked']} checks, 0 violations" in said
        assert run("audit", status=0)[0] == ""

    @pytest.mark.usefixtures("in_order", "unguarded")
    def test_violations_are_named_and_end_with_status_1(self) -> None:
        change_line("cancellation", net_cents=950_00, unit_cents=950_00)
        out, _ = run("audit", "--json", status=1)
        found = {violation["invariant"]: violation for violation in json.loads(out)["violations"]}
        assert found["sessions_and_cancellations_cost_their_price"] == {
            "invariant": "sessions_and_cancellations_cost_their_price",
            "subject": line_name("cancellation"),
            "expected": [100, 475_00, 475_00],
            "found": [100, 950_00, 950_00],
        }
        words, _ = run("audit", status=1)
        assert f"sessions and cancellations cost their price: {line_name('cancellation')}" in words


def line_name(kind: str) -> str:
    line = line_of(kind)
    return f"MONTH {line.invoice.number} line {line.position}"
