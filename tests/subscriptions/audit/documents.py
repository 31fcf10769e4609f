"""Wrong rows of documents and of what went to Stripe."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

from django.db import connection
from django.db.models import F

from agency.models import Organisation
from subscriptions import bodies
from subscriptions.models import (
    BilledOccurrence,
    Contest,
    DebitNotice,
    Invoice,
    InvoiceLine,
    Mandate,
    Reminder,
    StripeStep,
    Subscription,
)
from tests import factories as make
from tests.agreed import M
from tests.clients import bill, client
from tests.subscriptions.audit.books import change_line, change_statement, line_of, plants
from workshops.models import Offering

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


@plants("vat_returns_equal_the_documents_of_their_month")
def a_document_that_was_sent_says_more_than_its_lines() -> None:
    Invoice.objects.filter(number="DIS-0001").update(
        vat_cents=F("vat_cents") + 1, total_cents=F("total_cents") + 1
    )


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


@plants("vat_categories_fit_the_buyer_and_the_kind_of_line", alone=True)
def education_that_is_exempt_was_not_vocational() -> None:
    Offering.objects.filter(code="MC").update(vocational=False)


@plants("documents_bear_the_name_of_their_day", alone=True)
def a_document_bears_the_name_of_before() -> None:
    make.legal_name(Invoice.objects.filter(state="open")[0].payer, legal_name="Renamed B.V.")  # type: ignore[arg-type]


@plants("documents_go_to_who_pays", alone=True)
def a_document_went_past_who_pays() -> None:
    drafted = Invoice.objects.filter(state="draft", kind="invoice").exclude(organisation=None)
    make.payer(drafted[0].organisation, make.organisation("PAYER"))  # type: ignore[arg-type]


@plants("nobody_pays_for_who_pays", alone=True)
def who_pays_is_paid_for() -> None:
    first, second, third = (make.organisation(code) for code in ("P1", "P2", "P3"))
    make.payer(first, second)
    make.payer(second, third)


@plants("documents_ask_for_something")
def a_document_asks_for_nothing() -> None:
    InvoiceLine.objects.filter(invoice=line_of("fee").invoice_id).update(net_cents=0)


@plants("lines_stand_in_their_order", alone=True)
def set_up_comes_before_the_fee() -> None:
    fee = line_of("fee", invoice__organisation__code="YEARLY")
    InvoiceLine.objects.filter(pk=fee.pk).update(position=9)


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


@plants("what_staff_credited_in_full_is_open_to_be_billed_anew")
def a_document_holds_and_what_it_bills_counts_as_credited() -> None:
    BilledOccurrence.objects.filter(lines=line_of("fee")).update(state="credited")


@plants("revisions_follow_on_credited_ones", alone=True)
def a_fee_was_billed_anew_and_never_before() -> None:
    BilledOccurrence.objects.filter(lines=line_of("fee")).update(revision=2)


@plants("revisions_follow_on_credited_ones")
def a_session_was_billed_anew_and_its_first_line_holds() -> None:
    line = line_of("service")
    first = line.occurrence
    assert first
    again = make.billed_occurrence(
        line.invoice.organisation, first.subject_id, first.from_month, kind="service", revision=2
    )
    make.invoice_line(line.invoice, 99, kind="service", occurrence=again)


@plants("what_was_settled_costs_nothing", alone=True)
def a_year_was_settled_without_a_document() -> None:
    document = line_of("fee", invoice__organisation__code="YEARLY").invoice
    occurrences = list(document.lines.values_list("occurrence", flat=True))
    document.delete()
    BilledOccurrence.objects.filter(pk__in=occurrences).update(state="settled")


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


@plants("no_month_of_a_pause_is_paid_for")
def a_year_that_was_paid_is_paused() -> None:
    row = Subscription.objects.get(organisation__code="YEARLY")
    make.pause(row, "2026-07", "2026-10")


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


# Parties, terms, what is blocked


@plants("what_is_stated_is_the_clients_own", alone=True)
def a_statement_is_shown_to_another_client() -> None:
    change_statement("ENDED", organisation=Organisation.objects.get(code="NEXT"))


@plants("what_is_billed_is_the_clients_own", alone=True)
def what_was_billed_counts_as_another_clients() -> None:
    other = Organisation.objects.get(code="NEXT")
    BilledOccurrence.objects.filter(lines=line_of("setup")).update(organisation=other)


@plants("what_is_billed_is_the_clients_own")
def set_up_of_no_contract_is_billed() -> None:
    BilledOccurrence.objects.filter(lines=line_of("setup")).update(subject_id=uuid4())


@plants("what_is_billed_is_the_clients_own")
def a_document_is_shown_to_another_client() -> None:
    other = Organisation.objects.get(code="NEXT")
    Invoice.objects.filter(pk=line_of("fee").invoice_id).update(organisation=other)


@plants("documents_name_buyer_and_seller", alone=True)
def a_document_names_another_account_to_pay_to() -> None:
    Invoice.objects.filter(pk=line_of("fee").invoice_id).update(seller_iban="NL02ABNA0123456789")


@plants("documents_name_buyer_and_seller", alone=True)
def a_document_names_another_buyer() -> None:
    Invoice.objects.filter(pk=line_of("fee").invoice_id).update(buyer_name="Somebody else")


@plants("documents_keep_the_terms_of_their_contract", alone=True)
def a_client_is_given_other_payment_days() -> None:
    document = line_of("fee", invoice__organisation__code="YEARLY").invoice
    Invoice.objects.filter(pk=document.pk).update(due_days=60)


@plants("documents_keep_the_terms_of_their_contract", alone=True)
def the_way_of_payment_changed_without_a_trace() -> None:
    Subscription.objects.filter(organisation__code="YEARLY").update(collection="sepa")


@plants("documents_fall_due_after_their_payment_days", alone=True)
def a_document_falls_due_a_day_late() -> None:
    sent = Invoice.objects.filter(number="DIS-0002")
    sent.update(invoice_on=dt.date(2026, 4, 1), due_on=dt.date(2026, 5, 2))


@plants("documents_take_the_purchase_order_of_their_lines", alone=True)
def a_document_names_an_order_that_nobody_gave() -> None:
    document = line_of("fee", invoice__organisation__code="YEARLY").invoice
    Invoice.objects.filter(pk=document.pk).update(po_number="PO-9")


@plants("documents_take_the_purchase_order_of_their_lines", alone=True)
def a_document_names_no_order_where_one_was_valid() -> None:
    make.purchase_order(Organisation.objects.get(code="HEAD"), "PO-9")


@plants("what_falls_due_together_is_on_one_document", alone=True)
def set_up_is_on_a_document_of_its_own() -> None:
    setup = line_of("setup", invoice__organisation__code="YEARLY")
    document = Invoice.objects.get(pk=setup.invoice_id)
    sums = {name: getattr(setup, name) for name in ("net_cents", "vat_cents")}
    sums["total_cents"] = sum(sums.values())
    Invoice.objects.filter(pk=document.pk).update(
        **{name: F(name) - cents for name, cents in sums.items()}
    )
    document.pk, document._state.adding = uuid4(), True
    for name, cents in sums.items():
        setattr(document, name, cents)
    document.save()
    InvoiceLine.objects.filter(pk=setup.pk).update(invoice=document, position=1)


def unblock() -> None:
    blocked = Invoice.objects.filter(state="blocked")
    BilledOccurrence.objects.filter(lines__invoice__in=blocked).update(state="billed")
    blocked.update(state="draft", blocked_reason="")


@plants("vat_ids_that_vies_refused_are_not_checked", alone=True)
def a_vat_id_that_vies_refused_stays_checked() -> None:
    make.vat_consultation(Organisation.objects.get(code="NEXT"), "invalid", number=2)


@plants("documents_on_their_way_have_no_reason_to_be_blocked", alone=True)
def a_document_without_an_order_may_be_sent() -> None:
    unblock()


@plants("documents_on_their_way_have_no_reason_to_be_blocked")
def a_document_may_be_sent_before_the_vat_id_was_checked() -> None:
    client("ABROAD", "2026-04", organisation={"country": "BE", "vat_id": "BE0123456749"})
    assert [row.blocked_reason for row in bill("2026-03")] == ["vat_id_pending"]
    unblock()


@plants("documents_on_their_way_have_no_reason_to_be_blocked", alone=True)
def a_document_without_an_address_may_be_sent() -> None:
    client("NOWHERE", "2026-04", organisation={"city": ""})
    assert [row.blocked_reason for row in bill("2026-03")] == ["incomplete"]
    Subscription.objects.filter(organisation__code="BLOCKED").update(po_required=False)
    unblock()


@plants("documents_on_their_way_have_no_reason_to_be_blocked", alone=True)
def a_document_beyond_the_bounds_may_be_sent() -> None:
    passes_a_bound()
    Subscription.objects.filter(organisation__code="BLOCKED").update(po_required=False)
    unblock()


def passes_a_bound() -> Invoice:
    year = make.offering("YEAR", price_cents=300_000_00)
    organisation = Organisation.objects.get(code="YEARLY")
    make.session(
        organisation, "Y", offering=year, starts_at=make.at("2026-03-02 10:00"), status="held"
    )
    (blocked,) = bill("2026-03")
    assert blocked.blocked_reason == "bound"
    return blocked


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


@plants("answers_of_calls_name_what_was_sent", alone=True)
def a_call_was_answered_with_another_document() -> None:
    StripeStep.objects.filter(invoice__number="DIS-0002").update(answer_id="in_9")


@plants("only_what_was_approved_is_on_its_way", alone=True)
def a_call_was_made_for_a_draft() -> None:
    draft = line_of("fee", invoice__organisation__code="YEARLY").invoice
    make.stripe_step(draft, body={}, body_hash=bodies.hash_of({}))


@plants("paid_documents_say_when", alone=True)
def a_document_was_paid_on_no_day() -> None:
    Invoice.objects.filter(number="DIS-0002").update(state="paid")


@plants("what_the_bank_received_is_paid_from_that_day_and_told_to_stripe", alone=True)
def a_payment_at_the_bank_was_not_told_to_stripe() -> None:
    sent = Invoice.objects.get(number="DIS-0002")
    make.receipt(sent, sent.total_cents)
    Invoice.objects.filter(pk=sent.pk).update(received_on=sent.invoice_on)


@plants("contested_documents_are_not_gone_on_with", alone=True)
def a_contested_debit_goes_on() -> None:
    contested = Contest.objects.get(ended_on=None).invoice
    body = dict(bodies.advancing(goes_on=True))
    told = {"body": body, "body_hash": bodies.hash_of(body), "answer_id": contested.stripe_id}
    make.stripe_step(contested, "finalize", state="done", **told)


@plants("contests_that_ended_by_a_credit_have_one", alone=True)
def a_contest_ended_by_no_credit() -> None:
    running = Contest.objects.filter(ended_on=None)
    running.update(ended_on=F("noted_on"), outcome="credited")


@plants("what_we_reminded_of_stripe_left_be", alone=True)
def a_reminder_went_beside_those_of_stripe() -> None:
    invoice = Reminder.objects.get(step="first").invoice
    body = dict(bodies.advancing(goes_on=True))
    told = {"body": body, "body_hash": bodies.hash_of(body), "answer_id": invoice.stripe_id}
    at = make.at(f"{invoice.due_on} 09:00")
    make.stripe_step(invoice, "advance", state="done", attempted_at=at, **told)


@plants("reminders_come_in_their_order_and_leave_time", alone=True)
def a_reminder_was_left_out() -> None:
    Reminder.objects.filter(step="second").delete()


@plants("reminders_come_in_their_order_and_leave_time", alone=True)
def a_final_demand_left_a_week() -> None:
    Reminder.objects.filter(step="final").update(pay_by_on=F("sent_on") + dt.timedelta(days=7))


@plants("debits_were_announced_by_one_side_in_time", alone=True)
def a_debit_was_announced_after_stripe_had_begun() -> None:
    [notice] = DebitNotice.objects.all()
    body = dict(bodies.advancing(goes_on=True))
    told = {"body": body, "body_hash": bodies.hash_of(body), "answer_id": notice.invoice.stripe_id}
    at = make.at(f"{notice.invoice.invoice_on} 10:00")
    make.stripe_step(notice.invoice, "advance", state="done", attempted_at=at, **told)


@plants("debits_were_announced_by_one_side_in_time", alone=True)
def a_debit_went_on_when_its_mandate_was_withdrawn() -> None:
    [notice] = DebitNotice.objects.all()
    body = dict(bodies.advancing(goes_on=True))
    told = {"body": body, "body_hash": bodies.hash_of(body), "answer_id": notice.invoice.stripe_id}
    at = make.at(f"{notice.debit_on} 10:00")
    make.stripe_step(notice.invoice, "advance", state="done", attempted_at=at, **told)
    Mandate.objects.update(withdrawn_on=notice.debit_on)


@plants("debits_were_announced_by_one_side_in_time", alone=True)
def a_debit_was_announced_by_a_mandate_that_was_gone() -> None:
    Mandate.objects.update(withdrawn_on=F("signed_on"))
