"""What a run is worked out from, read in a fixed number of queries.

A run reads what it can still bill, not all that was ever billed: statements, cards and sessions
that are on no document, and of most contracts only until when their fees are billed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet

from agency.models import Agency, Organisation
from agency.month import Month
from subscriptions import buyers, charges, contracts
from subscriptions.agreements import Contract
from subscriptions.models import (
    BilledOccurrence,
    LineKind,
    OccurrenceState,
    Statement,
    Subscription,
    TopUpCard,
)
from workshops.models import (
    CancellationRung,
    CancelledBy,
    Enrolment,
    Offering,
    Session,
    SessionStatus,
)

Key = tuple[str, UUID, Month]
Row = TypeVar("Row", Subscription, Statement, Session, TopUpCard, Enrolment)
# Clients by their id; None stands for all one-off buyers of seats.
Chosen = Sequence[UUID | None] | None
SESSION_KINDS = (LineKind.SESSION, LineKind.SERVICE, LineKind.CANCELLATION)
# More subjects than this are not named in a query: all occurrences are read instead.
MOST_NAMED = 10_000


class Billed(NamedTuple):
    """An occurrence as it was billed last."""

    kind: str
    subject_id: UUID
    from_month: Month
    revision: int
    state: str
    tier: str
    free: bool


@dataclass
class Facts:
    """The facts of a run, or of everything (see `read_facts` and `read_due`).

    ``paid_until`` says of a contract whose fees are all billed, up to which month they are.
    ``occurrences`` has no fees of such a contract.
    """

    agency: Agency
    organisations: dict[UUID, Organisation]
    contracts: dict[UUID, Contract]
    subscriptions: dict[UUID, list[Subscription]]
    statements: dict[UUID, list[Statement]]
    sessions: dict[UUID, list[Session]]
    cards: dict[UUID, list[TopUpCard]]
    seats: dict[UUID, list[Enrolment]]
    one_off_seats: list[Enrolment]
    occurrences: dict[Key, Billed]
    rungs: list[tuple[int, int]]
    paid_until: dict[UUID, Month] = field(default_factory=dict)
    payers: buyers.Payers = field(default_factory=dict)

    def payer(self, client: UUID, run: Month) -> Organisation:
        return buyers.payer_of(self.organisations[client], run, self.payers)

    @cached_property
    def drafted_tiers(self) -> dict[UUID, dict[Month, str]]:
        """The tier that each fee was drafted at, by subscription and first month."""
        tiers: dict[UUID, dict[Month, str]] = defaultdict(dict)
        for (kind, subject, month), occurrence in self.occurrences.items():
            if kind == LineKind.FEE and occurrence.state != OccurrenceState.CREDITED:
                tiers[subject][month] = occurrence.tier
        return tiers

    def all_seats(self) -> Iterator[Enrolment]:
        yield from self.one_off_seats
        for rows in self.seats.values():
            yield from rows

    def is_exempt(self, session: Session) -> bool:
        """Tell whether a session is vocational education of a registered agency (design 5.8)."""
        return session.offering.vocational and self.agency.is_crkbo_registered(session.month_due)

    def billed(self, key: Key) -> Billed | None:
        """Give what a thing was billed as, unless it was credited in full."""
        last = self.occurrences.get(key)
        return None if last is None or last.state == OccurrenceState.CREDITED else last

    def open_revision(self, key: Key) -> int | None:
        """Give the revision in which a thing may be billed now; None when it is billed."""
        last = self.occurrences.get(key)
        if last is None:
            return 1
        return last.revision + 1 if last.state == OccurrenceState.CREDITED else None


@dataclass(slots=True)
class _Sources:
    """Which rows to read."""

    statements: QuerySet[Statement]
    sessions: QuerySet[Session]
    cards: QuerySet[TopUpCard]
    seats: QuerySet[Enrolment]
    occurrences: QuerySet[BilledOccurrence]


def read_facts(organisations: Chosen = None) -> Facts:
    """Read all facts of the chosen organisations, or of all and of one-off buyers."""
    loaded = contracts.load_rows(clients(organisations))
    return _read(organisations, loaded, _sources(organisations))


def read_due(run: Month, organisations: Chosen = None) -> Facts:
    """Read what a run can still bill: `subscriptions.due` finds the same in it as in all facts."""
    loaded = contracts.load_rows(clients(organisations))
    rows = _sources(organisations)
    agreed = {row.pk: contract for row, contract in loaded}
    paid_until = _paid_until(rows.occurrences, agreed)
    overage = _live(LineKind.OVERAGE, subject="subscription")
    rows.statements = rows.statements.filter(
        ~Exists(overage.filter(from_month=OuterRef("from_month")))
    )
    cards = _live(LineKind.TOPUP, subject="pk").filter(from_month=OuterRef("bought_month"))
    rows.cards = rows.cards.filter(~Exists(cards))
    rows.seats = rows.seats.filter(~Exists(_live(LineKind.SEAT, subject="pk")))
    rows.sessions = _sessions_to_settle(rows.sessions, run)
    unpaid = [key for key in agreed if key not in paid_until]
    rows.occurrences = _of_subjects(rows.occurrences, [*unpaid, *(row.pk for row in rows.sessions)])
    return _read(organisations, loaded, rows, paid_until)


def clients(chosen: Chosen) -> list[UUID] | None:
    """Give the organisations among those chosen; None for all."""
    return None if chosen is None else [key for key in chosen if key]


def _sources(chosen: Chosen) -> _Sources:
    named = clients(chosen)
    theirs = Q(organisation__isnull=False) if named is None else Q(organisation__in=named)
    one_off = Q(organisation=None)
    buyers = Q() if chosen is None else theirs | one_off if None in chosen else theirs
    return _Sources(
        statements=Statement.objects.newest()
        .filter(theirs, overage_quarters__gt=0)
        .order_by("from_month"),
        sessions=Session.objects.filter(theirs),
        cards=TopUpCard.objects.filter(theirs),
        seats=Enrolment.objects.filter(buyers, session__status=SessionStatus.HELD)
        .select_related("session__offering", "organisation")
        .order_by("session__starts_at", "pk"),
        occurrences=BilledOccurrence.objects.filter(buyers),
    )


def _read(
    chosen: Chosen,
    loaded: Sequence[tuple[Subscription, Contract]],
    rows: _Sources,
    paid_until: dict[UUID, Month] | None = None,
) -> Facts:
    named = clients(chosen)
    organisations = Organisation.objects.filter(**{} if named is None else {"pk__in": named})
    organisations = organisations.select_related("parked")
    offerings = Offering.objects.in_bulk()
    for session in rows.sessions:
        session.offering = offerings[session.offering_id]
    return Facts(
        agency=Agency.objects.prefetch_related("crkbo_registrations").get(),
        organisations={row.pk: row for row in organisations},
        contracts={row.pk: contract for row, contract in loaded},
        subscriptions=_by_organisation(row for row, _ in loaded),
        statements=_by_organisation(rows.statements),
        sessions=_by_organisation(rows.sessions),
        cards=_by_organisation(rows.cards),
        seats=_by_organisation(rows.seats),
        one_off_seats=[row for row in rows.seats if row.organisation_id is None],
        occurrences={row[:3]: row for row in _billed_rows(rows.occurrences)},
        rungs=list(CancellationRung.objects.values_list("days_before", "percent")),
        paid_until=paid_until or {},
        payers=buyers.read_payers(named),
    )


def _by_organisation(rows: Iterable[Row]) -> dict[UUID, list[Row]]:
    grouped: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        if row.organisation_id is not None:
            grouped[row.organisation_id].append(row)
    return grouped


def _billed_rows(rows: QuerySet[BilledOccurrence]) -> Iterator[Billed]:
    return map(Billed._make, rows.order_by("revision").values_list(*Billed._fields))


def _of_subjects(
    rows: QuerySet[BilledOccurrence], subjects: Sequence[UUID]
) -> QuerySet[BilledOccurrence]:
    """Keep what was billed of these subjects, and of any other what was credited."""
    if len(subjects) > MOST_NAMED:
        return rows
    return rows.filter(Q(subject_id__in=subjects) | Q(state=OccurrenceState.CREDITED))


def _live(*kinds: str, subject: str) -> QuerySet[BilledOccurrence]:
    """Give what a row of the query around was billed as; ``subject`` is its column to go by."""
    rows = BilledOccurrence.objects.filter(kind__in=kinds, subject_id=OuterRef(subject))
    return rows.exclude(state=OccurrenceState.CREDITED)


def _sessions_to_settle(rows: QuerySet[Session], run: Month) -> QuerySet[Session]:
    """Keep the sessions that a run may still bill.

    Where one of them may be free all of the organisation's are kept: how many were free decides.
    """
    held = Q(status=SessionStatus.HELD, starts_at__lt=(run + 1).starts_at)
    called_off = Q(cancelled_by=CancelledBy.CLIENT, cancelled_on__lt=(run + 1).first_day)
    fee_open = ~Exists(_live(*SESSION_KINDS, subject="pk"))
    travel_open = ~Exists(_live(LineKind.TRAVEL, subject="pk"))
    travels = Q(status=SessionStatus.HELD, on_site_km__gt=0)
    unsettled = rows.filter(held | called_off).filter(fee_open | travels & travel_open)
    maybe_free = unsettled.filter(offering__included_eligible=True).values("organisation")
    return rows.filter(Q(pk__in=unsettled) | Q(organisation__in=maybe_free))


def _paid_until(
    occurrences: QuerySet[BilledOccurrence], agreed: Mapping[UUID, Contract]
) -> dict[UUID, Month]:
    """Give until when the fees of contracts are billed, where all until then are.

    A contract that changed its tier, had anything credited, or has a gap, is left out: of such a
    one everything is looked at. No state is asked for row by row: the unique index alone answers.
    """
    credited = occurrences.filter(state=OccurrenceState.CREDITED)
    rows = occurrences.filter(kind__in=[LineKind.FEE, LineKind.SETUP, LineKind.TIER_CHANGE])
    rows = rows.exclude(subject_id__in=credited.values("subject_id"))
    of_fee = Q(kind=LineKind.FEE)
    found = rows.values_list("subject_id").annotate(
        fees=Count("from_month", filter=of_fee),
        first=Min("from_month", filter=of_fee),
        last=Max("from_month", filter=of_fee),
        others=Count("from_month", filter=~of_fee),
    )
    paid = {}
    for subject, fees, first, last, others in found:
        contract = agreed.get(subject)
        if contract is None or contract.requests or not fees:
            continue
        due = charges.interval_starts(contract, contract.first_run + 1, last)
        setups = contract.first_run < contract.months.from_month
        if (due[:1], len(due), setups) == ([first], fees, others):
            paid[subject] = last + 1
    return paid
