"""A run beside the last one like it: by kind of line, and by client. No database.

Like is by what the fees cover. A run whose fees are mostly for quarters is compared with the run
three months before, one of yearly fees with the run a year before, one of monthly fees with the run
a month before; where that run is another kind of run, with the newest before that is of its kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from agency.month import Month
from subscriptions.models import LineKind

LENGTHS = MONTH, QUARTER, YEAR = 1, 3, 12
LOOK_FROM_PERCENT = 25


@dataclass(frozen=True, slots=True)
class Like:
    """The run that another is held beside; ``rhythm`` is what both have in common, if anything."""

    month: Month
    rhythm: int | None = None
    is_one_rhythm_before: bool = False


@dataclass(frozen=True, slots=True)
class Billed:
    """What a run billed of one kind to one client; one-off buyers are nobody.

    ``months`` is what a fee covers, for its part that covers most; 0 for anything else.
    """

    client: UUID | None
    kind: str
    lines: int
    net_cents: int
    months: int = 0


Runs = Mapping[Month, Sequence[Billed]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfKind:
    """A kind of line in both runs: lines and net, and how many clients came, went or changed."""

    kind: str
    lines_then: int
    cents_then: int
    lines_now: int
    cents_now: int
    came: int
    went: int
    changed: int

    @property
    def difference_cents(self) -> int:
        return self.cents_now - self.cents_then


@dataclass(frozen=True, slots=True, kw_only=True)
class OfClient:
    """A client that is billed otherwise than before, with the kind of line that does most to it."""

    client: UUID
    cents_then: int
    cents_now: int
    by: OfKind

    @property
    def difference_cents(self) -> int:
        return self.cents_now - self.cents_then


def rhythm(run: Iterable[Billed]) -> int | None:
    """Give what most of a run's fees cover: a month, a quarter or a year; None without fees.

    A part of a quarter or year counts for the next longer of the three; the longest wins a tie.
    """
    cents: dict[int, int] = defaultdict(int)
    for row in run:
        if row.months:
            cents[_length(row.months)] += row.net_cents
    return max(cents, key=lambda each: (cents[each], each), default=None)


def _length(months: int) -> int:
    return next((each for each in (MONTH, QUARTER) if months <= each), YEAR)


def like(month: Month, runs: Runs) -> Like | None:
    """Give the run to hold a month's beside; None for the first. ``runs`` has those before."""
    own = rhythm(runs.get(month, ()))
    before = {run: rhythm(rows) for run, rows in runs.items() if run < month and rows}
    if own and before.get(month - own) == own:
        return Like(month - own, own, is_one_rhythm_before=True)
    alike = [run for run, rows in before.items() if own and rows == own]
    if alike:
        return Like(max(alike), own)
    return Like(max(before)) if before else None


def by_kind(then: Iterable[Billed], now: Iterable[Billed]) -> list[OfKind]:
    """Hold two runs beside each other by kind of line, in the order of documents."""
    before, after = _grouped(then), _grouped(now)
    order = [kind.value for kind in LineKind]
    kinds = {kind for kind, _client in (*before, *after)}
    return [_of_kind(kind, before, after) for kind in sorted(kinds, key=order.index)]


Cells = Mapping[tuple[str, UUID | None], Billed]


def _grouped(billed: Iterable[Billed]) -> Cells:
    return {(row.kind, row.client): row for row in billed}


def _of_kind(kind: str, before: Cells, after: Cells) -> OfKind:
    then = {row.client: row for row in before.values() if row.kind == kind}
    now = {row.client: row for row in after.values() if row.kind == kind}
    return OfKind(
        kind=kind,
        lines_then=sum(row.lines for row in then.values()),
        cents_then=sum(row.net_cents for row in then.values()),
        lines_now=sum(row.lines for row in now.values()),
        cents_now=sum(row.net_cents for row in now.values()),
        came=len(now.keys() - then.keys()),
        went=len(then.keys() - now.keys()),
        changed=sum(now[who].net_cents != then[who].net_cents for who in now.keys() & then.keys()),
    )


def to_look_at(month: Month, runs: Runs) -> list[OfClient]:
    """Give the clients that differ by more than a quarter from last time, the most first.

    Last time is the last of ``runs`` that billed the client fees for as long a time as this one, or
    none as well. Whoever has no last time is left out. Who was to be billed fees again by now, and
    is not, is among them.
    """
    by_run = {run: _by_client(rows) for run, rows in runs.items() if run <= month}
    now = by_run.pop(month, {})
    found = []
    for client, rows in now.items():
        if then := _last_time(client, rhythm(rows), by_run):
            found.append(_of_client(client, then, rows))
    for length in LENGTHS:
        for client, rows in by_run.get(month - length, {}).items():
            if client not in now and rhythm(rows) == length:
                found.append(_of_client(client, rows, []))
    far = [one for one in found if _is_far(one)]
    return sorted(far, key=lambda one: (-abs(one.difference_cents), one.client))


ByClient = Mapping[UUID, list[Billed]]


def _by_client(billed: Iterable[Billed]) -> ByClient:
    rows: dict[UUID, list[Billed]] = defaultdict(list)
    for row in billed:
        if row.client:
            rows[row.client].append(row)
    return dict(rows)


def _last_time(
    client: UUID, length: int | None, before: Mapping[Month, ByClient]
) -> list[Billed] | None:
    for run in sorted(before, reverse=True):
        rows = before[run].get(client)
        if rows and rhythm(rows) == length:
            return rows
    return None


def _of_client(client: UUID, then: list[Billed], now: list[Billed]) -> OfClient:
    kinds = by_kind(then, now)
    return OfClient(
        client=client,
        cents_then=sum(row.net_cents for row in then),
        cents_now=sum(row.net_cents for row in now),
        by=max(kinds, key=lambda kind: abs(kind.difference_cents)),
    )


def _is_far(one: OfClient) -> bool:
    return abs(one.difference_cents) * 100 > abs(one.cents_then) * LOOK_FROM_PERCENT
