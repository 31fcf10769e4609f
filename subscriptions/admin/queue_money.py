"""Tasks of the start page about money that was asked for, and about what Stripe says of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db.models import Case, F, OuterRef, Subquery, Value, When
from django.urls import reverse
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from agency.templatetags.figures import day, euro
from subscriptions import payment_plans, payments, push, reconcile
from subscriptions.admin.counted import Part
from subscriptions.admin.invoice_groups import hopeless, overdue
from subscriptions.admin.task import Counted, Task, Waiting, listed, waiting
from subscriptions.models import (
    Contest,
    DifferenceKind,
    EventState,
    Invoice,
    InvoiceState,
    StripeEvent,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

BROKEN = "broken"


def unmailed() -> Waiting:
    return waiting(
        push.unmailed(),
        ngettext_lazy(
            "invoice that Stripe refused to mail", "invoices that Stripe refused to mail"
        ),
        listed("subscriptions_invoice", "overdue=unmailed"),
        note=_("Look at the address, then try again"),
    )


def failed_debits() -> Waiting:
    failed = Invoice.objects.filter(state=InvoiceState.OPEN, debit_failed_on__isnull=False)
    what = ngettext_lazy("direct debit failed", "direct debits failed")
    return _unpaid(failed, "debit_failed_on", what, "overdue=failed")


def late(on: dt.date) -> Waiting:
    what = ngettext_lazy("invoice overdue", "invoices overdue")
    return _unpaid(Invoice.objects.filter(overdue(on)), "due_on", what, "overdue=yes")


def to_write_off(on: dt.date) -> Waiting:
    what = ngettext_lazy("invoice to write off", "invoices to write off")
    return _unpaid(Invoice.objects.filter(hopeless(on)), "due_on", what, "overdue=hopeless")


def _unpaid(rows: QuerySet[Invoice], since: str, what: Any, query: str) -> Waiting:
    return waiting(
        rows,
        what,
        listed("subscriptions_invoice", query),
        cents="total_cents",
        first_on=since,
        says=lambda row: {
            "note": gettext("%(amount)s in total") % {"amount": euro(row.cents)},
            "when": gettext("since %(day)s") % {"day": day(row.first_on)},
        },
    )


def contested() -> Waiting:
    running = Contest.objects.filter(ended_on=None)
    # Not by a join: SQLite would begin with all invoices.
    invoice = Invoice.objects.filter(pk=OuterRef("invoice")).order_by()
    total_cents = Subquery(invoice.values("total_cents"))

    def tell(found: Counted) -> Iterator[Task]:
        if not found:
            return
        row = found[""]
        again = gettext("asked for again from %(day)s") % {"day": day(row.first_on)}
        yield Task(
            count=row.count,
            what=ngettext("invoice contested", "invoices contested", row.count),
            address=listed("subscriptions_invoice", "overdue=contested"),
            note=gettext("%(amount)s in total") % {"amount": euro(row.cents)},
            when=again if row.first_on else "",
        )

    return Waiting((Part(rows=running, cents=total_cents, first_on="until_on"),), tell)


def plans(on: dt.date) -> Waiting:
    def tell(found: Counted) -> Iterator[Task]:
        if not found:
            return
        count = sum(row.count for row in found.values())
        broken = found[BROKEN].count if BROKEN in found else 0
        yield Task(
            count=count,
            what=ngettext(
                "payment plan with a part overdue", "payment plans with a part overdue", count
            ),
            address=listed("subscriptions_paymentplan", "late=yes"),
            note=gettext("%(n)s of them broken") % {"n": broken} if broken else "",
            is_late=broken > 0,
        )

    key = Case(When(is_broken=True, then=Value(BROKEN)), default=Value(""))
    return Waiting((Part(rows=payment_plans.late(on), key=key),), tell)


def too_much() -> Waiting:
    return waiting(
        payments.too_much(),
        ngettext_lazy("invoice paid too much", "invoices paid too much"),
        reverse("admin:subscriptions_invoice_received"),
        note=_("Set it against the next invoice, or pay it back"),
    )


def stripe_messages() -> Waiting:
    return waiting(
        StripeEvent.objects.filter(state=EventState.FAILED),
        ngettext_lazy("message of Stripe not handled", "messages of Stripe not handled"),
        listed("subscriptions_stripeevent", "state__exact=failed"),
        note=_("It fits no document of ours: look at the differences with Stripe"),
    )


def differences() -> Waiting:
    """Tell of each kind of difference that the nightly comparison left, and what to do about it."""

    def tell(found: Counted) -> Iterator[Task]:
        for kind, row in sorted(found.items(), key=lambda item: -item[1].count):
            yield Task(
                count=row.count,
                what=gettext("with Stripe: %(difference)s")
                % {"difference": DifferenceKind(kind).label},
                address=listed(
                    "subscriptions_stripedifference", f"kind__exact={kind}&cleared_because__exact="
                ),
                note=str(reconcile.SUGGESTIONS[DifferenceKind(kind)]),
            )

    return Waiting((Part(rows=reconcile.waiting(), key=F("kind")),), tell)
