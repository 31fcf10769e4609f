"""One call to Stripe, made exactly once whatever becomes of the process that makes it.

Every call is a row first (`StripeStep`): its body is frozen and its key committed before it is
made. A key is repeated only while Stripe still remembers it. Where the outcome stays unknown,
Stripe is looked at: what is there is adopted, and if nothing is there the next generation of the
step gets a new key.

Two processes on one step do no harm: they send the same key. Nothing here may run inside a
transaction, because what is written before a call must outlive the process.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from subscriptions import bodies, gateway
from subscriptions.models import Invoice, InvoiceState, StepKind, StepState, StripeStep

Answer = TypeVar("Answer", gateway.Customer, gateway.Document, gateway.CreditNote)

# Stripe forgets a key after 24 hours at the earliest.
KEY_IS_REPEATED_FOR = dt.timedelta(hours=20)
MOST_GENERATIONS_IN_A_RUN = 3
# Why a call was left out: its document was settled, or another call came in its place.
SETTLED, OVERTAKEN = "settled", "overtaken"
NOT_MADE = (SETTLED, OVERTAKEN)
UNFINISHED = (StepState.TODO, StepState.ATTEMPTING, StepState.UNKNOWN)


class WaitingError(Exception):
    """Not now: Stripe is busy, or the outcome of a call is not known yet."""


class DisagreementError(Exception):
    """Stripe refuses or holds something else; the text says what, for the person who looks."""


@dataclass(frozen=True)
class Deed(Generic[Answer]):
    """A step's call, how to see at Stripe whether it was made, and what to write down of it."""

    call: Callable[[Mapping[str, Any], str], Answer]  # body, idempotency key
    look: Callable[[], Answer | None]
    record: Callable[[Answer], None] | None = None  # in the transaction that ends the step
    # What Stripe must hold once is looked for before it is made at all: a restored backup may have
    # forgotten that it was. Before a call is made anew, with another key, Stripe is always looked
    # at: a person may have done by hand what was refused.
    looks_first: bool = False


def step_for(
    invoice: Invoice, kind: StepKind, body: Mapping[str, Any], *, again: bool = False
) -> StripeStep:
    """Return the step to go on with; after a failed one, or if ``again`` a done one, a new one."""
    latest = invoice.steps.filter(kind=kind).order_by("-generation").first()
    over = {StepState.FAILED, StepState.DONE} if again else {StepState.FAILED}
    if latest and latest.state not in over:
        return latest
    return _new_step(invoice, kind, latest.generation + 1 if latest else 1, body)


def lock(invoice_id: UUID) -> Invoice:
    """Lock a document, before any of its steps: in another order two processes would deadlock.

    A credit of it may be drafted meanwhile: that only holds on to the document's key.
    """
    return Invoice.objects.select_for_update(no_key=True).get(pk=invoice_id)


def _hold(invoice_id: UUID) -> str:
    """Lock a document, as `lock` does, for its state alone."""
    held = Invoice.objects.select_for_update(no_key=True).filter(pk=invoice_id)
    return str(held.values_list("state", flat=True).get())


def wait_unless_approved(invoice: Invoice) -> None:
    """Raise WaitingError when a document was taken back, or finalized by another process.

    Belongs before the first step, in its transaction: whoever takes documents back locks them, and
    then looks for steps. So this locks the document too: either they see the step, or this sees
    what they made of the document. The step's foreign key does not: it is checked at commit.
    """
    invoice.state = _hold(invoice.pk)
    if invoice.state != InvoiceState.APPROVED:
        raise WaitingError


def _new_step(
    invoice: Invoice,
    kind: str,
    generation: int,
    body: Mapping[str, Any],
    attempted_at: dt.datetime | None = None,
) -> StripeStep:
    which = {"invoice": invoice, "kind": kind, "generation": generation}
    try:
        with transaction.atomic():
            return StripeStep.objects.create(
                **which,
                idempotency_key=f"doc-{invoice.pk}-{kind}-g{generation}",
                body=body,
                body_hash=bodies.hash_of(body),
                livemode=gateway.is_live(),
                attempted_at=attempted_at,
            )
    except IntegrityError:  # another process was faster
        return StripeStep.objects.get(**which)


