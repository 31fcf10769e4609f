"""Reminders of unpaid invoices that we send ourselves: three steps, each once, by mail.

Who reminds is one setting (`CollectionPolicy`). Stripe is told of each invoice whether to go on by
itself, and we remind only of those with which it does not (`subscriptions.advancing`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from agency.mail import Mail
from agency.month import Month
from subscriptions import advancing, collection_letters, payment_plans, payments, steps
from subscriptions.models import (
    CollectionPolicy,
    Invoice,
    InvoiceState,
    Reminder,
    ReminderStep,
    Reminds,
)
from subscriptions.once_final import ONCE_FINAL
from subscriptions.parked import is_held_back

SUBJECT = _("An invoice is not paid yet")
FINAL_SUBJECT = _("Final demand: an invoice is not paid")


class LeftBe(models.TextChoices):
    """Why an invoice that is late is not reminded of; the first that applies."""

    CONTESTED = "contested", _("contested")
    PLANNED = "planned", _("it is paid in parts, as agreed")
    WRITTEN_OFF = "written_off", _("it is being written off")
    DEBITED = "debited", _("it is debited")
    STRIPE = "stripe", _("Stripe goes on with it")
    WAITS = "waits", _("Stripe is still to be told of it")
    UNMAILED = "unmailed", _("it was not mailed itself")
    CREDITED = "credited", _("a credit of it is under way")
    PARKED = "parked", _("its client is parked")
    NO_ADDRESS = "no_address", _("there is no e-mail address")


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to become of a late invoice, and from which day; ``left_be`` where nothing is."""

    invoice: Invoice
    step: ReminderStep
    due_on: dt.date
    asked_cents: int
    left_be: LeftBe | None


def plan(*, on: dt.date, invoice_id: UUID | None = None) -> Iterator[Planned]:
    """Yield the next step of each late invoice that asks for money, or of one; writes nothing.

    What is due has a day up to ``on`` and nothing that keeps it. Nothing comes where we do not
    remind, after the last step, and while a mail is on its way.
    """
    policy = CollectionPolicy.objects.filter(reminded_by=Reminds.AGENCY).first()
    if policy is not None:
        rows = late(on=on)
        found = read(rows.filter(pk=invoice_id) if invoice_id else rows, on=on)
        yield from next_steps(found, policy, on=on)


def late(*, on: dt.date) -> QuerySet[Invoice]:
    """Give the late invoices that ask for money and have a step to come, in order of their day."""
    asking = payments.with_left(payments.unpaid()).filter(left__gt=0)
    over = Reminder.objects.filter(
        Q(step=ReminderStep.FINAL) | Q(sent_on=None), invoice=OuterRef("pk")
    )
    due = asking.filter(~Exists(over), state=InvoiceState.OPEN, due_on__lt=on)
    return due.order_by("due_on", "number")


def read(rows: QuerySet[Invoice], *, on: dt.date) -> QuerySet[Any]:
    """Read `late` invoices, all or a page, for `next_steps`: three statements."""
    found = _with_obstacles(Invoice.objects.filter(pk__in=rows.values("pk")), on)
    return found.prefetch_related("reminders").order_by("due_on", "number")


def next_steps(
    invoices: Iterable[Any], policy: CollectionPolicy, *, on: dt.date
) -> Iterator[Planned]:
    """Yield the next step of each invoice of `read`."""
    for invoice in invoices:
        if step := _next_step(invoice, policy):
            yield Planned(invoice, *step, invoice.left, _left_be(invoice, on))


def _with_obstacles(invoices: QuerySet[Invoice], on: dt.date) -> QuerySet[Any]:
    kept = payment_plans.kept(on).filter(invoice=OuterRef("pk"))
    rows = advancing.with_obstacles(invoices).annotate(is_planned=Exists(kept))
    return payments.with_left(rows)


