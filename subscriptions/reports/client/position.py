"""What a client workbook is made from: statements, sessions, documents and the contract.

Nothing here reads the hours that advisors recorded; only `Statement` tells of use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db.models import Prefetch

from advisors.models import Assignment, AssignmentRole, with_advisor
from agency.bulk import grouped
from agency.models import Agency, Contact, Organisation
from agency.month import Month, MonthRange
from subscriptions import contracts, indexation_runs
from subscriptions.agreements import Contract, ContractYear
from subscriptions.models import (
    BilledOccurrence,
    IndexedContract,
    Invoice,
    InvoiceLine,
    InvoiceState,
    LineKind,
    OccurrenceState,
    Payer,
    PurchaseOrder,
    Statement,
    Subscription,
    TopUpCard,
)
from subscriptions.release import Thresholds, periods
from subscriptions.statements import thresholds
from workshops.models import Offering, Session

ORGANISATIONS_AT_ONCE = 200
_CLIENT = "organisation_id"
_OF_SESSIONS = frozenset({LineKind.SESSION, LineKind.CANCELLATION, LineKind.SERVICE})
# A void document was taken back: it is owed by nobody and stands in no list of costs.
_SHOWN = InvoiceState.released - {"void"}


@dataclass(frozen=True)
class Shared:
    """What is the same for all clients."""

    agency: Agency
    thresholds: Thresholds
    eligible_kinds: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What one client ordered, with or without a contract, after the close of ``month``.

    ``invoice_of`` gives the number of the sent document that names a session; ``free`` are sessions
    known to cost nothing. Documents are those that it pays, also for others: what another one pays
    for it is shown to that one.
    """

    shared: Shared
    organisation: Organisation
    month: Month
    sessions: Sequence[Session]
    documents: Sequence[Invoice]
    blocked: Sequence[Invoice]
    invoice_of: Mapping[UUID, str]
    free: frozenset[UUID]
    billed: frozenset[UUID]
    another_pays: bool

    @property
    def since(self) -> Month:
        """The month from which sessions are listed: with that of the calendar or contract year."""
        return Month.of(self.month.year, 1)


@dataclass(frozen=True, kw_only=True)
class Position(Orders):
    """One client with a contract: the contract year that ``month`` lies in, and what it holds.

    ``statements`` are all of the contract, newest versions, in order; ``rise`` is the one that the
    client was told of.
    """

    subscription: Subscription
    contract: Contract
    rise: IndexedContract | None
    statements: Sequence[Statement]
    purchase_orders: Sequence[PurchaseOrder]
    cards: Sequence[TopUpCard]
    contacts: Sequence[Contact]
    assignments: Sequence[Assignment]

    @property
    def since(self) -> Month:
        return self.year.first_month

    @cached_property
    def year(self) -> ContractYear:
        """The contract year of the month, or of the contract's month that is nearest to it."""
        return self.contract.year_of(self.contract.months.nearest(self.month))

    @cached_property
    def of_year(self) -> Sequence[Statement]:
        return [row for row in self.statements if row.from_month in self.year.months]

    @cached_property
    def of_year_before(self) -> Sequence[Statement]:
        """The last published year's statements, while this year has none yet."""
        earlier = [row for row in self.statements if row.from_month < self.year.first_month]
        if self.of_year or not earlier:
            return []
        year = self.contract.year_of(earlier[-1].from_month)
        return [row for row in earlier if row.from_month in year.months]

    @cached_property
    def reported_before(self) -> MonthRange | None:
        """The months of the year that a former system reported."""
        until = min(self.contract.reported_until, self.year.until_month)
        first = self.year.first_month
        return MonthRange(first, until) if first < until else None

    @cached_property
    def coming(self) -> Sequence[MonthRange]:
        """The periods of the year that are not published, if headcount and choices stay."""
        return list(self._periods(self._open_from, self.year))

    @cached_property
    def next_period(self) -> MonthRange | None:
        """The period that is published next: the year's, or the first of the year after it."""
        if self.coming:
            return self.coming[0]
        start = self.year.until_month
        if start not in self.contract.months:
            return None
        return next(self._periods(start, self.contract.year_of(start)), None)

    @property
    def _open_from(self) -> Month:
        open_from = max(self.year.first_month, self.contract.reported_until)
        return max(open_from, self.of_year[-1].until_month) if self.of_year else open_from

    def _periods(self, start: Month, year: ContractYear) -> Iterator[MonthRange]:
        rest = MonthRange(min(start, year.until_month), year.until_month)
        return (each.months for each in periods(self.contract, rest, self.shared.thresholds))

    @cached_property
    def sessions_of_year(self) -> Sequence[Session]:
        return [row for row in self.sessions if row.month in self.year.months]


def positions(organisations: Sequence[Organisation], month: Month) -> Iterator[Orders]:
    """Give the clients' positions after the close of a month, in a few queries for many of them.

    An organisation without a contract that begins by the month after has what it ordered; without
    any of that it is left out.
    """
    shared = _shared()
    for at in range(0, len(organisations), ORGANISATIONS_AT_ONCE):
        yield from _positions(organisations[at : at + ORGANISATIONS_AT_ONCE], month, shared)


def _shared() -> Shared:
    eligible = Offering.objects.filter(included_eligible=True)
    return Shared(
        agency=Agency.objects.get(),
        thresholds=thresholds(),
        eligible_kinds=frozenset(eligible.values_list("kind", flat=True)),
    )


