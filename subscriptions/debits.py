"""Debits that we announce ourselves: amount, day, mandate and creditor, some days before.

Who announces is one setting (`CollectionPolicy`). What we announce is final at Stripe without a
debit, which begins on its day (`subscriptions.advancing`): nothing is debited unannounced.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from agency.mail import Mail
from agency.month import Month
from subscriptions import advancing, bodies, collection_letters, payments, steps
from subscriptions.models import (
    Collection,
    CollectionPolicy,
    DebitNotice,
    Invoice,
    InvoiceState,
    Mandate,
    Reminds,
)
from subscriptions.parked import is_held_back

SUBJECT = _("We will debit your account")


class NotAnnounced(models.TextChoices):
    """Why a debit is not announced, and so waits; the first that applies."""

    CONTESTED = "contested", _("contested")
    WRITTEN_OFF = "written_off", _("it is being written off")
    IN_PARTS = "in_parts", _("it is paid in parts")
    CREDITED = "credited", _("a credit of it is under way")
    PARKED = "parked", _("its client is parked")
    NO_MANDATE = "no_mandate", _("no mandate of the client is known")
    NO_ADDRESS = "no_address", _("there is no e-mail address")


@dataclass(frozen=True, slots=True)
class PlannedDebit:
    """A debit that is not announced yet, and its first day; ``waits_for`` where it must wait."""

    invoice: Invoice
    mandate: Mandate | None
    amount_cents: int
    debit_on: dt.date
    waits_for: NotAnnounced | None


def plan(*, on: dt.date, invoice_id: UUID | None = None) -> Iterator[PlannedDebit]:
    """Yield the debits to announce, of one invoice or all; writes nothing.

    Nothing comes where Stripe announces, of a debit that began, and while its day is to come.
    """
    policy = CollectionPolicy.objects.filter(announced_by=Reminds.AGENCY).first()
    if policy is not None:
        rows = unannounced(on=on)
        found = read(rows.filter(pk=invoice_id) if invoice_id else rows)
        yield from to_announce(found, policy, on=on)


def unannounced(*, on: dt.date) -> QuerySet[Invoice]:
    """Give the invoices whose debit no announcement holds for, in order of their day."""
    asking = payments.with_left(payments.unpaid()).filter(left__gt=0, state=InvoiceState.OPEN)
    since = on - advancing.DEBIT_MAY_BEGIN_LATE
    holds = DebitNotice.objects.filter(
        Q(debit_on=None) | Q(debit_on__gte=since), invoice=OuterRef("pk")
    )
    debited = asking.filter(
        ~Exists(holds),
        collection=Collection.SEPA,
        total_cents__lte=bodies.LARGEST_DEBIT_CENTS,
        debit_failed_on=None,
    )
    return debited.order_by("due_on", "number")


def read(rows: QuerySet[Invoice]) -> QuerySet[Any]:
    """Read `unannounced` invoices, all or a page, for `to_announce`: three statements."""
    kept = Mandate.objects.filter(withdrawn_on=None)
    found = _with_obstacles(Invoice.objects.filter(pk__in=rows.values("pk")))
    mandates = Prefetch("payer__mandates", kept, to_attr="mandates_left")
    return found.prefetch_related(mandates).order_by("due_on", "number")


def to_announce(
    invoices: Iterable[Any], policy: CollectionPolicy, *, on: dt.date
) -> Iterator[PlannedDebit]:
    """Yield the debit of each invoice of `read`, but where Stripe was told to go on."""
    for invoice in invoices:
        if not advancing.is_told_to_go_on(invoice):
            mandate = next(iter(invoice.payer.mandates_left), None) if invoice.payer else None
            debit_on = _first_day(invoice, policy, on)
            waits_for = _waits_for(invoice, mandate, on)
            yield PlannedDebit(invoice, mandate, invoice.left, debit_on, waits_for)


def _with_obstacles(invoices: QuerySet[Invoice]) -> QuerySet[Any]:
    return payments.with_left(advancing.with_obstacles(invoices))


def announce(*, on: dt.date) -> list[DebitNotice]:
    """Queue the mails that announce debits; doing it again on the same day queues nothing more."""
    made = []
    for invoice_id in [row.invoice.pk for row in plan(on=on) if row.waits_for is None]:
        with transaction.atomic():
            steps.lock(invoice_id)
            for row in plan(on=on, invoice_id=invoice_id):
                if row.waits_for is None and row.mandate:
                    notice = DebitNotice.objects.create(
                        invoice=row.invoice, mandate=row.mandate, amount_cents=row.amount_cents
                    )
                    async_task("subscriptions.tasks.mail_debit_notice", str(notice.pk))
                    made.append(notice)
    return made


def send(notice_id: UUID, *, on: dt.date) -> None:
    """Mail an announcement, once; one that does not hold any more is thrown away.

    As with other mail, a process that dies before it is written down sends twice.
    """
    rows = DebitNotice.objects.filter(pk=notice_id, sent_on=None)
    notice = rows.select_related("mandate").first()
    policy = CollectionPolicy.objects.filter(announced_by=Reminds.AGENCY).first()
    if notice is None:
        return
    mandate = notice.mandate if notice.mandate.withdrawn_on is None else None
    invoice: Any = _with_obstacles(payments.unpaid().filter(pk=notice.invoice_id)).first()
    is_asked = invoice is not None and invoice.left == notice.amount_cents
    if policy is None or not is_asked or _waits_for(invoice, mandate, on):
        rows.delete()
        return
    notice.invoice = invoice
    notice.debit_on = _first_day(invoice, policy, on)
    written(notice, policy.creditor_id).send()
    rows.update(sent_on=on, debit_on=notice.debit_on)


def written(notice: DebitNotice, creditor_id: str) -> Mail:
    """Write the mail that announces a debit."""
    context = {"notice": notice, "creditor_id": creditor_id}
    return collection_letters.written(notice.invoice, "debit_notice", SUBJECT, **context)


def withdraw(mandate: Mandate, *, on: dt.date) -> None:
    """Note that a client, or its bank, withdrew a mandate: no debit goes by it any more.

    The next round of pushing has Stripe stop those that were announced; what the bank has, it has.
    """
    Mandate.objects.filter(pk=mandate.pk, withdrawn_on=None).update(
        withdrawn_on=max(on, mandate.signed_on)
    )
    debited = payments.unpaid().filter(payer=mandate.organisation_id, collection=Collection.SEPA)
    for invoice_id in list(debited.order_by("pk").values_list("pk", flat=True)):
        advancing.align(invoice_id, on=on)


def _first_day(invoice: Invoice, policy: CollectionPolicy, on: dt.date) -> dt.date:
    """Return the due date, or later where that leaves too few days."""
    return max(invoice.due_on or on, on + dt.timedelta(days=policy.notice_days))


def _waits_for(invoice: Any, mandate: Mandate | None, on: dt.date) -> NotAnnounced | None:
    reasons = {
        NotAnnounced.CONTESTED: invoice.is_contested,
        NotAnnounced.WRITTEN_OFF: invoice.is_given_up,
        NotAnnounced.IN_PARTS: invoice.is_in_parts,
        NotAnnounced.CREDITED: invoice.is_being_credited,
        NotAnnounced.PARKED: is_held_back(invoice, Month.containing(on)),
        NotAnnounced.NO_MANDATE: mandate is None,
        NotAnnounced.NO_ADDRESS: not collection_letters.address_of(invoice),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)
