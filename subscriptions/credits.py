"""Giving back what was billed, from the stored amounts of the lines (design 5.4 and 5.10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext, override

from agency.money import HUNDREDTHS_PER_QUARTER, round_half_away
from agency.month import Month
from subscriptions.buyers import Buyer, of_organisation
from subscriptions.charges import HUNDREDTHS
from subscriptions.documents import Document, Fields
from subscriptions.facts import Chosen, Facts, clients
from subscriptions.models import (
    BilledOccurrence,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    LineKind,
    OccurrenceState,
    OverageCredit,
    Statement,
)
from subscriptions.parked import is_parked

LONGEST_TEXT = 300
# Frozen on the document that is credited, and the same on the credit.
COPIED = (
    *("organisation_id", "payer_id", "served_name", "po_number", "currency"),
    *("due_days", "collection", "language"),
    *("buyer_name", "buyer_street", "buyer_postcode", "buyer_city", "buyer_country"),
    *("buyer_kvk_number", "buyer_vat_id", "buyer_email"),
    *("seller_name", "seller_street", "seller_postcode", "seller_city", "seller_country"),
    *("seller_kvk_number", "seller_vat_id", "seller_iban"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Hundredths of a quantity with net and VAT in cents; of a credit without its sign."""

    hundredths: int
    net_cents: int
    vat_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Creditable:
    """A line as it was billed, and what earlier credits took back of it."""

    key: UUID
    unit_cents: int
    billed: Amounts
    taken_back: Amounts

    @property
    def left(self) -> Amounts:
        return Amounts(
            hundredths=self.billed.hundredths - self.taken_back.hundredths,
            net_cents=self.billed.net_cents - self.taken_back.net_cents,
            vat_cents=self.billed.vat_cents - self.taken_back.vat_cents,
        )


def share(line: Creditable, hundredths: int) -> Amounts:
    """Give what crediting so much of a line takes back: never more than is left of it.

    The last part takes all that is left, so the parts add up to the line. VAT goes in proportion
    to the net that is taken back by then, of the VAT that was billed.
    """
    left = line.left
    if hundredths >= left.hundredths:
        return left
    net = min(left.net_cents, round_half_away(Fraction(hundredths * line.unit_cents, 100)))
    return amount_of(line, net, hundredths)


def amount_of(line: Creditable, net_cents: int, hundredths: int) -> Amounts:
    """Give what crediting an amount of a line takes back, its VAT as `share` does."""
    taken = Fraction(line.taken_back.net_cents + net_cents, line.billed.net_cents or 1)
    vat = round_half_away(line.billed.vat_cents * taken) - line.taken_back.vat_cents
    vat = min(line.left.vat_cents, max(0, vat))
    return Amounts(hundredths=hundredths, net_cents=net_cents, vat_cents=vat)


def credit_shares(
    hundredths: int, lines: Iterable[Creditable]
) -> Iterator[tuple[Creditable, Amounts]]:
    """Spread a credit over lines, the first one first, as far as something is left of them."""
    for line in lines:
        part = share(line, min(hundredths, line.left.hundredths))
        if part.hundredths > 0 and part.net_cents > 0:
            hundredths -= part.hundredths
            yield line, part


def documents_due(facts: Facts, run: Month, organisations: Chosen = None) -> list[Document]:
    """Give the credits of overage that fall due in a run or earlier: one per document credited.

    The last overage of the contract year goes back first. A credit waits while a line of its year
    stands on a draft or a blocked document, and until all of it can be given back. What was given
    back and voided is given back anew; of a document that was given up, once it is paid after all.
    """
    pending = list(_pending(run, clients(organisations)))
    if not pending:
        return []
    lines: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in _overage_of(pending):
        if line.occurrence:
            lines[line.occurrence.subject_id].append(line)
    made = [
        document
        for credit in pending
        for document in _documents(facts, credit, _of_year(facts, credit, lines), run)
    ]
    _number_revisions(made)
    return made