def _positions(
    organisations: Sequence[Organisation], month: Month, shared: Shared
) -> Iterator[Orders]:
    keys = [organisation.pk for organisation in organisations]
    subscriptions = _newest(keys, month)
    loaded = contracts.load(keys)
    rises = indexation_runs.coming([row.pk for row in subscriptions.values()], after=month)
    statements = _statements(subscriptions.values(), month)
    documents = grouped(_documents(keys, month, _SHOWN), "payer_id")
    blocked = grouped(_documents(keys, month, {InvoiceState.BLOCKED}), "payer_id")
    paid_for = _paid_for(keys, month + 1)
    sessions = grouped(_sessions(keys), _CLIENT)
    invoice_of, free, billed = _billing_of_sessions(keys)
    orders = grouped(_orders(keys), _CLIENT)
    cards = grouped(_cards(keys, month), _CLIENT)
    contacts = grouped(_contacts(keys), _CLIENT)
    assignments = grouped(_assignments(keys, month + 1), _CLIENT)
    for organisation in organisations:
        subscription = subscriptions.get(organisation.pk)
        ordered = Orders(
            shared=shared,
            organisation=organisation,
            month=month,
            sessions=sessions[organisation.pk],
            documents=documents[organisation.pk],
            blocked=blocked[organisation.pk],
            invoice_of=invoice_of,
            free=free,
            billed=billed,
            another_pays=organisation.pk in paid_for,
        )
        if subscription is None:
            if ordered.sessions or ordered.documents:
                yield ordered
            continue
        yield Position(
            **vars(ordered),
            subscription=subscription,
            contract=loaded[subscription.pk],
            rise=rises.get(subscription.pk),
            statements=statements[subscription.pk],
            purchase_orders=orders[organisation.pk],
            cards=cards[organisation.pk],
            contacts=contacts[organisation.pk],
            assignments=assignments[organisation.pk],
        )


def _newest(keys: Sequence[UUID], month: Month) -> dict[UUID, Subscription]:
    """Give each client's contract that began last, else the one that begins the month after."""
    rows = Subscription.objects.filter(organisation__in=keys, start_month__lte=month + 1)
    newest: dict[UUID, Subscription] = {}
    for row in rows.order_by("start_month"):
        if row.start_month <= month or row.organisation_id not in newest:
            newest[row.organisation_id] = row
    return newest


def _statements(
    subscriptions: Iterable[Subscription], month: Month
) -> defaultdict[UUID, list[Statement]]:
    newest = Statement.objects.newest().filter(
        subscription__in=list(subscriptions), until_month__lte=month + 1
    )
    return grouped(newest.select_related("publication").order_by("from_month"), "subscription_id")


def _documents(keys: Sequence[UUID], month: Month, states: Iterable[str]) -> Iterable[Invoice]:
    lines = Prefetch("lines", InvoiceLine.objects.select_related("credit_of").order_by("position"))
    rows = Invoice.objects.filter(payer__in=keys, run_month__lte=month, state__in=states)
    return rows.prefetch_related(lines).order_by("run_month", "invoice_on", "number", "po_number")


def _paid_for(keys: Sequence[UUID], month: Month) -> set[UUID]:
    """Give the clients for which another organisation pays."""
    rows = Payer.objects.filter(organisation__in=keys, from_month__lte=month)
    return set(rows.exclude(until_month__lte=month).values_list("organisation", flat=True))


def _sessions(keys: Sequence[UUID]) -> Iterable[Session]:
    rows = Session.objects.filter(organisation__in=keys).select_related("offering")
    return with_advisor(rows, "trainer").order_by("starts_at", "reference")


def _billing_of_sessions(
    keys: Sequence[UUID],
) -> tuple[dict[UUID, str], frozenset[UUID], frozenset[UUID]]:
    """Give the client's document that names a session, the free sessions, and all billed ones."""
    occurrences = BilledOccurrence.objects.filter(
        organisation__in=keys, kind__in=_OF_SESSIONS
    ).exclude(state=OccurrenceState.CREDITED)
    lines = InvoiceLine.objects.filter(
        occurrence__in=occurrences, invoice__state__in=_SHOWN, invoice__served_name=""
    )
    numbers = dict(
        lines.order_by("invoice__number").values_list("occurrence__subject_id", "invoice__number")
    )
    billed = list(occurrences.values_list("subject_id", "free"))
    free = frozenset(subject for subject, is_free in billed if is_free)
    return numbers, free, frozenset(subject for subject, _ in billed)


def _cards(keys: Sequence[UUID], month: Month) -> Iterable[TopUpCard]:
    valid = TopUpCard.objects.filter(organisation__in=keys, expires_month__gt=month)
    return valid.order_by("bought_month", "expires_month", "pk")


def _orders(keys: Sequence[UUID]) -> Iterable[PurchaseOrder]:
    return PurchaseOrder.objects.filter(organisation__in=keys).order_by("from_month")


def _contacts(keys: Sequence[UUID]) -> Iterable[Contact]:
    rows = Contact.objects.filter(organisation__in=keys, user__is_active=True)
    return rows.select_related("user").order_by("role", "user__name", "user__email")


def _assignments(keys: Sequence[UUID], month: Month) -> Iterable[Assignment]:
    shown = [AssignmentRole.COUNSELLOR, AssignmentRole.DEPUTY]
    rows = Assignment.objects.in_month(month).filter(organisation__in=keys, role__in=shown)
    return with_advisor(rows, "advisor").order_by("role", "from_month", "advisor__code")
