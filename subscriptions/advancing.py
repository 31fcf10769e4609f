"""Whether Stripe goes on with an open invoice by itself: debits, tries again, reminds.

Stripe does all of it or nothing (`auto_advance`), and is told by a call of the push. What it was
told last stands in that call's frozen body.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from subscriptions import bodies, steps
from subscriptions.models import (
    CollectionPolicy,
    Contest,
    Invoice,
    InvoiceKind,
    InvoiceState,
    Mandate,
    PaymentPlan,
    Receipt,
    Reminds,
    StepKind,
    StepState,
    StripeStep,
)

DEBIT_MAY_BEGIN_LATE = dt.timedelta(days=5)  # after that, it is announced anew


def is_told_to_go_on(invoice: Invoice, calls: Iterable[StripeStep] | None = None) -> bool:
    """Tell what Stripe was told last, or is being told, by some of an invoice's calls or all."""
    every = invoice.steps.all() if calls is None else calls
    made = [step for step in every if step.error_code not in steps.NOT_MADE]
    told = {step.kind: step.body for step in sorted(made, key=lambda step: step.generation)}
    last: Any = told.get(StepKind.ADVANCE) or told.get(StepKind.FINALIZE)
    return bool(last.get("auto_advance")) if last else bodies.is_debited(invoice)


def is_debited_at_once(invoice: Invoice) -> bool:
    """Tell whether Stripe debits an invoice as soon as it is final: what we announce waits."""
    ours = CollectionPolicy.objects.filter(announced_by=Reminds.AGENCY)
    return brings_a_debit(invoice) and not ours.exists()


def with_obstacles(invoices: QuerySet[Invoice]) -> QuerySet[Any]:
    """Read with invoices what keeps them from being debited or asked for, in two statements.

    ``is_contested``, ``is_in_parts``: Stripe, which does not know of parts, would ask for too much.
    ``may_be_debited``: not where the payer withdrew all its mandates; of one without any nothing is
    known, as those of before mandates were kept are at Stripe only. ``is_being_credited``: a credit
    is under way.
    """
    of_it: dict[str, Any] = {"invoice": OuterRef("pk")}
    agreed = PaymentPlan.objects.filter(**of_it, ended_on=None, agreed_on__isnull=False)
    mandates = Mandate.objects.filter(organisation=OuterRef("payer"))
    under_way = Invoice.objects.filter(credit_of=OuterRef("pk"), state__in=InvoiceState.unsent)
    return (
        invoices.annotate(
            is_contested=Exists(Contest.objects.filter(**of_it, ended_on=None)),
            is_in_parts=Exists(agreed) | Exists(Receipt.objects.filter(**of_it)),
            may_be_debited=Exists(mandates.filter(withdrawn_on=None)) | ~Exists(mandates),
            is_being_credited=Exists(under_way),
        )
        .select_related("organisation__parked", "payer__parked", "write_off")
        .prefetch_related("steps")
    )


def brings_a_debit(invoice: Invoice) -> bool:
    """Tell whether an invoice is debited, and may be."""
    return bodies.is_debited(invoice) and _is(invoice, "may_be_debited")


def is_paid_in_parts(invoice: Invoice) -> bool:
    return _is(invoice, "is_in_parts")


def _is(invoice: Invoice, name: str) -> bool:
    """Tell one thing of `with_obstacles`, which a list reads for all of its invoices at once."""
    if not hasattr(invoice, name):
        rows = with_obstacles(Invoice.objects.filter(pk=invoice.pk))
        return bool(rows.values_list(name, flat=True).get())
    return bool(getattr(invoice, name))


def is_to_go_on(invoice: Invoice, on: dt.date) -> bool:
    """Tell whether Stripe should: all of it is asked for, by a debit, or with reminders by Stripe.

    Where we remind, Stripe tries no debit again that failed: the client is asked to pay. Where we
    announce, a debit begins on its day, or within a few after it.
    """
    is_contested = Contest.objects.filter(invoice=invoice, ended_on=None).exists()
    if is_contested or is_paid_in_parts(invoice) or invoice.is_given_up:
        return False
    policy = CollectionPolicy.objects.first()
    if bodies.is_debited(invoice):
        is_ours = policy is not None and policy.reminded_by == Reminds.AGENCY
        if (is_ours and invoice.debit_failed_on) or not brings_a_debit(invoice):
            return False
        announced = invoice.notices.filter(
            debit_on__range=(on - DEBIT_MAY_BEGIN_LATE, on), mandate__withdrawn_on=None
        )
        is_free = is_debited_at_once(invoice) or is_told_to_go_on(invoice)
        return is_free or announced.exists()
    mailed = invoice.steps.filter(kind=StepKind.SEND, state=StepState.DONE)
    return policy is not None and policy.reminded_by == Reminds.STRIPE and mailed.exists()


def align_all(*, on: dt.date) -> int:
    """Align every open invoice; returns for how many Stripe is to be told."""
    open_ones = Invoice.objects.filter(kind=InvoiceKind.INVOICE, state=InvoiceState.OPEN)
    return sum(
        align(key, on=on) for key in list(open_ones.order_by("pk").values_list("pk", flat=True))
    )


@transaction.atomic
def align(invoice_id: UUID, *, on: dt.date) -> bool:
    """Have the push tell Stripe what it should do, unless it was told; returns whether it does.

    A call that another process is making is waited for: the next round comes back to it.
    """
    invoice = steps.lock(invoice_id)
    is_open = invoice.kind == InvoiceKind.INVOICE and invoice.state == InvoiceState.OPEN
    goes_on = is_to_go_on(invoice, on)
    if not is_open or invoice.received_on or is_told_to_go_on(invoice) == goes_on:
        return False
    told = invoice.steps.filter(kind=StepKind.ADVANCE)
    if told.filter(state=StepState.ATTEMPTING).exists():
        return False
    told.filter(state__in=steps.UNFINISHED).update(
        state=StepState.FAILED, error_code=steps.OVERTAKEN
    )
    body: dict[str, Any] = dict(bodies.advancing(goes_on=goes_on))
    steps.step_for(invoice, StepKind.ADVANCE, body, again=True)
    return True
