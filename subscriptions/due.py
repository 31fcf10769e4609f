"""Everything billable that fell due and is not billed yet (design section 5, first paragraph)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from agency.month import Month, MonthRange
from subscriptions import buyers, charges
from subscriptions.buyers import Buyer
from subscriptions.charges import Charge
from subscriptions.descriptions import describe
from subscriptions.facts import Facts, Key
from subscriptions.models import LineKind
from workshops.models import CancelledBy, Enrolment, OfferingKind, Session, SessionStatus

ContractYearKey = tuple[UUID, Month]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A charge with what makes it a line: subject, text, and whether it is exempt education."""

    charge: Charge
    subject: UUID
    description: str
    subscription: UUID | None
    reference: str = ""
    exempt: bool = False
    free: bool = False
    travels_with: str = ""

    @property
    def key(self) -> Key:
        return (self.charge.kind, self.subject, self.charge.months.from_month)


def items(facts: Facts, organisation: UUID, run: Month) -> list[Item]:
    """Give what falls due for an organisation in a run or earlier and is not billed yet."""
    due = [
        *advance_items(facts, organisation, run),
        *_overage(facts, organisation, run),
        *_sessions(facts, organisation, run),
        *_seats(facts, organisation, run),
    ]
    return _unbilled(facts, (item for item in due if item.charge.due <= run))


def one_off_items(facts: Facts, run: Month) -> dict[Buyer, list[Item]]:
    """Give the seats that fall due in a run or earlier, by their buyer without organisation."""
    by_buyer: dict[Buyer, list[Item]] = defaultdict(list)
    for seat in facts.one_off_seats:
        buyer = buyers.of_seat(seat)
        item = _seat(facts, seat, buyer.language, None)
        if item.charge.due <= run and facts.open_revision(item.key) is not None:
            by_buyer[buyer].append(item)
    return by_buyer


def ahead_items(facts: Facts, organisation: UUID, run: Month) -> list[Item]:
    """Give only the fees, set-up and cards: what a new client is billed before a close."""
    return _unbilled(facts, advance_items(facts, organisation, run))


def _unbilled(facts: Facts, due: Iterable[Item]) -> list[Item]:
    return [item for item in due if facts.open_revision(item.key) is not None]


def advance_items(facts: Facts, organisation: UUID, run: Month) -> Iterator[Item]:
    """Give what is paid in advance: fees, set-up, tier changes, and cards."""
    language = facts.payer(organisation, run).language
    for row in facts.subscriptions[organisation]:
        key = row.pk
        for charge in _charges(facts, key, run):
            text = describe(charge.kind, charge.months, language, tier=charge.tier)
            yield Item(charge=charge, subject=key, description=text, subscription=key)
    for card in facts.cards[organisation]:
        charge = charges.once("topup", card.bought_month - 1, card.months, card.price_cents)
        if run >= charge.due >= _first_run(facts, organisation, card.bought_month):
            yield Item(
                charge=charge,
                subject=card.pk,
                description=describe("topup", card.months, language),
                subscription=_contract_in(facts, organisation, card.bought_month),
            )


def _charges(facts: Facts, subscription: UUID, run: Month) -> Iterator[Charge]:
    """Give fees, set-up and tier changes, of a contract that is paid up only those after that."""
    contract = facts.contracts[subscription]
    paid_until = facts.paid_until.get(subscription)
    yield from charges.fees(contract, run, paid_until)
    if paid_until is None:
        for change in charges.tier_changes(contract, run, facts.drafted_tiers[subscription]):
            if change.due >= contract.first_run:
                yield change


def _overage(facts: Facts, organisation: UUID, run: Month) -> Iterator[Item]:
    rows = facts.statements[organisation]
    language = facts.payer(organisation, run).language if rows else ""
    for statement in rows:
        contract = facts.contracts[statement.subscription_id]
        charge = charges.overage(contract, statement.months, statement.overage_quarters)
        if charge.due >= contract.first_run:
            yield Item(
                charge=charge,
                subject=statement.subscription_id,
                description=describe("overage", charge.months, language),
                subscription=statement.subscription_id,
            )


def _contract_in(facts: Facts, organisation: UUID, month: Month) -> UUID | None:
    for row in facts.subscriptions[organisation]:
        if month in row.months:
            return row.pk
    return None


def _first_run(facts: Facts, organisation: UUID, month: Month) -> Month:
    """Give the run before which things of a month are history: of the contract begun last by then.

    Before the first contract that one's holds; without a contract nothing is history.
    """
    rows = facts.subscriptions[organisation]
    begun = [row for row in rows if row.start_month <= month]
    nearest = begun[-1:] or rows[:1]
    return nearest[0].first_run if nearest else Month(0)


