"""Where a month stands, from missing submissions to invoices at Stripe. Reads; decides nothing."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db.models import (
    Case,
    Count,
    F,
    IntegerField,
    Max,
    Min,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Coalesce

from advisors.hours import missing, submitting
from advisors.models import Advisor
from agency.month import Month
from subscriptions.billing import LARGE
from subscriptions.models import (
    Invoice,
    InvoiceLine,
    InvoiceState,
    Job,
    JobKind,
    LineKind,
    Publication,
    Statement,
    Subscription,
)
from subscriptions.run_comparison import Billed

UNSENT = (InvoiceState.APPROVED, InvoiceState.PARKED)


class Batch(NamedTuple):
    """So many documents, and what they ask without VAT."""

    documents: int
    net_cents: int


NONE = Batch(0, 0)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the month's way, in order, and whether it is behind us."""

    name: str
    is_done: bool


@dataclass
class Standing:
    """All that tells where a month stands; ``invoices`` are by state, ``jobs`` by kind."""

    month: Month
    publication: Publication | None = None
    statements: int = 0
    advisors: int = 0
    missing: int = 0
    invoices: dict[str, Batch] = field(default_factory=dict)
    large: Batch = NONE
    jobs: dict[str, Job] = field(default_factory=dict)
    last_sent_on: dt.date | None = None
    is_past: bool = False  # a later month is closed

    def of(self, states: Collection[str]) -> Batch:
        found = [batch for state, batch in self.invoices.items() if state in states]
        return Batch(sum(each.documents for each in found), sum(each.net_cents for each in found))

    @property
    def to_approve(self) -> Batch:
        """Drafts that one person approves; the large ones apart."""
        drafts = self.of([InvoiceState.DRAFT])
        return Batch(
            drafts.documents - self.large.documents, drafts.net_cents - self.large.net_cents
        )

    @property
    def is_closed(self) -> bool:
        return self.publication is not None

    @property
    def is_drafted(self) -> bool:
        """Whether the run was made; a document alone may have been billed ahead of it."""
        job = self.jobs.get(JobKind.DRAFT)
        is_done = job is not None and job.finished_on is not None
        return self.is_closed and (is_done or (self.is_past and bool(self.invoices)))

    def steps(self) -> list[Step]:
        """Give the six steps; what one waits for is not done before it."""
        is_approved = self.is_drafted and not self.of([InvoiceState.DRAFT]).documents
        return [
            Step("complete", self.is_closed or not self.missing),
            Step("close", self.is_closed),
            Step("statements", self.is_closed),
            Step("drafts", self.is_drafted),
            Step("approve", is_approved),
            Step("send", is_approved and not self.of(UNSENT).documents),
        ]

    def current(self) -> str:
        """Give the step that waits for somebody; the last one once all are done."""
        waiting = (step.name for step in self.steps() if not step.is_done)
        return next(waiting, "send")


def standings(months: Sequence[Month], newest: Month | None) -> list[Standing]:
    """Tell where months stand, in a fixed number of queries but for who has to submit.

    ``newest`` is the last month that is closed.
    """
    found = {month: Standing(month) for month in months}
    closed = [month for month in months if newest is not None and month <= newest]
    for row in Publication.objects.filter(month__in=closed).annotate(n=Count("statements")):
        found[row.month].publication, found[row.month].statements = row, row.n
    for job in Job.objects.filter(month__in=months).defer("subjects").select_related("started_by"):
        found[job.month].jobs[job.kind] = job
    for each in found.values():
        each.is_past = newest is not None and each.month < newest
    _read_invoices(found)
    return list(found.values())


def _read_invoices(found: dict[Month, Standing]) -> None:
    rows = Invoice.objects.filter(run_month__in=found).exclude(state=InvoiceState.VOID)
    large = LARGE & Q(state=InvoiceState.DRAFT)
    for month, state, count, net_cents, large_count, large_cents, sent_on in (
        rows.order_by()
        .values_list("run_month", "state")
        .annotate(
            n=Count("pk"),
            cents=Sum("net_cents"),
            large_n=Count("pk", filter=large),
            large_cents=Sum("net_cents", filter=large),
            last_on=Max("invoice_on"),
        )
    ):
        of_month = found[month]
        of_month.invoices[state] = Batch(count, net_cents)
        if large_count:
            of_month.large = Batch(large_count, large_cents)
        of_month.last_sent_on = max(filter(None, (of_month.last_sent_on, sent_on)), default=None)


def standing(month: Month, newest: Month | None) -> Standing:
    """Tell where a month stands, with how many have to submit it and how many have not."""
    [found] = standings([month], newest)
    found.advisors, found.missing = submitting(month)
    return found


class Bounds(NamedTuple):
    """The first month that was closed, or else will be, and the last one that was.

    Both are None before there is a contract; the last one is until a month is closed.
    """

    first: Month | None
    closed: Month | None


def bounds() -> Bounds:
    first_run = Subscription.objects.order_by("first_run").values("first_run")[:1]
    first = Coalesce(Min("month"), Subquery(first_run))
    return Bounds(**Publication.objects.aggregate(first=first, closed=Max("month")))


def not_submitted(month: Month) -> QuerySet[Advisor]:
    """Give the advisors with an assignment in a month who have not submitted it, by name."""
    return missing(month).select_related("user").order_by("user__name")


def billed(runs: Collection[Month]) -> dict[Month, list[Billed]]:
    """Give what runs billed, without what was cancelled; of a run that billed nothing, nothing."""
    lines = InvoiceLine.objects.filter(invoice__run_month__in=runs)
    of_fees = When(kind=LineKind.FEE, then=F("until_month") - F("from_month"))
    cells: dict[tuple[Month, UUID | None, str], list[tuple[int, int, int]]] = defaultdict(list)
    for run, client, kind, covered, count, cents in (
        lines.exclude(invoice__state=InvoiceState.VOID)
        .order_by()
        .annotate(covered=Case(of_fees, default=0, output_field=IntegerField()))
        .values_list("invoice__run_month", "invoice__organisation", "kind", "covered")
        .annotate(Count("pk"), Sum("net_cents"))
    ):
        cells[run, client, kind].append((cents, count, covered))
    found: dict[Month, list[Billed]] = {}
    for (run, client, kind), parts in cells.items():
        lines_of, net_cents = sum(part[1] for part in parts), sum(part[0] for part in parts)
        row = Billed(client, kind, lines_of, net_cents, max(parts)[2])
        found.setdefault(run, []).append(row)
    return found


def published(month: Month, most: int) -> list[Statement]:
    """Give the first of the statements of a month's publication, by client."""
    rows = Statement.objects.filter(publication__month=month)
    rows = rows.select_related("organisation").order_by("organisation__legal_name", "from_month")
    return list(rows[:most])


def large_drafts(month: Month) -> QuerySet[Invoice]:
    """Give the drafts of a run that two people approve."""
    drafts = Invoice.objects.filter(LARGE, run_month=month, state=InvoiceState.DRAFT)
    return drafts.select_related("approved_by").order_by("buyer_name")
