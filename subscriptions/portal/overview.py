"""What a client's start page says, worked out from statements and contract data alone."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from django.utils.translation import gettext, ngettext

from agency.money import QUARTERS_PER_HOUR, round_half_away
from agency.month import MonthRange
from agency.templatetags.figures import decimal_hours, month_name
from subscriptions.agreements import ALL_IN, CAP
from subscriptions.models import Display, Statement
from subscriptions.release import periods
from subscriptions.statements import thresholds
from subscriptions.wording import statement_sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agency.month import Month
    from subscriptions.agreements import Contract, ContractYear, Prices
    from subscriptions.release import Thresholds

# A pace of fewer months says more about one month than about the year.
LEAST_MONTHS_FOR_A_PACE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Published figures of a contract year with its allowance; only where all of them are exact.

    Use is set off against the allowance first, then against cards; what was charged as overage
    leaves the allowance as it is (design 5.4).
    """

    used_quarters: int
    charged_quarters: int
    allowance_quarters: int
    capped: bool
    until_month: Month

    @property
    def last_month(self) -> Month:
        return self.until_month - 1

    @property
    def within_quarters(self) -> int:
        return min(self.used_quarters - self.charged_quarters, self.allowance_quarters)

    @property
    def left_quarters(self) -> int:
        return self.allowance_quarters - self.within_quarters

    @property
    def _beyond_quarters(self) -> int:
        return self.used_quarters - self.charged_quarters - self.within_quarters

    @property
    def uncharged_quarters(self) -> int:
        """Use above the contract that a cap leaves uncharged."""
        return self._beyond_quarters if self.capped else 0

    @property
    def card_quarters(self) -> int:
        """Use above the contract that cards paid for: neither within it nor charged."""
        return 0 if self.capped else self._beyond_quarters

    @property
    def percent(self) -> int:
        """The part of the bar that is filled, 0 to 100."""
        if not self.left_quarters:
            return 100
        return self.within_quarters * 100 // self.allowance_quarters


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The hours of the contract year that was published last.

    ``next_period`` is the period still open, if nothing changes before it closes; ``pace_quarters``
    is what the whole year comes to at the published pace.
    """

    year: ContractYear
    claim: str
    statements: Sequence[Statement]
    next_period: MonthRange | None
    use: Use | None
    pace_quarters: int | None
    prices: Prices | None
    charges_overage: bool
    reported_before: bool

    @property
    def pace_fits(self) -> bool:
        if self.use is None or self.pace_quarters is None:
            return False
        beside = self.use.charged_quarters + self.use.card_quarters
        return self.pace_quarters - beside <= self.use.allowance_quarters

    @property
    def has_figures(self) -> bool:
        return any(statement.used_quarters is not None for statement in self.statements)


def overview(
    contract: Contract,
    statements: Sequence[Statement],
    now: Month,
    policy: Thresholds | None = None,
) -> Overview:
    """Sum up what was published of a contract; ``statements`` are newest versions in order.

    ``policy`` is the newest one, read here where it is not given.
    """
    year = contract.year_of(
        statements[-1].months.last_month if statements else contract.months.nearest(now)
    )
    shown = [statement for statement in statements if statement.from_month in year.months]
    reported_before = contract.reported_until > year.first_month
    use = None if reported_before else _use(shown)
    months = len(contract.served(year, year.until_month))
    return Overview(
        year=year,
        claim=_claim(contract, year, shown),
        statements=shown,
        next_period=_next_period(contract, statements, now, policy or thresholds()),
        use=use,
        pace_quarters=_pace(year, shown, use, months),
        prices=contract.prices_if_any(year, contract.tier_in(year.months.last_month)),
        charges_overage=contract.choices_of(year).overage not in (ALL_IN, CAP),
        reported_before=reported_before,
    )


def _use(statements: Sequence[Statement]) -> Use | None:
    counted = [statement for statement in statements if statement.display != Display.WITHHELD]
    if not counted or any(statement.display != Display.EXACT for statement in counted):
        return None
    return Use(
        used_quarters=sum(statement.used_quarters or 0 for statement in counted),
        charged_quarters=sum(statement.overage_quarters for statement in counted),
        allowance_quarters=counted[-1].allowance_quarters,
        capped=any(statement.capped for statement in counted),
        until_month=counted[-1].until_month,
    )


def _pace(
    year: ContractYear, statements: Sequence[Statement], use: Use | None, months: int
) -> int | None:
    """Give the use of a year's ``months`` at the published pace, in whole hours.

    None where nobody can tell.
    """
    covered = sum(len(statement.months) for statement in statements)
    complete = use is None or use.until_month == year.until_month
    if use is None or complete or covered < LEAST_MONTHS_FOR_A_PACE:
        return None
    if covered != use.until_month.since(year.first_month):
        return None
    whole = Fraction(use.used_quarters * months, covered * QUARTERS_PER_HOUR)
    return round_half_away(whole) * QUARTERS_PER_HOUR


def _next_period(
    contract: Contract, statements: Sequence[Statement], now: Month, policy: Thresholds
) -> MonthRange | None:
    """Give the open period, as it closes if headcount and choices stay as they are."""
    start = statements[-1].until_month if statements else contract.reported_until
    if start not in contract.months or start > now:
        return None
    rest_of_year = MonthRange(start, contract.year_of(start).until_month)
    return next((each.months for each in periods(contract, rest_of_year, policy)), None)


def _claim(contract: Contract, year: ContractYear, statements: Sequence[Statement]) -> str:
    """Say in one sentence how it stands; from statements only, and never more than they say."""
    if contract.choices_of(year).overage == ALL_IN:
        return gettext("All your hours are included.")
    if not statements:
        return gettext("Your first statement is still to come.")
    last = statements[-1]
    name = month_name(last.months.last_month)
    charged = sum(statement.overage_quarters for statement in statements)
    if charged:
        text = ngettext(
            "Up to and including %(month)s you have %(hours)s extra hour.",
            "Up to and including %(month)s you have %(hours)s extra hours.",
            1 if charged == QUARTERS_PER_HOUR else 2,
        )
        return text % {"month": name, "hours": decimal_hours(charged)}
    if all(statement.display == Display.WITHHELD for statement in statements):
        return statement_sentence(last)
    if any(statement.capped for statement in statements):
        return gettext("Up to and including %(month)s we charge no extra hours.") % {"month": name}
    return gettext("Up to and including %(month)s you are within your hours.") % {"month": name}
