"""The staff's start page: what needs somebody, most urgent first."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Min, Sum
from django.urls import reverse
from django.utils.translation import gettext, ngettext, ngettext_lazy

from advisors.admin import DAYS_BEFORE_EXPIRY
from advisors.hours import first_open_month
from advisors.models import Qualification
from agency import vat_ids
from agency.models import Organisation
from agency.month import Month, day_of, midnight
from agency.templatetags.figures import day, euro, month_name, weekday
from subscriptions import (
    books,
    notice,
    payment_plans,
    payments,
    push,
    quotes,
    reconcile,
)
from subscriptions.admin.invoice_groups import hopeless, overdue
from subscriptions.admin.queue_months import run_tasks, submissions, to_close
from subscriptions.admin.task import Task, listed
from subscriptions.models import (
    BlockedReason,
    Contest,
    DifferenceKind,
    EventState,
    HeadcountDeclaration,
    IndexationRun,
    Invoice,
    InvoiceState,
    ParkedBecause,
    ParkedOrganisation,
    QuoteState,
    RequestState,
    RunState,
    StripeEvent,
    TierChangeRequest,
)
from subscriptions.vat import last_invoice_day
from workshops.models import Session, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from agency.models import User

DAYS_TOO_SHORT_FOR_A_TRAINER = 7
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


def sentence(on: dt.date) -> str:
    """Say which month is still open and until when its invoices may wait."""
    open_month = first_open_month()
    if open_month is None and not Organisation.objects.exists():
        return gettext("Nobody is served yet: an administrator sets the agency up.")
    if open_month is None or open_month >= Month.containing(on):
        return gettext("All months that are over are closed.")
    last_day = last_invoice_day(open_month)
    text = gettext(
        "%(month)s is still open. Its invoices must leave by %(day)s at the latest: %(n)s."
    )
    named = {"month": month_name(open_month).capitalize(), "day": weekday(last_day)}
    return text % (named | {"n": _days_left(last_day, on)})


def _days_left(last_day: dt.date, on: dt.date) -> str:
    left = (last_day - on).days
    if left < 0:
        return ngettext("%(n)s day late", "%(n)s days late", -left) % {"n": -left}
    if left == 0:
        return gettext("today")
    return ngettext("in %(n)s day", "in %(n)s days", left) % {"n": left}


def queue(on: dt.date, reader: User) -> list[Section]:
    """Give the sections of the queue with the tasks that wait for somebody."""
    sending = [_blocked(on), *run_tasks(), _unmailed(), *_failed_debits(), *_contested()]
    now = [*submissions(on), *to_close(on), *sending, _vat_ids(), *_requests()]
    reads_stripe = reader.has_perm("subscriptions.view_stripeevent")
    stripe = [_stripe(), *_differences()] if reads_stripe else []
    week = [
        _parked(on),
        *_indexations(),
        *_openings(on, reader),
        *_trainers(on),
        *_overdue(on),
        *_to_write_off(on),
        _plans(on),
        *([_too_much()] if reader.has_perm("subscriptions.handle_invoice") else []),
        _notice(on),
        _offered(on),
        *stripe,
    ]
    sections = [
        (gettext("Now"), gettext("Holds up the month, or is late"), now),
        (gettext("This week"), gettext("Can wait a little, no longer"), week),
        (gettext("Later"), gettext("No hurry, but begin"), list(_certificates(on))),
    ]
    waiting = [
        Section(title, note, [task for task in tasks if task.count])
        for title, note, tasks in sections
    ]
    return [section for section in waiting if section.tasks]


def _blocked(on: dt.date) -> Task:
    blocked = Invoice.objects.filter(state=InvoiceState.BLOCKED).order_by()
    reasons, runs = Counter[str](), []
    for reason, run, n in blocked.values_list("blocked_reason", "run_month").annotate(Count("pk")):
        reasons[reason] += n
        runs.append(run)
    last_day = last_invoice_day(min(runs)) if runs else on
    return Task(
        count=reasons.total(),
        what=ngettext("invoice blocked", "invoices blocked", reasons.total()),
        address=listed("subscriptions_invoice", "state__exact=blocked"),
        note=", ".join(f"{n} × {BlockedReason(reason).label}" for reason, n in reasons.items()),
        when=_days_left(last_day, on),
        is_late=last_day < on,
    )


def _contested() -> Iterator[Task]:
    running = Contest.objects.filter(ended_on=None)
    found = running.aggregate(
        n=Count("pk"), cents=Sum("invoice__total_cents"), first=Min("until_on")
    )
    if found["n"]:
        again = gettext("asked for again from %(day)s") % {"day": day(found["first"])}
        yield Task(
            count=found["n"],
            what=ngettext("invoice contested", "invoices contested", found["n"]),
            address=listed("subscriptions_invoice", "overdue=contested"),
            note=gettext("%(amount)s in total") % {"amount": euro(found["cents"])},
            when=again if found["first"] else "",
        )


def _vat_ids() -> Task:
    count = vat_ids.pending().count()
    return Task(
        count=count,
        what=ngettext("VAT id to be checked", "VAT ids to be checked", count),
        address=listed("agency_organisation", "needs=vat_check"),
        note=gettext("Invoices wait until VIES has answered"),
    )


def _parked(on: dt.date) -> Task:
    parked = ParkedOrganisation.objects.exclude(until_month__lt=Month.containing(on))
    reasons = list(parked.values_list("reason", flat=True))
    named = [f"{n} × {ParkedBecause(reason).label}" for reason, n in Counter(reasons).items()]
    return Task(
        count=len(reasons),
        what=ngettext("client parked: not billed", "clients parked: not billed", len(reasons)),
        address=reverse("admin:subscriptions_parkedorganisation_changelist"),
        note=", ".join(named),
    )


def _failed_debits() -> Iterator[Task]:
    failed = Invoice.objects.filter(state=InvoiceState.OPEN, debit_failed_on__isnull=False)
    what = ngettext_lazy("direct debit failed", "direct debits failed")
    yield from _unpaid(failed, "debit_failed_on", what, "overdue=failed")


def _unpaid(rows: QuerySet[Invoice], since: str, what: Any, query: str) -> Iterator[Task]:
    found = rows.aggregate(n=Count("pk"), cents=Sum("total_cents"), first=Min(since))
    if found["n"]:
        yield Task(
            count=found["n"],
            what=what % found["n"],
            address=listed("subscriptions_invoice", query),
            note=gettext("%(amount)s in total") % {"amount": euro(found["cents"])},
            when=gettext("since %(day)s") % {"day": day(found["first"])},
        )


def _requests() -> Iterator[Task]:
    for model, what in REQUESTS.items():
        count = model.objects.filter(state=RequestState.OPEN).count()
        yield Task(
            count=count,
            what=what % count,
            address=listed(f"subscriptions_{model._meta.model_name}", "state__exact=open"),
            note=gettext("Nothing changes until it is confirmed"),
        )


def _indexations() -> Iterator[Task]:
    """Tell of runs of the index that wait; once a contract year is billed it is too late for it."""
    for state, what in INDEXATIONS.items():
        runs = IndexationRun.objects.filter(state=state)
        count = runs.count()
        first = runs.aggregate(first=Min("contracts__from_month"))["first"]
        yield Task(
            count=count,
            what=what % count,
            address=listed("subscriptions_indexationrun", ""),
            note=gettext("Before the first contract year is billed"),
            when=month_name(first) if first else "",
        )


def _openings(on: dt.date, reader: User) -> Iterator[Task]:
    """Tell a person of the books that wait for a second one; who asked is not asked again."""
    found = books.waiting_for(reader, on=on).aggregate(n=Count("pk"), first=Min("asked_on"))
    if found["n"]:
        yield Task(
            count=found["n"],
            what=ngettext(
                "opening of the books to agree to", "openings of the books to agree to", found["n"]
            ),
            address=listed("subscriptions_booksopening", "needs=agreement"),
            note=gettext("Without a second person it lapses"),
            when=day(found["first"] + books.DAYS_OPEN),
        )


def _trainers(on: dt.date) -> Iterator[Task]:
    planned = Session.objects.filter(
        status=SessionStatus.SCHEDULED, trainer__isnull=True, starts_at__gte=midnight(on)
    )
    found = planned.aggregate(n=Count("pk"), first=Min("starts_at"))
    if found["n"]:
        first = day_of(found["first"])
        yield Task(
            count=found["n"],
            what=ngettext("session without a trainer", "sessions without a trainer", found["n"]),
            address=listed("workshops_session", "needs=trainer"),
            note=gettext("The first is on %(day)s") % {"day": weekday(first)},
            is_late=(first - on).days < DAYS_TOO_SHORT_FOR_A_TRAINER,
            when=day(first),
        )


def _unmailed() -> Task:
    count = push.unmailed().count()
    return Task(
        count=count,
        what=ngettext(
            "invoice that Stripe refused to mail", "invoices that Stripe refused to mail", count
        ),
        address=listed("subscriptions_invoice", "overdue=unmailed"),
        note=gettext("Look at the address, then try again"),
    )


def _overdue(on: dt.date) -> Iterator[Task]:
    what = ngettext_lazy("invoice overdue", "invoices overdue")
    yield from _unpaid(Invoice.objects.filter(overdue(on)), "due_on", what, "overdue=yes")


def _to_write_off(on: dt.date) -> Iterator[Task]:
    what = ngettext_lazy("invoice to write off", "invoices to write off")
    yield from _unpaid(Invoice.objects.filter(hopeless(on)), "due_on", what, "overdue=hopeless")


def _plans(on: dt.date) -> Task:
    late = [
        payment_plans.days_late(parts, paid, on=on)
        for _plan, parts, paid in payment_plans.in_force()
    ]
    broken = sum(days >= payment_plans.BROKEN_AFTER_DAYS for days in late)
    count = sum(days > 0 for days in late)
    return Task(
        count=count,
        what=ngettext(
            "payment plan with a part overdue", "payment plans with a part overdue", count
        ),
        address=reverse("admin:subscriptions_paymentplan_changelist"),
        note=gettext("%(n)s of them broken") % {"n": broken} if broken else "",
        is_late=broken > 0,
    )


def _too_much() -> Task:
    count = payments.too_much().count()
    return Task(
        count=count,
        what=ngettext("invoice paid too much", "invoices paid too much", count),
        address=reverse("admin:subscriptions_invoice_received"),
        note=gettext("Set it against the next invoice, or pay it back"),
    )


def _notice(on: dt.date) -> Task:
    last_days = notice.in_window(on)
    count = len(last_days)
    return Task(
        count=count,
        what=ngettext("contract in its notice window", "contracts in their notice window", count),
        address=listed("subscriptions_subscription", "notice=window"),
        note=gettext("The last day of notice comes within two months"),
        when=day(min(last_days.values(), default=None)),
    )


def _offered(on: dt.date) -> Task:
    offered = quotes.in_state(QuoteState.OFFERED, on=on)
    found = offered.aggregate(n=Count("pk"), first=Min("valid_until"))
    return Task(
        count=found["n"],
        what=ngettext("quote waits for a signature", "quotes wait for a signature", found["n"]),
        address=listed("subscriptions_quote", f"stands={QuoteState.OFFERED}"),
        note=gettext("The first of them holds until then"),
        when=day(found["first"]),
    )


def _stripe() -> Task:
    count = StripeEvent.objects.filter(state=EventState.FAILED).count()
    return Task(
        count=count,
        what=ngettext("message of Stripe not handled", "messages of Stripe not handled", count),
        address=listed("subscriptions_stripeevent", "state__exact=failed"),
        note=gettext("It fits no document of ours: look at the differences with Stripe"),
    )


def _differences() -> Iterator[Task]:
    """Tell of each kind of difference that the nightly comparison left, and what to do about it."""
    counts = Counter(reconcile.waiting().values_list("kind", flat=True))
    for kind, count in counts.most_common():
        yield Task(
            count=count,
            what=gettext("with Stripe: %(difference)s")
            % {"difference": DifferenceKind(kind).label},
            address=listed(
                "subscriptions_stripedifference", f"kind__exact={kind}&cleared_because__exact="
            ),
            note=str(reconcile.SUGGESTIONS[DifferenceKind(kind)]),
        )


def _certificates(on: dt.date) -> Iterator[Task]:
    until = on + dt.timedelta(days=DAYS_BEFORE_EXPIRY)
    expiring = Qualification.objects.filter(valid_until__range=(on, until))
    found = expiring.aggregate(n=Count("pk"), first=Min("valid_until"))
    if found["n"]:
        yield Task(
            count=found["n"],
            what=ngettext(
                "certificate expires within six months",
                "certificates expire within six months",
                found["n"],
            ),
            address=listed("advisors_qualification", "expires=soon"),
            note=gettext("No new assignment after that"),
            when=day(found["first"]),
        )
