"""Tasks of the start page that hold up a month: what is missing, to close, and to send."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Min, Sum
from django.urls import reverse
from django.utils.translation import gettext, ngettext, ngettext_lazy

from advisors.hours import first_open_month, missing_submissions
from agency.month import Month
from agency.templatetags.figures import day, euro, month_name
from subscriptions import push, statements
from subscriptions.admin.task import Task, listed
from subscriptions.models import Invoice, InvoiceState, Publication
from subscriptions.vat import last_invoice_day

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEDS = {
    InvoiceState.DRAFT: ngettext_lazy("draft invoice to approve", "draft invoices to approve"),
    InvoiceState.APPROVED: ngettext_lazy("approved invoice to send", "approved invoices to send"),
    InvoiceState.PARKED: ngettext_lazy("invoice parked on its way", "invoices parked on their way"),
}


def submissions(on: dt.date) -> Iterator[Task]:
    open_month = first_open_month()
    if open_month is None or open_month >= Month.containing(on):
        return
    missing = missing_submissions(open_month)
    text = ngettext(
        "counsellor has not submitted %(month)s yet",
        "counsellors have not submitted %(month)s yet",
        missing,
    )
    late = (on - open_month.last_day).days
    yield Task(
        count=missing,
        what=text % {"month": month_name(open_month)},
        address=reverse("admin:month_step", args=[open_month, "complete"]),
        note=gettext("What they note after the close goes to the month after"),
        when=ngettext("%(days)s day late", "%(days)s days late", late) % {"days": late},
        is_late=True,
    )


def to_close(on: dt.date) -> Iterator[Task]:
    month = statements.next_to_close(on)
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


def run_tasks() -> Iterator[Task]:
    """Tasks for invoices that wait for a deed of ours: approve, send, look at."""
    waiting = Invoice.objects.filter(state__in=DEEDS)
    sums = {
        state: found
        for state, *found in waiting.order_by()
        .values_list("state")
        .annotate(Count("pk"), Sum("net_cents"), Min("run_month"), Max("run_month"))
    }
    for state, what in DEEDS.items():
        if state in sums:
            count, cents, first, last = sums[state]
            yield Task(
                count=count,
                what=what % count,
                address=_of_one_month(state, first, last)
                or listed("subscriptions_invoice", f"state__exact={state}"),
                note=gettext("%(amount)s without VAT") % {"amount": euro(cents)},
                when=_progress() if state == InvoiceState.APPROVED else "",
            )


def _of_one_month(state: InvoiceState, first: Month, last: Month) -> str:
    """Give the step of the month that all of them are of; empty where they are of several."""
    step = {InvoiceState.DRAFT: "approve", InvoiceState.APPROVED: "send"}.get(state)
    if step is None or first != last or not Publication.objects.filter(month=first).exists():
        return ""
    return reverse("admin:month_step", args=[first, step])


def _progress() -> str:
    """Say how far the newest run that is to be sent has come."""
    newest = Invoice.objects.filter(state=InvoiceState.APPROVED).aggregate(run=Max("run_month"))
    sent, waiting = push.progress(newest["run"])
    text = gettext("%(sent)s sent, %(waiting)s on their way")
    return text % {"sent": sent, "waiting": waiting}