def ask(*, on: dt.date) -> list[Reminder]:
    """Queue the mails that are due; asking again on the same day queues nothing more."""
    made = []
    for invoice_id in [row.invoice.pk for row in plan(on=on) if _is_due(row, on)]:
        with transaction.atomic():
            steps.lock(invoice_id)
            for row in plan(on=on, invoice_id=invoice_id):
                if _is_due(row, on):
                    reminder = Reminder.objects.create(
                        invoice=row.invoice, step=row.step, asked_cents=row.asked_cents
                    )
                    async_task("subscriptions.tasks.mail_reminder", str(reminder.pk))
                    made.append(reminder)
    return made


def send(reminder_id: UUID, *, on: dt.date) -> None:
    """Mail a reminder, once; one whose invoice was settled or stopped meanwhile is thrown away.

    As with other mail, a process that dies before it is written down sends twice.
    """
    rows = Reminder.objects.filter(pk=reminder_id, sent_on=None)
    reminder = rows.first()
    if reminder is None:
        return
    asking = payments.unpaid().filter(pk=reminder.invoice_id)
    invoice = _with_obstacles(asking, on).first()
    if invoice is None or invoice.left != reminder.asked_cents or _left_be(invoice, on):
        rows.delete()
        return
    reminder.invoice = invoice
    policy = CollectionPolicy.objects.get()
    reminder.pay_by_on = on + dt.timedelta(days=_days_to_pay(reminder.step, policy))
    written(reminder).send()
    rows.update(sent_on=on, pay_by_on=reminder.pay_by_on)


def written(reminder: Reminder) -> Mail:
    """Write the mail of a reminder."""
    is_final = reminder.step == ReminderStep.FINAL
    subject = FINAL_SUBJECT if is_final else SUBJECT
    context = {"reminder": reminder, "is_final": is_final}
    return collection_letters.written(reminder.invoice, "reminder", subject, **context)


def _is_due(row: Planned, on: dt.date) -> bool:
    return row.due_on <= on and row.left_be is None


def _next_step(invoice: Invoice, policy: CollectionPolicy) -> tuple[ReminderStep, dt.date] | None:
    """Return the first step that was not taken, with its day; None while one is on its way."""
    before = invoice.debit_failed_on or invoice.due_on
    sent = {row.step: row.sent_on for row in invoice.reminders.all()}
    waits = (policy.first_days, policy.second_days, policy.final_days)
    for step, days in zip(ReminderStep, waits, strict=True):
        if before is None:
            return None
        if step not in sent:
            return step, before + dt.timedelta(days=days)
        before = sent[step]
    return None


def _left_be(invoice: Any, on: dt.date) -> LeftBe | None:
    unfinished = {step.kind for step in invoice.steps.all() if step.state in steps.UNFINISHED}
    reasons = {
        LeftBe.CONTESTED: invoice.is_contested,
        LeftBe.PLANNED: invoice.is_planned,
        LeftBe.WRITTEN_OFF: hasattr(invoice, "write_off"),
        LeftBe.DEBITED: _is_debited(invoice),
        LeftBe.STRIPE: advancing.is_told_to_go_on(invoice),
        LeftBe.WAITS: not unfinished.isdisjoint(ONCE_FINAL),
        LeftBe.UNMAILED: bool(invoice.parked_because),
        LeftBe.CREDITED: invoice.is_being_credited,
        LeftBe.PARKED: is_held_back(invoice, Month.containing(on)),
        LeftBe.NO_ADDRESS: not collection_letters.address_of(invoice),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _is_debited(invoice: Invoice) -> bool:
    """Tell whether a debit brings the money: not where one failed, or only a part is left."""
    in_parts = advancing.is_paid_in_parts(invoice)
    return advancing.brings_a_debit(invoice) and not (invoice.debit_failed_on or in_parts)


def _days_to_pay(step: str, policy: CollectionPolicy) -> int:
    return {
        ReminderStep.FIRST: policy.second_days,
        ReminderStep.SECOND: policy.final_days,
        ReminderStep.FINAL: policy.term_days,
    }[ReminderStep(step)]