def carry_out(step: StripeStep, deed: Deed[Answer], at: dt.datetime) -> str:
    """Make a call exactly once, whatever became of earlier attempts; return the object's id."""
    for _attempt_number in range(MOST_GENERATIONS_IN_A_RUN):
        looks_first = deed.looks_first or step.generation > 1
        found = deed.look() if looks_first and step.state == StepState.TODO else None
        if step.state == StepState.DONE or not _claim(step, at):
            return _finished_elsewhere(step)
        answer = found or _attempt(step, deed, at)
        if answer:
            with transaction.atomic(durable=True):
                _hold(step.invoice_id)
                if end(step, StepState.DONE, answer_id=answer.id) and deed.record:
                    deed.record(answer)
            return answer.id
        with transaction.atomic(durable=True):
            end(step, StepState.FAILED, "not_done")
            step = _new_step(step.invoice, step.kind, step.generation + 1, step.body, at)
    raise WaitingError


def _claim(step: StripeStep, at: dt.datetime) -> bool:
    """Commit that the call is about to be made; its key's age counts from the first time."""
    claimed = StripeStep.objects.filter(pk=step.pk, state__in=UNFINISHED).update(
        state=StepState.ATTEMPTING, attempted_at=Coalesce("attempted_at", Value(at))
    )
    if claimed:
        step.state, step.attempted_at = StepState.ATTEMPTING, step.attempted_at or at
    else:
        step.refresh_from_db()
    return bool(claimed)


def _finished_elsewhere(step: StripeStep) -> str:
    if step.state != StepState.DONE:
        raise WaitingError
    return step.answer_id


def _attempt(step: StripeStep, deed: Deed[Answer], at: dt.datetime) -> Answer | None:
    """Return what the call made or had made before; None when it is certain that it made nothing.

    Whatever is raised leaves the step unfinished, but for a refusal, which ends it.
    """
    if step.attempted_at and at - step.attempted_at >= KEY_IS_REPEATED_FOR:
        return deed.look()
    try:
        return _call(step, deed)
    except gateway.RefusedError as error:
        end(step, StepState.FAILED, error.code)
        if isinstance(error, gateway.MissingError):  # what it was made on is gone
            raise
        raise DisagreementError(_("Stripe refused it: %(code)s.") % {"code": error.code}) from error
    except gateway.UnknownOutcomeError as error:
        _remember(step, error.code)
        if not error.is_final:
            raise WaitingError from error
        return deed.look()
    except gateway.GatewayError as error:
        _remember(step, error.code)
        raise


def _call(step: StripeStep, deed: Deed[Answer]) -> Answer:
    """Make the call; a failure is repeated once, because a repeated answer is a final one."""
    try:
        return deed.call(step.body, step.idempotency_key)
    except gateway.UnknownOutcomeError as error:
        if error.is_final:
            raise
        return deed.call(step.body, step.idempotency_key)


def _remember(step: StripeStep, code: str) -> None:
    StripeStep.objects.filter(pk=step.pk, state=StepState.ATTEMPTING).update(
        state=StepState.UNKNOWN, error_code=code
    )


def end(step: StripeStep, state: StepState, error_code: str = "", answer_id: str = "") -> bool:
    """End a step, unless another process ended it first."""
    return bool(
        StripeStep.objects.filter(pk=step.pk, state__in=UNFINISHED).update(
            state=state, error_code=error_code, answer_id=answer_id
        )
    )


def end_all(invoice: Invoice, kind: StepKind, answer_id: str) -> None:
    """End what is unfinished of a kind, because Stripe was seen to have done it."""
    invoice.steps.filter(kind=kind, state__in=UNFINISHED).update(
        state=StepState.DONE, answer_id=answer_id
    )


def answered_lately(invoice: Invoice, kind: StepKind, at: dt.datetime) -> bool:
    """Tell whether Stripe answered such a call of ours while it remembers the keys that followed.

    Not where it was only seen to have been done, by whomever.
    """
    return invoice.steps.filter(
        kind=kind,
        state=StepState.DONE,
        error_code="",
        attempted_at__gt=at - KEY_IS_REPEATED_FOR,
    ).exists()


def the_only(found: Iterable[Answer]) -> Answer | None:
    """Return the one that was found; two of what must be one is for a person to sort out."""
    every = list(found)
    if len(every) > 1:
        raise DisagreementError(_("Stripe holds this more than once. Look in its dashboard."))
    return every[0] if every else None
