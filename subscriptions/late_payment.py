"""What paying late costs by law: statutory interest between businesses, and collection cost.

Interest runs from the day after the last day of payment to the day of payment, both included (art.
6:119a BW), at rates that are published twice a year, over 365 days or in a leap year 366. After
each year what is owed of it bears interest itself. Collection cost follows the scale of the Besluit
vergoeding voor buitengerechtelijke incassokosten. Both are damages: no VAT is charged on them.
Fractions inside, one rounding each; only `of_invoice` reads the database.
"""

from __future__ import annotations

import datetime as dt
from calendar import isleap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from agency.money import round_half_away
from agency.templatetags.figures import day
from subscriptions import payments
from subscriptions.models import InterestRate, Invoice, InvoiceState

# Of each next part of the claim in cents, so many hundredths of a per cent; then of all the rest.
SCALE = ((2_500_00, 1500), (2_500_00, 1000), (5_000_00, 500), (190_000_00, 100))
REST_BASIS_POINTS = 50
LEAST_COST_CENTS, MOST_COST_CENTS = 40_00, 6_775_00
PER_WHOLE = 10_000  # basis points

Dated = tuple[dt.date, int]  # a day, and what holds from it on: basis points, or cents paid on it


class LatePaymentError(ValidationError):
    """Nothing can be worked out; its message is the sentence to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Days over which claim and rate are the same; interest in unrounded cents."""

    first_on: dt.date
    last_on: dt.date
    base: Fraction
    rate_basis_points: int
    interest: Fraction

    @property
    def days(self) -> int:
        return (self.last_on - self.first_on).days + 1

    @property
    def base_cents(self) -> int:
        return round_half_away(self.base)

    @property
    def interest_cents(self) -> int:
        return round_half_away(self.interest)


@dataclass(frozen=True, slots=True)
class Late:
    """What is left of an invoice, and what its lateness costs by a day."""

    left_cents: int
    stretches: Sequence[Stretch]
    cost_cents: int
    is_rate_old: bool  # a newer one should have been published by then

    @property
    def interest_cents(self) -> int:
        return round_half_away(sum((one.interest for one in self.stretches), Fraction(0)))

    @property
    def together_cents(self) -> int:
        return self.left_cents + self.interest_cents + self.cost_cents


def collection_cost_cents(claim_cents: int) -> int:
    """Give what collecting a claim may cost, at most and at least, without VAT; 0 for no claim."""
    if claim_cents <= 0:
        return 0
    cost, rest = Fraction(0), claim_cents
    for most_cents, basis_points in SCALE:
        part = min(rest, most_cents)
        cost += Fraction(part * basis_points, PER_WHOLE)
        rest -= part
    cost += Fraction(rest * REST_BASIS_POINTS, PER_WHOLE)
    return min(MOST_COST_CENTS, max(LEAST_COST_CENTS, round_half_away(cost)))


def stretches(
    claim_cents: int,
    *,
    due_on: dt.date,
    until_on: dt.date,
    rates: Iterable[Dated],
    paid: Iterable[Dated] = (),
) -> list[Stretch]:
    """Work out the interest on a claim to a day, that day included.

    What is ``paid`` takes off the claim from the next day on. Raises LatePaymentError where no rate
    is known of a day.
    """
    first, end = due_on + dt.timedelta(days=1), until_on + dt.timedelta(days=1)
    rates, paid = (
        sorted(rates),
        [(paid_on + dt.timedelta(days=1), cents) for paid_on, cents in paid],
    )
    years = range(first.year, end.year + 1)
    birthdays = {_birthday(first, year) for year in years} - {first}
    marks = {dt.date(year, 1, 1) for year in years} | birthdays
    marks |= {on for on, _value in (*rates, *paid)}
    cuts = sorted({first, end, *(mark for mark in marks if first < mark < end)})
    owed, of_year = Fraction(0), Fraction(0)  # of earlier years, and of this one
    found = []
    for start, until in pairwise(cuts):
        if start in birthdays:
            owed, of_year = owed + of_year, Fraction(0)
        left = claim_cents - sum(cents for on, cents in paid if on <= start)
        base = max(Fraction(0), left + owed)
        rate = _rate(rates, start)
        days = Fraction((until - start).days, 366 if isleap(start.year) else 365)
        interest = base * days * Fraction(rate, PER_WHOLE)
        of_year += interest
        last = until - dt.timedelta(days=1)
        found.append(
            Stretch(
                first_on=start, last_on=last, base=base, rate_basis_points=rate, interest=interest
            )
        )
    return found


def _birthday(first: dt.date, year: int) -> dt.date:
    try:
        return first.replace(year=year)
    except ValueError:  # 29 February: the year is over after 28 February
        return dt.date(year, 3, 1)


def _rate(rates: Sequence[Dated], on: dt.date) -> int:
    known = [rate for valid_from, rate in rates if valid_from <= on]
    if not known:
        text = _("No rate of statutory interest is entered for %(day)s.")
        raise LatePaymentError(text, params={"day": day(on)})
    return known[-1]


def of_invoice(invoice: Invoice, *, on: dt.date) -> Late:
    """Work out what an overdue invoice costs its buyer by a day; raises LatePaymentError.

    What was credited was never owed; what our bank received took the claim down as it came in.
    """
    if invoice.state not in InvoiceState.payable or not invoice.due_on or invoice.due_on >= on:
        raise LatePaymentError(_("Only an invoice that is overdue bears interest."))
    left = payments.left_cents(invoice)
    paid = [(row.received_on, row.amount_cents) for row in invoice.receipts.all()]
    rates = list(InterestRate.objects.values_list("valid_from", "rate_basis_points"))
    claim = left + sum(cents for _on, cents in paid)
    found = stretches(claim, due_on=invoice.due_on, until_on=on, rates=rates, paid=paid)
    half_year = dt.date(on.year, 1 if on.month < 7 else 7, 1)  # noqa: PLR2004 - of July
    is_old = max(valid_from for valid_from, _rate in rates) < half_year
    return Late(left, found, collection_cost_cents(left), is_old)
