"""What an organisation may choose over three years, closed by the real rules, and attacked.

A schedule is what an employer can do: declare headcounts, change tier, buy cards, end contracts
and begin again, pause them, and choose how overage and release go. Nothing here touches the
database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from uuid import UUID

from django.utils.translation import gettext as _

from agency.month import Month, MonthRange
from agency.templatetags.figures import hours
from subscriptions.agreements import (
    ALL_IN,
    BASIC,
    BILL,
    CAP,
    EXTENDED,
    Band,
    Choices,
    Contract,
    PriceBooks,
    Prices,
)
from subscriptions.attack.released import Released, Told
from subscriptions.attack.verdict import Finding, judge
from subscriptions.contracts import MONTHS_TO_KEEP_THE_YEAR
from subscriptions.models import ReleasePolicy
from subscriptions.release import EXACT, QUARTER, Thresholds
from subscriptions.statements import Books, closings
from subscriptions.use import Card

START = Month.of(2026, 1)
LENGTH = 36
HEADCOUNTS = (3, 10, 11, 18, 25, 26, 90, 250, 251, 600)
# A schedule is changed a little this many times before the next one is drawn.
STEPS = 8


def _band(tier: str, included_quarters: int) -> Band:
    prices = Prices(
        annual_fee_cents=0,
        setup_fee_cents=0,
        included_quarters=included_quarters,
        included_sessions=0,
        overage_rate_cents=0,
    )
    return Band(tier, 1, None, prices)


BOOKS = PriceBooks(((Month.of(2020, 1), (_band(BASIC, 32), _band(EXTENDED, 172))),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What was chosen. ``choices`` are overage and release by month; requests are for a tier.

    ``pauses`` are of quarters of the contract year, whatever the headcount has become since.

    ``reported_months`` of the first contract were reported by a former system: no employer
    chooses that.
    """

    terms: tuple[MonthRange, ...]
    year_starts_in: int
    headcounts: tuple[tuple[Month, int], ...]
    choices: tuple[tuple[Month, str, str], ...]
    tier: str = BASIC
    requests: tuple[tuple[Month, str], ...] = ()
    cards: tuple[Card, ...] = ()
    pauses: tuple[MonthRange, ...] = ()
    carry_over_basis_points: int = 0
    carry_over_cap_quarters: int = 0
    reported_months: int = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """A schedule, what it has released for some hours, and what can be derived from that."""

    schedule: Schedule
    released: Released
    finding: Finding


def search(tries: int, seed: int, policy: Thresholds) -> Iterator[Tried]:
    """Try schedules: draw one, keep each small change that brings a single month nearer."""
    rng = Random(seed)  # noqa: S311  # a search, not a secret
    best: Tried | None = None
    for step in range(tries):
        afresh = best is None or step % STEPS == 0
        schedule = draw(rng) if afresh or best is None else rng.choice(PARTS)(best.schedule, rng)
        released = close(schedule, draw_worked(rng), policy)
        tried = Tried(schedule, released, judge(released))
        if afresh or best is None or _nearness(tried) >= _nearness(best):
            best = tried
        yield tried


def _nearness(tried: Tried) -> tuple[int, int]:
    return len(tried.finding.proven), -(tried.finding.shortest or LENGTH)


def draw(rng: Random) -> Schedule:
    """Draw a schedule; each part of it is also drawn anew by itself when it is changed."""
    schedule = Schedule(terms=(), year_starts_in=1, headcounts=(), choices=())
    for part in PARTS:
        schedule = part(schedule, rng)
    return schedule


def _draw_terms(schedule: Schedule, rng: Random) -> Schedule:
    ends = sorted(rng.sample(range(LENGTH), 2 * rng.choice((1, 1, 2, 3))))
    terms = [MonthRange(START + a, START + b) for a, b in zip(ends[::2], ends[1::2], strict=True)]
    if rng.choice((True, True, False)):
        terms[-1] = MonthRange(terms[-1].from_month, None)
    return replace(schedule, terms=tuple(terms), year_starts_in=rng.randint(1, 12))


def _draw_headcounts(schedule: Schedule, rng: Random) -> Schedule:
    size = rng.choice((1, 1, 2, 3, 5))
    declared = sorted(rng.sample(range(LENGTH), size - 1))
    months = [START - 12, *(START + at for at in declared)]
    return replace(schedule, headcounts=tuple((m, rng.choice(HEADCOUNTS)) for m in months))


def _draw_choices(schedule: Schedule, rng: Random) -> Schedule:
    months = [
        START - 12,
        *sorted(START + at for at in rng.sample(range(LENGTH), rng.randint(0, 2))),
    ]
    return replace(
        schedule,
        choices=tuple(
            (
                month,
                rng.choice((BILL, BILL, BILL, CAP, ALL_IN)),
                rng.choice(("", "", "", "quarter", "year", "band")),
            )
            for month in months
        ),
        carry_over_basis_points=rng.choice((0, 5_000, 10_000)),
        carry_over_cap_quarters=rng.choice((0, 16, 400)),
    )


def _draw_requests(schedule: Schedule, rng: Random) -> Schedule:
    asked = sorted(rng.sample(range(LENGTH), rng.choice((0, 0, 1, 2))))
    requests = tuple((START + at, rng.choice((BASIC, EXTENDED))) for at in asked)
    return replace(schedule, tier=rng.choice((BASIC, EXTENDED)), requests=requests)


