"""Wrong rows of closed months, statements, cards, contracts and assignments."""

from __future__ import annotations

from django.db.models import F

from advisors.models import ClosedMonth, MonthHours
from agency.models import Organisation
from subscriptions.models import (
    CardUse,
    IndexedContract,
    PriceBand,
    Publication,
    PurchaseOrder,
    Quote,
    Statement,
    Subscription,
    Terms,
    TopUpCard,
    YearPrice,
)
from tests import factories as make
from tests.agreed import M
from tests.clients import counsellor
from tests.subscriptions.audit.books import change_statement, plants, statement_of, subscription_of

# Takeovers


@plants("nothing_goes_on_after_a_takeover", alone=True)
def a_client_that_was_taken_over_has_a_contract() -> None:
    gone = Organisation.objects.get(code="YEARLY")
    make.takeover(gone, make.organisation("NEXT1"))


@plants("nothing_goes_on_after_a_takeover", alone=True)
def a_client_that_was_taken_over_has_a_session_to_come() -> None:
    gone = Organisation.objects.get(code="GONE")
    make.session(gone, "AFTER", starts_at=make.at("2030-01-05 10:00"), status="scheduled")


@plants("nothing_goes_on_after_a_takeover", alone=True)
def who_took_over_was_gone() -> None:
    make.takeover(Organisation.objects.get(code="HEAD"), make.organisation("NEXT2"), "2026-01")


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


@plants("statements_come_with_the_month_that_ends_them", alone=True)
def a_statement_came_a_month_late() -> None:
    february = statement_of("MONTH", from_month=M("2026-02"))
    late = Publication.objects.get(month=M("2026-03"))
    Statement.objects.filter(pk=february.pk).update(publication=late)


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


@plants("cards_pay_what_passes_the_allowance_and_no_more")
def a_card_paid_nothing_and_its_hours_were_charged() -> None:
    (use,) = CardUse.objects.all()
    Statement.objects.filter(pk=use.statement_id).update(
        overage_quarters=F("overage_quarters") + use.quarters
    )
    use.delete()


@plants("cards_pay_what_passes_the_allowance_and_no_more")
def a_younger_card_paid_first() -> None:
    (use,) = CardUse.objects.all()
    make.top_up_card(use.card.organisation, "2026-01", use.quarters)


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


@plants("frozen_prices_come_from_a_price_book_and_the_contract")
def a_year_was_frozen_at_a_price_of_nobody() -> None:
    YearPrice.objects.filter(subscription__organisation__code="YEARLY").update(annual_fee_cents=1)


@plants("indexed_prices_follow_from_their_run")
def a_price_was_raised_by_more_than_its_run() -> None:
    Terms.objects.filter(reason="indexation").update(own_annual_fee_cents=1_283_27)


@plants("indexed_prices_follow_from_their_run")
def a_price_was_raised_by_no_run() -> None:
    make.terms(subscription_of("MONTH"), "2027-01", reason="indexation")


@plants("indexed_prices_follow_from_their_run")
def a_price_was_raised_before_the_client_was_told() -> None:
    IndexedContract.objects.exclude(terms=None).update(sent_on=M("2028-01").first_day)


@plants("indexed_prices_follow_from_their_run")
def a_price_was_raised_with_another_choice() -> None:
    Terms.objects.filter(reason="indexation").update(overage="cap")


@plants("nobody_stands_both_beside_and_between")
def a_counsellor_is_mediator_at_the_same_client() -> None:
    organisation = Organisation.objects.get(code="MONTH")
    make.assignment(counsellor(organisation), organisation, "mediator", "2027-01")


# Quotes


@plants("what_was_signed_is_what_was_offered", alone=True)
def a_contract_was_signed_before_it_was_offered() -> None:
    Subscription.objects.filter(quote__isnull=False).update(signed_on="2026-03-31")


@plants("what_was_signed_is_what_was_offered", alone=True)
def another_choice_was_signed_than_was_offered() -> None:
    Quote.objects.exclude(contract=None).update(overage="cap")


@plants("what_was_signed_is_what_was_offered", alone=True)
def a_quote_promises_another_price() -> None:
    Quote.objects.exclude(contract=None).update(annual_fee_cents=1)


@plants("what_was_signed_is_what_was_offered", alone=True)
def a_quote_was_signed_for_another_client() -> None:
    other = Organisation.objects.get(code="OFFERED")
    Quote.objects.exclude(contract=None).update(organisation=other)


@plants("what_was_signed_is_what_was_offered")
def a_quote_was_billed() -> None:
    quote = Quote.objects.get(contract=None)
    make.billed_occurrence(quote.organisation, quote.pk, "2026-07")
