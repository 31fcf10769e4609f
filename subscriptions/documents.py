"""Making documents of what is due: one per organisation and purchase order (design 5.8, 5.9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from agency.money import HUNDREDTHS_PER_QUARTER, plain_decimal
from agency.month import Month
from subscriptions import vat
from subscriptions.agreements import Contract
from subscriptions.bounds import LEAST_OVERAGE_QUARTERS, passes_a_bound
from subscriptions.buyers import Buyer, blocked_reason, of_client
from subscriptions.contracts import PRICES
from subscriptions.due import Item, one_off_items
from subscriptions.facts import Facts
from subscriptions.models import (
    BlockedReason,
    Invoice,
    InvoiceLine,
    InvoiceState,
    LineKind,
    OccurrenceState,
    PurchaseOrder,
    Subscription,
    TaxTreatment,
    Tier,
)
from subscriptions.orders import is_passed, order_number, take_off
from subscriptions.use import included

RANK: dict[str, int] = {kind: rank for rank, kind in enumerate(LineKind.values)}
TIERS = tuple(Tier.values)
DEFAULT_PAYMENT_DAYS = 30

Fields = dict[str, Any]


@dataclass
class Document:
    """An invoice with its lines, worked out and not saved; without ``invoice`` all lines are 0.

    The rows are columns by name, as `agency.bulk` inserts them: a run makes thousands.
    """

    buyer: Buyer
    invoice_row: Fields | None
    line_rows: list[Fields]
    occurrence_rows: list[Fields]

    @cached_property
    def invoice(self) -> Invoice | None:
        if self.invoice_row is None:
            return None
        invoice = Invoice(**self.invoice_row)
        invoice.organisation, invoice.payer = self.buyer.organisation, self.buyer.payer
        return invoice

    @property
    def lines(self) -> list[InvoiceLine]:
        return [InvoiceLine(**row) for row in self.line_rows]


def vat_rates(month: Month) -> dict[str, int]:
    """Give the VAT rate in basis points of each category in a month."""
    rows = TaxTreatment.objects.filter(valid_from__lte=month).order_by("valid_from")
    return dict(rows.values_list("category", "rate_basis_points"))


def reason_now(
    buyer: Buyer,
    contracts: Sequence[Subscription],
    lines: Collection[tuple[str, Month, int]],
    orders: Sequence[PurchaseOrder],
    run: Month,
) -> BlockedReason | None:
    """Give the first reason for which a run could not send what stands on a document.

    ``lines`` are their kinds, first months and net. An order is missing as long as one of them
    finds none. Bounds are not looked at.
    """
    months = {from_month for _kind, from_month, _net in lines}
    inside = [row for row in contracts if any(month in row.months for month in months)]
    po_required = any(row.po_required for row in inside or _nearest(contracts, run))
    net: dict[str, int] = defaultdict(int)
    for kind, from_month, net_cents in lines:
        net[order_number(orders, kind, from_month, run)] += net_cents
    spent = any(is_passed(order, net[order.number]) for order in orders if order.number in net)
    return blocked_reason(buyer, min(net, default=""), po_required=po_required, po_spent=spent)


def documents(
    facts: Facts,
    organisation: UUID,
    due: Sequence[Item],
    orders: Sequence[PurchaseOrder],
    rates: dict[str, int],
    run: Month,
) -> list[Document]:
    """Give the documents of one organisation in a run; ``rates`` are those of `vat_rates`.

    ``orders`` are those of who pays: what a document asks for is taken off their budgets.
    """
    if not due:
        return []
    by_order: dict[str, list[Item]] = defaultdict(list)
    for item in due:
        charge = item.charge
        number = order_number(orders, charge.kind, charge.months.from_month, run)
        by_order[number].append(item)
    buyer = of_client(facts.organisations[organisation], run, facts.payers)
    by_number = {order.number: order for order in orders}
    made = []
    for number, rows in sorted(by_order.items()):
        order = by_number.get(number)
        made.append(_document(facts, buyer, order, sorted(rows, key=_document_order), rates, run))
        take_off(order, made[-1].invoice_row)
    return made


def one_off_documents(facts: Facts, rates: dict[str, int], run: Month) -> list[Document]:
    """Give the documents of those who bought seats and are no organisation of ours, by name."""
    by_buyer = one_off_items(facts, run)
    return [
        _document(facts, buyer, None, sorted(by_buyer[buyer], key=_document_order), rates, run)
        for buyer in sorted(by_buyer, key=lambda buyer: (buyer.name, buyer.email))
    ]


def _document_order(item: Item) -> tuple[int, Month, str, bool]:
    """Order lines by kind, period and reference; travel follows its session (design 5.8)."""
    kind = item.travels_with or item.charge.kind
    return (
        RANK[kind],
        item.charge.months.from_month,
        item.reference,
        bool(item.travels_with),
    )


def _document(
    facts: Facts,
    buyer: Buyer,
    order: PurchaseOrder | None,
    due: Sequence[Item],
    rates: dict[str, int],
    run: Month,
) -> Document:
    lines, number = _lines(buyer, due, rates), order.number if order else ""
    parties = _contract_rows(facts, buyer, due, run)
    po_required = any(row.po_required for row in parties)
    nothing = not any(line["net_cents"] for line in lines)
    reason: BlockedReason | str | None = ""
    if not nothing:
        spent = is_passed(order, sum(line["net_cents"] for line in lines))
        reason = blocked_reason(buyer, number, po_required=po_required, po_spent=spent) or _bound(
            facts, due, lines
        )
    state = OccurrenceState.SETTLED if nothing else OccurrenceState.BILLED
    occurrences = [
        _occurrence(facts, buyer, item, run, OccurrenceState.HELD if reason else state)
        for item in due
    ]
    for line, occurrence in zip(lines, occurrences, strict=True):
        line["occurrence_id"] = occurrence["id"]
    if nothing:
        return Document(buyer, None, lines, occurrences)
    contract = parties[-1] if parties else None
    invoice = _invoice(facts, buyer, contract, run, number, reason, lines)
    for line in lines:
        line["invoice_id"] = invoice["id"]
    return Document(buyer, invoice, lines, occurrences)


def _bound(facts: Facts, due: Sequence[Item], lines: Sequence[Fields]) -> BlockedReason | None:
    total_cents = sum(line["net_cents"] + line["vat_cents"] for line in lines)
    overage = [
        (quarters, _included(facts.contracts[item.subject], item))
        for item in due
        if item.charge.kind == LineKind.OVERAGE
        and (quarters := item.charge.quantity_hundredths // HUNDREDTHS_PER_QUARTER)
        > LEAST_OVERAGE_QUARTERS
    ]
    return BlockedReason.BOUND if passes_a_bound(total_cents, overage) else None


def _included(contract: Contract, item: Item) -> int:
    months = item.charge.months
    return included(contract, contract.year_of(months.from_month), months.until)


def _lines(buyer: Buyer, due: Sequence[Item], rates: dict[str, int]) -> list[Fields]:
    categories = [
        vat.category(
            country=buyer.taxed_as,
            vat_id=buyer.vat_id,
            vat_id_checked=buyer.vat_id_checked,
            exempt=item.exempt,
        )
        for item in due
    ]
    shares = vat.allocate(
        [
            (item.charge.net_cents, category, rates[category])
            for item, category in zip(due, categories, strict=True)
        ]
    )
    return [
        {
            "id": uuid4(),
            "position": position,
            "kind": item.charge.kind,
            "description": item.description,
            "quantity_hundredths": item.charge.quantity_hundredths,
            "unit_cents": item.charge.unit_cents,
            "net_cents": item.charge.net_cents,
            "vat_category": category,
            "vat_rate_basis_points": rates[category],
            "vat_cents": share,
            "from_month": item.charge.months.from_month,
            "until_month": item.charge.months.until,
            "reference": item.reference,
        }
        for position, (item, category, share) in enumerate(
            zip(due, categories, shares, strict=True), start=1
        )
    ]


def _occurrence(
    facts: Facts, buyer: Buyer, item: Item, run: Month, state: OccurrenceState
) -> Fields:
    return {
        "id": uuid4(),
        "organisation_id": buyer.organisation and buyer.organisation.pk,
        "kind": item.charge.kind,
        "subject_id": item.subject,
        "from_month": item.charge.months.from_month,
        "revision": facts.open_revision(item.key) or 1,
        "run_month": run,
        "state": state,
        "tier": item.charge.tier if item.charge.kind == LineKind.FEE else "",
        "free": item.free,
    }


def _contract_rows(
    facts: Facts, buyer: Buyer, due: Sequence[Item], run: Month
) -> Sequence[Subscription]:
    """Give the contracts that a document's lines belong to, else the nearest one; oldest first.

    The last one's payment terms hold.
    """
    rows = facts.subscriptions[buyer.organisation.pk] if buyer.organisation else []
    named = {item.subscription for item in due}
    inside = [row for row in rows if row.pk in named]
    return inside or _nearest(rows, run)


def _nearest(contracts: Sequence[Subscription], run: Month) -> Sequence[Subscription]:
    """Give the contract begun last by the month after a run, else the last one; if any."""
    begun = [row for row in contracts if row.start_month <= run + 1]
    return begun[-1:] or contracts[-1:]


def _invoice(
    facts: Facts,
    buyer: Buyer,
    contract: Subscription | None,
    run: Month,
    number: str,
    reason: BlockedReason | str | None,
    lines: Sequence[Fields],
) -> Fields:
    net, tax = sum(line["net_cents"] for line in lines), sum(line["vat_cents"] for line in lines)
    seller = facts.agency
    return {
        "id": uuid4(),
        "state": InvoiceState.BLOCKED if reason else InvoiceState.DRAFT,
        "blocked_reason": reason or "",
        "run_month": run,
        "organisation_id": buyer.organisation and buyer.organisation.pk,
        "payer_id": buyer.payer and buyer.payer.pk,
        "served_name": buyer.served_name,
        "po_number": number,
        "net_cents": net,
        "vat_cents": tax,
        "total_cents": net + tax,
        "due_days": contract.payment_days if contract else DEFAULT_PAYMENT_DAYS,
        "collection": contract.collection if contract else "invoice",
        "language": buyer.language,
        "buyer_name": buyer.name,
        "buyer_street": buyer.street,
        "buyer_postcode": buyer.postcode,
        "buyer_city": buyer.city,
        "buyer_country": buyer.country,
        "buyer_kvk_number": buyer.registration or "",
        "buyer_vat_id": buyer.vat_id,
        "buyer_email": buyer.email,
        "seller_name": seller.legal_name,
        "seller_street": seller.street,
        "seller_postcode": seller.postcode,
        "seller_city": seller.city,
        "seller_country": seller.country,
        "seller_kvk_number": seller.kvk_number,
        "seller_vat_id": seller.vat_id,
        "seller_iban": seller.iban,
    }


def prices_to_freeze(facts: Facts, due: Iterable[Item]) -> list[Fields]:
    """Give the prices of contract years that get their first line now (design 5.1)."""
    rows: dict[tuple[UUID, Month, str], Fields] = {}
    for item in due:
        contract = facts.contracts.get(item.subject)
        if contract is None:
            continue
        year = contract.year_of(item.charge.months.from_month)
        for tier in TIERS:
            key = (year.first_month, tier)
            if key in contract.frozen_prices or (item.subject, *key) in rows:
                continue
            # No price: a tier that the book does not offer to so many people.
            if prices := contract.prices_if_any(year, tier):
                rows[item.subject, *key] = {
                    "id": uuid4(),
                    "subscription_id": item.subject,
                    "year_month": year.first_month,
                    "tier": tier,
                    **{name: getattr(prices, name) for name in PRICES},
                }
    return list(rows.values())


def as_plain(invoice: Invoice, lines: Sequence[InvoiceLine]) -> dict[str, object]:
    """Give a document in the form of ``bill --json`` (design 7)."""
    organisation = invoice.organisation
    return {
        "organisation": organisation.code if organisation else None,
        **({"payer": invoice.payer.code} if invoice.payer and invoice.served_name else {}),
        "po": invoice.po_number or None,
        "currency": invoice.currency,
        "net_cents": invoice.net_cents,
        "vat_cents": invoice.vat_cents,
        "total_cents": invoice.total_cents,
        "due_days": invoice.due_days,
        "blocked": invoice.blocked_reason or None,
        "lines": [
            {
                "kind": line.kind,
                "description": line.description,
                "quantity": plain_decimal(line.quantity_hundredths),
                "unit_cents": line.unit_cents,
                "net_cents": line.net_cents,
                "vat_category": line.vat_category,
                "vat_rate": _percent(line.vat_rate_basis_points),
                "vat_cents": line.vat_cents,
                "period": [str(line.from_month), str(line.until_month)],
            }
            for line in lines
        ],
    }


def _percent(basis_points: int) -> str:
    return f"{basis_points // 100}.{basis_points % 100:02d}"
