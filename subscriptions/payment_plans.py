"""Payment plans: an invoice that is paid in parts, as a person agreed with the client.

What was paid since then, by bank, through Stripe or by a credit, counts to the parts in order.
While a plan is kept nobody is reminded. A part that is `BROKEN_AFTER_DAYS` late breaks it: that is
shown, and what follows is for a person to decide.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import (
    BigIntegerField,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.utils.translation import gettext_lazy as _

from agency.models import User
from agency.templatetags.figures import euro
from subscriptions import advancing, payments, steps
from subscriptions.models import Invoice, InvoiceKind, InvoiceState, PaymentPlan, PlanPart, WriteOff

BROKEN_AFTER_DAYS = 14
FEWEST_PARTS, MOST_PARTS = 2, 36

BROKEN = Q(long_due_cents__gt=F("paid_cents"))

Part = tuple[dt.date, int]  # the day on which it is due, and cents


class PlanError(ValidationError):
    """A plan that cannot be agreed on; its message is the sentence to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A part, and how many cents of it are paid; late only where something of it is not."""

    due_on: dt.date
    amount_cents: int
    paid_cents: int
    days_late: int

    @property
    def is_paid(self) -> bool:
        return self.paid_cents == self.amount_cents


def standings(parts: Iterable[Part], paid_cents: int, *, on: dt.date) -> list[Standing]:
    """Count what was paid to parts in their order."""
    found = []
    for due_on, amount_cents in sorted(parts):
        paid = max(0, min(amount_cents, paid_cents))
        paid_cents -= paid
        late = 0 if paid == amount_cents else max(0, (on - due_on).days)
        found.append(
            Standing(due_on=due_on, amount_cents=amount_cents, paid_cents=paid, days_late=late)
        )
    return found


def equal_parts(cents: int, count: int) -> list[int]:
    """Share an amount out; the parts add up to it and the first ones are a cent larger."""
    part, rest = divmod(cents, count)
    return [part + (at < rest) for at in range(count)]


def _in_force() -> QuerySet[PaymentPlan]:
    asks = Exists(payments.unpaid().filter(pk=OuterRef("invoice")))  # of few plans, not of all
    return PaymentPlan.objects.filter(asks, ended_on=None, agreed_on__isnull=False)


def late(on: dt.date) -> QuerySet[Any]:
    """Give the plans in force with a part that is due and not paid; ``is_broken`` as `broken`."""
    rows: QuerySet[Any] = _with_due(on).annotate(is_broken=BROKEN)
    return rows.filter(due_cents__gt=F("paid_cents"))


def broken(on: dt.date) -> QuerySet[Any]:
    """Give the plans in force of which a part is so late that they are kept no more."""
    return _with_due(on).filter(BROKEN)


def kept(on: dt.date) -> QuerySet[PaymentPlan]:
    """Give the plans in force that are not broken: nobody is reminded of their invoices."""
    return _in_force().exclude(pk__in=broken(on).values("pk"))


def _with_due(on: dt.date) -> QuerySet[Any]:
    """Add up what was paid since a plan was agreed, and its parts that are due: by a day, and long.

    Of amounts above zero: more is due than was paid where a part that is due is not paid.
    """
    yesterday, long_ago = (on - dt.timedelta(days=days) for days in (1, BROKEN_AFTER_DAYS))
    return _in_force().annotate(
        paid_cents=F("total_cents") - payments.left_of_unpaid("invoice"),
        due_cents=_due(yesterday),
        long_due_cents=_due(long_ago),
    )


def _due(day: dt.date) -> Subquery:
    parts = PlanPart.objects.filter(plan=OuterRef("pk"), due_on__lte=day).order_by()
    sums = parts.values("plan").annotate(sum=Sum("amount_cents")).values("sum")
    return Subquery(sums, output_field=BigIntegerField())


def parts_of(plan: PaymentPlan) -> list[Part]:
    return [(part.due_on, part.amount_cents) for part in plan.parts.all()]


def with_left(plans: QuerySet[PaymentPlan]) -> QuerySet[PaymentPlan]:
    """Read with plans what `standings_of` asks for, in two statements for all."""
    invoices: Any = payments.with_left(Invoice.objects.all())
    return plans.prefetch_related("parts", Prefetch("invoice", invoices))


def standings_of(plan: PaymentPlan, *, on: dt.date) -> list[Standing]:
    """Say how the parts of a plan stand."""
    known = getattr(plan.invoice, "left", None)
    left = payments.left_cents(plan.invoice) if known is None else known
    return standings(parts_of(plan), plan.total_cents - left, on=on)


@transaction.atomic
def agree(invoice_id: UUID, parts: Sequence[Part], *, by: User, on: dt.date) -> PaymentPlan:
    """Write down a plan for what is left of an invoice, in the place of one in force.

    Raises PlanError for what asks for nothing, and for parts that do not add up to it or come in no
    order.
    """
    invoice = steps.lock(invoice_id)
    refuse(invoice)
    left = payments.left_cents(invoice)
    days = [due_on for due_on, _cents in parts]
    if not FEWEST_PARTS <= len(parts) <= MOST_PARTS:
        bounds = {"fewest": FEWEST_PARTS, "most": MOST_PARTS}
        raise PlanError(_("A plan has %(fewest)s to %(most)s parts."), params=bounds)
    if days != sorted(set(days)) or days[0] < on:
        raise PlanError(_("Parts come one after another, and the first not before today."))
    total = sum(cents for _due_on, cents in parts)
    if total != left or min(cents for _due_on, cents in parts) <= 0:
        sums: dict[str, Any] = {"sum": euro(total), "left": euro(left)}
        raise PlanError(_("The parts come to %(sum)s, and %(left)s is left to pay."), params=sums)
    end(invoice.pk, on=on)
    plan = PaymentPlan.objects.create(invoice=invoice, total_cents=left, agreed_by=by)
    rows = [PlanPart(plan=plan, due_on=day, amount_cents=cents) for day, cents in parts]
    PlanPart.objects.bulk_create(rows)
    plan.agreed_on = on
    plan.save(update_fields=["agreed_on"])
    advancing.align(invoice.pk, on=on)
    return plan


def refuse(invoice: Invoice) -> None:
    """Raise PlanError where an invoice asks for nothing that could be paid in parts."""
    is_asked_for = invoice.kind == InvoiceKind.INVOICE and invoice.state == InvoiceState.OPEN
    if not is_asked_for or invoice.received_on:
        raise PlanError(_("Only an open invoice can be paid in parts."))
    if WriteOff.objects.filter(invoice=invoice, written_off_on__isnull=False).exists():
        raise PlanError(_("It is written off."))


def end(invoice_id: UUID, *, on: dt.date) -> None:
    """End the plan that is in force for an invoice, if there is one."""
    PaymentPlan.objects.filter(invoice=invoice_id, ended_on=None).update(ended_on=on)
