"""Tasks of the start page that hold up a month: what is missing, to close, to settle, to send."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db.models import CharField, F, Min, Value
from django.db.models.functions import Cast, Concat, TruncDate
from django.urls import reverse
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from advisors.hours import missing
from agency.month import Month, midnight
from agency.templatetags.figures import day, euro, month_name
from subscriptions import push
from subscriptions.admin.counted import Found, Part
from subscriptions.admin.task import Counted, Task, Waiting, listed, waiting
from subscriptions.models import BlockedReason, Invoice, InvoiceState, Publication
from subscriptions.vat import last_invoice_day
from workshops.models import Session, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEDS = {
    InvoiceState.DRAFT: ngettext_lazy("draft invoice to approve", "draft invoices to approve"),
    InvoiceState.APPROVED: ngettext_lazy("approved invoice to send", "approved invoices to send"),
    InvoiceState.PARKED: ngettext_lazy("invoice parked on its way", "invoices parked on their way"),
}
SENT, BEGUN = "sent", "begun"  # of the newest run that is on its way


def days_left(last_day: dt.date, on: dt.date) -> str:
    left = (last_day - on).days
    if left < 0:
        return ngettext("%(n)s day late", "%(n)s days late", -left) % {"n": -left}
    if left == 0:
        return gettext("today")
    return ngettext("in %(n)s day", "in %(n)s days", left) % {"n": left}


def submissions(on: dt.date, open_month: Month | None) -> Iterator[Waiting]:
    if open_month is None or open_month >= Month.containing(on):
        return
    late = (on - open_month.last_day).days

    def tell(found: Counted) -> Iterator[Task]:
        for row in found.values():
            text = ngettext(
                "counsellor has not submitted %(month)s yet",
                "counsellors have not submitted %(month)s yet",
                row.count,
            )
            yield Task(
                count=row.count,
                what=text % {"month": month_name(open_month)},
                address=reverse("admin:month_step", args=[open_month, "complete"]),
                note=gettext("What they note after the close goes to the month after"),
                when=ngettext("%(days)s day late", "%(days)s days late", late) % {"days": late},
                is_late=True,
            )

    yield Waiting((Part(rows=missing(open_month)),), tell)


def to_close(on: dt.date, month: Month | None) -> Waiting:
    """Tell of the months that are over and not closed, of which ``month`` is the first."""

    def tell(_found: Counted) -> Iterator[Task]:
        if month is not None:
            last_day = last_invoice_day(month)
            count = Month.containing(on).since(month)
            yield Task(
                count=count,
                what=ngettext("month to close", "months to close", count),
                address=reverse("admin:month", args=[month]),
                note=gettext("By law the invoices of %(month)s leave by then")
                % {"month": month_name(month)},
                when=day(last_day),
                is_late=on > last_day,
            )

    return Waiting((), tell)


def unsettled(on: dt.date) -> Waiting:
    """Tell of sessions that are over: whether they were held or cancelled is to be said yet."""
    return waiting(
        Session.objects.filter(status=SessionStatus.SCHEDULED, starts_at__lt=midnight(on)),
        ngettext_lazy("session is over and not settled", "sessions are over and not settled"),
        listed("workshops_session", "needs=outcome"),
        note=_("It is billed once it is marked as held or cancelled"),
        first_on=TruncDate(Min("starts_at")),
        says=lambda row: {
            "when": gettext("since %(day)s") % {"day": day(row.first_on)},
            "is_late": True,
        },
    )


def blocked(on: dt.date) -> Waiting:
    """Tell of blocked invoices together, with how many there are for each reason."""

    def tell(found: Counted) -> Iterator[Task]:
        if not found:
            return
        count = sum(row.count for row in found.values())
        last_day = last_invoice_day(min(row.first_month for row in found.values()))
        yield Task(
            count=count,
            what=ngettext("invoice blocked", "invoices blocked", count),
            address=listed("subscriptions_invoice", "state__exact=blocked"),
            note=", ".join(
                f"{row.count} × {BlockedReason(reason).label}" for reason, row in found.items()
            ),
            when=days_left(last_day, on),
            is_late=last_day < on,
        )

    rows = Invoice.objects.filter(state=InvoiceState.BLOCKED)
    return Waiting((Part(rows=rows, key=F("blocked_reason"), first_month="run_month"),), tell)


def runs() -> Waiting:
    """Tell of invoices that wait for a deed of ours: approve, send, look at."""
    rows = Invoice.objects.filter(state__in=DEEDS)
    approved = Invoice.objects.filter(state=InvoiceState.APPROVED)
    sent, begun = push.progress(approved.order_by("-run_month").values("run_month")[:1])
    months = rows.exclude(state=InvoiceState.PARKED).values("run_month")
    month = Cast("run_month", CharField())
    state_and_month = Concat("state", Value(" "), month, output_field=CharField())
    parts = (
        Part(rows=rows, key=state_and_month, cents="net_cents", first_month="run_month"),
        Part(rows=sent, key=SENT),
        Part(rows=begun, key=BEGUN),
        Part(rows=Publication.objects.filter(month__in=months), key=F("month")),
    )
    return Waiting(parts, _run_tasks)


def _run_tasks(found: Counted) -> Iterator[Task]:
    for state, what in DEEDS.items():
        by_month = [row for key, row in found.items() if key.startswith(f"{state} ")]
        if by_month:
            count = sum(row.count for row in by_month)
            cents = sum(row.cents for row in by_month)
            yield Task(
                count=count,
                what=what % count,
                address=_of_one_month(state, by_month, found)
                or listed("subscriptions_invoice", f"state__exact={state}"),
                note=gettext("%(amount)s without VAT") % {"amount": euro(cents)},
                when=_progress(found) if state == InvoiceState.APPROVED else "",
            )


def _of_one_month(state: InvoiceState, by_month: list[Found], found: Counted) -> str:
    """Give the step of the month that all of them are of; empty where they are of several."""
    step = {InvoiceState.DRAFT: "approve", InvoiceState.APPROVED: "send"}.get(state)
    month = by_month[0].first_month
    is_published = str(month.index) in found
    if step is None or len(by_month) > 1 or not is_published:
        return ""
    return reverse("admin:month_step", args=[month, step])


def _progress(found: Counted) -> str:
    """Say how far the newest run that is to be sent has come."""
    sent, begun = (found[key].count if key in found else 0 for key in (SENT, BEGUN))
    text = gettext("%(sent)s sent, %(waiting)s on their way")
    return text % {"sent": sent, "waiting": begun}
