"""Invariants of what went to Stripe."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from subscriptions import bodies
from subscriptions.advancing import is_told_to_go_on
from subscriptions.audit.records import Check, Invariant, Records
from subscriptions.models import (
    ContestEnd,
    Invoice,
    InvoiceKind,
    InvoiceState,
    ReminderStep,
    StepKind,
    StepState,
    StripeStep,
)

SERIES = re.compile(r"(.*?)(\d+)")
TWO_WEEKS = dt.timedelta(days=14)
NOT_SENT = (InvoiceState.DRAFT, InvoiceState.BLOCKED, InvoiceState.SETTLED)


def sent_documents_have_an_id_a_number_and_dates(records: Records) -> Iterator[Check]:
    for invoice in records.invoices.values():
        if invoice.state in InvoiceState.released and invoice.kind == InvoiceKind.INVOICE:
            columns = ("stripe_id", "number", "invoice_on", "due_on")
            missing = [name for name in columns if not getattr(invoice, name)]
            yield Check(records.document_name(invoice), [], missing)


def documents_that_were_not_sent_have_none(records: Records) -> Iterator[Check]:
    for invoice in records.invoices.values():
        if invoice.state in NOT_SENT:
            found = [name for name in ("stripe_id", "number") if getattr(invoice, name)]
            yield Check(records.document_name(invoice), [], found)


def numbers_of_a_series_run_once_and_without_gaps(records: Records) -> Iterator[Check]:
    series: dict[str, list[int]] = defaultdict(list)
    for invoice in records.invoices.values():
        if match := SERIES.fullmatch(invoice.number):
            series[match[1]].append(int(match[2]))
    for prefix, numbers in series.items():
        found = sorted(numbers)
        expected = list(range(found[0], found[0] + len(found)))
        missing = sorted(set(range(found[0], found[-1] + 1)) - set(found))
        twice = sorted({number for number in found if found.count(number) > 1})
        text = "in order" if found == expected else f"missing {missing}, twice {twice}"
        yield Check(prefix, "in order", text)


def bodies_of_calls_are_what_was_hashed(records: Records) -> Iterator[Check]:
    for step in records.steps:
        name = f"{records.document_name(step.invoice)} {step}"
        yield Check(name, bodies.hash_of(step.body), step.body_hash)


def calls_that_were_made_have_an_answer(records: Records) -> Iterator[Check]:
    for step in records.steps:
        if step.state == StepState.DONE:
            name = f"{records.document_name(step.invoice)} {step}"
            yield Check(name, "an answer", "an answer" if step.answer_id else "none")


def answers_of_calls_name_what_was_sent(records: Records) -> Iterator[Check]:
    for step in records.steps:
        invoice = step.invoice
        is_its_own = step.state == StepState.DONE and step.kind != StepKind.CUSTOMER
        if is_its_own and invoice.state in InvoiceState.released:
            name = f"{records.document_name(invoice)} {step}"
            yield Check(name, invoice.stripe_id, step.answer_id)


def only_what_was_approved_is_on_its_way(records: Records) -> Iterator[Check]:
    for step in records.steps:
        found = step.invoice.state if step.invoice.state in NOT_SENT else "approved"
        yield Check(f"{records.document_name(step.invoice)} {step}", "approved", found)


def paid_documents_say_when(records: Records) -> Iterator[Check]:
    """And open ones do not."""
    for invoice in records.invoices.values():
        if invoice.state in (InvoiceState.PAID, InvoiceState.OPEN):
            found = InvoiceState.PAID if invoice.paid_on else InvoiceState.OPEN
            yield Check(records.document_name(invoice), invoice.state, found.value)


def what_the_bank_received_is_paid_from_that_day_and_told_to_stripe(
    records: Records,
) -> Iterator[Check]:
    told = {step.invoice_id for step in records.steps if step.kind == StepKind.SETTLE}
    for invoice in records.invoices.values():
        if invoice.received_on:
            paid_on = invoice.paid_on or invoice.received_on
            found = (str(paid_on), invoice.pk in told)
            yield Check(records.document_name(invoice), (str(invoice.received_on), True), found)


def contested_documents_are_not_gone_on_with(records: Records) -> Iterator[Check]:
    """What Stripe was told last of an open document is to leave it be."""
    for contest in records.contests:
        invoice = contest.invoice
        if contest.ended_on is None and invoice.state == InvoiceState.OPEN:
            yield _left_be(records, invoice, records.steps_of(invoice))


def what_we_reminded_of_stripe_left_be(records: Records) -> Iterator[Check]:
    """Stripe reminds where it goes on with an invoice, and we where it was told not to."""
    for reminder in records.reminders:
        if reminder.sent_on:
            invoice = records.invoices[reminder.invoice_id]
            yield _left_be(records, invoice, records.steps_of(invoice, before=reminder.sent_on))


def _left_be(records: Records, invoice: Invoice, calls: list[StripeStep]) -> Check:
    goes_on = is_told_to_go_on(invoice, calls)
    return Check(records.document_name(invoice), "left be", "gone on" if goes_on else "left be")


def reminders_come_in_their_order_and_leave_time(records: Records) -> Iterator[Check]:
    """Each after the one before it; the first after the due date, the last leaves two weeks."""
    sent: dict[tuple[UUID, str], tuple[dt.date, dt.date]] = {
        (row.invoice_id, row.step): (row.sent_on, row.pay_by_on)
        for row in records.reminders
        if row.sent_on and row.pay_by_on
    }
    for (key, step), (sent_on, pay_by_on) in sent.items():
        invoice = records.invoices[key]
        place = ReminderStep.values.index(step)
        before, _by = sent.get((key, ReminderStep.values[place - 1]), (None, None))
        since = before if place else invoice.due_on
        leaves = pay_by_on - sent_on >= TWO_WEEKS or step != ReminderStep.FINAL
        found = (since is not None and since < sent_on, leaves)
        yield Check(f"{records.document_name(invoice)} {step}", (True, True), found)


def debits_were_announced_by_one_side_in_time(records: Records) -> Iterator[Check]:
    """What was announced here begins on its day, and not by a mandate that was withdrawn.

    Where that was withdrawn later, Stripe is told to stop, unless another one was announced since.
    """
    sent = {row.invoice_id: row.sent_on for row in reversed(records.notices) if row.sent_on}
    for notice in records.notices:
        if notice.sent_on and notice.debit_on:
            invoice, gone = notice.invoice, notice.mandate.withdrawn_on
            early = is_told_to_go_on(invoice, records.steps_of(invoice, before=notice.sent_on))
            is_last = invoice.state == InvoiceState.OPEN and sent[invoice.pk] == notice.sent_on
            goes_on = is_last and is_told_to_go_on(invoice, records.steps_of(invoice))
            found = (early, gone is not None and (gone < notice.sent_on or goes_on))
            yield Check(records.document_name(invoice), (False, False), found)


def contests_that_ended_by_a_credit_have_one(records: Records) -> Iterator[Check]:
    credited = {
        invoice.credit_of_id for invoice in records.invoices.values() if invoice.credit_of_id
    }
    for contest in records.contests:
        if contest.ended_on:
            needs_one = contest.outcome == ContestEnd.CREDITED
            found = contest.invoice_id in credited or not needs_one
            yield Check(records.document_name(contest.invoice), expected=True, found=found)


INVARIANTS: tuple[Invariant, ...] = (
    sent_documents_have_an_id_a_number_and_dates,
    documents_that_were_not_sent_have_none,
    numbers_of_a_series_run_once_and_without_gaps,
    bodies_of_calls_are_what_was_hashed,
    calls_that_were_made_have_an_answer,
    answers_of_calls_name_what_was_sent,
    only_what_was_approved_is_on_its_way,
    paid_documents_say_when,
    what_the_bank_received_is_paid_from_that_day_and_told_to_stripe,
    contested_documents_are_not_gone_on_with,
    contests_that_ended_by_a_credit_have_one,
    what_we_reminded_of_stripe_left_be,
    debits_were_announced_by_one_side_in_time,
    reminders_come_in_their_order_and_leave_time,
)
