"""Stripe: the only module that talks to it, and the only one that knows its classes.

What goes out are the frozen bodies of `subscriptions.bodies`; what comes back are the frozen
dataclasses below, money in cents, moments in UTC. Key, address and API version come from the
settings: whether Stripe or a stand-in answers is not known here.

Every function may raise the errors below. Those of reading never leave anything behind.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast

import stripe
from django.conf import settings

from subscriptions import answers
from subscriptions.answers import (
    BusyError,
    CreditNote,
    Customer,
    Dispute,
    Document,
    Event,
    ForgedError,
    GatewayError,
    Line,
    MisconfiguredError,
    MissingError,
    Refund,
    RefusedError,
    Tax,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    from stripe._base_address import BaseAddresses

__all__ = [
    "BusyError",
    "CreditNote",
    "Customer",
    "Dispute",
    "Document",
    "Event",
    "ForgedError",
    "GatewayError",
    "Line",
    "MisconfiguredError",
    "MissingError",
    "Refund",
    "RefusedError",
    "Tax",
    "UnknownOutcomeError",
]

Body = Mapping[str, Any]
Answer = TypeVar("Answer")

TIMEOUT_SECONDS = (5, 30)  # to connect, to answer
SIGNATURE_TOLERANCE_SECONDS = 300
LONGEST_PAGE = 100
RETRIES_OF_A_FAILURE = 2
RETRIES_OF_A_BUSY_STRIPE = 5


# The first that fits; any other status leaves it open whether something happened.
KINDS_OF_ERROR: tuple[tuple[Container[int], type[GatewayError]], ...] = (
    ({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}, MisconfiguredError),
    ({HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}, BusyError),
    ({HTTPStatus.NOT_FOUND}, MissingError),
    ({HTTPStatus.NOT_IMPLEMENTED}, RefusedError),
    (range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR), RefusedError),
)


@contextmanager
def _errors_translated() -> Iterator[None]:
    """Raise our own errors, cut off from Stripe's, whose texts repeat what was sent."""
    try:
        yield
    except stripe.StripeError as error:
        raise _translated(error) from None


def _translated(error: stripe.StripeError) -> GatewayError:
    status = error.http_status or 0
    code = error.code or (error.error and error.error.code) or type(error).__name__
    if isinstance(error, stripe.APIConnectionError):
        return UnknownOutcomeError("no_answer", is_final=False)
    for statuses, kind in KINDS_OF_ERROR:
        if status in statuses:
            return kind(code)
    replayed = (error.headers or {}).get("idempotent-replayed") == "true"
    return UnknownOutcomeError(code, is_final=replayed)


class PatientClient(stripe.RequestsClient):
    """Waits longer, and a bit at random, each time that Stripe is busy; the library gives up."""

    def _should_retry(
        self, response: Any, api_connection_error: Any, num_retries: int, max_network_retries: Any
    ) -> bool:
        if response is not None and response[1] == HTTPStatus.TOO_MANY_REQUESTS:
            return num_retries < RETRIES_OF_A_BUSY_STRIPE
        return bool(
            super()._should_retry(response, api_connection_error, num_retries, max_network_retries)
        )


def is_live() -> bool:
    """Whether the key that is set moves real money."""
    return settings.STRIPE_API_KEY.startswith(("sk_live_", "rk_live_"))


@_errors_translated()
def create_customer(body: Body, key: str) -> Customer:
    return _customer(_client().v1.customers.create(_given(body), {"idempotency_key": key}))


@_errors_translated()
def update_customer(stripe_id: str, body: Body, key: str) -> Customer:
    """Make the customer equal to the body of its creation, tax ids included.

    What the body leaves out is emptied. Safe to repeat from any point on.
    """
    wanted = [(item["type"], item["value"]) for item in body.get("tax_id_data", [])]
    given = {name: value for name, value in body.items() if name != "tax_id_data"}
    given.setdefault("email", "")
    customers = _client().v1.customers
    updated = customers.update(stripe_id, _given(given), {"idempotency_key": key})
    kept = customers.tax_ids.list(stripe_id, {"limit": LONGEST_PAGE})
    for tax_id in kept.auto_paging_iter():
        if (tax_id.type, tax_id.value) in wanted:
            wanted.remove((tax_id.type, tax_id.value))
        else:
            with suppress(MissingError), _errors_translated():  # another push was faster
                customers.tax_ids.delete(stripe_id, tax_id.id)
    for number, (kind, value) in enumerate(wanted):
        customers.tax_ids.create(
            stripe_id,
            {"type": kind, "value": value},
            {"idempotency_key": f"{key}-tax-id-{number}"},
        )
    return _customer(updated)


def customers_with_email(email: str) -> Iterator[Customer]:
    """Yield the customers with exactly this address; all of them where it is empty."""
    return _listed(_client().v1.customers, {"email": email} if email else {}, _customer_of)


