"""Drafting the documents of a run, and approving them (design 5.8 and 5.9)."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from advisors import hours
from agency import bulk
from agency.models import Organisation, User
from agency.month import Month
from agency.templatetags.figures import euro
from agency.turns import take_turns
from subscriptions import buyers
from subscriptions.agreements import NoPriceError
from subscriptions.bounds import ONE_PERSON_APPROVES_CENTS, run_passes_a_bound
from subscriptions.contracts import without_terms
from subscriptions.credits import documents_due as credits_due
from subscriptions.descriptions import no_price
from subscriptions.documents import (
    Document,
    Fields,
    as_plain,
    documents,
    one_off_documents,
    prices_to_freeze,
    reason_now,
    vat_rates,
)
from subscriptions.due import ahead_items, items
from subscriptions.facts import Chosen, clients, read_due
from subscriptions.models import (
    AcceptedRun,
    BilledOccurrence,
    BlockedReason,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    OccurrenceState,
    ParkedOrganisation,
    Subscription,
    YearPrice,
)
from subscriptions.orders import purchase_orders
from subscriptions.parked import is_parked
from workshops.models import Enrolment

LARGE = Q(total_cents__gt=ONE_PERSON_APPROVES_CENTS) | Q(total_cents__lt=-ONE_PERSON_APPROVES_CENTS)


class BillError(ValidationError):
    """A run that cannot be made; its message is the sentence to show."""


@dataclass
class Run:
    """What a run drafts: documents, prices to freeze, and clients that could not be billed.

    ``unblocked`` counts the blocked documents that it took away to draft them anew.
    """

    month: Month
    unblocked: int = 0
    documents: list[Document] = field(default_factory=list)
    frozen: list[Fields] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)


class Drafted(NamedTuple):
    """A line of a blocked document, with what it bills."""

    kind: str
    from_month: Month
    net_cents: int
    occurrence: UUID | None
    subject: UUID | None
    organisation: UUID | None


def refuse_to_bill_ahead(month: Month, *, on: dt.date) -> None:
    """Raise BillError for a run that lies further ahead than the next month."""
    if month > Month.containing(on) + 1:
        raise BillError(
            _("%(month)s lies too far ahead: bill at most the next month ahead."),
            params={"month": month},
        )


def refuse_to_bill(month: Month) -> None:
    """Raise BillError for a month that is not closed."""
    if not hours.is_closed(month):
        raise BillError(
            _("%(month)s is not closed yet: close the month first."), params={"month": month}
        )


def plan(month: Month, organisations: Chosen = None, *, ahead: bool = False) -> Run:
    """Work out the documents of a run; writes nothing.

    One organisation that cannot be billed does not stop the others: it is named in ``failures``.
    ``ahead`` drafts only what a new client is billed before the month is closed.
    """
    facts = read_due(month, organisations)
    chosen = clients(organisations)
    payers = [row.payer_id for rows in facts.payers.values() for row in rows]
    orders = purchase_orders(None if chosen is None else [*chosen, *payers])
    rates = vat_rates(month)
    run = Run(month)
    for code in without_terms(chosen):
        run.failures.append((code, str(_("The contract has no terms yet."))))
    for key, organisation in sorted(facts.organisations.items(), key=lambda row: row[1].code):
        try:
            due = (ahead_items if ahead else items)(facts, key, month)
            payer = facts.payer(key, month)
            if due and (is_parked(organisation, month) or is_parked(payer, month)):
                run.failures.append((organisation.code, str(_("Parked: nothing is billed."))))
                continue
            made = documents(facts, key, due, orders[payer.pk], rates, month)
            frozen = prices_to_freeze(facts, due)
        except NoPriceError as error:
            run.failures.append((organisation.code, no_price(error)))
        else:
            run.documents += made
            run.frozen += frozen
    if not ahead:
        run.documents += one_off_documents(facts, rates, month)
        run.documents += credits_due(facts, month, organisations)
    return run


@bulk.collector_paused()
@transaction.atomic
def draft_run(
    month: Month,
    organisations: Chosen = None,
    *,
    ahead: bool = False,
    anew: bool = False,
    even_open: bool = False,
) -> Run:
    """Draft the run of a closed month in one transaction; drafting again finds nothing to do.

    ``organisations`` are the clients to draft for, None among them for one-off buyers of seats.
    A document that passed a bound stays until somebody accepts it or asks for it ``anew``.
    Documents blocked in this run or an earlier one whose reason is gone are drafted anew, in this
    run. Raises BillError for an open month, unless the run is made ahead or, by who takes it back,
    ``even_open``.
    """
    take_turns()
    if not (ahead or even_open):
        refuse_to_bill(month)
    unblocked = release_unblocked(month, organisations, ahead=ahead, anew=anew)
    run = plan(month, organisations, ahead=ahead)
    run.unblocked = unblocked
    _write(run)
    return run


def _write(run: Run) -> None:
    drafted = [document for document in run.documents if document.invoice_row]
    bulk.insert(Invoice, [document.invoice_row for document in drafted if document.invoice_row])
    bulk.insert(
        BilledOccurrence, [row for document in run.documents for row in document.occurrence_rows]
    )
    bulk.insert(InvoiceLine, [row for document in drafted for row in document.line_rows])
    bulk.insert(YearPrice, run.frozen)


def release_unblocked(
    month: Month, organisations: Chosen = None, *, ahead: bool = False, anew: bool = False
) -> int:
    """Take away blocked documents that a run would not block for the reason they name; count them.

    These are documents of this run or an earlier one. Their occurrences are free again, so that the
    run under way drafts them anew, with the purchase orders valid in its own month. A bound that
    was passed is a reason until a person has looked, or works that run out ``anew``.
    """
    rows = _made_out_to(organisations).filter(state=InvoiceState.BLOCKED)
    rows = rows.filter(run_month=month) if ahead else rows.filter(run_month__lte=month)
    parked = ParkedOrganisation.objects.exclude(until_month__lte=month)
    rows = rows.exclude(
        Q(organisation__in=parked.values("organisation"))
        | Q(payer__in=parked.values("organisation"))
    )
    bound = Q(blocked_reason=BlockedReason.BOUND)
    rows = rows.exclude(bound & ~Q(run_month=month) if anew else bound)
    lines, contracts = _lines_of(rows), _contracts_of(rows)
    payers = buyers.read_payers(rows.values("organisation"))
    served = rows.values("organisation")
    who = Q(pk__in=served) | Q(pays_for__organisation__in=served)
    orders = purchase_orders(Organisation.objects.filter(who).values("pk"))
    seats = _seats_of(line for of_one in lines.values() for line in of_one)

    def reason(invoice: Invoice) -> BlockedReason | None:
        """Give the reason for which this run would block it, bounds apart."""
        of_it = lines[invoice.pk]
        billed = [line[:3] for line in of_it]
        if invoice.organisation:
            buyer = buyers.of_client(invoice.organisation, month, payers)
            theirs = orders[buyer.payer.pk] if buyer.payer else []
            return reason_now(buyer, contracts[invoice.organisation.pk], billed, theirs, month)
        sold = [buyers.of_seat(seats[line.subject]) for line in of_it if line.subject in seats]
        found = (reason_now(buyer, [], billed, [], month) for buyer in sold)
        return next(filter(None, found), None)

    blocked = rows.select_related("organisation").only("blocked_reason", "organisation").order_by()
    free = [invoice for invoice in blocked if reason(invoice) != invoice.blocked_reason]
    for invoice in free:
        occurrences = [line.occurrence for line in lines[invoice.pk] if line.occurrence]
        invoice.delete()
        BilledOccurrence.objects.filter(pk__in=occurrences).delete()
    return len(free)


def _lines_of(invoices: QuerySet[Invoice]) -> dict[UUID, list[Drafted]]:
    """Read the lines of documents that a query names: there may be more than it could list."""
    rows = InvoiceLine.objects.filter(invoice__in=invoices.values("pk")).order_by("position")
    lines: dict[UUID, list[Drafted]] = defaultdict(list)
    for invoice, *line in rows.values_list(
        *("invoice", "kind", "from_month", "net_cents", "occurrence", "occurrence__subject_id"),
        "occurrence__organisation",
    ):
        lines[invoice].append(Drafted(*line))
    return lines


def _contracts_of(invoices: QuerySet[Invoice]) -> dict[UUID, list[Subscription]]:
    rows = Subscription.objects.filter(organisation__in=invoices.values("organisation"))
    contracts: dict[UUID, list[Subscription]] = defaultdict(list)
    for row in rows.order_by("start_month"):
        contracts[row.organisation_id].append(row)
    return contracts


def _made_out_to(chosen: Chosen) -> QuerySet[Invoice]:
    rows = Invoice.objects.all()
    if chosen is None:
        return rows
    theirs = Q(organisation__in=clients(chosen))
    return rows.filter(theirs | Q(organisation=None) if None in chosen else theirs)


def _seats_of(lines: Iterable[Drafted]) -> dict[UUID, Enrolment]:
    """Give the seats that lines of one-off buyers bill, as they are now."""
    subjects = [line.subject for line in lines if line.occurrence and line.organisation is None]
    return Enrolment.objects.select_related("organisation").in_bulk(subjects)


@transaction.atomic
def accept(invoices: Iterable[Invoice]) -> int:
    """Make drafts of documents that passed a bound and were looked at, as they are; count them.

    What is blocked for another reason stays as it is. From then on what they bill is billed.
    """
    take_turns()
    keys = [invoice.pk for invoice in invoices]
    passed = Invoice.objects.filter(
        pk__in=keys, state=InvoiceState.BLOCKED, blocked_reason=BlockedReason.BOUND
    )
    held = BilledOccurrence.objects.filter(lines__invoice__in=passed)
    held.update(state=OccurrenceState.BILLED)
    return passed.update(state=InvoiceState.DRAFT, blocked_reason="")


@transaction.atomic
def approve(invoices: Iterable[Invoice], *, by: User | None = None) -> int:
    """Approve drafts for sending and give how many were; anything else stays as it is.

    A large one takes two people: with the first it stays a draft, and a command is nobody. Raises
    BillError for several of a run that passed a bound, until somebody accepted that run.
    """
    drafts = [invoice for invoice in invoices if invoice.state == InvoiceState.DRAFT]
    for month, number in Counter(invoice.run_month for invoice in drafts).items():
        if number > 1:
            refuse_unusual_run(month)
    rows = Invoice.objects.filter(
        pk__in=[invoice.pk for invoice in drafts], state=InvoiceState.DRAFT
    )
    done = rows.exclude(LARGE).update(state=InvoiceState.APPROVED)
    if by is not None:
        second = rows.filter(LARGE).exclude(approved_by=None).exclude(approved_by=by)
        done += second.update(state=InvoiceState.APPROVED, seconded_by=by)
        rows.filter(LARGE, approved_by=None).update(approved_by=by)
    return done


def for_two_people(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Give the drafts that two people approve."""
    return invoices.filter(LARGE, state=InvoiceState.DRAFT)


