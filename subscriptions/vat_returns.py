"""What a VAT return and a list of intra-community services ask of the documents of a period.

By invoice date, of documents that were sent and not voided; credits count with their own date and
sign. Nothing is rounded: the sums are those of the lines, to the cent. VAT of what was written off
is taken off the box that it was declared in, and put back when it is paid after all; what bore no
VAT stands in the return as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Sum

from agency.month import Month, MonthRange
from subscriptions import write_offs
from subscriptions.models import InvoiceLine, InvoiceState, VatCategory
from subscriptions.write_offs import Loss

SENT = (InvoiceState.OPEN, InvoiceState.PAID, InvoiceState.UNCOLLECTIBLE)
QUARTER = 3
# The boxes of the Dutch return; exempt education and services outside the EU stand in none.
BOXES = {VatCategory.STANDARD: "1a", VatCategory.REVERSE_CHARGE: "3b"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What was invoiced in a category at a rate; ``box`` is empty where the return asks nothing."""

    category: VatCategory
    rate_basis_points: int
    net_cents: int
    vat_cents: int
    about: str = ""  # what was written off or paid after all, in its own line

    @property
    def box(self) -> str:
        return BOXES.get(self.category, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What was invoiced to a buyer elsewhere in the EU, with the VAT reversed."""

    vat_id: str
    buyer: str
    net_cents: int


@dataclass(frozen=True, slots=True)
class VatReturn:
    months: MonthRange
    boxes: Sequence[Box]
    services: Sequence[Service]

    @property
    def net_cents(self) -> int:
        return sum(box.net_cents for box in self.boxes)

    @property
    def vat_cents(self) -> int:
        return sum(box.vat_cents for box in self.boxes)

    @property
    def services_cents(self) -> int:
        return sum(service.net_cents for service in self.services)


def period(month: Month, length: int = QUARTER) -> MonthRange:
    """Give the calendar quarter that a month lies in, or with a length of 1 the month itself."""
    first = month - month.index % length
    return MonthRange(first, first + length)


def sent_lines(months: MonthRange | None = None) -> QuerySet[InvoiceLine]:
    """Give the lines of documents that were sent in some months, or ever."""
    rows = InvoiceLine.objects.filter(
        invoice__state__in=SENT, invoice__invoice_on__isnull=False
    ).order_by()
    if months is None:
        return rows
    return rows.filter(
        invoice__invoice_on__gte=months.from_month.first_day,
        invoice__invoice_on__lt=months.until.first_day,
    )


def vat_return(months: MonthRange) -> VatReturn:
    lines = sent_lines(months)
    reversed_ = lines.filter(vat_category=VatCategory.REVERSE_CHARGE)
    found = boxes(by_category(lines)) + _lost(months)
    return VatReturn(months, found, _services(reversed_))


def losses_in(months: MonthRange) -> list[Loss]:
    """Give what was written off or paid after all and changes the VAT of a period."""
    lost = (loss for loss in write_offs.losses() if Month.containing(loss.vat_on) in months)
    return [loss for loss in lost if loss.vat_cents]


def _lost(months: MonthRange) -> list[Box]:
    sums: dict[tuple[bool, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for loss in losses_in(months):
        cents = sums[loss.is_recovered, loss.category, -loss.rate_basis_points]
        cents[:] = cents[0] + loss.net_cents, cents[1] + loss.vat_cents
    return [
        Box(
            category=VatCategory(category),
            rate_basis_points=-rate,
            net_cents=net,
            vat_cents=vat,
            about=write_offs.word(is_recovered=is_recovered),
        )
        for (is_recovered, category, rate), (net, vat) in sorted(sums.items())
    ]


def by_category(lines: QuerySet[InvoiceLine]) -> Iterable[tuple[Any, ...]]:
    """Give category, rate, net and VAT of lines added up; more columns may be asked beside them."""
    sums = lines.values_list("vat_category", "vat_rate_basis_points")
    return sums.annotate(Sum("net_cents"), Sum("vat_cents"))


def boxes(sums: Iterable[tuple[Any, ...]]) -> list[Box]:
    """Give boxes in the order of the return, the higher rate first."""
    found = [
        Box(
            category=VatCategory(category),
            rate_basis_points=rate,
            net_cents=net,
            vat_cents=vat,
        )
        for category, rate, net, vat in sums
    ]
    order = VatCategory.values
    return sorted(found, key=lambda box: (order.index(box.category), -box.rate_basis_points))


def _services(lines: QuerySet[InvoiceLine]) -> list[Service]:
    """Add up by VAT id, under the name that the newest document gives."""
    names: dict[str, str] = {}
    cents: dict[str, int] = {}
    columns = ("invoice__buyer_vat_id", "invoice__buyer_name", "invoice__invoice_on")
    rows = lines.values_list(*columns).annotate(Sum("net_cents"))
    for vat_id, name, _on, net in rows.order_by("invoice__invoice_on", "invoice__buyer_name"):
        names[vat_id] = name
        cents[vat_id] = cents.get(vat_id, 0) + net
    return [
        Service(vat_id=vat_id, buyer=names[vat_id], net_cents=net)
        for vat_id, net in sorted(cents.items())
    ]
