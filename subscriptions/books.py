"""Opening the books: two people look into the hours behind one bill, for a real dispute.

A controller asks for the period of a statement; a second person agrees; then those two, for two
weeks, read what each advisor posted over the whole period. Never a month inside it. Every step is
an audit event. What is asked of a statement that showed and charged nothing is refused: there is
no bill of it to dispute.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from advisors.hours import posted_by_advisor
from advisors.models import Advisor
from agency.models import AuditEvent, Organisation, Role, User
from agency.month import Month
from subscriptions.models import BooksOpening, BooksReason, Display, Statement
from subscriptions.statements import read_books
from subscriptions.use import YearSoFar, carried_in, so_far

DAYS_OPEN = dt.timedelta(days=14)
MAY_AGREE = frozenset({Role.CONTROLLER, Role.AUDITOR})


class BooksError(ValidationError):
    """Books that stay closed; its message is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What each advisor posted in a period, and whether it leads to the statement.

    ``counted_quarters`` is the period's use as the statement counts it: rounded up once, after what
    an earlier period of the year left below zero. ``agrees`` compares use and overage with it.
    """

    by_advisor: list[tuple[str, int]]
    posted_quarters: int
    counted_quarters: int
    agrees: bool


def disputed(organisation: Organisation, month: Month) -> Statement:
    """Give the published statement of the period of a month; raises BooksError."""
    stated = Statement.objects.newest().filter(
        models.Q(display=Display.EXACT) | models.Q(overage_quarters__gt=0),
        organisation=organisation,
        publication__isnull=False,
        from_month__lte=month,
        until_month__gt=month,
    )
    found = stated.first()
    if found is None:
        raise BooksError(_("No published statement with a figure covers this month."))
    return found


@transaction.atomic
def ask(
    organisation: Organisation, month: Month, *, reason: BooksReason, by: User, on: dt.date
) -> BooksOpening:
    """Ask to open the books of the period of a month; asking again on a day changes nothing.

    Raises BooksError, also for who is no controller.
    """
    if by.role != Role.CONTROLLER:
        raise BooksError(_("Only a controller asks to open the books."))
    opening, is_new = BooksOpening.objects.get_or_create(
        statement=disputed(organisation, month),
        asked_by=by,
        asked_on=on,
        defaults={"reason": reason},
    )
    if is_new:
        _log("asked", opening, by, on)
    return opening


@transaction.atomic
def agree(opening: BooksOpening, *, by: User, on: dt.date) -> None:
    """Agree to what a colleague asked; agreeing again changes nothing. Raises BooksError."""
    row = BooksOpening.objects.select_for_update().get(pk=opening.pk)
    if row.agreed_by_id == by.pk:
        return
    if row.agreed_by_id is not None:
        raise BooksError(_("Somebody else has agreed already."))
    if by.role not in MAY_AGREE or by.pk == row.asked_by_id:
        raise BooksError(_("A controller or an auditor agrees, and not who asked."))
    if on > row.asked_on + DAYS_OPEN:
        raise BooksError(_("This was asked too long ago: it has to be asked again."))
    row.agreed_by, row.agreed_on = by, on
    row.save(update_fields=["agreed_by", "agreed_on"])
    _log("agreed", row, by, on)


def waiting_for(person: User, *, on: dt.date) -> models.QuerySet[BooksOpening]:
    """Give what colleagues asked and this person may still agree to."""
    asked = BooksOpening.objects.filter(agreed_by__isnull=True, asked_on__gte=on - DAYS_OPEN)
    return asked.exclude(asked_by=person) if person.role in MAY_AGREE else asked.none()


def open_until(opening: BooksOpening) -> dt.date | None:
    """Give the last day on which the two may look; None before somebody agreed."""
    return opening.agreed_on and opening.agreed_on + DAYS_OPEN


@transaction.atomic
def totals(opening: BooksOpening, *, by: User, on: dt.date) -> Totals:
    """Give the totals to one of the two, and log that they were looked at. Raises BooksError."""
    last_day = open_until(opening)
    if by.pk not in {opening.asked_by_id, opening.agreed_by_id} or by.role not in MAY_AGREE:
        raise BooksError(_("Only who asked and who agreed may look."))
    if last_day is None:
        raise BooksError(_("Nobody has agreed yet."))
    if on > last_day:
        raise BooksError(_("The books are closed again: it has to be asked again."))
    _log("looked", opening, by, on)
    return _totals(opening.statement)


def _totals(statement: Statement) -> Totals:
    posted = posted_by_advisor(statement.organisation_id, statement.months)
    people = Advisor.objects.select_related("user").in_bulk(posted)
    before, after = _year(statement)
    counted = after.used_quarters - before.used_quarters
    beyond = after.used_quarters - statement.allowance_quarters - after.card_quarters
    agrees = statement.used_quarters in {None, counted} and (
        statement.capped or max(0, beyond - before.overage_quarters) == statement.overage_quarters
    )
    return Totals(
        by_advisor=sorted((str(people[key]), sum_) for key, sum_ in posted.items() if sum_),
        posted_quarters=sum(posted.values()),
        counted_quarters=counted,
        agrees=agrees,
    )


def _year(statement: Statement) -> tuple[YearSoFar, YearSoFar]:
    """Add up the contract year before the period and with it."""
    organisation, key = statement.organisation_id, statement.subscription_id
    books = read_books([organisation])
    contract, hours = books.contracts[key], books.hours.get(organisation, {})
    year = contract.year_of(statement.from_month)
    stated = [row for row in books.stated[key] if row.months.until <= statement.until_month]
    carried = carried_in(contract, year, hours, stated, books.thresholds)
    before, after = (
        so_far(
            contract,
            year,
            carried,
            hours,
            rows,
            books.thresholds,
            shown=statement.display == Display.EXACT,
        )
        for rows in (stated[:-1], stated)
    )
    return before, after


def _log(action: str, opening: BooksOpening, by: User, on: dt.date) -> None:
    AuditEvent.objects.create(
        on=on,
        actor=by,
        action=action,
        subject_model=opening._meta.label_lower,
        subject_id=opening.pk,
    )
