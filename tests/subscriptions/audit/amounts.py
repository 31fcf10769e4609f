"""Wrong amounts, and things that were billed wrongly."""

from __future__ import annotations

import datetime as dt

from django.db.models import F

from agency.models import Agency
from subscriptions.models import (
    BilledOccurrence,
    Invoice,
    InvoiceLine,
    OverageCredit,
    PriceBand,
    Terms,
    YearPrice,
)
from tests import factories as make
from tests.agreed import M
from tests.subscriptions.audit.books import change_line, line_of, plants
from workshops.models import Offering, Session

# Amounts


@plants("bands_of_a_tier_follow_on", alone=True)
def a_band_leaves_a_gap() -> None:
    PriceBand.objects.filter(tier="basic", max_headcount=10).update(max_headcount=9)


@plants("bands_of_a_tier_follow_on")
def a_band_overlaps_the_next() -> None:
    PriceBand.objects.filter(tier="basic", max_headcount=10).update(max_headcount=None)


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


@plants("travel_costs_its_kilometres", alone=True)
def the_rate_of_a_kilometre_changed_without_a_trace() -> None:
    Agency.objects.update(km_rate_cents=99)


@plants("the_first_sessions_due_are_the_free_ones", alone=True)
def a_session_was_free_after_one_that_was_charged() -> None:
    Session.objects.filter(reference="S0").update(starts_at=make.at("2026-01-31 10:00"))


@plants("the_first_sessions_due_are_the_free_ones")
def a_session_that_ought_to_be_free_was_charged() -> None:
    BilledOccurrence.objects.filter(lines=line_of("session")).update(free=False)


@plants("the_first_sessions_due_are_the_free_ones")
def a_session_was_free_that_no_subscription_includes() -> None:
    BilledOccurrence.objects.filter(lines__reference="S6", kind="session").update(free=True)


@plants("lines_cost_their_quantity_at_their_unit_price", alone=True)
def a_fee_says_another_price() -> None:
    change_line("fee", unit_cents=1)


@plants("lines_stand_for_the_months_of_what_they_bill", alone=True)
def set_up_is_charged_for_a_quarter() -> None:
    change_line("setup", until_month=M("2026-04"))


@plants("lines_stand_for_the_months_of_what_they_bill", alone=True)
def a_session_is_charged_for_two_months() -> None:
    change_line("session", until_month=M("2026-03"))


@plants("tier_changes_are_billed_where_the_tier_changes")
def a_change_of_tier_is_billed_that_never_was() -> None:
    Terms.objects.filter(reason="tier_change", tier="extended").delete()


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


@plants("credits_take_back_their_share_of_net_and_vat", alone=True)
def a_credit_takes_back_a_cent_of_vat_less() -> None:
    line = line_of("credit")
    change_line("credit", vat_cents=line.vat_cents + 1)
    Invoice.objects.filter(pk=line.invoice_id).update(
        vat_cents=F("vat_cents") + 1, total_cents=F("total_cents") + 1
    )


@plants("credits_mirror_what_they_credit", alone=True)
def a_credit_goes_to_another_buyer() -> None:
    Invoice.objects.filter(kind="credit").update(buyer_name="Somebody else")


@plants("credits_mirror_what_they_credit", alone=True)
def a_credit_is_for_other_months() -> None:
    change_line("credit", until_month=M("2026-04"))


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
