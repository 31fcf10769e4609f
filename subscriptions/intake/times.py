"""The kinds of cells with a month, a day or a moment."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import ClassVar

from django.utils.translation import gettext as _

from agency.month import AMSTERDAM
from agency.month import Month as MonthValue
from subscriptions.intake.cells import Kind, RefusedError

FIRST_YEAR, LAST_YEAR = 2000, 2099


def _refuse_strange_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise RefusedError(
            _("The year must lie between %(first)d and %(last)d.")
            % {"first": FIRST_YEAR, "last": LAST_YEAR}
        )


@dataclass(frozen=True)
class Month(Kind):
    """A month as text; spreadsheets turn a typed 2026-03 into its first day, which counts too."""

    def read(self, raw: object) -> MonthValue:
        if isinstance(raw, dt.date):
            return self._from_date(raw)
        text = raw if isinstance(raw, str) else ""
        try:
            month = MonthValue.parse(text)
        except ValueError as error:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                raise RefusedError(_only_whole_months()) from error
            raise RefusedError(
                _("This is not a month: give it as text YYYY-MM, such as 2026-03.")
            ) from error
        _refuse_strange_year(month.year)
        return month

    def _from_date(self, day: dt.date) -> MonthValue:
        if day.day != 1 or (isinstance(day, dt.datetime) and day.time() != dt.time()):
            raise RefusedError(_only_whole_months())
        _refuse_strange_year(day.year)
        return MonthValue.of(day.year, day.month)

    def write(self, value: MonthValue) -> object:
        return str(value)


def _only_whole_months() -> str:
    return _("Only whole months count here, from the first: give the month as YYYY-MM.")


@dataclass(frozen=True)
class Date(Kind):
    number_format: ClassVar[str] = "dd-mm-yyyy"

    def read(self, raw: object) -> dt.date:
        if isinstance(raw, dt.datetime) and raw.time() == dt.time():
            raw = raw.date()
        if not isinstance(raw, dt.date) or isinstance(raw, dt.datetime):
            raise RefusedError(
                _("This is not a date: type a day that the spreadsheet knows as a date.")
            )
        _refuse_strange_year(raw.year)
        return raw


@dataclass(frozen=True)
class LocalTime(Kind):
    """A date and a time in Amsterdam, to the minute; of a time that comes twice the first."""

    number_format: ClassVar[str] = "dd-mm-yyyy hh:mm"

    def read(self, raw: object) -> dt.datetime:
        if not isinstance(raw, dt.datetime):
            raise RefusedError(
                _("This is not a date and a time that the spreadsheet knows as such.")
            )
        _refuse_strange_year(raw.year)
        # A spreadsheet keeps a time as a fraction of a day: 9:30 comes out as 9:29:59.9999.
        local = (raw + dt.timedelta(seconds=30)).replace(second=0, microsecond=0)
        moment = local.replace(tzinfo=AMSTERDAM).astimezone(dt.UTC)
        if moment.astimezone(AMSTERDAM).replace(tzinfo=None) != local:
            raise RefusedError(_("This time does not exist: the clock went forward that night."))
        return moment

    def write(self, value: dt.datetime) -> object:
        return value.astimezone(AMSTERDAM).replace(tzinfo=None)
