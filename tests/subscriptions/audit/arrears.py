"""Wrong rows of what was not paid in time."""

from __future__ import annotations

import datetime as dt

from django.db.models import F

from subscriptions.models import Invoice, StripeStep, WriteOff
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
