"""Wrong rows of what was not paid in time."""

from __future__ import annotations

import datetime as dt

from django.db.models import F

from subscriptions.models import Invoice, PlanPart, Receipt, StripeStep, WriteOff
from tests import factories as make
from tests.subscriptions.audit.books import plants


@plants("write_offs_are_of_what_was_left_split_as_the_lines_are", alone=True)
def vat_of_a_write_off_is_a_cent_too_much() -> None:
    WriteOff.objects.update(net_cents=F("net_cents") - 1, vat_cents=F("vat_cents") + 1)


@plants("write_offs_are_of_what_was_left_split_as_the_lines_are", alone=True)
def vat_of_a_write_off_is_claimed_back_too_late() -> None:
    WriteOff.objects.update(vat_on=dt.date(2027, 7, 1))


@plants("what_is_written_off_stripe_asks_for_no_more", alone=True)
def stripe_goes_on_asking_for_what_was_written_off() -> None:
    StripeStep.objects.filter(kind="write_off").delete()
    Invoice.objects.filter(state="uncollectible").update(state="open")


@plants("what_our_bank_has_all_of_asks_for_no_more", alone=True)
def stripe_was_not_told_of_the_last_part() -> None:
    invoice = Invoice.objects.filter(number__gt="DIS-0003", state="open", receipts=None)[0]
    make.receipt(invoice, invoice.total_cents)


@plants("what_our_bank_has_all_of_asks_for_no_more", alone=True)
def a_part_counts_as_all() -> None:
    Receipt.objects.filter(invoice__number="DIS-0001", kind="received").update(amount_cents=1)


@plants("what_was_set_off_was_taken_from_another_invoice_of_who_pays", alone=True)
def more_was_set_off_than_was_taken() -> None:
    Receipt.objects.filter(kind="set_off", amount_cents__gt=0).update(amount_cents=2)


@plants("parts_of_plans_add_up", alone=True)
def a_part_of_a_plan_is_a_cent_too_little() -> None:
    part = PlanPart.objects.all()[0]
    PlanPart.objects.filter(pk=part.pk).update(amount_cents=part.amount_cents - 1)