def _pending(run: Month, organisations: Sequence[UUID] | None) -> QuerySet[OverageCredit]:
    """Give what is not given back in full yet, with the hundredths of hours that were."""
    given = (
        InvoiceLine.objects.filter(
            occurrence__kind=LineKind.CREDIT, occurrence__subject_id=OuterRef("pk")
        )
        .exclude(invoice__state=InvoiceState.VOID)
        .order_by()
        .values("occurrence__subject_id")
        .annotate(hundredths=Sum("quantity_hundredths"))
    )
    rows = OverageCredit.objects.annotate(
        given_hundredths=Coalesce(Subquery(given.values("hundredths")), 0)
    ).filter(
        Exists(Statement.objects.newest().filter(pk=OuterRef("statement"))),
        given_hundredths__lt=F("quarters") * HUNDREDTHS_PER_QUARTER,
        statement__until_month__lte=run + 1,
    )
    if organisations is not None:
        rows = rows.filter(statement__organisation__in=organisations)
    return rows.select_related("statement").order_by("statement__organisation__code", "pk")


def _number_revisions(made: Iterable[Document]) -> None:
    """Have what is given back of a line anew follow on what was given back of it before."""
    rows = [row for document in made for row in document.occurrence_rows]
    before = (
        BilledOccurrence.objects.filter(
            kind=LineKind.CREDIT, subject_id__in={row["subject_id"] for row in rows}
        )
        .values_list("subject_id", "from_month")
        .annotate(last=Max("revision"))
    )
    last = {(subject, month): revision for subject, month, revision in before}
    for row in rows:
        row["revision"] = last.get((row["subject_id"], row["from_month"]), 0) + 1


def _overage_of(credits_due: Iterable[OverageCredit]) -> QuerySet[InvoiceLine]:
    """Give the lines of overage of these contracts with what was taken back, the last ones first.

    What was voided is not asked for.
    """
    subscriptions = {credit.statement.subscription_id for credit in credits_due}
    rows = InvoiceLine.objects.filter(
        kind=LineKind.OVERAGE, occurrence__subject_id__in=subscriptions
    ).exclude(invoice__state=InvoiceState.VOID)
    return with_credits(rows).select_related("invoice__write_off").order_by("-from_month", "pk")


def with_credits(rows: QuerySet[InvoiceLine]) -> QuerySet[InvoiceLine]:
    """Have lines say what was taken back of them; a voided credit gave nothing back.

    ``hand_...`` is what staff gave back, without an occurrence, rather than a run.
    """
    live = ~Q(credits__invoice__state=InvoiceState.VOID)
    by_hand = live & Q(credits__occurrence=None)
    return rows.select_related("invoice__payer", "occurrence").annotate(
        back_hundredths=Coalesce(Sum("credits__quantity_hundredths", filter=live), 0),
        back_net=Coalesce(Sum("credits__net_cents", filter=live), 0),
        back_vat=Coalesce(Sum("credits__vat_cents", filter=live), 0),
        hand_hundredths=Coalesce(Sum("credits__quantity_hundredths", filter=by_hand), 0),
        hand_net=Coalesce(Sum("credits__net_cents", filter=by_hand), 0),
        hand_vat=Coalesce(Sum("credits__vat_cents", filter=by_hand), 0),
    )


def _of_year(
    facts: Facts, credit: OverageCredit, lines: dict[UUID, list[InvoiceLine]]
) -> list[InvoiceLine]:
    statement = credit.statement
    year = facts.contracts[statement.subscription_id].year_of(statement.from_month)
    return [row for row in lines[statement.subscription_id] if row.from_month in year.months]


def _documents(
    facts: Facts, credit: OverageCredit, lines: Sequence[InvoiceLine], run: Month
) -> Iterator[Document]:
    if is_parked(facts.organisations[credit.statement.organisation_id], run):
        return
    not_sent = {InvoiceState.DRAFT, InvoiceState.BLOCKED}
    if any(line.invoice.state in not_sent for line in lines):
        return
    by_key = {line.pk: line for line in lines}
    left = credit.quarters * HUNDREDTHS_PER_QUARTER - credit.given_hundredths  # type: ignore[attr-defined]
    parts_due = list(credit_shares(left, map(creditable, lines)))
    if sum(part.hundredths for _, part in parts_due) + _given_by_hand(lines) < left:
        return  # a line of the year is still to be billed, or anew: it waits for it
    shares: dict[UUID, list[tuple[InvoiceLine, Amounts]]] = defaultdict(list)
    for one, part in parts_due:
        line = by_key[one.key]
        if not line.invoice.is_given_up:
            shares[line.invoice_id].append((line, part))
    for parts in shares.values():
        yield _document(facts, credit, parts, run)


