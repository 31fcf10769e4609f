"""The staff's start page: what needs somebody, most urgent first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, F, Min, Value
from django.db.models.functions import Concat, TruncDate
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from advisors.admin import DAYS_BEFORE_EXPIRY
from advisors.models import Qualification
from agency import vat_ids
from agency.models import Organisation
from agency.month import Month, midnight
from agency.templatetags.figures import day, month_name, weekday
from subscriptions import books, notice, parked, quotes, statements
from subscriptions.admin import counted, queue_money, queue_months
from subscriptions.admin.counted import Part
from subscriptions.admin.queue_months import days_left
from subscriptions.admin.task import Counted, Task, Waiting, listed, waiting
from subscriptions.models import (
    HeadcountDeclaration,
    IndexationRun,
    IndexedContract,
    ParkedBecause,
    QuoteState,
    RequestState,
    RunState,
    TierChangeRequest,
)
from subscriptions.vat import last_invoice_day
from workshops.models import Session, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agency.models import User

DAYS_TOO_SHORT_FOR_A_TRAINER = 7
FIRST = "first "
INDEXATIONS = {
    RunState.ANNOUNCED: ngettext_lazy("indexation run to approve", "indexation runs to approve"),
    RunState.APPROVED: ngettext_lazy("indexation run to apply", "indexation runs to apply"),
}
REQUESTS: dict[type[Any], Any] = {
    TierChangeRequest: ngettext_lazy("request for a tier change", "requests for a tier change"),
    HeadcountDeclaration: ngettext_lazy("headcount to confirm", "headcounts to confirm"),
}


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    note: str
    tasks: list[Task]


def sentence(on: dt.date, open_month: Month | None) -> str:
    """Say which month is still open and until when its invoices may wait."""
    if open_month is None and not Organisation.objects.exists():
        return gettext("Nobody is served yet: an administrator sets the agency up.")
    if open_month is None or open_month >= Month.containing(on):
        return gettext("All months that are over are closed.")
    last_day = last_invoice_day(open_month)
    text = gettext(
        "%(month)s is still open. Its invoices must leave by %(day)s at the latest: %(n)s."
    )
    named = {"month": month_name(open_month).capitalize(), "day": weekday(last_day)}
    return text % (named | {"n": days_left(last_day, on)})


def queue(on: dt.date, reader: User, open_month: Month | None) -> list[Section]:
    """Give the sections of the queue with the tasks that wait for somebody.

    All of them are counted in one statement. ``open_month`` is the first one that is not closed.
    """
    sections = [
        (gettext("Now"), gettext("Holds up the month, or is late"), [*_now(on, open_month)]),
        (gettext("This week"), gettext("Can wait a little, no longer"), [*_this_week(on, reader)]),
        (gettext("Later"), gettext("No hurry, but begin"), [_certificates(on)]),
    ]
    found = counted.read(
        {
            f"{title} {at}": one.parts
            for title, _note, lines in sections
            for at, one in enumerate(lines)
        }
    )
    waits = [
        Section(
            title,
            note,
            [task for at, one in enumerate(lines) for task in one.tell(found[f"{title} {at}"])],
        )
        for title, note, lines in sections
    ]
    return [section for section in waits if section.tasks]


def _now(on: dt.date, open_month: Month | None) -> Iterator[Waiting]:
    yield from queue_months.submissions(on, open_month)
    yield queue_months.to_close(on, statements.next_to_close(on, open_month))
    yield queue_months.unsettled(on)
    yield queue_months.blocked(on)
    yield queue_months.runs()
    yield queue_money.unmailed()
    yield queue_money.failed_debits()
    yield queue_money.contested()
    yield waiting(
        vat_ids.pending(),
        ngettext_lazy("VAT id to be checked", "VAT ids to be checked"),
        listed("agency_organisation", "needs=vat_check"),
        note=_("Invoices wait until VIES has answered"),
    )
    for model, what in REQUESTS.items():
        yield waiting(
            model.objects.filter(state=RequestState.OPEN),
            what,
            listed(f"subscriptions_{model._meta.model_name}", "state__exact=open"),
            note=_("Nothing changes until it is confirmed"),
        )


def _this_week(on: dt.date, reader: User) -> Iterator[Waiting]:
    yield _parked(on)
    yield _indexations()
    yield _openings(on, reader)
    yield _trainers(on)
    yield queue_money.late(on)
    yield queue_money.to_write_off(on)
    yield queue_money.plans(on)
    if reader.has_perm("subscriptions.handle_invoice"):
        yield queue_money.too_much()
    yield _notice(on)
    yield _offered(on)
    if reader.has_perm("subscriptions.view_stripeevent"):
        yield queue_money.stripe_messages()
        yield queue_money.differences()


def _parked(on: dt.date) -> Waiting:
    def tell(found: Counted) -> Iterator[Task]:
        if not found:
            return
        count = sum(row.count for row in found.values())
        yield Task(
            count=count,
            what=ngettext("client parked: not billed", "clients parked: not billed", count),
            address=listed("subscriptions_parkedorganisation", "parked=now"),
            note=", ".join(
                f"{row.count} × {ParkedBecause(reason).label}" for reason, row in found.items()
            ),
        )

    return Waiting((Part(rows=parked.now(on), key=F("reason")),), tell)


def _indexations() -> Waiting:
    """Tell of runs of the index that wait; once a contract year is billed it is too late for it."""

    def tell(found: Counted) -> Iterator[Task]:
        for state, what in INDEXATIONS.items():
            if state in found:
                first = found[FIRST + state].first_month if FIRST + state in found else None
                yield Task(
                    count=found[state].count,
                    what=what % found[state].count,
                    address=listed("subscriptions_indexationrun", f"state__exact={state}"),
                    note=gettext("Before the first contract year is billed"),
                    when=month_name(first) if first else "",
                )

    runs = IndexationRun.objects.filter(state__in=INDEXATIONS)
    indexed = IndexedContract.objects.filter(run__in=runs)
    first_of = Concat(Value(FIRST), "run__state", output_field=CharField())
    parts = (
        Part(rows=runs, key=F("state")),
        Part(rows=indexed, key=first_of, first_month="from_month"),
    )
    return Waiting(parts, tell)


def _openings(on: dt.date, reader: User) -> Waiting:
    """Tell a person of the books that wait for a second one; who asked is not asked again."""
    return waiting(
        books.waiting_for(reader, on=on),
        ngettext_lazy("opening of the books to agree to", "openings of the books to agree to"),
        listed("subscriptions_booksopening", "needs=agreement"),
        note=_("Without a second person it lapses"),
        first_on="asked_on",
        says=lambda row: {"when": day(row.first_on + books.DAYS_OPEN)},
    )


def _trainers(on: dt.date) -> Waiting:
    planned = Session.objects.filter(
        status=SessionStatus.SCHEDULED, trainer__isnull=True, starts_at__gte=midnight(on)
    )
    return waiting(
        planned,
        ngettext_lazy("session without a trainer", "sessions without a trainer"),
        listed("workshops_session", "needs=trainer"),
        first_on=TruncDate(Min("starts_at")),
        says=lambda row: {
            "note": gettext("The first is on %(day)s") % {"day": weekday(row.first_on)},
            "is_late": (row.first_on - on).days < DAYS_TOO_SHORT_FOR_A_TRAINER,
            "when": day(row.first_on),
        },
    )


def _notice(on: dt.date) -> Waiting:
    return waiting(
        notice.in_window(on),
        ngettext_lazy("contract in its notice window", "contracts in their notice window"),
        listed("subscriptions_subscription", "notice=window"),
        note=_("The last day of notice comes within two months"),
        first_month="last_notice_in",
        says=lambda row: {"when": day(row.first_month.last_day)},
    )


def _offered(on: dt.date) -> Waiting:
    return waiting(
        quotes.in_state(QuoteState.OFFERED, on=on),
        ngettext_lazy("quote waits for a signature", "quotes wait for a signature"),
        listed("subscriptions_quote", f"stands={QuoteState.OFFERED}"),
        note=_("The first of them holds until then"),
        first_on="valid_until",
        says=lambda row: {"when": day(row.first_on)},
    )


def _certificates(on: dt.date) -> Waiting:
    until = on + dt.timedelta(days=DAYS_BEFORE_EXPIRY)
    return waiting(
        Qualification.objects.filter(valid_until__range=(on, until)),
        ngettext_lazy(
            "certificate expires within six months", "certificates expire within six months"
        ),
        listed("advisors_qualification", "expires=soon"),
        note=_("No new assignment after that"),
        first_on="valid_until",
        says=lambda row: {"when": day(row.first_on)},
    )
