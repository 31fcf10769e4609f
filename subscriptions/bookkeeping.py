"""What the bookkeeper takes over of a month: sales, what is open, and what was billed in advance.

All of it follows from the documents that were sent, dated by their invoice date; what was cancelled
after it had a number is left out and counted. Fees, set-up and cards are earned month by month;
what is written off is a loss on an account of its own, and was earned all the same.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from agency.money import round_half_away
from agency.month import Month, MonthRange
from subscriptions import payments, write_offs
from subscriptions.models import (
    Booked,
    BookkeepingCode,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    LineKind,
    Receipt,
    Statement,
)
from subscriptions.vat_returns import SENT, sent_lines
from subscriptions.write_offs import Loss

IN_ADVANCE = (LineKind.FEE, LineKind.SETUP, LineKind.TIER_CHANGE, LineKind.TOPUP)
YEAR = 12  # no release period, and so no part that waits for one, is longer


class BookkeepingError(ValidationError):
    """Something has no code in the bookkeeping; its message is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a document as it is booked: net on an account, its VAT by a code."""

    line: InvoiceLine
    debtor: str
    account: str
    vat_code: str


@dataclass(frozen=True, slots=True)
class LossEntry:
    """A part of a write-off as it is booked: its net on the account of losses, its VAT by a code.

    As of a credit, amounts are negative; what was paid after all is positive.
    """

    loss: Loss
    debtor: str
    account: str
    vat_code: str


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What was still to be paid of an invoice at the end of a day, less its credits by then."""

    invoice: Invoice
    debtor: str
    open_cents: int


@dataclass(frozen=True, slots=True)
class Spread:
    """A line billed in advance, over its months: equal parts that add up to the line."""

    line: InvoiceLine
    debtor: str
    billed_on: dt.date

    def parts(self) -> Iterator[tuple[Month, int]]:
        months, net = self.line.months, self.line.net_cents
        for count, month in enumerate(months):
            before = round_half_away(net * count, len(months))
            yield month, round_half_away(net * (count + 1), len(months)) - before

    def earned_cents(self, until: Month) -> int:
        """Give what is earned before a month, whether or not it was billed by then."""
        return sum(cents for month, cents in self.parts() if month < until)

    def deferred_cents(self, until: Month) -> int:
        """Give what was billed before a month and is earned from it on."""
        if self.billed_on >= until.first_day:
            return 0
        return self.line.net_cents - self.earned_cents(until)


@dataclass(frozen=True, slots=True)
class Released:
    """What a client's advance bills come to by release period.

    ``period`` is the one that closed with the month, ``earned_cents`` its share, ``deferred_cents``
    what lies beyond the last month that a statement covers, or, without one, beyond the month.
    """

    debtor: str
    period: MonthRange | None
    earned_cents: int
    deferred_cents: int


@dataclass(frozen=True)
class Books:
    """A month for the bookkeeper."""

    month: Month
    codes: Codes
    journal: Sequence[Entry]
    losses: Sequence[LossEntry]
    open_items: Sequence[OpenItem]
    spreads: Sequence[Spread]
    released: Sequence[Released]

    @cached_property
    def deferred(self) -> list[Spread]:
        """What was billed in advance and is earned in the month or later."""
        return [
            one
            for one in self.spreads
            if one.line.months.last_month >= self.month or one.billed_on >= self.month.first_day
        ]

    def by_month(self) -> dict[Month, int]:
        """Give by month to come what will be earned of what is billed by the end of the month."""
        sums: dict[Month, int] = defaultdict(int)
        for spread in self.deferred:
            for month, cents in spread.parts():
                if month > self.month:
                    sums[month] += cents
        return dict(sorted(sums.items()))

    @property
    def controls(self) -> list[tuple[str, int]]:
        """Control totals: the journal against the documents, and how the deferred part moved."""
        documents = _documents_of(self.month)
        sums = documents.filter(state__in=SENT).aggregate(
            net=Sum("net_cents"), vat=Sum("vat_cents")
        )
        opening = sum(one.deferred_cents(self.month) for one in self.deferred)
        closing = sum(one.deferred_cents(self.month + 1) for one in self.deferred)
        billed = sum(
            one.line.net_cents for one in self.deferred if one.billed_on >= self.month.first_day
        )
        cancelled = documents.exclude(state__in=SENT).aggregate(sum=Sum("total_cents"))["sum"]
        return [
            (str(_("Journal: net")), sum(entry.line.net_cents for entry in self.journal)),
            (str(_("Documents: net")), sums["net"] or 0),
            (str(_("Journal: VAT")), sum(entry.line.vat_cents for entry in self.journal)),
            (str(_("Documents: VAT")), sums["vat"] or 0),
            (str(_("Written off: net")), sum(one.loss.net_cents for one in self.losses)),
            (str(_("Written off: VAT")), sum(one.loss.vat_cents for one in self.losses)),
            (str(_("Cancelled after they had a number, not in the journal")), cancelled or 0),
            (
                str(_("Open at the end of the month")),
                sum(one.open_cents for one in self.open_items),
            ),
            (str(_("Deferred at the start")), opening),
            (str(_("Billed in advance this month")), billed),
            (str(_("Earned this month")), opening + billed - closing),
            (str(_("Deferred at the end")), closing),
        ]


