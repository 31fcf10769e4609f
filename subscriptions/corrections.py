"""Credits that staff give: of a sent document, of its lines, or of a part of one (design 5.10).

What is credited in full is open to be billed anew (decision 6), in its own run or a later one. So
what was wrong is put right first; what shall not come again is credited in part, or was never due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from advisors import hours
from agency import bulk
from agency.templatetags.figures import euro
from agency.turns import take_turns
from subscriptions import billing
from subscriptions.buyers import Buyer, of_organisation
from subscriptions.credits import (
    Amounts,
    amount_of,
    credit_document,
    creditable,
    share,
    with_credits,
)
from subscriptions.documents import Document
from subscriptions.models import (
    BilledOccurrence,
    CreditReason,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    LineKind,
    OccurrenceState,
)

# Cents of a line's net by its key; of a line of overage, hundredths of an hour.
Parts = Mapping[UUID, int]
CREDITABLE = (InvoiceState.OPEN, InvoiceState.PAID)


class CreditRefusedError(ValidationError):
    """A credit that cannot be given; its message is the sentence, ``line`` where it belongs."""

    line: UUID | None = None


@dataclass(frozen=True)
class Correction:
    """The credit of a document, and what was drafted in its place."""

    credit: Document
    anew: Sequence[Document] = ()


def lines_of(document: Invoice) -> list[InvoiceLine]:
    """Give the lines of a document with what was taken back of them."""
    return list(with_credits(document.lines.order_by("position")))


@transaction.atomic
def credit(
    document: Invoice,
    reason: CreditReason,
    *,
    key: UUID,
    parts: Parts | None = None,
    anew: bool = False,
) -> Correction | None:
    """Draft a credit of parts of a sent document, or of all that is left of it.

    ``key`` becomes the credit's own: what was done with it before is not done again, and None is
    returned. ``anew`` has the document's run draft at once what is credited, as it is due now.
    Raises CreditRefusedError; then nothing is written.
    """
    take_turns()
    if Invoice.objects.filter(pk=key).exists():
        return None
    document = Invoice.objects.select_for_update(no_key=True).order_by().get(pk=document.pk)
    refuse(document)
    lines = lines_of(document)
    given = _all_of(lines) if parts is None else _parts_of(document, lines, parts)
    if anew and any(_given_by_run(line) for line in lines):
        raise CreditRefusedError(
            _("A run gave back overage of this document: credit it line by line instead.")
        )
    if not sum(part.net_cents + part.vat_cents for _line, part in given):
        raise CreditRefusedError(_("Together nothing is left to be credited."))
    made = credit_document(
        _buyer(document), given, document.run_month, id=key, credit_reason=reason
    )
    bulk.insert(Invoice, [made.invoice_row or {}])
    bulk.insert(InvoiceLine, made.line_rows)
    settle_revisions(document)
    _refuse_to_forget_a_tier(document)
    return Correction(made, _draft_anew(document) if anew else ())


def preview(document: Invoice, reason: CreditReason, **how: Any) -> Correction | None:
    """Give what `credit` would make; writes nothing. Raises CreditRefusedError."""
    with transaction.atomic():
        made = credit(document, reason, **how)
        transaction.set_rollback(True)
    return made


@transaction.atomic
def throw_away(drafted: Invoice) -> None:
    """Delete a credit by staff that is a draft; what it credited in full counts as billed again.

    Raises CreditRefusedError for any other document, and where it was billed anew meanwhile.
    """
    take_turns()
    found = Invoice.objects.select_for_update().filter(pk=drafted.pk).exclude(credit_reason="")
    row = found.filter(state=InvoiceState.DRAFT).order_by("pk").first()
    if row is None or row.credit_of is None:
        raise CreditRefusedError(_("Only a draft of a credit that staff gave is thrown away."))
    row.delete()
    if settle_revisions(row.credit_of):
        raise CreditRefusedError(_("What it credits was billed anew already, so it stays."))


def settle_revisions(document: Invoice) -> bool:
    """Count as credited what staff credited in full of a sent document, and nothing else of it.

    Lines of 0 go with the rest of their document. Tells whether something no longer credited in
    full was billed anew already: that stays as it is.
    """
    lines = lines_of(document)
    in_full = {
        line.occurrence_id
        for line in lines
        if line.occurrence_id and is_credited_in_full(line, lines)
    }
    rows = BilledOccurrence.objects.filter(lines__invoice=document)
    rows.filter(pk__in=in_full, state=OccurrenceState.BILLED).update(state=OccurrenceState.CREDITED)
    back = [row for row in rows.exclude(pk__in=in_full) if row.state == OccurrenceState.CREDITED]
    stays = [row.pk for row in back if _is_billed_anew(row)]
    BilledOccurrence.objects.filter(pk__in={row.pk for row in back} - {*stays}).update(
        state=OccurrenceState.BILLED
    )
    return bool(stays)


def is_credited_in_full(line: InvoiceLine, of_document: Sequence[InvoiceLine]) -> bool:
    """Tell whether staff gave back all of a line of `with_credits`; a run's credits are no part.

    A line of 0 is where all others are.
    """
    if line.net_cents or line.vat_cents:
        return _by_hand(line) == (-line.net_cents, -line.vat_cents)
    others = [other for other in of_document if other.net_cents]
    return bool(others) and all(is_credited_in_full(other, ()) for other in others)


def refuse(document: Invoice) -> None:
    """Raise CreditRefusedError for a document of which nothing may be credited."""
    if document.kind == InvoiceKind.CREDIT:
        raise CreditRefusedError(_("A credit is not credited itself."))
    if document.state not in CREDITABLE or document.is_given_up:
        if document.state in InvoiceState.released:
            text = _("This document asks for nothing any more: it is void or written off.")
        else:
            text = _("This document was not sent: only what was sent is credited.")
        raise CreditRefusedError(text)
    if not any(_is_left(line) for line in lines_of(document)):
        raise CreditRefusedError(_("This document is credited in full already."))


def _all_of(lines: Sequence[InvoiceLine]) -> list[tuple[InvoiceLine, Amounts]]:
    return [(line, creditable(line).left) for line in lines if _is_left(line)]


def _parts_of(
    document: Invoice, lines: Sequence[InvoiceLine], parts: Parts
) -> list[tuple[InvoiceLine, Amounts]]:
    given = [(line, _part(line, parts[line.pk])) for line in lines if parts.get(line.pk)]
    if not given:
        raise CreditRefusedError(_("Say of at least one line how much is credited."))
    # Lines below zero leave less of a document than its other lines ask for.
    for name in ("net_cents", "vat_cents"):
        left = getattr(document, name) + sum(
            getattr(row, name) for row in document.credits.exclude(state=InvoiceState.VOID)
        )
        if sum(getattr(part, name) for _line, part in given) > left:
            raise CreditRefusedError(_("Together that is more than what is left of the document."))
    return given


def _part(line: InvoiceLine, size: int) -> Amounts:
    found = creditable(line)
    is_overage = line.kind == LineKind.OVERAGE
    most = found.left.hundredths if is_overage else found.left.net_cents
    refused = None
    if line.net_cents <= 0:
        refused = CreditRefusedError(
            _("A line below zero is only credited with all of its document.")
        )
    elif not 0 < size <= most or not _is_left(line):
        text = _("Of this line %(left)s is left.")
        refused = CreditRefusedError(text, params={"left": euro(found.left.net_cents)})
    if refused:
        refused.line = line.pk
        raise refused
    if is_overage:
        return share(found, size)
    return found.left if size == most else amount_of(found, size, 0)


def _is_left(line: InvoiceLine) -> bool:
    left = creditable(line).left
    return bool(left.net_cents or left.vat_cents)


def _by_hand(line: InvoiceLine) -> tuple[int, int]:
    return line.hand_net, line.hand_vat  # type: ignore[attr-defined]  # of `with_credits`


def _given_by_run(line: InvoiceLine) -> bool:
    return _by_hand(line) != (line.back_net, line.back_vat)  # type: ignore[attr-defined]


def _is_billed_anew(row: BilledOccurrence) -> bool:
    later = BilledOccurrence.objects.filter(kind=row.kind, subject_id=row.subject_id)
    return later.filter(from_month=row.from_month, revision__gt=row.revision).exists()


def _refuse_to_forget_a_tier(document: Invoice) -> None:
    """Raise CreditRefusedError where a fee would come anew at a tier that was billed beside it.

    A fee that was drafted at another tier than its interval has is put right by a line of its own.
    """
    fees = BilledOccurrence.objects.filter(
        kind=LineKind.FEE, state=OccurrenceState.CREDITED, lines__invoice=document
    )
    for subject, from_month in fees.values_list("subject_id", "from_month"):
        put_right = BilledOccurrence.objects.filter(
            kind=LineKind.TIER_CHANGE, subject_id=subject, from_month=from_month
        )
        if put_right.exclude(state=OccurrenceState.CREDITED).exists():
            raise CreditRefusedError(
                _("Another document put the tier of this fee right: credit that one first.")
            )


def _draft_anew(document: Invoice) -> Sequence[Document]:
    """Have the document's own run draft what is due of its client; one made ahead, ahead again."""
    month = document.run_month
    run = billing.draft_run(month, [document.organisation_id], ahead=not hours.is_closed(month))
    for code, reason in run.failures:
        raise CreditRefusedError(f"{code}: {reason}")
    return [made for made in run.documents if made.invoice]


def _buyer(document: Invoice) -> Buyer:
    if document.payer:
        return of_organisation(document.payer, serves=document.organisation)
    return Buyer(
        name=document.buyer_name,
        street=document.buyer_street,
        postcode=document.buyer_postcode,
        city=document.buyer_city,
        country=document.buyer_country,
        email=document.buyer_email,
        language=document.language,
    )
