"""What the audit looks at: all rows that matter, read once."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Max, Model, Sum

from advisors.hours import posted_quarters
from advisors.models import Assignment, ClosedMonth, DraftHours, MonthHours
from agency.models import Agency, AuditEvent, LegalName, Organisation, VatAnswer, VatConsultation
from agency.month import Month, MonthRange, day_of
from subscriptions.agreements import Contract, PriceBooks
from subscriptions.contracts import price_books
from subscriptions.facts import Facts, read_facts
from subscriptions.models import (
    BilledOccurrence,
    CardUse,
    Contest,
    DebitNotice,
    Invoice,
    InvoiceLine,
    LineKind,
    OverageCredit,
    Payer,
    PaymentPlan,
    PriceBook,
    Publication,
    PurchaseOrder,
    Quote,
    Receipt,
    ReleasePolicy,
    Reminder,
    Statement,
    StripeStep,
    Subscription,
    Takeover,
    TaxTreatment,
    Terms,
    TermsReason,
    TopUpCard,
    WriteOff,
    YearPrice,
)
from subscriptions.orders import with_budget_left
from subscriptions.parked import is_parked
from subscriptions.release import Thresholds
from subscriptions.statements import thresholds
from subscriptions.vat_returns import sent_lines
from workshops.models import Enrolment, Offering, Session

OF_A_CONTRACT = (LineKind.FEE, LineKind.SETUP, LineKind.TIER_CHANGE, LineKind.OVERAGE)
EVENTS_LAST_MONTHS = 7 * 12  # at least, see agency/processing.toml


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: what follows from the facts, and what is kept."""

    subject: str
    expected: Any
    found: Any