class Codes:
    """The codes of the bookkeeping, read once."""

    def __init__(self) -> None:
        rows = BookkeepingCode.objects.values_list("what", "vat_category", "code")
        self._codes = {(what, category): code for what, category, code in rows}

    def of(self, what: str, vat_category: str = "") -> str:
        """Give a code; raises BookkeepingError where there is none."""
        code = self._codes.get((what, vat_category)) or self._codes.get((what, ""))
        if code is None:
            field = BookkeepingCode._meta.get_field("what")
            name = dict(field.flatchoices).get(what, what)
            raise BookkeepingError(
                _("There is no bookkeeping code for “%(what)s” %(category)s: add one."),
                params={"what": name, "category": vat_category},
            )
        return code

    def debtor(self, invoice: Invoice) -> str:
        return invoice.payer.code if invoice.payer else self.of(Booked.ONE_OFF)


def read(month: Month) -> Books:
    """Work out a month; raises BookkeepingError where a code is missing."""
    codes = Codes()
    spreads = list(_spreads(month, codes))
    return Books(
        month,
        codes,
        list(_journal(month, codes)),
        list(_losses(month, codes)),
        list(open_items(month.last_day, codes)),
        spreads,
        list(_released(month, spreads)),
    )


def _documents_of(month: Month) -> QuerySet[Invoice]:
    return Invoice.objects.filter(invoice_on__range=(month.first_day, month.last_day)).exclude(
        number=""
    )


def _lines(months: MonthRange | None = None) -> QuerySet[InvoiceLine]:
    rows = sent_lines(months).select_related("invoice__payer", "credit_of")
    return rows.order_by("invoice__invoice_on", "invoice__number", "position")


def _journal(month: Month, codes: Codes) -> Iterator[Entry]:
    for line in _lines(MonthRange(month, month + 1)).iterator():
        yield Entry(
            line,
            codes.debtor(line.invoice),
            codes.of(line.kind_of_thing, line.vat_category),
            codes.of(Booked.VAT, line.vat_category),
        )


def _losses(month: Month, codes: Codes) -> Iterator[LossEntry]:
    for loss in write_offs.losses():
        if Month.containing(loss.on) == month:
            yield LossEntry(
                loss,
                codes.debtor(loss.write_off.invoice),
                codes.of(Booked.WRITTEN_OFF, loss.category),
                codes.of(Booked.VAT, loss.category),
            )


def open_items(on: dt.date, codes: Codes) -> Iterator[OpenItem]:
    """Give what was open at the end of a day. A debit under way is open.

    What the bank had by then is paid, and what was written off is not open, whether or not Stripe
    was told; what Stripe alone has given up is. What came in too much is below zero.
    """
    sent = Q(state__in=SENT) | Q(pk__in=Receipt.objects.values("invoice"))
    rows = Invoice.objects.filter(sent, kind=InvoiceKind.INVOICE, invoice_on__lte=on)
    unsettled = payments.with_left(rows, by=on).exclude(left=0)
    asked = unsettled.exclude(left__gt=0, write_off__written_off_on__lte=on)
    for row in asked.select_related("payer").order_by("invoice_on", "number"):
        yield OpenItem(row, codes.debtor(row), row.left)


def _spreads(month: Month, codes: Codes) -> Iterator[Spread]:
    """Give what was billed in advance by the end of a month and matters in its last year."""
    in_advance = Q(kind__in=IN_ADVANCE) | Q(credit_of__kind__in=IN_ADVANCE)
    billed = Q(invoice__invoice_on__lte=month.last_day)
    matters = Q(until_month__gt=month - YEAR) | Q(invoice__invoice_on__gte=month.first_day)
    for line in _lines().filter(in_advance, billed, matters).iterator():
        if line.invoice.invoice_on:
            yield Spread(line, codes.debtor(line.invoice), line.invoice.invoice_on)


def _released(month: Month, spreads: Iterable[Spread]) -> Iterator[Released]:
    of_client: dict[tuple[UUID | None, str], list[Spread]] = defaultdict(list)
    for spread in spreads:
        of_client[spread.line.invoice.organisation_id, spread.debtor].append(spread)
    stated: dict[UUID | None, MonthRange] = {}
    rows = Statement.objects.newest().filter(until_month__lte=month + 1).order_by("until_month")
    for statement in rows.filter(organisation__in=[key for key, _debtor in of_client if key]):
        stated[statement.organisation_id] = statement.months
    for (key, debtor), theirs in of_client.items():
        last = stated.get(key)
        closed = last if last and last.until == month + 1 else None
        until = last.until if last else month + 1
        earned = sum(_earned_in(closed, one) for one in theirs) if closed else 0
        deferred = sum(one.line.net_cents - one.earned_cents(until) for one in theirs)
        if earned or deferred:
            yield Released(debtor, closed, earned, deferred)


def _earned_in(months: MonthRange, spread: Spread) -> int:
    return sum(cents for month, cents in spread.parts() if month in months)