def refuse_unusual_run(month: Month) -> None:
    """Raise BillError for a run far larger than the last like it, unless somebody accepted it."""
    billed = Invoice.objects.filter(kind=InvoiceKind.INVOICE, run_month__lte=month)
    billed = billed.exclude(state=InvoiceState.VOID).filter(run_month__gte=month - 12)
    sums = billed.order_by().values_list("run_month").annotate(Count("pk"), Sum("total_cents"))
    runs = {run: (number, cents) for run, number, cents in sums}
    this = runs.pop(month, (0, 0))
    last = runs.get(month - 12) or (runs[max(runs)] if runs else None)
    if not run_passes_a_bound(this, last):
        return
    if not AcceptedRun.objects.filter(run_month=month).exists():
        text = _(
            "The run of %(month)s is unusually large (%(number)s invoices, %(total)s): look at it, "
            "and accept the run first."
        )
        words = {"month": month, "number": this[0], "total": euro(this[1])}
        raise BillError(text, params=words)


def of_run(month: Month, organisations: Chosen = None) -> list[dict[str, object]]:
    """Give the documents of a run as plain values, sorted by organisation code and order number.

    Those of one-off buyers come last; their organisation is None.
    """
    rows = _made_out_to(organisations).filter(run_month=month)
    rows = rows.select_related("organisation").prefetch_related("lines")
    code = F("organisation__code").asc(nulls_last=True)
    return [
        as_plain(row, list(row.lines.all()))
        for row in rows.order_by(code, "po_number", "kind", "buyer_name", "buyer_email")
    ]
