"""Writing off what is left of a sent invoice, and claiming its VAT back (art. 29 Wet OB 1968).

VAT on what will not be paid is taken off the return of the period in which that is certain: when it
is written off, or a year after it fell due if that comes first. What is paid after all is owed
again, in the return of the period in which it comes in. Nothing of it changes an amount that is
stored: what is left is split by VAT rate as the lines are, less their credits.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agency.models import User
from agency.money import round_half_away
from agency.turns import take_turns
from subscriptions import payments, steps
from subscriptions.bounds import ONE_PERSON_APPROVES_CENTS
from subscriptions.models import (
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    PaymentPlan,
    StepKind,
    VatCategory,
    WriteOff,
    WrittenOffBecause,
)

# Net and VAT in cents by VAT category and rate in basis points.
Taxed = Mapping[tuple[str, int], tuple[int, int]]


class WriteOffError(ValidationError):
    """What cannot be written off; its message is the sentence to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A part at one VAT rate of what was written off, negative, or of what was paid after all.

    ``vat_on`` lies in the period of its VAT return, ``on`` in the month in which it is booked.
    """

    write_off: WriteOff
    is_recovered: bool
    on: dt.date
    vat_on: dt.date
    category: str
    rate_basis_points: int
    net_cents: int
    vat_cents: int

    @property
    def label(self) -> str:
        return str(VatCategory(self.category).label)


def word(*, is_recovered: bool) -> str:
    """Name what a loss is, in the active language."""
    return gettext("paid after all") if is_recovered else gettext("written off")


def split(taxed: Taxed, cents: int) -> dict[tuple[str, int], tuple[int, int]]:
    """Give net and VAT of a part of a document, by rate: in proportion to what each comes to.

    The parts add up to ``cents``, and all of it is split as it is. What is left over goes to the
    largest remainders, the first rate first. Raises ZeroDivisionError where nothing is taxed.
    """
    gross = {rate: net + vat for rate, (net, vat) in taxed.items()}
    whole = sum(gross.values())
    if cents == whole:
        return dict(taxed)
    parts = {rate: cents * part // whole for rate, part in gross.items()}
    by_remainder = sorted(gross, key=lambda rate: -(cents * gross[rate] % whole))
    for rate in by_remainder[: cents - sum(parts.values())]:
        parts[rate] += 1
    found = {}
    for rate, part in parts.items():
        vat = round_half_away(Fraction(part * taxed[rate][1], gross[rate] or 1))
        found[rate] = part - vat, vat
    return found


def taxed(lines: Iterable[InvoiceLine]) -> Taxed:
    """Add up lines by category and rate, the ones with most VAT first."""
    sums: dict[tuple[str, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for line in lines:
        rate = line.vat_category, line.vat_rate_basis_points
        net, vat = sums[rate]
        sums[rate] = net + line.net_cents, vat + line.vat_cents
    return dict(sorted(sums.items(), key=lambda entry: (-entry[0][1], entry[0][0])))


def left_lines(invoices: Iterable[Invoice]) -> QuerySet[InvoiceLine]:
    """Give the lines of invoices and of the credits that were issued for them."""
    keys = [invoice.pk for invoice in invoices]
    credited = Q(credit_of__in=keys, state=InvoiceState.PAID)
    # First the documents: the lines of all would be gone through otherwise.
    documents = Invoice.objects.filter(Q(pk__in=keys) | credited)
    return InvoiceLine.objects.filter(invoice__in=documents.order_by()).select_related("invoice")


def claimed_on(invoice: Invoice, on: dt.date) -> dt.date:
    """Give the day that decides which return takes the VAT back of what is written off on a day."""
    due_on = invoice.due_on or on
    try:
        a_year_later = due_on.replace(year=due_on.year + 1)
    except ValueError:  # 29 February
        a_year_later = dt.date(due_on.year + 1, 2, 28)
    return min(on, a_year_later)


def preview(invoice: Invoice, *, on: dt.date) -> list[Loss]:
    """Say what writing off would come to, by VAT rate; raises WriteOffError, and writes nothing."""
    refuse(invoice)
    left = payments.left_cents(invoice)
    if left <= 0:
        raise WriteOffError(_("Nothing of it is left to be paid."))
    parts = split(taxed(left_lines([invoice])), left)
    row = WriteOff(
        invoice=invoice,
        net_cents=sum(net for net, _vat in parts.values()),
        vat_cents=sum(vat for _net, vat in parts.values()),
        written_off_on=on,
        vat_on=claimed_on(invoice, on),
    )
    return list(_signed(row, parts))


def refuse(invoice: Invoice) -> None:
    """Raise WriteOffError where an invoice cannot be written off."""
    if invoice.kind != InvoiceKind.INVOICE or invoice.state not in InvoiceState.payable:
        raise WriteOffError(_("Only an open invoice can be written off."))
    if invoice.received_on:
        raise WriteOffError(_("Our bank has its money; Stripe is being told."))
    if WriteOff.objects.filter(invoice=invoice, written_off_on__isnull=False).exists():
        raise WriteOffError(_("It is written off."))
    if invoice.credits.filter(state__in=InvoiceState.unsent).exists():
        raise WriteOffError(_("A credit of it is on its way: send it or throw it away first."))


@transaction.atomic
def write_off(invoice_id: UUID, reason: str, *, by: User, on: dt.date) -> WriteOff:
    """Write off what is left of an invoice; a large amount waits for a second person.

    The second one agrees to the reason and the amount of the first; where what is left has changed,
    it waits anew. The push then tells Stripe. Takes turns with runs, which may credit some of it.
    Raises WriteOffError.
    """
    take_turns()
    invoice = steps.lock(invoice_id)
    row = preview(invoice, on=on)[0].write_off
    waiting = WriteOff.objects.filter(invoice=invoice).first()
    amounts = row.net_cents, row.vat_cents
    if waiting and waiting.approved_by != by and amounts == (waiting.net_cents, waiting.vat_cents):
        waiting.seconded_by = by
        waiting.written_off_on, waiting.vat_on = row.written_off_on, row.vat_on
        row = waiting
    else:
        if waiting:
            waiting.delete()
        row.reason, row.approved_by = WrittenOffBecause(reason), by
        if row.total_cents > ONE_PERSON_APPROVES_CENTS:
            row.written_off_on = row.vat_on = None
    row.save()
    if row.written_off_on:
        PaymentPlan.objects.filter(invoice=invoice, ended_on=None).update(ended_on=on)
    if row.written_off_on and invoice.state == InvoiceState.OPEN:
        steps.step_for(invoice, StepKind.WRITE_OFF, {})
    return row


def withdraw(invoice_id: UUID) -> None:
    """Forget a write-off that waits for a second person."""
    WriteOff.objects.filter(invoice=invoice_id, written_off_on=None).delete()


def losses() -> Iterator[Loss]:
    """Give all that was written off, and what of it was paid after all, in order of the first.

    A document that was voided since is declared no more, so no VAT of it is taken back either.
    """
    rows = WriteOff.objects.exclude(Q(written_off_on=None) | Q(invoice__state=InvoiceState.VOID))
    rows = rows.select_related("invoice__payer")
    rows = rows.order_by("written_off_on", "invoice__number")
    rows = rows.prefetch_related("invoice__receipts")
    lines: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in left_lines([row.invoice for row in rows]):
        lines[line.invoice.credit_of_id or line.invoice_id].append(line)
    for row in rows:
        yield from _losses_of(row, lines[row.invoice_id])


def _losses_of(row: WriteOff, lines: Iterable[InvoiceLine]) -> Iterator[Loss]:
    on = row.written_off_on
    if on is None:
        return
    asked = taxed(line for line in lines if not _is_credited_later(line, on))
    left = split(asked, row.total_cents)
    yield from _signed(row, left)
    for day, cents in _paid_after_all(row, sum(map(sum, asked.values()))):
        part = split(left, cents)
        left = {
            rate: (net - part[rate][0], vat - part[rate][1]) for rate, (net, vat) in left.items()
        }
        yield from _signed(row, part, recovered_on=max(day, on))


def _paid_after_all(row: WriteOff, asked_cents: int) -> Iterator[tuple[dt.date, int]]:
    """Give what came in since: what our bank received beyond what it had by then, and Stripe's."""
    invoice, left, had = row.invoice, row.total_cents, asked_cents - row.total_cents
    for receipt in invoice.receipts.all():
        came = max(0, receipt.amount_cents)  # what went back was too much
        early = min(had, came)
        had, part = had - early, min(left, came - early)
        left -= part
        if part:
            yield receipt.received_on, part
    if left and invoice.state == InvoiceState.PAID and invoice.paid_on and not invoice.received_on:
        yield invoice.paid_on, left


def _is_credited_later(line: InvoiceLine, on: dt.date) -> bool:
    document = line.invoice
    is_credit = document.kind == InvoiceKind.CREDIT
    return is_credit and (document.invoice_on is None or document.invoice_on > on)


def _signed(row: WriteOff, parts: Taxed, recovered_on: dt.date | None = None) -> Iterator[Loss]:
    on, vat_on, sign = recovered_on, recovered_on, 1
    if on is None:
        on, vat_on, sign = row.written_off_on, row.vat_on, -1
    for (category, rate), (net, vat) in parts.items():
        if on and vat_on and (net or vat):
            yield Loss(
                write_off=row,
                is_recovered=recovered_on is not None,
                on=on,
                vat_on=vat_on,
                category=category,
                rate_basis_points=rate,
                net_cents=sign * net,
                vat_cents=sign * vat,
            )