@dataclass
class Records:
    """Rows by what they belong to; statements, uses and lines in order of time."""

    facts: Facts
    subscriptions: dict[UUID, Subscription]
    closed: list[Month]
    publications: dict[UUID, Publication]
    policies: list[tuple[int, Thresholds]]
    statements: dict[UUID, list[Statement]]
    hours: dict[UUID, dict[Month, int]]
    posted: list[MonthHours]
    drafts: list[DraftHours]
    uses: dict[UUID, list[CardUse]]
    overage_credits: dict[UUID, OverageCredit]
    cards: dict[UUID, TopUpCard]
    cards_noted_on: dict[UUID, dt.date]
    assignments: list[Assignment]
    consultations: dict[UUID, list[VatConsultation]]
    names: dict[UUID, list[LegalName]]
    takeovers: list[Takeover]
    returned: dict[Month, tuple[int, int]]
    orders: dict[UUID, list[PurchaseOrder]]
    invoices: dict[UUID, Invoice]
    lines: dict[UUID, list[InvoiceLine]]
    occurrences: dict[UUID, BilledOccurrence]
    quotes: list[Quote]
    price_books: PriceBooks
    year_prices: dict[tuple[UUID, Month, str], YearPrice]
    indexed_terms: list[Terms]
    treatments: list[TaxTreatment]
    sessions: dict[UUID, Session]
    seats: dict[UUID, Enrolment]
    events: dict[UUID | str, str]
    steps: list[StripeStep]
    contests: list[Contest]
    write_offs: list[WriteOff]
    reminders: list[Reminder]
    receipts: dict[UUID, list[Receipt]]
    plan_parts: dict[PaymentPlan, int]
    notices: list[DebitNotice]
    replayed: list[Any] | None = None

    @property
    def contracts(self) -> dict[UUID, Contract]:
        return self.facts.contracts

    @cached_property
    def open_month(self) -> Month | None:
        """The first month that is not closed; None before the first close."""
        return max(self.closed) + 1 if self.closed else None

    @cached_property
    def last_run(self) -> Month | None:
        """The last run of a closed month; what is drafted ahead of its close makes no run."""
        runs = [row.run_month for row in self.occurrences.values()]
        closed = [run for run in runs if self.open_month is not None and run < self.open_month]
        return max(closed, default=None)

    def is_parked(self, organisation: UUID, since: Month | None = None) -> bool:
        """Tell whether the last run, or one made ahead, bills nothing of a client on purpose."""
        run = max((one for one in (self.last_run, since) if one), default=None)
        if run is None:
            return False
        row = self.facts.organisations[organisation]
        return is_parked(row, run) or is_parked(self.facts.payer(organisation, run), run)

    def newest_statements(self, subscription: UUID) -> list[Statement]:
        """Give the last version of each period, in order."""
        newest = {row.from_month: row for row in self.statements[subscription]}
        return list(newest.values())

    @cached_property
    def credits_of(self) -> dict[UUID, list[Invoice]]:
        """The credits of each invoice."""
        return _grouped(self.invoices.values(), "credit_of_id")

    def all_lines(self) -> Iterator[InvoiceLine]:
        for lines in self.lines.values():
            yield from lines

    def occurrence_of(self, line: InvoiceLine) -> BilledOccurrence | None:
        return self.occurrences.get(line.occurrence_id) if line.occurrence_id else None

    def billed(self, *kinds: str) -> Iterator[tuple[InvoiceLine, BilledOccurrence]]:
        """Give the lines of these kinds with the occurrence of the same kind that they bill.

        Not those of a contract that is not there, which is said elsewhere.
        """
        for line in self.all_lines():
            row = self.occurrence_of(line)
            if row and row.kind == line.kind and row.kind in kinds and self._is_known(row):
                yield line, row

    def _is_known(self, row: BilledOccurrence) -> bool:
        return row.kind not in OF_A_CONTRACT or row.subject_id in self.contracts

    @cached_property
    def documents_of(self) -> dict[UUID, UUID]:
        """The document on which an occurrence stands; that of a settled one was never made."""
        lines = self.all_lines()
        return {line.occurrence_id: line.invoice_id for line in lines if line.occurrence_id}

    def contract_in(self, organisation: UUID | None, month: Month) -> UUID | None:
        rows = self.facts.subscriptions[organisation] if organisation else []
        return next((row.pk for row in rows if month in row.months), None)

    def is_served(self, subscription: Subscription, month: Month) -> bool:
        """Tell whether a month lies in a contract and in none of its pauses."""
        contract = self.contracts.get(subscription.pk)
        return month in subscription.months and not (contract and contract.is_paused(month))

    def is_noted(self, key: UUID | str, deed: str, run: Month) -> bool:
        """Tell whether an audit event says so of a row or a table: a deed, or a column's label.

        What the row was before is kept nowhere: what a run made of it then cannot be held to it
        any more. Of a run longer ago than events are kept, anything may have been noted.
        """
        is_old = self.last_run is not None and run < self.last_run - EVENTS_LAST_MONTHS
        return is_old or deed in self.events.get(key, "")

    def once_agreed(self, subscription: UUID, month: Month) -> Iterator[Contract]:
        """Give a contract, and what it may have been in a month if its end was changed on record.

        Without an end, then with those that would have made the contract year of the month short.
        """
        contract = self.contracts[subscription]
        start = contract.months.from_month
        yield contract
        if self.is_noted(subscription, "after the end", month):
            yield replace(contract, months=MonthRange(start))
            for until in MonthRange(month + 1, month + 12):
                yield replace(contract, months=MonthRange(start, until))

    @cached_property
    def _steps_by_invoice(self) -> dict[UUID, list[StripeStep]]:
        return _grouped(self.steps, "invoice_id")

    def steps_of(self, invoice: Invoice, *, before: dt.date | None = None) -> list[StripeStep]:
        """Give the calls about a document, or those that were made before a day."""
        every = self._steps_by_invoice.get(invoice.pk, [])
        if before is None:
            return every
        return [row for row in every if row.attempted_at and day_of(row.attempted_at) < before]

    def code(self, organisation: UUID | None) -> str:
        row = self.facts.organisations.get(organisation) if organisation else None
        return row.code if row else "-"

    def document_name(self, invoice: Invoice) -> str:
        """Name a document as staff know it: number or run, with the client's code."""
        name = invoice.number or f"run {invoice.run_month} {invoice.po_number}".rstrip()
        return f"{self.code(invoice.organisation_id)} {name}"

    def line_name(self, line: InvoiceLine) -> str:
        return f"{self.document_name(self.invoices[line.invoice_id])} line {line.position}"

    def period_name(self, subscription: UUID, months: MonthRange) -> str:
        return f"{self.code(self.subscriptions[subscription].organisation_id)} {months}"


Invariant = Callable[[Records], Iterator[Check]]


