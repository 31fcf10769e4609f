"""The buyer of a document as a customer of Stripe, one document of a payer at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from agency.legal_names import on_day
from agency.models import Organisation
from agency.month import day_of
from subscriptions import bodies, gateway, vat
from subscriptions.models import (
    Invoice,
    InvoiceKind,
    InvoiceState,
    StepKind,
    StepState,
    StripeCustomer,
    StripeStep,
)
from subscriptions.steps import (
    UNFINISHED,
    Deed,
    DisagreementError,
    WaitingError,
    carry_out,
    end,
    step_for,
    the_only,
    wait_unless_approved,
)

NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


def know(invoice: Invoice, at: dt.datetime) -> str:
    """Have Stripe know the buyer as frozen on the document; return Stripe's id.

    Before that the document takes over what its buyer is called by now.
    """
    _bear_the_name_of(invoice, day_of(at))
    step, known = _take_turn(invoice, at)
    if known and known.details_hash == step.body_hash:
        end(step, StepState.DONE, answer_id=known.stripe_id)
        return known.stripe_id

    def call(body: Mapping[str, Any], key: str) -> gateway.Customer:
        if known:
            return gateway.update_customer(known.stripe_id, body, key)
        return gateway.create_customer(body, key)

    def look() -> gateway.Customer | None:
        if known:
            return None  # an update is made again, as a new one
        organisation = step.body["metadata"]["organisation"]
        there = gateway.customers_with_email(step.body.get("email", ""))
        found = the_only(customer for customer in there if customer.organisation == organisation)
        if found and step.generation > 1:  # made by a call that said something else
            found = gateway.update_customer(found.id, step.body, f"{step.idempotency_key}-found")
        return found or (_forgotten(step) if invoice.payer_id else None)

    def record(customer: gateway.Customer) -> None:
        if invoice.payer_id:
            StripeCustomer.objects.bulk_create(
                [
                    StripeCustomer(
                        organisation_id=invoice.payer_id,
                        stripe_id=customer.id,
                        livemode=customer.livemode,
                        details_hash=step.body_hash,
                    )
                ],
                update_conflicts=True,
                unique_fields=["organisation"],
                update_fields=["stripe_id", "livemode", "details_hash"],
            )

    return carry_out(step, Deed(call, look, record, looks_first=True), at)


def _bear_the_name_of(invoice: Invoice, day: dt.date) -> None:
    """Have a document bear what its buyer is called on the day on which it is dated.

    Raises DisagreementError where its VAT would be another with the buyer's VAT id of then.
    """
    name = on_day(invoice.payer, day) if invoice.payer else None
    if invoice.payer is None or name is None:
        return
    number = name.kvk_number or invoice.buyer_kvk_number
    called = {"buyer_name": name.legal_name, "buyer_kvk_number": number}
    called["buyer_vat_id"] = name.vat_id
    if name.vat_id != invoice.buyer_vat_id:
        reverses = any(line.vat_category == vat.REVERSE_CHARGE for line in invoice.lines.all())
        may_reverse = vat.may_reverse(invoice.buyer_country, name.vat_id)
        if reverses != may_reverse or (reverses and not invoice.payer.vat_id_checked):
            raise DisagreementError(
                _("The buyer has another VAT id by now: have it checked, then send this again.")
            )
    if any(getattr(invoice, column) != text for column, text in called.items()):
        Invoice.objects.filter(pk=invoice.pk).update(**called)
        invoice.refresh_from_db(fields=list(called))
        invoice.steps.filter(kind=StepKind.CUSTOMER, state__in=UNFINISHED).update(
            state=StepState.FAILED, error_code="renamed"
        )


def _forgotten(step: StripeStep) -> gateway.Customer | None:
    """Return a customer from before its e-mail changed, that a restored backup has forgotten.

    Its particulars are made those of the step. A search finds it, which runs behind: it is no way
    to see what was just made.
    """
    found = the_only(gateway.customers_of(step.body["metadata"]["organisation"]))
    if found is None:
        return None
    return gateway.update_customer(found.id, step.body, f"{step.idempotency_key}-found")


def _take_turn(invoice: Invoice, at: dt.datetime) -> tuple[StripeStep, StripeCustomer | None]:
    """Let one document of a payer at a time go to Stripe, or another could change its customer.

    The turn is held by whoever began first, until its document is finalized or parked; a process
    that dies leaves it to the same document. One that is tried again begins anew, behind whoever
    has begun meanwhile. Raises WaitingError while another has the turn; returns the first call and
    whom Stripe knows already.
    """
    body = bodies.customer(invoice)
    with transaction.atomic(durable=True):
        if invoice.payer_id:
            payer = Organisation.objects.filter(pk=invoice.payer_id)
            # Documents for it may be drafted meanwhile.
            list(payer.select_for_update(no_key=True).values("pk"))
        wait_unless_approved(invoice)
        known = _known_customer(invoice)
        is_known = known is not None and known.details_hash == bodies.hash_of(body)
        again = bool(invoice.payer_id) and not is_known
        step = step_for(invoice, StepKind.CUSTOMER, body, again=again)
        must_wait = _another_has_its_turn(invoice)
        if step.attempted_at is None and not must_wait:
            step.attempted_at = at
            step.save(update_fields=["attempted_at"])
    if must_wait:  # the row stays, so that the push is gone on with
        raise WaitingError
    return step, known


def begin_anew(invoice: Invoice) -> None:
    """Have a document that was parked come behind those that began meanwhile; lock it before."""
    if invoice.payer_id and invoice.kind == InvoiceKind.INVOICE:
        unfinished = invoice.steps.filter(kind=StepKind.CUSTOMER, state__in=UNFINISHED)
        unfinished.update(state=StepState.FAILED, error_code="parked")
        step_for(invoice, StepKind.CUSTOMER, bodies.customer(invoice), again=True)


def _another_has_its_turn(invoice: Invoice) -> bool:
    if invoice.payer_id is None:
        return False
    first_calls = StripeStep.objects.filter(
        invoice__payer=invoice.payer_id,
        invoice__state=InvoiceState.APPROVED,
        invoice__kind=InvoiceKind.INVOICE,
        kind=StepKind.CUSTOMER,
    ).order_by("generation")
    began = dict(first_calls.values_list("invoice", "attempted_at"))  # the newest of each
    mine = (began.get(invoice.pk) or NEVER, invoice.pk)
    return any((at, pk) < mine for pk, at in began.items() if at)


def _known_customer(invoice: Invoice) -> StripeCustomer | None:
    if invoice.payer_id is None:
        return None
    return StripeCustomer.objects.filter(
        organisation=invoice.payer_id, livemode=gateway.is_live()
    ).first()
