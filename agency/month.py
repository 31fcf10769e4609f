"""The month, our grain of time, and half-open ranges of months."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
_TEXT = re.compile(r"(\d{4})-(\d{2})")


def day_of(moment: dt.datetime) -> dt.date:
    """Give the date of a moment as seen in Amsterdam."""
    return moment.astimezone(AMSTERDAM).date()


def midnight(day: dt.date) -> dt.datetime:
    """Give the moment with which a day begins in Amsterdam."""
    return dt.datetime.combine(day, dt.time(), AMSTERDAM)


# A run makes hundreds of thousands of these. Frozen ones take three times as long to make, so
# the type checker alone holds them to what they are: `Final`.
@dataclass(slots=True, eq=False)
class Month:
    """A calendar month, counted as whole months since January of the year 0.

    Months add and subtract whole numbers (``month + 1``); the difference of two months is a
    number of months. Text form and ``str()`` are ``YYYY-MM``.
    """

    index: Final[int]

    @classmethod
    def of(cls, year: int, month: int) -> Month:
        if month not in range(1, 13) or year not in range(1900, 2700):
            message = f"{year:04d}-{month:02d} is no month"
            raise ValueError(message)
        return cls(year * 12 + month - 1)

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read ``YYYY-MM``; raises ValueError for anything else."""
        match = _TEXT.fullmatch(text)
        if not match:
            message = f"{text!r} is no month (YYYY-MM)"
            raise ValueError(message)
        return cls.of(int(match[1]), int(match[2]))

    @classmethod
    def containing(cls, moment: dt.date | dt.datetime) -> Month:
        """Give the month in which a date, or a moment as seen in Amsterdam, lies.

        Raises ValueError for a moment without a time zone: it lies in no one month.
        """
        if isinstance(moment, dt.datetime):
            if moment.tzinfo is None:
                message = f"{moment} has no time zone"
                raise ValueError(message)
            moment = moment.astimezone(AMSTERDAM)
        return cls.of(moment.year, moment.month)

    @property
    def year(self) -> int:
        return self.index // 12

    @property
    def number(self) -> int:
        """The month of the year, 1 to 12."""
        return self.index % 12 + 1

    @property
    def first_day(self) -> dt.date:
        return dt.date(self.year, self.number, 1)

    @property
    def last_day(self) -> dt.date:
        return (self + 1).first_day - dt.timedelta(days=1)

    @property
    def starts_at(self) -> dt.datetime:
        """Midnight in Amsterdam with which the month begins."""
        return midnight(self.first_day)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    def __hash__(self) -> int:
        return self.index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Month) and self.index == other.index

    def __lt__(self, other: Month) -> bool:
        return self.index < other.index

    def __le__(self, other: Month) -> bool:
        return self.index <= other.index

    def __gt__(self, other: Month) -> bool:
        return self.index > other.index

    def __ge__(self, other: Month) -> bool:
        return self.index >= other.index

    def __add__(self, months: int) -> Month:
        return Month(self.index + months)

    def __sub__(self, months: int) -> Month:
        return Month(self.index - months)

    def since(self, earlier: Month) -> int:
        """Count the months from ``earlier`` to this one; negative when it lies later."""
        return self.index - earlier.index


@dataclass(slots=True, unsafe_hash=True)
class MonthRange:
    """The half-open range ``[from_month, until_month)``; without ``until_month`` it never ends."""

    from_month: Final[Month]
    until_month: Final[Month | None] = None

    def __post_init__(self) -> None:
        if self.until_month is not None and self.until_month < self.from_month:
            message = f"{self.until_month} lies before {self.from_month}"
            raise ValueError(message)

    def __contains__(self, month: Month) -> bool:
        return self.from_month <= month and (self.until_month is None or month < self.until_month)

    def __iter__(self) -> Iterator[Month]:
        for index in range(self.from_month.index, self.until.index):
            yield Month(index)

    def __len__(self) -> int:
        return self.until.since(self.from_month)

    def __str__(self) -> str:
        return f"{self.from_month}/{self.until_month or ''}"

    @property
    def until(self) -> Month:
        """The first month after the range; raises ValueError when it never ends."""
        if self.until_month is None:
            message = f"{self} has no end"
            raise ValueError(message)
        return self.until_month

    @property
    def last_month(self) -> Month:
        return self.until - 1

    def nearest(self, month: Month) -> Month:
        """Give the month of the range that lies nearest to a month."""
        month = max(month, self.from_month)
        return month if month in self else self.last_month

    def without(self, gaps: Iterable[MonthRange]) -> Iterator[MonthRange]:
        """Give the parts of the range that lie in none of some ranges with an end, in order."""
        start = self.from_month
        for gap in gaps:
            if gap.overlaps(self):
                if start < gap.from_month:
                    yield MonthRange(start, gap.from_month)
                start = max(start, gap.until)
        if self.until_month is None or start < self.until_month:
            yield MonthRange(start, self.until_month)

    def overlaps(self, other: MonthRange) -> bool:
        return (other.until_month is None or self.from_month < other.until_month) and (
            self.until_month is None or other.from_month < self.until_month
        )