def read_records() -> Records:
    facts = read_facts()
    return Records(
        facts=facts,
        subscriptions={row.pk: row for rows in facts.subscriptions.values() for row in rows},
        closed=list(ClosedMonth.objects.order_by("month").values_list("month", flat=True)),
        publications={row.pk: row for row in Publication.objects.all()},
        policies=[(p.version, thresholds(p)) for p in ReleasePolicy.objects.order_by("version")],
        statements=_grouped(
            Statement.objects.select_related("policy").order_by("from_month", "version"),
            "subscription_id",
        ),
        hours=posted_quarters(),
        posted=list(MonthHours.objects.only("organisation_id", "month")),
        drafts=list(DraftHours.objects.only("organisation_id", "month")),
        uses=_grouped(CardUse.objects.all(), "statement_id"),
        overage_credits={
            row.statement_id: row for row in OverageCredit.objects.select_related("statement")
        },
        cards={row.pk: row for rows in facts.cards.values() for row in rows},
        cards_noted_on=dict(
            AuditEvent.objects.filter(subject_model=TopUpCard._meta.label_lower)
            .values_list("subject_id")
            .annotate(last=Max("on"))
        ),
        assignments=list(Assignment.objects.select_related("advisor")),
        consultations=_grouped(
            VatConsultation.objects.exclude(answer=VatAnswer.UNAVAILABLE).order_by("number"),
            "organisation_id",
        ),
        names=_grouped(LegalName.objects.order_by("from_on"), "organisation_id"),
        takeovers=list(Takeover.objects.all()),
        returned=_returned(),
        orders=_grouped(with_budget_left(PurchaseOrder.objects.all()), "organisation_id"),
        invoices={row.pk: row for row in Invoice.objects.select_related("organisation", "payer")},
        lines=_grouped(InvoiceLine.objects.order_by("invoice_id", "position"), "invoice_id"),
        occurrences={row.pk: row for row in BilledOccurrence.objects.all()},
        quotes=list(Quote.objects.exclude(offered_on=None).select_related("contract")),
        price_books=price_books(),
        year_prices={
            (row.subscription_id, row.year_month, row.tier): row for row in YearPrice.objects.all()
        },
        indexed_terms=list(
            Terms.objects.filter(reason=TermsReason.INDEXATION).select_related(
                "indexed__run__from_value", "indexed__run__to_value"
            )
        ),
        treatments=list(TaxTreatment.objects.order_by("valid_from")),
        sessions={row.pk: row for rows in facts.sessions.values() for row in rows},
        seats={row.pk: row for row in facts.all_seats()},
        events=_events(
            Agency, Organisation, Offering, Payer, PriceBook, Subscription, PurchaseOrder, Invoice
        ),
        steps=list(StripeStep.objects.select_related("invoice__organisation")),
        **_collection(),
    )


def _collection() -> dict[str, Any]:
    """Read what was done about open invoices, by the names of `Records`."""
    agreed = PaymentPlan.objects.exclude(agreed_on=None)
    return {
        "contests": list(Contest.objects.select_related("invoice__organisation")),
        "write_offs": list(WriteOff.objects.all()),
        "reminders": list(Reminder.objects.all()),
        "plan_parts": {row: row.cents for row in agreed.annotate(cents=Sum("parts__amount_cents"))},
        "receipts": _grouped(Receipt.objects.order_by("received_on", "mark"), "invoice_id"),
        "notices": list(DebitNotice.objects.select_related("mandate", "invoice__organisation")),
    }


def _returned() -> dict[Month, tuple[int, int]]:
    """Give net and VAT that the VAT returns have of each month."""
    sums: dict[Month, tuple[int, int]] = defaultdict(lambda: (0, 0))
    days = sent_lines().values_list("invoice__invoice_on", "vat_category", "vat_rate_basis_points")
    for on, _category, _rate, net, tax in days.annotate(Sum("net_cents"), Sum("vat_cents")):
        month = Month.containing(on)
        sums[month] = (sums[month][0] + net, sums[month][1] + tax)
    return sums


def _events(*models: type[Model]) -> dict[UUID | str, str]:
    """Give what was ever done to rows of some tables, by row and by table, in the events' words."""
    done: dict[UUID | str, str] = defaultdict(str)
    rows = AuditEvent.objects.filter(subject_model__in=[m._meta.label_lower for m in models])
    columns = ("subject_model", "subject_id", "action", "fields")
    for table, key, action, fields in rows.values_list(*columns):
        done[key] += f"{action} {fields} ".lower()
        if action not in done[table]:
            done[table] += f"{action} "
    return done


def _grouped(rows: Iterable[Any], name: str) -> dict[UUID, list[Any]]:
    grouped: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[getattr(row, name)].append(row)
    return grouped