def _draw_cards(schedule: Schedule, rng: Random) -> Schedule:
    bought = sorted(rng.sample(range(LENGTH), rng.choice((0, 0, 1, 2))))
    cards = tuple(
        Card(
            UUID(int=at),
            MonthRange(START + at, START + at + rng.choice((1, 6, 12, 24))),
            rng.choice((4, 20, 40)),
        )
        for at in bought
    )
    return replace(schedule, cards=cards)


def _draw_pauses(schedule: Schedule, rng: Random) -> Schedule:
    first = START + (schedule.year_starts_in - START.number) % QUARTER
    begun = sorted(rng.sample(range(LENGTH // QUARTER), rng.choice((0, 0, 0, 1, 2))))
    starts = [first + QUARTER * at for at in begun]
    pauses = [MonthRange(start, start + rng.choice((3, 3, 6, 12))) for start in starts]
    return replace(schedule, pauses=tuple(pauses))


PARTS = (
    *(_draw_terms, _draw_headcounts, _draw_choices, _draw_requests, _draw_cards),
    _draw_pauses,
)


def draw_worked(rng: Random) -> tuple[int, ...]:
    """Draw the quarters of each month: mostly none or a talk or two, at times much."""
    busy = rng.choice((0.2, 0.6, 0.9))
    most = rng.choice((6, 20, 80))
    return tuple(rng.randint(1, most) if rng.random() < busy else 0 for _ in range(LENGTH))


def close(schedule: Schedule, worked: Sequence[int], policy: Thresholds) -> Released:
    """Close all months of a schedule, ``worked`` holding their quarters; give what is told."""
    key = UUID(int=0)
    agreed = {UUID(int=n): made for n, made in enumerate(_contracts(schedule), 1)}
    books = Books(
        contracts=agreed,
        organisations=dict.fromkeys(agreed, key),
        hours={key: dict(_posted(worked, agreed.values()))},
        stated={subscription: [] for subscription in agreed},
        cards={key: list(schedule.cards)},
        thresholds=policy,
        policy=ReleasePolicy(),
    )
    told: dict[UUID, list[Told]] = {subscription: [] for subscription in agreed}
    for closing in closings(books, dict.fromkeys(agreed, START + LENGTH)):
        account = closing.account
        is_shown = account.release.display == EXACT
        told[closing.subscription].append(
            Told(
                months=account.release.months,
                display=account.release.display,
                used_quarters=account.used_quarters if is_shown else None,
                allowance_quarters=account.allowance_quarters,
                overage_quarters=account.overage_quarters,
                capped=closing.capped,
                thresholds=policy,
            )
        )
    return Released(
        code=_text(schedule),
        contracts=[(agreed[subscription], told[subscription]) for subscription in agreed],
        cards=schedule.cards,
    )


def _posted(worked: Sequence[int], agreed: Collection[Contract]) -> Iterator[tuple[Month, int]]:
    """Give the quarters of each month but those of pauses, in which nobody notes any."""
    for at, quarters in enumerate(worked):
        if not any(contract.is_paused(START + at) for contract in agreed):
            yield START + at, quarters


def _pauses(schedule: Schedule, months: MonthRange, first: Month) -> tuple[MonthRange, ...]:
    """Give the pauses that a contract of these months may have, after its first own month."""
    kept: list[MonthRange] = []
    for pause in schedule.pauses:
        inside = first < pause.from_month and pause.last_month in months
        if inside and not (kept and kept[-1].overlaps(pause)):
            kept.append(pause)
    return tuple(kept)


def _contracts(schedule: Schedule) -> Iterator[Contract]:
    before: Contract | None = None
    for number, months in enumerate(schedule.terms):
        first = months.from_month
        if before and first.since(before.months.until) > MONTHS_TO_KEEP_THE_YEAR:
            before = None
        reported = schedule.reported_months if number == 0 else 0
        until = months.until_month or first + reported
        before = Contract(
            months=months,
            year_starts_in=before.year_starts_in if before else schedule.year_starts_in,
            interval=12,
            tier=schedule.tier,
            books=BOOKS,
            headcounts=schedule.headcounts,
            choices=tuple(
                Choices(from_month=month, overage=overage, release=release)
                for month, overage, release in schedule.choices
            ),
            requests=tuple(pair for pair in schedule.requests if pair[0] in months),
            first_run=first - 1,
            reported_until=min(first + reported, until),
            carry_over_basis_points=schedule.carry_over_basis_points,
            carry_over_cap_quarters=schedule.carry_over_cap_quarters,
            predecessor=before,
            pauses=_pauses(schedule, months, first + reported),
        )
        yield before


def _text(chosen: Schedule) -> str:
    """Write down what was chosen, event by event."""
    parts = {
        _("contracts"): map(str, chosen.terms),
        _("headcounts"): (f"{month}: {people}" for month, people in chosen.headcounts),
        _("choices"): (" ".join(filter(None, map(str, made))) for made in chosen.choices),
        _("tier"): [chosen.tier, *(f"{month}: {tier}" for month, tier in chosen.requests)],
        _("pauses"): map(str, chosen.pauses),
        _("cards"): (f"{card.months}: {hours(card.left_quarters)}" for card in chosen.cards),
    }
    texts = {name: ", ".join(values) for name, values in parts.items()}
    return "; ".join(f"{name} {text}" for name, text in texts.items() if text)
