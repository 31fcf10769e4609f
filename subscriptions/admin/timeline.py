"""A client's contracts as a drawing of four years at most, and the same in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from django.utils.text import capfirst
from django.utils.translation import gettext

from agency.month import Month, MonthRange
from agency.templatetags.figures import day, month
from subscriptions.agreements import EXTENDED
from subscriptions.models import Tier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from subscriptions.agreements import Contract
    from subscriptions.notice import Term

WIDTH = 720
MOST_MONTHS = 48
GAP = 2  # between two bars
LEAST_FOR_A_WORD = 72
LEAST_BETWEEN_TICKS = 64
EDGE = 100  # nearer to it a text is not centred


@dataclass(frozen=True, slots=True)
class Bar:
    """Months of one tier, or of a pause; ``word`` is empty where it does not fit."""

    x: int
    width: int
    look: str
    word: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A day on the line, with its word and which end of that stands at it."""

    x: int
    word: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What is drawn; ``milestones`` say all of it as days with words, in their order."""

    bars: list[Bar]
    ticks: list[Mark]
    today: Mark | None
    notice: Mark | None
    milestones: list[tuple[dt.date, str]]

    @property
    def description(self) -> str:
        return " ".join(f"{day(on)}: {word}." for on, word in self.milestones)


@dataclass(frozen=True, slots=True)
class _Stretch:
    months: MonthRange
    look: str
    word: str


def timeline(
    agreed: Sequence[Contract], term: Term, *, renewal_months: int, on: dt.date
) -> Timeline:
    """Draw the contracts of a client, in their order; ``term`` is the running one of the last.

    What comes after the term if nobody gives notice is drawn as renewed for a year at most.
    """
    renewed = min(renewal_months, 12) if term.last_notice_on else 0
    end = term.until_month + renewed
    first = max(agreed[0].months.from_month, end - MOST_MONTHS)
    scale = _Scale(first, end)
    stretches = list(_stretches(agreed, first, term.until_month))
    if renewed:
        later = MonthRange(term.until_month, end)
        stretches.append(_Stretch(later, "c-later", gettext("else renewed")))
    return Timeline(
        bars=[scale.bar(each) for each in stretches],
        ticks=scale.ticks(agreed, term.until_month),
        today=scale.mark(on, gettext("today")),
        notice=scale.mark(
            term.last_notice_on,
            gettext("%(day)s, last day of notice") % {"day": day(term.last_notice_on)},
        ),
        milestones=sorted(_milestones(stretches, term, on)),
    )


def _stretches(agreed: Sequence[Contract], first: Month, until: Month) -> Iterator[_Stretch]:
    for contract in agreed:
        start = max(contract.months.from_month, first)
        end = min(contract.months.until_month or until, until)
        months = MonthRange(start, max(start, end))
        looks = ((month, _look(contract, month)) for month in months)
        for look, found in groupby(looks, key=lambda pair: pair[1]):
            covered = [month for month, _look_ in found]
            word = gettext("paused") if look == "c-pause" else _tier(contract, covered[0])
            yield _Stretch(MonthRange(covered[0], covered[-1] + 1), look, word)


def _look(contract: Contract, month: Month) -> str:
    if contract.is_paused(month):
        return "c-pause"
    return "c-a" if contract.tier_in(month) == EXTENDED else "c-b"


def _tier(contract: Contract, month: Month) -> str:
    return capfirst(str(Tier(contract.tier_in(month)).label))


def _milestones(
    stretches: Sequence[_Stretch], term: Term, on: dt.date
) -> Iterator[tuple[dt.date, str]]:
    for each in stretches:
        yield each.months.from_month.first_day, each.word
    yield on, gettext("today")
    if term.last_notice_on:
        yield term.last_notice_on, gettext("last day of notice")
    else:
        yield term.until_month.first_day, gettext("ended")


@dataclass(frozen=True, slots=True)
class _Scale:
    first: Month
    end: Month

    def x(self, day_: dt.date) -> int:
        """Give the place of a day, in whole pixels."""
        month = Month.containing(day_)
        thirtieths = month.since(self.first) * 30 + min(day_.day - 1, 29)
        return thirtieths * WIDTH // (self.end.since(self.first) * 30)

    def bar(self, stretch: _Stretch) -> Bar:
        x = self.x(stretch.months.from_month.first_day)
        width = max(1, self.x(stretch.months.until.first_day) - x - GAP)
        fits = width >= LEAST_FOR_A_WORD
        return Bar(x, width, stretch.look, stretch.word if fits else "")

    def mark(self, on: dt.date | None, word: str) -> Mark | None:
        if on is None or not self.first.first_day <= on < self.end.first_day:
            return None
        x = self.x(on)
        anchor = "start" if x < EDGE else "end" if x > WIDTH - EDGE else "middle"
        return Mark(x, word, anchor)

    def ticks(self, agreed: Sequence[Contract], until: Month) -> list[Mark]:
        """Give where contract years begin, and where the term ends; not too near to each other."""
        years = {year.first_month for contract in agreed for year in contract.years(until)}
        marks: list[Mark] = []
        for month_ in sorted(years | {self.first, until}):
            if month_ < self.first:
                continue
            x = self.x(month_.first_day)
            if marks and x - marks[-1].x < LEAST_BETWEEN_TICKS:
                continue
            marks.append(Mark(x, month(month_), "end" if x > WIDTH - EDGE // 2 else "start"))
        return marks
