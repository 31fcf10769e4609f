"""How each amount of a document came about, for who must answer for a bill (design 1, C).

What is not frozen (a price list, the cancellation ladder) may have changed since: a sum that no
longer leads to the amount of a line is left out, with the sentences that lean on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from agency.templatetags.figures import euro, percent
from subscriptions import contracts
from subscriptions.agreements import NoPriceError
from subscriptions.models import (
    Invoice,
    InvoiceKind,
    InvoiceLine,
    LineKind,
    OverageCredit,
    Statement,
    TopUpCard,
    VatCategory,
)
from subscriptions.reasons import REASONS, Sources, by_quantity
from workshops.models import CancellationRung, Enrolment, Session

SESSION_KINDS = (LineKind.SESSION, LineKind.SERVICE, LineKind.CANCELLATION, LineKind.TRAVEL)


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    line: InvoiceLine
    sentences: list[str]
    sum: str


@dataclass(frozen=True, slots=True)
class Explanation:
    lines: list[ExplainedLine]
    vat: list[str]


def explain(invoice: Invoice) -> Explanation:
    """Explain a document in the language that is active.

    Costs three queries, and one or two for each kind of line that there is.
    """
    lines = list(
        invoice.lines.select_related("occurrence", "credit_of__invoice").order_by("position")
    )
    sources = _read(invoice, lines)
    return Explanation([_explained(line, sources) for line in lines], list(_vat(invoice, lines)))


def _read(invoice: Invoice, lines: Sequence[InvoiceLine]) -> Sources:
    def subjects(*kinds: LineKind) -> list[UUID]:
        of_kinds = (line.occurrence for line in lines if line.kind in kinds)
        return [occurrence.subject_id for occurrence in of_kinds if occurrence]

    client = [invoice.organisation_id] if invoice.organisation_id else []
    loaded = {row.pk: agreed for key in client for row, agreed in contracts.load_client(key)}
    statements: dict[UUID, list[Statement]] = defaultdict(list)
    from_cards: dict[UUID, int] = {}
    rungs = CancellationRung.objects.values_list("days_before", "percent")
    stated = Q(subscription__in=subjects(LineKind.OVERAGE))
    rows = Statement.objects.newest().filter(stated).order_by("from_month")
    for row in rows.annotate(taken=Sum("card_uses__quarters")):
        statements[row.subscription_id].append(row)
        from_cards[row.pk] = row.taken or 0  # type: ignore[attr-defined]  # annotated above
    return Sources(
        contracts=loaded,
        statements=statements,
        from_cards=from_cards,
        credits=OverageCredit.objects.select_related("statement").in_bulk(
            subjects(LineKind.CREDIT)
        ),
        sessions=Session.objects.select_related("offering").in_bulk(subjects(*SESSION_KINDS)),
        seats=Enrolment.objects.select_related("session").in_bulk(subjects(LineKind.SEAT)),
        cards=TopUpCard.objects.in_bulk(subjects(LineKind.TOPUP)),
        rungs=list(rungs) if subjects(LineKind.CANCELLATION) else [],
    )


def _explained(line: InvoiceLine, sources: Sources) -> ExplainedLine:
    try:
        reason = REASONS.get(LineKind(line.kind), by_quantity)(line, sources)
    except (KeyError, NoPriceError):  # what it was made of is erased, or gone from the price list
        reason = by_quantity(line, sources)
    if reason.value != line.net_cents:
        fixed = _("The amount was fixed when the document was drafted.")
        return ExplainedLine(line, [*reason.sentences[:1], fixed], "")
    amount = euro(line.net_cents)
    worked_out = amount if str(reason) == amount else f"{reason} = {amount}"
    return ExplainedLine(line, reason.sentences, worked_out)


def _vat(invoice: Invoice, lines: Sequence[InvoiceLine]) -> Iterator[str]:
    """Say the VAT once per category and rate, and which lines carry the cents left over."""
    if invoice.kind == InvoiceKind.CREDIT:
        yield _("VAT: that of the lines credited, in proportion.")
        return
    groups: dict[tuple[str, int], list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        groups[line.vat_category, line.vat_rate_basis_points].append(line)
    for (category, rate), group in groups.items():
        yield _("%(rate)s%% VAT (%(category)s) of %(net)s: %(vat)s.") % {
            "rate": percent(rate),
            "category": VatCategory(category).label,
            "net": euro(sum(line.net_cents for line in group)),
            "vat": euro(sum(line.vat_cents for line in group)),
        }
        raised = [str(line.position) for line in group if line.vat_cents > _down(line)]
        if raised and len(group) > 1:
            yield _(
                "Each line carries its share, rounded down to a cent; the cents left over go to "
                "the largest remainders: line %(lines)s."
            ) % {"lines": ", ".join(raised)}


def _down(line: InvoiceLine) -> int:
    return line.net_cents * line.vat_rate_basis_points // 10_000