@_errors_translated()
def customers_of(organisation: str) -> tuple[Customer, ...]:
    """Search for the customers of an organisation; those of the last minutes may be missing."""
    query = f"metadata['organisation']:'{organisation}'"
    found = _client().v1.customers.search({"query": query, "limit": LONGEST_PAGE})
    return tuple(_customer(each) for each in found.data)


@_errors_translated()
def read_customer(stripe_id: str) -> Customer:
    """Read a customer; one that was deleted is still told of, as deleted."""
    return _customer(_client().v1.customers.retrieve(stripe_id))


def customers_since(moment: dt.datetime) -> Iterator[Customer]:
    """Yield the customers created at or after a moment, the newest first."""
    return _listed(_client().v1.customers, {"created": _since(moment)}, _customer_of)


@_errors_translated()
def create_draft(body: Body, key: str) -> Document:
    return _document(_client().v1.invoices.create(_given(body), {"idempotency_key": key}))


@_errors_translated()
def add_lines(stripe_id: str, body: Body, key: str) -> Document:
    """Add all lines or none."""
    return _document(
        _client().v1.invoices.add_lines(stripe_id, _given(body), {"idempotency_key": key})
    )


@_errors_translated()
def read(stripe_id: str) -> Document:
    return _document(_client().v1.invoices.retrieve(stripe_id))


@_errors_translated()
def lines_of(stripe_id: str) -> tuple[Line, ...]:
    """Read every line: an invoice itself shows but the first few."""
    found = _client().v1.invoices.line_items.list(stripe_id, {"limit": LONGEST_PAGE})
    return tuple(answers.line(line.to_dict()) for line in found.auto_paging_iter())


def documents_of(customer_id: str) -> Iterator[Document]:
    """Yield all invoices of a customer, drafts included.

    A list, because Stripe's search runs behind what was written.
    """
    return _listed(_client().v1.invoices, {"customer": customer_id}, answers.document)


def documents_since(moment: dt.datetime) -> Iterator[Document]:
    """Yield the invoices created at or after a moment, drafts included, the newest first."""
    return _listed(_client().v1.invoices, {"created": _since(moment)}, answers.document)


@_errors_translated()
def finalize(stripe_id: str, body: Body, key: str) -> Document:
    return _document(
        _client().v1.invoices.finalize_invoice(stripe_id, _given(body), {"idempotency_key": key})
    )


@_errors_translated()
def send(stripe_id: str, key: str) -> Document:
    """Have Stripe mail the invoice; its test mode sends no mail."""
    return _document(_client().v1.invoices.send_invoice(stripe_id, {}, {"idempotency_key": key}))


@_errors_translated()
def settle(stripe_id: str, body: Body, key: str) -> Document:
    """Have an open invoice count as paid by what our own bank received."""
    return _document(_client().v1.invoices.pay(stripe_id, _given(body), {"idempotency_key": key}))


@_errors_translated()
def advance(stripe_id: str, body: Body, key: str) -> Document:
    """Have Stripe debit and remind by itself, or leave that be, while an invoice is open."""
    return _document(
        _client().v1.invoices.update(stripe_id, _given(body), {"idempotency_key": key})
    )


@_errors_translated()
def give_up(stripe_id: str, key: str) -> Document:
    """Have an open invoice count as one that nobody will pay."""
    return _document(
        _client().v1.invoices.mark_uncollectible(stripe_id, {}, {"idempotency_key": key})
    )


def delete_draft(stripe_id: str) -> None:
    """Delete a draft; one that is gone already is fine."""
    with suppress(MissingError), _errors_translated():
        _client().v1.invoices.delete(stripe_id)


@_errors_translated()
def preview_credit_note(body: Body) -> CreditNote:
    """Return what Stripe would make of a credit note; nothing is made."""
    return _credit_note(_client().v1.credit_notes.preview(_given(body)))


@_errors_translated()
def create_credit_note(body: Body, key: str) -> CreditNote:
    """Issue a credit note: it has its number at once and is never a draft."""
    return _credit_note(_client().v1.credit_notes.create(_given(body), {"idempotency_key": key}))


@_errors_translated()
def read_credit_note(stripe_id: str) -> CreditNote:
    return _credit_note(_client().v1.credit_notes.retrieve(stripe_id))


def credit_notes_of(invoice_id: str) -> Iterator[CreditNote]:
    return _listed(_client().v1.credit_notes, {"invoice": invoice_id}, answers.credit_note)


def credit_notes_since(moment: dt.datetime) -> Iterator[CreditNote]:
    """Yield the credit notes created at or after a moment, the newest first."""
    return _listed(_client().v1.credit_notes, {"created": _since(moment)}, answers.credit_note)


