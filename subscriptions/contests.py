"""Contested invoices: neither reminded of nor debited until a day, or until they are settled."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from subscriptions import advancing, steps
from subscriptions.models import Contest, ContestEnd, Invoice, InvoiceKind, InvoiceState

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from agency.models import User


class ContestError(ValidationError):
    """What cannot be noted; its message is the sentence to show."""


def with_contests(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Have invoices say whether they are contested, and until when; clients read no more of it."""
    of_it = Contest.objects.filter(invoice=OuterRef("pk"), ended_on=None)
    running = of_it.order_by()  # one at a time; by what they are sorted, clients may not read
    return invoices.annotate(
        is_contested=Exists(running), contested_until=Subquery(running.values("until_on")[:1])
    )


def refuse(invoice: Invoice, *, until_on: dt.date | None, on: dt.date) -> None:
    """Raise ContestError where an invoice cannot be contested."""
    if invoice.kind != InvoiceKind.INVOICE or invoice.state != InvoiceState.OPEN:
        raise ContestError({"invoice": _("Only an open invoice is contested.")})
    if until_on and until_on <= on:
        raise ContestError({"until_on": _("It is asked for again on a day to come.")})


@transaction.atomic
def note(contest: Contest, *, by: User, on: dt.date) -> None:
    """Note that an invoice is contested, in the place of what was noted of it before.

    The push has Stripe stop. Raises ContestError.
    """
    invoice = steps.lock(contest.invoice_id)
    refuse(invoice, until_on=contest.until_on, on=on)
    _end(Contest.objects.filter(invoice=invoice), ContestEnd.PROLONGED, by, on)
    contest.noted_by, contest.noted_on = by, on
    contest.save(force_insert=True)
    advancing.align(invoice.pk, on=on)


@transaction.atomic
def end(contest: Contest, outcome: ContestEnd, *, by: User, on: dt.date) -> None:
    """Have what is left of an invoice asked for again; raises ContestError, also the second time.

    It ended by a credit only where one of it was sent.
    """
    invoice = steps.lock(contest.invoice_id)
    credited = invoice.credits.filter(state=InvoiceState.PAID).exists()
    if outcome == ContestEnd.CREDITED and not credited:
        raise ContestError(_("No credit of it was sent."))
    if not _end(Contest.objects.filter(pk=contest.pk), outcome, by, on):
        raise ContestError(_("It is contested no more."))
    advancing.align(invoice.pk, on=on)


def end_over(on: dt.date) -> list[UUID]:
    """End the contests whose day came, and those of what was settled; returns their invoices."""
    running = Contest.objects.filter(ended_on=None)
    over = running.filter(Q(until_on__lte=on) | ~Q(invoice__state=InvoiceState.OPEN))
    invoices = list(over.order_by("invoice_id").values_list("invoice_id", flat=True))
    for invoice_id in invoices:
        with transaction.atomic():
            is_open = steps.lock(invoice_id).state == InvoiceState.OPEN
            its = over.filter(invoice=invoice_id)
            _end(its, ContestEnd.LAPSED if is_open else ContestEnd.SETTLED, None, on)
            advancing.align(invoice_id, on=on)
    return invoices


def _end(contests: QuerySet[Contest], outcome: ContestEnd, by: User | None, on: dt.date) -> bool:
    running = contests.filter(ended_on=None)
    return bool(running.update(ended_on=on, ended_by=by, outcome=outcome))