def _sessions(facts: Facts, organisation: UUID, run: Month) -> Iterator[Item]:
    """Give session, cancellation and travel items, free ones in order of month due (design 5.7).

    History comes first and is settled among itself; then what was billed as free stays so, and a
    session entered late is free only if the year still includes one.
    """
    if not facts.sessions[organisation]:
        return
    rows = [(row.month_due, row, _percent(facts, row)) for row in facts.sessions[organisation]]
    rows.sort(key=lambda row: (row[0], row[1].starts_at, row[1].reference))
    history: list[tuple[Session, int]] = []
    billable: list[tuple[Session, int]] = []
    for month_due, session, percent in rows:
        if percent is not None:
            is_history = month_due < _first_run(facts, organisation, month_due)
            (history if is_history else billable).append((session, percent))
    free_in_year: dict[ContractYearKey, int] = defaultdict(int)
    for session, _ in history:
        _is_free(facts, organisation, session, _kind(session), free_in_year)
    _count_billed_as_free(facts, organisation, billable, free_in_year)
    language = facts.payer(organisation, run).language
    for session, percent in billable:
        kind = _kind(session)
        free = _is_free(facts, organisation, session, kind, free_in_year)
        yield from _session_items(facts, session, kind, percent, language, free=free)


def _percent(facts: Facts, session: Session) -> int | None:
    """Give the percentage of the price that a session costs; None when there is nothing to bill."""
    if session.status == SessionStatus.HELD:
        return 100
    if session.cancelled_on is None or session.cancelled_by == CancelledBy.AGENCY:
        return None
    days = (session.starts_on - session.cancelled_on).days
    return charges.cancellation_percent(facts.rungs, days) or None


def _kind(session: Session) -> str:
    if session.status == SessionStatus.CANCELLED:
        return LineKind.CANCELLATION
    if session.offering.kind == OfferingKind.SERVICE:
        return LineKind.SERVICE
    return LineKind.SESSION


def _count_billed_as_free(
    facts: Facts,
    organisation: UUID,
    billable: Iterable[tuple[Session, int]],
    free_in_year: dict[ContractYearKey, int],
) -> None:
    for session, _ in billable:
        billed = facts.billed((_kind(session), session.pk, session.month))
        year = _year_of(facts, organisation, session.month_due)
        if billed and billed.free and year:
            free_in_year[year] += 1


def _is_free(
    facts: Facts,
    organisation: UUID,
    session: Session,
    kind: str,
    free_in_year: dict[ContractYearKey, int],
) -> bool:
    """Tell whether the subscription includes a session, and count it."""
    billed = facts.billed((kind, session.pk, session.month))
    if billed:
        return billed.free
    year = _year_of(facts, organisation, session.month_due)
    if year is None or not session.offering.included_eligible:
        return False
    included = charges.included_sessions(facts.contracts[year[0]], session.month_due)
    free = free_in_year[year] < included
    free_in_year[year] += free
    return free


def _year_of(facts: Facts, organisation: UUID, month: Month) -> ContractYearKey | None:
    subscription = _contract_in(facts, organisation, month)
    if subscription is None:
        return None
    return subscription, facts.contracts[subscription].year_of(month).first_month


def _session_items(
    facts: Facts, session: Session, kind: str, percent: int, language: str, *, free: bool
) -> Iterator[Item]:
    title = session.offering.title(language)
    months = MonthRange(session.month, session.month + 1)
    cents = 0 if free else charges.cancellation_cents(session.offering.price_cents, percent)
    exempt = facts.is_exempt(session)
    client = session.organisation_id
    subscription = client and _contract_in(facts, client, session.month_due)
    yield Item(
        charge=charges.once(kind, session.month_due, months, cents),
        subject=session.pk,
        description=describe(kind, months, language, title=title),
        subscription=subscription,
        reference=session.reference,
        exempt=exempt,
        free=free,
    )
    if session.status == SessionStatus.HELD and session.on_site_km:
        yield Item(
            charge=Charge(
                kind=LineKind.TRAVEL,
                due=session.month_due,
                months=months,
                quantity_hundredths=session.on_site_km * charges.HUNDREDTHS,
                unit_cents=facts.agency.km_rate_cents,
                net_cents=session.on_site_km * facts.agency.km_rate_cents,
            ),
            subject=session.pk,
            description=describe(LineKind.TRAVEL, months, language),
            subscription=subscription,
            reference=session.reference,
            exempt=exempt,
            travels_with=kind,
        )


def _seats(facts: Facts, organisation: UUID, run: Month) -> Iterator[Item]:
    """Give a client's seats of open sessions that were held; one called off costs nothing.

    Nobody but the agency calls off a session of open enrolment.
    """
    rows = facts.seats[organisation]
    language = facts.payer(organisation, run).language if rows else ""
    for seat in rows:
        month = seat.session.month
        item = _seat(facts, seat, language, _contract_in(facts, organisation, month))
        if month >= _first_run(facts, organisation, month):
            yield item


def _seat(facts: Facts, seat: Enrolment, language: str, subscription: UUID | None) -> Item:
    session = seat.session
    months = MonthRange(session.month, session.month + 1)
    title = session.offering.title(language)
    return Item(
        charge=charges.once(LineKind.SEAT, session.month, months, seat.price_cents),
        subject=seat.pk,
        description=describe(LineKind.SEAT, months, language, title=title),
        subscription=subscription,
        reference=session.reference,
        exempt=facts.is_exempt(session),
    )