def disputes_since(moment: dt.datetime) -> Iterator[Dispute]:
    """Yield the payments disputed at or after a moment, the newest first."""
    return _listed(_client().v1.disputes, {"created": _since(moment)}, answers.dispute)


def refunds_since(moment: dt.datetime) -> Iterator[Refund]:
    """Yield the refunds of a moment and later, the newest first."""
    return _listed(_client().v1.refunds, {"created": _since(moment)}, answers.refund)


def invoice_paid_by(payment_intent: str) -> str:
    """Return the invoice that a payment was for; empty where it was for none."""
    if not payment_intent:  # of a charge without one: Stripe refuses to look for nothing
        return ""
    payment = {"type": "payment_intent", "payment_intent": payment_intent}
    paid = _listed(_client().v1.invoice_payments, {"payment": payment}, dict)
    return next((str(item["invoice"]) for item in paid), "")


def events_since(moment: dt.datetime, *kinds: str) -> Iterator[Event]:
    """Yield the events of these kinds created at or after a moment, the newest first.

    Stripe keeps events for 30 days.
    """
    given = {"types": list(kinds), "created": _since(moment)}
    return _listed(_client().v1.events, given, answers.event)


def clock_is_ahead_by() -> dt.timedelta:
    """Return how much our clock is ahead of Stripe's, by what its answer says of the time."""
    with _errors_translated():
        answer = cast("Any", _client().v1.events.list({"limit": 1}).last_response)
    said = answer.headers.get("date")
    return dt.datetime.now(dt.UTC) - parsedate_to_datetime(said) if said else dt.timedelta()


def read_webhook(payload: bytes, signature: str) -> Event:
    """Return the event of a webhook's raw body; raises ForgedError for anything else.

    While a secret is being replaced the setting holds both, with a comma between them. Stripe's
    library lets signatures from the future pass; a clock that is more than a few minutes off is
    refused here.
    """
    try:
        _verify(payload, signature)
        signed_at = next(int(part[2:]) for part in signature.split(",") if part.startswith("t="))
        if signed_at > time.time() + SIGNATURE_TOLERANCE_SECONDS:
            raise ForgedError
        return answers.event(json.loads(payload))
    except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError) as error:
        raise ForgedError from error


def _verify(payload: bytes, signature: str) -> None:
    """Raise SignatureVerificationError unless one of the secrets fits."""
    secrets = [secret.strip() for secret in settings.STRIPE_WEBHOOK_SECRET.split(",")]
    for secret in secrets[:-1]:
        with suppress(stripe.SignatureVerificationError):
            stripe.WebhookSignature.verify_header(
                payload, signature, secret, SIGNATURE_TOLERANCE_SECONDS
            )
            return
    stripe.WebhookSignature.verify_header(
        payload, signature, secrets[-1], SIGNATURE_TOLERANCE_SECONDS
    )


def _client() -> stripe.StripeClient:
    return _client_for(
        settings.STRIPE_API_KEY, settings.STRIPE_API_BASE, settings.STRIPE_API_VERSION
    )


@lru_cache(maxsize=4)
def _client_for(key: str, base: str, version: str) -> stripe.StripeClient:
    """Build the client for these settings; it keeps its connections between calls."""
    if not key:
        raise MisconfiguredError("no_api_key")
    if version != stripe.api_version:
        raise MisconfiguredError("other_api_version")
    # All of them, so that nothing can leave for Stripe where another address is set.
    addresses: BaseAddresses = (
        {"api": base, "files": base, "connect": base, "meter_events": base} if base else {}
    )
    return stripe.StripeClient(
        key,
        stripe_version=version,
        base_addresses=addresses,
        max_network_retries=RETRIES_OF_A_FAILURE,
        http_client=PatientClient(timeout=TIMEOUT_SECONDS),
    )


def _listed(service: Any, given: Body, read: Callable[[Body], Answer]) -> Iterator[Answer]:
    """Yield all that a service lists, page after page."""
    with _errors_translated():
        for item in service.list({**given, "limit": LONGEST_PAGE}).auto_paging_iter():
            yield read(item.to_dict())


def _customer(given: stripe.StripeObject) -> Customer:
    return _customer_of(given.to_dict())


def _customer_of(given: Body) -> Customer:
    return answers.customer(given, livemode=is_live())


def _document(given: stripe.StripeObject) -> Document:
    return answers.document(given.to_dict())


def _credit_note(given: stripe.StripeObject) -> CreditNote:
    return answers.credit_note(given.to_dict())


def _given(body: Body) -> Any:
    """Return a body as a call takes it; each call names its type of it in its own way."""
    return dict(body)


def _since(moment: dt.datetime) -> Any:
    """Return a filter on ``created``."""
    return {"gte": int(moment.timestamp())}
