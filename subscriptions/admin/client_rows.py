"""What the page of a client is made of, read in as many statements for thirty rows as for one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.http import Http404

from advisors.models import Assignment, with_advisor
from agency import vat_ids
from agency.bulk import as_count, as_json
from agency.models import Contact, Headcount, Organisation
from agency.month import Month, midnight
from subscriptions import contracts, payments, quotes
from subscriptions.contests import with_contests
from subscriptions.models import (
    Contest,
    HeadcountDeclaration,
    Invoice,
    InvoiceLine,
    InvoiceState,
    Mandate,
    Payer,
    PurchaseOrder,
    QuoteState,
    ReleasePolicy,
    RequestState,
    Statement,
    Subscription,
    TierChangeRequest,
)
from subscriptions.portal.overview import Overview, overview
from subscriptions.release import Thresholds
from workshops.models import Session, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from django.db.models import QuerySet

    from subscriptions.agreements import Contract

ROWS_SHOWN = 5
STATEMENTS_OF_A_YEAR = 12
LIMITS = [each.name for each in fields(Thresholds)]
# Every table that the page reads; who may open it reads each of them (`agency.access`).
SHOWN = (
    *("agency.organisation", "agency.contact", "agency.user", "agency.headcount"),
    *("advisors.advisor", "advisors.assignment"),
    *("workshops.session", "workshops.offering"),
    *("subscriptions.contest", "subscriptions.headcountdeclaration", "subscriptions.invoice"),
    *("subscriptions.invoiceline", "subscriptions.mandate", "subscriptions.parkedorganisation"),
    *("subscriptions.pause", "subscriptions.payer", "subscriptions.purchaseorder"),
    *("subscriptions.quote", "subscriptions.receipt", "subscriptions.releasepolicy"),
    *("subscriptions.statement", "subscriptions.publication", "subscriptions.subscription"),
    *("subscriptions.takeover", "subscriptions.terms", "subscriptions.tierchangerequest"),
    *("subscriptions.priceband", "subscriptions.pricebook", "subscriptions.yearprice"),
)


@dataclass(frozen=True, kw_only=True)
class ClientRows:
    """A client with its newest rows; ``client`` bears as JSON what `_facts` names."""

    on: dt.date
    client: Any
    agreed: Sequence[tuple[Subscription, Contract]]
    statements: Sequence[Statement]
    sessions: Sequence[Session]
    invoices: Sequence[Any]

    @property
    def now(self) -> Month:
        return Month.containing(self.on)

    @cached_property
    def contract(self) -> tuple[Subscription, Contract] | None:
        """The contract that runs, else the one to come, else the last one there was."""
        running = [pair for pair in self.agreed if self.now in pair[1].months]
        return next(iter(running or self.agreed[-1:]), None)

    @cached_property
    def overview(self) -> Overview | None:
        """What the client reads of its hours; None without a contract that has its prices."""
        if self.contract is None:
            return None
        row, contract = self.contract
        month = contract.months.nearest(self.now)
        if contract.prices_if_any(contract.year_of(month), contract.tier_in(month)) is None:
            return None
        own = [each for each in self.statements if each.subscription_id == row.pk]
        _version, *newest = max(self.client.said_policies)
        policy = Thresholds(**dict(zip(LIMITS, newest, strict=True)))
        return overview(contract, own[::-1], self.now, policy)

    @property
    def headcount(self) -> int | None:
        """The newest headcount that counts by now, or the first one to come."""
        known: list[tuple[int, int]] = sorted(self.client.said_headcounts)
        counting = [pair for pair in known if pair[0] <= self.now.index]
        return next((people for _month, people in counting[-1:] or known[:1]), None)

    def documents(self, state: str) -> list[OpenDocument]:
        """Give the documents of the client that stand so, the one due first before the others."""
        rows = [OpenDocument(*said) for said in self.client.said_documents]
        found = [row for row in rows if row.state == state]
        return sorted(found, key=lambda row: (row.due_on or "9999", row.number))


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """A document on which somebody waits; days as text, as they come within JSON."""

    key: str
    state: str
    kind: str
    number: str
    due_on: str | None
    debit_failed_on: str | None
    blocked_reason: str
    left_cents: int
    is_contested: bool


def read(organisation: UUID, *, on: dt.date) -> ClientRows:
    """Read all that the page of a client shows on a day; 404 where there is none."""
    client = _facts(on).filter(pk=organisation).first()
    if client is None:
        raise Http404
    statements = Statement.objects.filter(organisation=organisation).newest()
    statements = statements.select_related("publication").order_by("-from_month")
    return ClientRows(
        on=on,
        client=client,
        agreed=contracts.load_client(organisation),
        statements=list(statements[: STATEMENTS_OF_A_YEAR + 1]),
        sessions=list(_sessions(organisation, on)),
        invoices=_invoices(organisation),
    )


def _facts(on: dt.date) -> QuerySet[Organisation]:
    """Have clients tell what waits and who is who, all within the one statement."""
    now, own = Month.containing(on), {"organisation": OuterRef("pk")}
    still = Q(until_month=None) | Q(until_month__gt=now)
    offered = quotes.in_state(QuoteState.OFFERED, on=on)
    planned = Session.objects.filter(status=SessionStatus.SCHEDULED, starts_at__gte=midnight(on))
    asked = TierChangeRequest.objects.filter(subscription__organisation=OuterRef("pk"))
    waiting = {"state": RequestState.OPEN}
    rows = Organisation.objects.select_related("parent", "parked", "taken_over__successor")
    return rows.annotate(
        waits_for_vies=Exists(vat_ids.pending().filter(pk=OuterRef("pk"))),
        statement_count=as_count(Statement.objects.filter(**own).newest()),
        session_count=as_count(Session.objects.filter(**own)),
        invoice_count=as_count(Invoice.objects.filter(payer=OuterRef("pk"))),
        said_policies=as_json(ReleasePolicy.objects.all(), "version", *LIMITS),
        said_headcounts=as_json(Headcount.objects.filter(**own), "month", "headcount"),
        said_people=as_json(
            Contact.objects.filter(**own), "user__name", "role", "user__email", "user__is_active"
        ),
        said_advisors=as_json(
            Assignment.objects.filter(still, **own),
            *("role", "from_month", "advisor__user__name", "advisor__phone", "advisor__pk"),
        ),
        said_members=as_json(
            Organisation.objects.filter(parent=OuterRef("pk")), "legal_name", "pk"
        ),
        said_payers=as_json(
            Payer.objects.filter(still, from_month__lte=now, **own), "payer__legal_name", "payer"
        ),
        said_orders=as_json(
            PurchaseOrder.objects.filter(still, **own), "from_month", "until_month", "number"
        ),
        said_mandates=as_json(Mandate.objects.filter(withdrawn_on=None, **own), "reference"),
        said_declared=as_json(
            HeadcountDeclaration.objects.filter(**waiting, **own),
            *("pk", "headcount", "month", "declared_by__name"),
        ),
        said_requests=as_json(asked.filter(**waiting), "pk", "tier", "from_month"),
        said_quotes=as_json(offered.filter(**own), "valid_until", "pk"),
        said_without_trainer=as_json(planned.filter(trainer=None, **own), "starts_at", "pk"),
        said_documents=as_json(_documents(), *_OF_DOCUMENTS),
    )


_OF_DOCUMENTS = (
    *("pk", "state", "kind", "number", "due_on", "debit_failed_on", "blocked_reason"),
    *("left", "is_contested"),
)


def _documents() -> QuerySet[Any]:
    """Give what the client around has to pay, and what holds its documents up."""
    contests = Contest.objects.filter(invoice=OuterRef("pk"), ended_on=None)
    states = (InvoiceState.OPEN, InvoiceState.BLOCKED, InvoiceState.PARKED)
    rows: QuerySet[Any] = Invoice.objects.filter(payer=OuterRef("pk"), state__in=states)
    found: QuerySet[Any] = payments.with_left(rows).annotate(is_contested=Exists(contests))
    return found


def _sessions(organisation: UUID, on: dt.date) -> QuerySet[Session]:
    """Give the next sessions, the soonest first, then the last ones."""
    is_to_come = Q(starts_at__gte=midnight(on))
    booked = Session.objects.filter(organisation=organisation).select_related("offering")
    return with_advisor(booked, "trainer").order_by(
        Case(When(is_to_come, then=Value(0)), default=Value(1)),
        Case(When(is_to_come, then=F("starts_at"))).asc(nulls_last=True),
        "-starts_at",
    )[:ROWS_SHOWN]


def _invoices(organisation: UUID) -> list[Any]:
    """Give the newest documents, each with what it is for and whether it is contested."""
    lines = InvoiceLine.objects.filter(invoice=OuterRef("pk"))
    rows = with_contests(Invoice.objects.filter(payer=organisation)).annotate(
        first_line=Subquery(lines.order_by("position").values("description")[:1]),
        line_count=as_count(lines),
    )
    return list(rows.order_by("-run_month", "-invoice_on", "-number")[:ROWS_SHOWN])
