"""How far a year's use may have reached, where top-up cards paid for a part that nobody was told.

A card passes from one contract year to the next, so that a later band can tell how much of it an
earlier one took. All ways in which the cards may have been used up are followed, statement
by statement, and those which a later statement rules out are struck.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from subscriptions.attack.bounds import ContradictionError, Interval
from subscriptions.attack.released import Told
from subscriptions.use import HALF_HOUR, Card

# The cards as they are left, and what they gave so far in the contract year.
State = tuple[tuple[Card, ...], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A statement that counts, in its contract year.

    ``total_quarters`` is the year's use up to it, where figures show that; ``stated_quarters``
    is the overage of the statements before it.
    """

    told: Told
    total_quarters: int | None
    stated_quarters: int
    opens_year: bool


def reach(entries: Sequence[Entry], cards: Sequence[Card]) -> list[tuple[Interval, Interval]]:
    """Bound the year's use up to each statement: as told by then, and as told by them all.

    Overage that was charged is not taken off. Where the figures fit no other way, a card may have
    been entered after statements of its first months. Raises ContradictionError.
    """
    try:
        return _reach(entries, cards, entered_late=False)
    except ContradictionError:
        return _reach(entries, cards, entered_late=True)


def _reach(
    entries: Sequence[Entry], cards: Sequence[Card], *, entered_late: bool
) -> list[tuple[Interval, Interval]]:
    states: set[State] = {(tuple(cards), 0)}
    steps: list[list[tuple[State, State, Interval]]] = []
    for entry in entries:
        steps.append(
            [
                (state, *way)
                for state in states
                for valid in _at_hand(entry.told, state, cards, entered_late=entered_late)
                for way in _ways(entry, state, valid)
            ]
        )
        states = {after for _, after, _ in steps[-1]}
    reached = []
    for step in reversed(steps):
        kept = [(before, use) for before, after, use in step if after in states]
        reached.append((_around(use for _, _, use in step), _around(use for _, use in kept)))
        states = {before for before, _ in kept}
    return reached[::-1]


def _at_hand(
    told: Told, state: State, cards: Sequence[Card], *, entered_late: bool
) -> Iterator[Sequence[bool]]:
    """Tell which cards counted for a statement; one without any use may not have been there."""
    return product(
        *(
            (True, False) if counts and entered_late and now == card else (counts,)
            for card, now in zip(cards, state[0], strict=True)
            for counts in [card.months.overlaps(told.months)]
        )
    )


def _ways(entry: Entry, state: State, valid: Sequence[bool]) -> Iterator[tuple[State, Interval]]:
    """Give what a statement may leave on the cards, and the use of the year that goes with it."""
    cards, given = state[0], 0 if entry.opens_year else state[1]
    display = entry.told.display
    on_each = [
        card.left_for(display) if counts else 0 for card, counts in zip(cards, valid, strict=True)
    ]
    on_cards = sum(on_each)
    paid_for = entry.told.allowance_quarters + entry.stated_quarters + given
    for need in _needs(entry, paid_for, on_cards):
        taken = min(need, on_cards)
        charged = 0 if entry.told.capped else need - taken
        may_be_more = entry.total_quarters is None and entry.told.capped and need == on_cards
        is_whole = not need or may_be_more or (paid_for + need) % HALF_HOUR == 0
        if charged == entry.told.overage_quarters and is_whole:
            use = Interval(paid_for + need if need else 0, None if may_be_more else paid_for + need)
            yield (_after(cards, on_each, taken, display), given + taken), use


def _needs(entry: Entry, paid_for: int, on_cards: int) -> Iterable[int]:
    """Give the quarters that may have been used beyond the allowance and what was charged."""
    if entry.total_quarters is not None:
        return [max(0, entry.total_quarters - paid_for)]
    if entry.told.overage_quarters:
        return [on_cards + entry.told.overage_quarters]
    return range(on_cards + 1)


def _after(
    cards: Sequence[Card], on_each: Sequence[int], taken: int, display: str
) -> tuple[Card, ...]:
    after = []
    for card, quarters in zip(cards, on_each, strict=True):
        part = min(quarters, taken)
        after.append(card.after(display, part))
        taken -= part
    return tuple(after)


def _around(intervals: Iterable[Interval]) -> Interval:
    known = list(intervals)
    if not known:
        raise ContradictionError
    ends = [interval.at_most for interval in known]
    return Interval(
        min(interval.at_least for interval in known),
        None if None in ends else max(end for end in ends if end is not None),
    )