def _given_by_hand(lines: Iterable[InvoiceLine]) -> int:
    """Count the hundredths of hours that staff gave back, but of what is to be billed anew."""
    return sum(
        line.hand_hundredths  # type: ignore[attr-defined]
        for line in lines
        if line.occurrence and line.occurrence.state != OccurrenceState.CREDITED
    )


def creditable(line: InvoiceLine) -> Creditable:
    """Say of a line of `with_credits` what is left of it."""
    return Creditable(
        key=line.pk,
        unit_cents=line.unit_cents,
        billed=Amounts(
            hundredths=line.quantity_hundredths,
            net_cents=line.net_cents,
            vat_cents=line.vat_cents,
        ),
        taken_back=Amounts(
            hundredths=line.back_hundredths,  # type: ignore[attr-defined]
            net_cents=-line.back_net,  # type: ignore[attr-defined]
            vat_cents=-line.back_vat,  # type: ignore[attr-defined]
        ),
    )


def _document(
    facts: Facts, credit: OverageCredit, parts: Sequence[tuple[InvoiceLine, Amounts]], run: Month
) -> Document:
    client, payer = facts.organisations[credit.statement.organisation_id], parts[0][0].invoice.payer
    made = credit_document(of_organisation(payer or client, serves=client), parts, run)
    for row, (line, _part) in zip(made.line_rows, parts, strict=True):
        occurrence = _occurrence(credit, line, run)
        made.occurrence_rows.append(occurrence)
        row["occurrence_id"] = occurrence["id"]
    return made


def credit_document(
    buyer: Buyer, parts: Sequence[tuple[InvoiceLine, Amounts]], run: Month, **fields: Any
) -> Document:
    """Work out the credit of parts of one document's lines; ``fields`` are columns of its row."""
    original = parts[0][0].invoice
    net = sum(part.net_cents for _line, part in parts)
    vat = sum(part.vat_cents for _line, part in parts)
    document: Fields = {
        "id": uuid4(),
        "kind": InvoiceKind.CREDIT,
        "state": InvoiceState.DRAFT,
        "run_month": run,
        "credit_of_id": original.pk,
        "net_cents": -net,
        "vat_cents": -vat,
        "total_cents": -net - vat,
        **{name: getattr(original, name) for name in COPIED},
        **fields,
    }
    rows = [_line(document, position, *part) for position, part in enumerate(parts, start=1)]
    return Document(buyer, document, rows, [])


def _occurrence(credit: OverageCredit, line: InvoiceLine, run: Month) -> Fields:
    return {
        "id": uuid4(),
        "organisation_id": credit.statement.organisation_id,
        "kind": LineKind.CREDIT,
        "subject_id": credit.pk,
        "from_month": line.from_month,
        "run_month": run,
        "state": OccurrenceState.BILLED,
    }


def _line(document: Fields, position: int, line: InvoiceLine, part: Amounts) -> Fields:
    with override(document["language"]):
        text = gettext("Credit: %(text)s") % {"text": line.description}
    is_by_quantity = line.kind == LineKind.OVERAGE or part.net_cents == line.net_cents
    return {
        "id": uuid4(),
        "invoice_id": document["id"],
        "position": position,
        "kind": LineKind.CREDIT,
        "description": text[:LONGEST_TEXT],
        "quantity_hundredths": part.hundredths if is_by_quantity else HUNDREDTHS,
        "unit_cents": -line.unit_cents if is_by_quantity else -part.net_cents,
        "net_cents": -part.net_cents,
        "vat_category": line.vat_category,
        "vat_rate_basis_points": line.vat_rate_basis_points,
        "vat_cents": -part.vat_cents,
        "from_month": line.from_month,
        "until_month": line.until_month,
        "credit_of_id": line.pk,
    }
